/**
 * Goal: the page works over HTTPS with the certificates of `lockstep tls init` and an API key: it shows every replica, answers
 * why?, and follows a stream by server-sent events; a browser that does not believe the authority opens nothing.
 * Method: three processes with mutual TLS and keys, the Chromium of this machine with a home of its own: the authority is
 * believed by what NSS's certutil wrote there, and no check of a certificate is turned off.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launch } from '../unit/sim/timeline/open-page.ts';
import { HAS_DX, lockstep, TestCluster } from './cluster-harness.ts';

const SHOWN_MS_MAX = 20_000;
const hasCertutil = spawnSync('certutil', ['-H']).error === undefined;
const missing = [
  ...(chromiumPath === undefined ? ['Chromium'] : []),
  ...(hasCertutil ? [] : ['certutil (Debian: libnss3-tools)']),
  ...(HAS_DX ? [] : ['impl/dx']),
];
const title = `the page over TLS${missing.length === 0 ? '' : `: not run, there is no ${missing.join(', no ')}`}`;

describe.skipIf(missing.length > 0)(title, () => {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-page-tls-'));
  const keys = join(folder, 'keys.jsonl');
  let cluster: TestCluster;
  let key = '';
  const browsers: Browser[] = [];

  /** A browser whose user has nothing but, if so, the authority of the cluster. */
  const browserOf = async (user: string, believes: boolean): Promise<Browser> => {
    const home = join(folder, user);
    const database = join(home, '.pki', 'nssdb');
    mkdirSync(database, { recursive: true });
    const authority = join(cluster.tlsFolder as string, 'authority.pem');
    const steps = [
      ['-N', '--empty-password'],
      ...(believes ? [['-A', '-n', 'lockstep', '-t', 'C,,', '-i', authority]] : []),
    ];
    for (const step of steps) expect(spawnSync('certutil', ['-d', `sql:${database}`, ...step]).status, step[0]).toBe(0);
    const browser = await launch(home);
    browsers.push(browser);
    return browser;
  };

  beforeAll(async () => {
    key = (await lockstep(['auth', 'add-key', '--role', 'admin,dx', '--file', keys])).stdout.trim();
    cluster = await TestCluster.start({ tls: true, token: key, serverArgs: ['--auth-keys', keys] });
    await cluster.client().ask({ method: 'POST', path: '/v1/streams', body: { name: 'orders' }, patient: true });
  }, 120_000);
  afterAll(async () => {
    for (const browser of browsers) await browser.close();
    await cluster?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const append = async (text: string): Promise<void> => {
    const body = { events: [{ data: text }] };
    await cluster.client().ask({ method: 'POST', path: '/v1/streams/orders/events', body, patient: true });
  };

  /** At the page, with the key given as a person gives it. */
  const comeIn = async (browser: Browser, complaints: string[]): Promise<Page> => {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(SHOWN_MS_MAX);
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (!cluster.urls.some((url) => request.url().startsWith(`${url}/`)) && !request.url().startsWith('data:'))
        complaints.push(`fetched: ${request.url()}`);
    });
    await page.goto(`${cluster.urls[1]}/`);
    await page.getByLabel(/wants an API key/).fill(key);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /all 3 replicas keep up/ }).waitFor();
    return page;
  };

  it('a browser that does not know the authority opens nothing', async () => {
    const page = await (await browserOf('stranger', false)).newPage();
    await expect(page.goto(`${cluster.urls[1]}/`)).rejects.toThrow('ERR_CERT_AUTHORITY_INVALID');
  });

  it('one that does shows every replica, says why, and follows a stream', async () => {
    const complaints: string[] = [];
    const page = await comeIn(await browserOf('reader', true), complaints);
    expect(cluster.urls.every((url) => url.startsWith('https://'))).toBe(true);
    const isSecure = 'window.isSecureContext && location.protocol';
    expect(await page.evaluate(isSecure)).toBe('https:');
    // Replica 1 served the page: the other two were asked by the browser, each over HTTPS of its own.
    expect(await page.locator('.card', { hasText: 'Says so itself' }).count()).toBe(3);

    await page
      .getByRole('button', { name: /^why\? Replica \d leads view/ })
      .first()
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.locator('.conclusion', { hasText: /leads|primary/ }).waitFor();
    await dialog.getByText('Decided by').waitFor();
    await page.keyboard.press('Escape');

    await page.evaluate(`location.hash = '#/streams/orders'`);
    const events = page.waitForResponse(
      (answer) => answer.headers()['content-type']?.startsWith('text/event-stream') === true,
    );
    expect((await events).url()).toMatch(/^https:.*follow=true/);
    for (const text of ['one', 'two', 'three']) {
      await append(text);
      await page.locator('.data', { hasText: text }).waitFor();
    }
    expect(complaints).toEqual([]);
  });
});
