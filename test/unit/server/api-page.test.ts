/** Goal: docs/api.md is what the server says of itself. Method: `make api-page` in memory, compared with the page. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { dxPlugin } from '../../../impl/dx/plugin.ts';
import { apiPage, type OpenApi } from '../../api/api-page.ts';
import { startOneReplica } from './one-replica.ts';

it('docs/api.md is what `make api-page` writes', async () => {
  const replica = await startOneReplica({}, dxPlugin);
  const document = (await (await fetch(`${replica.url}/openapi.json`)).json()) as OpenApi;
  await replica.close();
  const page = apiPage(document);
  for (const path of Object.keys(document.paths)) expect(page).toContain(` ${path}\n`);
  expect(page).toBe(readFileSync('docs/api.md', 'utf8'));
});
