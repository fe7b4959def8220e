/** `make api-page`: writes docs/api.md from the OpenAPI document of a replica that is started for it. */
import { writeFileSync } from 'node:fs';
import { dxPlugin } from '../../impl/dx/plugin.ts';
import { startOneReplica } from '../unit/server/one-replica.ts';
import { apiPage, type OpenApi } from './api-page.ts';

const replica = await startOneReplica({}, dxPlugin);
try {
  const document = (await (await fetch(`${replica.url}/openapi.json`)).json()) as OpenApi;
  writeFileSync('docs/api.md', apiPage(document));
  console.log('docs/api.md is written');
} finally {
  await replica.close();
}
