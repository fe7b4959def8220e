/**
 * Goal: the page shows nobody what they may not read, and is gone with the DX API.
 * Method: three processes with keys of several roles, the Chromium of this machine; and a server with --no-dx.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chromiumPath, launch, violationsOf } from '../unit/sim/timeline/open-page.ts';
import { HAS_DX, lockstep, TestCluster } from './cluster-harness.ts';

const WIDE = { width: 1440, height: 900 };
const SHOWN_MS_MAX = 20_000;

describe.skipIf(chromiumPath === undefined || !HAS_DX)('the page of replicas that want keys', () => {
  it('asks for one; a key of the role dx shows every replica, but no stream; one that may read shows those too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lockstep-page-keys-'));
    const file = join(folder, 'keys.jsonl');
    const keyOf = async (roles: string): Promise<string> =>
      (await lockstep(['auth', 'add-key', '--role', roles, '--file', file])).stdout.match(/lsk_\S+/)?.[0] ?? '';
    const [watching, reading] = [await keyOf('dx'), await keyOf('dx,read,write')];
    const cluster = await TestCluster.start({ serverArgs: ['--auth-keys', file] });
    const browser = await launch();
    try {
      const page = await (await browser.newContext({ viewport: WIDE })).newPage();
      page.setDefaultTimeout(SHOWN_MS_MAX);
      await page.goto(`${cluster.urls[1]}/`);
      const field = page.getByLabel(/wants an API key/);
      await field.fill('lsk_wrong');
      await page.keyboard.press('Enter');
      await page.getByText('The replica refused the key that was given').waitFor();
      await field.fill(watching);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: /all 3 replicas keep up/ }).waitFor();
      expect(await page.locator('.card', { hasText: 'Says so itself' }).count()).toBe(3);
      await page.evaluate(`location.hash = '#/streams'`);
      const alert = page.getByRole('alert');
      await alert.getByText('The streams cannot be listed.').waitFor();
      await alert.getByText(/The key lacks the role for this|Give a key that has the role/).waitFor();
      expect(await violationsOf(page)).toEqual([]);
      await page.evaluate(`sessionStorage.setItem('lockstep-key', ${JSON.stringify(reading)}); location.reload()`);
      await page.getByText('None yet: make the first one.').waitFor();
    } finally {
      await browser.close();
      await cluster.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe.skipIf(!HAS_DX)('without the DX API', () => {
  it('there is no page', async () => {
    const cluster = await TestCluster.start({ replicas: 1, serverArgs: ['--no-dx'] });
    const statuses = await Promise.all(
      ['/', '/v1/dx/status', '/ready'].map(async (path) => (await fetch(`${cluster.urls[0]}${path}`)).status),
    );
    await cluster.close();
    expect(statuses).toEqual([404, 404, 200]);
  });

  it('lockstep server says what --http-addresses is for, and refuses what is none', async () => {
    const refused = await lockstep([
      'server',
      '--addresses',
      '127.0.0.1:1',
      '--http',
      '127.0.0.1:0',
      '--http-addresses',
      'nowhere',
      'no-such-directory',
    ]);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain('http-addresses');
  });
});
