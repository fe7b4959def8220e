/**
 * Goal: the page of a replica tells the truth about a real cluster, through the death of its primary, to everybody: by keyboard,
 * with a screen reader as far as axe-core tells, on a phone and on a desk, light and dark.
 * Method: three processes, the Chromium of this machine, kill -9 of the primary in the middle.
 */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launch, violationsOf } from '../unit/sim/timeline/open-page.ts';
import { HAS_DX, TestCluster } from './cluster-harness.ts';

const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 375, height: 812 };
const VIEWS = [
  'cluster',
  'machines/Vsr',
  'machines/AppendLog',
  'machines/Superblock',
  'machines/ClientSessions',
  'log',
  'streams',
  'streams/orders',
];
/** A view change and some looks of the page. */
const SHOWN_MS_MAX = 20_000;
/** What the first visit fetches, packed. */
const LOAD_BYTES_MAX = 300 * 1024;

interface Opened {
  readonly page: Page;
  /** What the browser says, but for replicas that do not answer. */
  readonly complaints: string[];
  close(): Promise<void>;
}

describe.skipIf(chromiumPath === undefined || !HAS_DX)('the page', () => {
  let cluster: TestCluster;
  let browser: Browser;

  beforeAll(async () => {
    cluster = await TestCluster.start();
    browser = await launch();
    await cluster.client().ask({ method: 'POST', path: '/v1/streams', body: { name: 'orders' }, patient: true });
    await append('orders', ['one', '<img src=x onerror=alert(1)>', 'three']);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await cluster?.close();
  });

  const append = async (stream: string, data: readonly string[]): Promise<void> => {
    const body = { events: data.map((text) => ({ data: text })) };
    await cluster.client().ask({ method: 'POST', path: `/v1/streams/${stream}/events`, body, patient: true });
  };

  const open = async (
    replica: number,
    view: string,
    options: BrowserContextOptions = { viewport: WIDE },
  ): Promise<Opened> => {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(SHOWN_MS_MAX);
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (!/net::ERR_/.test(message.text())) complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      const known = cluster.urls.some((url) => request.url().startsWith(`${url}/`));
      if (!known && !request.url().startsWith('data:')) complaints.push(`fetched: ${request.url()}`);
    });
    await page.goto(`${cluster.urls[replica]}/#/${view}`);
    await page
      .getByText(/replica \d leads view/)
      .first()
      .waitFor();
    return { page, complaints, close: () => context.close() };
  };

  const isWhole = async ({ page }: Opened, view: string): Promise<void> => {
    expect(await violationsOf(page), view).toEqual([]);
    const width = page.viewportSize()?.width ?? 0;
    expect(await page.evaluate('document.documentElement.scrollWidth'), view).toBeLessThanOrEqual(width);
  };

  /** What each view has when it is filled. */
  const filled = async (page: Page, view: string): Promise<void> => {
    if (view === 'cluster') await page.getByRole('heading', { name: /leads/ }).waitFor();
    if (view.startsWith('machines')) await page.locator('.panel').waitFor();
    if (view === 'log') await page.getByText('The chain is whole').waitFor();
    if (view.startsWith('streams')) await page.getByRole('link', { name: /orders/ }).waitFor();
    if (view === 'streams/orders') await page.getByText('three', { exact: true }).waitFor();
  };

  it.each([
    ['light', WIDE],
    ['dark', WIDE],
    ['light', NARROW],
    ['dark', NARROW],
  ] as const)(
    '%s, %o: every view fits, axe-core finds nothing, nothing is complained of or fetched elsewhere',
    async (colorScheme, viewport) => {
      const opened = await open(1, 'cluster', { colorScheme, viewport });
      for (const view of VIEWS) {
        await opened.page.evaluate(`location.hash = '#/${view}'`);
        await filled(opened.page, view);
        await isWhole(opened, view);
      }
      await opened.page.evaluate(`location.hash = '#/cluster'`);
      await opened.page
        .getByRole('button', { name: /^why\? Replica \d leads view/ })
        .first()
        .click();
      await opened.page.getByText('Decided by').waitFor();
      await isWhole(opened, 'why');
      expect(opened.complaints).toEqual([]);
      await opened.close();
    },
  );

  it('works by keyboard alone: a view, a machine, an event, the history, a question and its way back', async () => {
    const opened = await open(1, 'cluster');
    const { page } = opened;
    await append('orders', ['four']);
    await tabTo(page, 'Machines');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^Vsr at replica 1/ }).waitFor();
    await tabTo(page, 'ReceivePrepare');
    await page.keyboard.press('Enter');
    await page
      .locator('.panel', { hasText: 'ReceivePrepare' })
      .locator('.spec')
      .getByText('NextInSequence(r, m)')
      .first()
      .waitFor();
    const slider = page.getByRole('slider');
    await slider.focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => slider.getAttribute('aria-valuetext')).toMatch(/^\d+: \w+/);
    const latest = await slider.getAttribute('aria-valuetext');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => slider.getAttribute('aria-valuetext')).not.toBe(latest);
    await page.keyboard.press('End');
    await expect.poll(() => slider.getAttribute('aria-valuetext')).toBe('Now');
    const ask = page.getByRole('button', { name: /^why\? Replica 1 is normal/ });
    await ask.focus();
    await page.keyboard.press('Enter');
    await page
      .getByRole('dialog')
      .locator('.conclusion', { hasText: /Replica 1 is normal/ })
      .waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    const focused = 'document.activeElement?.getAttribute("aria-label")';
    await expect.poll(() => page.evaluate(focused)).toBe('why? Replica 1 is normal');
    expect(opened.complaints).toEqual([]);
    await opened.close();
  });

  it('verifies the chain in the browser, and shows a changed entry in red', async () => {
    const { page, close } = await open(2, 'log');
    await page.getByText(/The chain is whole: \d+ hashes computed again here/).waitFor();
    await page.getByRole('button', { name: 'Change a bit in one entry' }).click();
    await page.getByText(/The chain breaks at entry \d+: it is\s+not what its hash was made of/).waitFor();
    expect(await page.locator('.chain > .bad').count()).toBeGreaterThan(0);
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole('button', { name: 'Undo the change' }).click();
    await page.locator('.chain-summary.good').waitFor();
    await close();
  });

  it('proves in the browser that an event is in the log, against another replica; says why a step was refused', async () => {
    const opened = await open(1, 'streams/orders');
    const { page } = opened;
    await page.locator('.pulse.good').waitFor(); // all replicas are known: there is one to compare with
    await page.getByRole('button', { name: 'prove that the event at offset 0 is in the log' }).click();
    await page
      .locator('.proof.good')
      .getByText(/hashes? computed here, up to entry \d+, whose hash replica \d has too/)
      .waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.evaluate(`location.hash = '#/machines/Vsr'`);
    await page.getByText('Refusals').click();
    await page.getByRole('button', { name: 'Earlier step' }).click();
    await page.locator('.panel').getByText('refused', { exact: true }).waitFor();
    await page.getByRole('button', { name: /^why\? \w+ was refused at step \d+/ }).click();
    await page
      .getByRole('dialog')
      .locator('.conclusion', { hasText: /refused/ })
      .waitFor();
    expect(opened.complaints).toEqual([]);
    await opened.close();
  });

  it('makes a stream, appends, follows; a refusal says code, what to do, and the values', async () => {
    const opened = await open(1, 'streams');
    const { page } = opened;
    await page.getByLabel('Name of a new stream').fill('no name/at all');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page
      .getByRole('alert')
      .getByText(/REQUEST_INVALID|STREAM_NAME/)
      .waitFor();
    await page.getByLabel('Name of a new stream').fill('notes');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.getByRole('heading', { name: 'notes' }).waitFor();
    await page.getByLabel('Append an event').fill('hello & <b>you</b>');
    await page.getByRole('button', { name: 'Append' }).click();
    await page.getByText(/Durable on a quorum: offset 0/).waitFor();
    await page.locator('.data', { hasText: 'hello & <b>you</b>' }).waitFor();
    await append('notes', ['from elsewhere']);
    await page.locator('.data', { hasText: 'from elsewhere' }).waitFor();
    await page.getByLabel('only at offset').fill('77');
    await page.getByLabel('Append an event').fill('never');
    await page.getByRole('button', { name: 'Append' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('Nothing was changed').waitFor();
    expect(await alert.innerText()).toMatch(/OFFSET/);
    expect(await violationsOf(page)).toEqual([]);
    await opened.close();
  });

  it('asks for a key when a replica wants one, and uses it', async () => {
    const context = await browser.newContext({ viewport: NARROW });
    const page = await context.newPage();
    const refusal = { error: { code: 'UNAUTHENTICATED', message: 'give a key', evidence: {} } };
    await page.route('**/v1/**', (route) =>
      route.request().headers().authorization === 'Bearer a-key'
        ? route.continue()
        : route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify(refusal) }),
    );
    await page.goto(`${cluster.urls[0]}/`);
    await page.getByLabel(/wants an API key/).fill('a-key');
    expect(await violationsOf(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /leads/ }).waitFor();
    expect(await page.getByLabel(/wants an API key/).count()).toBe(0);
    await context.close();
  });

  it('answers the pages of its own cluster and no other, runs nothing inline, and is small', async () => {
    const [url = '', other = ''] = cluster.urls;
    const asked = async (origin: string): Promise<string | null> =>
      (await fetch(`${url}/v1/dx/status`, { headers: { origin } })).headers.get('access-control-allow-origin');
    expect(await asked(other)).toBe(other);
    expect(await asked(other.replace('127.0.0.1', 'localhost'))).not.toBeNull();
    expect(await asked('http://elsewhere.example')).toBeNull();
    const wrong = await fetch(`${url}/v1/dx/log?limit=0`);
    expect([wrong.status, ((await wrong.json()) as { error: { code: string } }).error.code]).toEqual([
      400,
      'REQUEST_INVALID',
    ]);

    const home = await fetch(`${url}/`);
    expect(home.headers.get('content-security-policy')).not.toMatch(/unsafe/);
    const html = await home.text();
    const files = [...html.matchAll(/(?:src|href|data-worker)="(\/page\/[^"]+)"/g)].map(([, path]) => path as string);
    expect(files).toHaveLength(3);
    let bytes = html.length;
    for (const path of files) {
      const file = await fetch(`${url}${path}`, { headers: { 'accept-encoding': 'gzip' } });
      expect([file.status, file.headers.get('content-encoding')]).toEqual([200, 'gzip']);
      bytes += Number(file.headers.get('content-length'));
    }
    expect(bytes).toBeLessThan(LOAD_BYTES_MAX);
    expect((await fetch(`${url}/page/else.js`)).status).toBe(404);
  });

  it('an address that somebody typed leads somewhere', async () => {
    const opened = await open(1, 'machines/Nope?replica=x');
    const { page } = opened;
    await page.getByRole('alert').getByText('no machine Nope runs here').waitFor();
    await page.evaluate(`location.hash = '#/streams/%E0%A4%A'`);
    await page.getByRole('alert').getByText('REQUEST_INVALID').waitFor();
    await page.evaluate(`location.hash = '#/nowhere/at/all?x=%'`);
    await page.getByRole('heading', { name: /leads/ }).waitFor();
    expect(await page.title()).toBe('cluster · Lockstep');
    await opened.close();
  });

  // The last two end replicas.
  it('kill -9 of the primary: the view change, the new primary, the machine’s own step and the explanation', async () => {
    await cluster.level();
    const primary = await cluster.primary();
    const watcher = cluster.replicas.find((replica) => replica !== primary) as number;
    const opened = await open(watcher, 'cluster');
    const { page } = opened;
    await expect.poll(() => page.locator('.card .badge').allInnerTexts()).toContain('primary');
    await cluster.kill(primary);
    const happened = page.locator('.happenings');
    await happened.getByText(`Replica ${primary} stopped answering`).waitFor();
    const next = await cluster.primary();
    await page.getByRole('heading', { name: `Replica ${next} leads, with 2 of 3` }).waitFor();
    await page
      .locator('.headline')
      .getByText(`Replica ${primary} does not answer. Appends go on: 2 of 3 are enough.`)
      .waitFor();
    await page
      .getByRole('article', { name: `Replica ${primary}` })
      .getByText('silent')
      .waitFor();
    await expect
      .poll(() => page.locator('[role=status]').allInnerTexts())
      .toEqual([expect.stringContaining(`Replica ${next} leads`)]);
    await isWhole(opened, 'a replica is silent');

    await page
      .getByRole('article', { name: `Replica ${next}` })
      .getByRole('button', { name: `why? Replica ${next} is primary` })
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(new RegExp(`Replica ${next} is normal and the primary of view [1-9]`)).waitFor();
    await dialog.getByText('This replica leads its view.').first().waitFor();
    await page.keyboard.press('Escape');

    await happened
      .getByRole('link', { name: /(HeartbeatTimeout|JoinViewChange|JoinView) took it from normal to view-change/ })
      .first()
      .click();
    await page.getByRole('heading', { name: /^Vsr at replica \d view-change after step \d+/ }).waitFor();
    await page.locator('.chart .state.current', { hasText: 'view-change' }).waitFor();
    await page.locator('.panel').getByText('taken', { exact: true }).waitFor();
    await isWhole(opened, 'a step of the view change');

    await cluster.start(primary);
    await page.evaluate(`location.hash = '#/cluster'`);
    await happened.getByText(`Replica ${primary} answers again`).waitFor();
    expect(opened.complaints).toEqual([]);
    await opened.close();
  });

  it('the replica of the page dies: the page goes on with the others; without a quorum a refused append has its why', async () => {
    await cluster.level();
    const primary = await cluster.primary();
    const [second = 0, third = 0] = cluster.replicas.filter((replica) => replica !== primary);
    const first = await open(primary, 'cluster');
    await first.page.getByRole('heading', { name: /all 3 replicas keep up/ }).waitFor();
    await cluster.kill(primary);
    await first.page.getByRole('heading', { name: /Replica \d leads, with 2 of 3/ }).waitFor();
    const next = await cluster.primary();
    await cluster.kill(next === second ? third : second);

    const opened = await open(next, 'streams/orders');
    const { page } = opened;
    await page.getByLabel('Append an event').fill('lonely');
    await page.getByRole('button', { name: 'Append' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('as far as is known').waitFor();
    await alert.getByRole('button', { name: /^why\?/ }).click();
    await page.getByRole('dialog').locator('.conclusion').waitFor();
    await isWhole(opened, 'without a quorum');
    await opened.close();
    await first.close();
  });
});

/** Presses Tab until what has the focus says this. */
async function tabTo(page: Page, text: string): Promise<void> {
  const STOPS_MAX = 120;
  for (let stop = 0; stop < STOPS_MAX; stop++) {
    await page.keyboard.press('Tab');
    const said = await page.evaluate<string>('(document.activeElement?.textContent ?? "").trim()');
    if (said === text) return;
  }
  throw new Error(`the Tab key does not reach ${text}`);
}
