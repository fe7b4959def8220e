/**
 * Entry of `make dx-picture`: docs/pictures/dx-*.png, the page of a replica of a real cluster, after a kill -9 of its primary, on a
 * desk and on a phone, light and dark. Needs Chromium.
 */
import type { Browser, Page } from 'playwright-core';
import { chromiumPath, launch } from '../unit/sim/timeline/open-page.ts';
import { TestCluster } from './cluster-harness.ts';

const FOLDER = 'docs/pictures';
const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 375, height: 812 };
const EVENTS = 40;
const SHOWN_MS_MAX = 30_000;
const HARBOURS = ['Rotterdam', 'Valparaíso', 'Busan', 'Mombasa', 'Gdańsk', 'Oakland'];

type Step = (page: Page) => Promise<void>;
interface Picture {
  readonly name: string;
  readonly view: string;
  readonly prepare?: Step;
  readonly all: boolean;
}

const PICTURES: readonly Picture[] = [
  { name: 'machines', view: 'machines/Vsr', prepare: toViewChange, all: true },
  { name: 'why', view: 'cluster', prepare: askWhy, all: false },
  { name: 'log', view: 'log', prepare: tamper, all: false },
  { name: 'streams', view: 'streams/orders', prepare: prove, all: false },
];

if (chromiumPath === undefined)
  throw new Error('no Chromium: install the package chromium, or name one with CHROMIUM=path');
const cluster = await TestCluster.start();
const browser = await launch();
try {
  await fill();
  await pictures(browser);
} finally {
  await browser.close();
  await cluster.close();
}

async function fill(): Promise<void> {
  const client = cluster.client();
  const post = (path: string, body: unknown): Promise<unknown> =>
    client.ask({ method: 'POST', path, body, patient: true });
  for (const name of ['orders', 'payments', 'shipments']) await post('/v1/streams', { name });
  for (let index = 0; index < EVENTS; index++) {
    const data = JSON.stringify({
      order: 1001 + index,
      to: HARBOURS[index % HARBOURS.length],
      crates: 3 + ((index * 7) % 20),
    });
    await post('/v1/streams/orders/events', { events: [{ data, type: 'order.placed' }] });
  }
  await cluster.level();
}

/** The cluster's pages watch while its primary dies; the others are taken afterwards. */
async function pictures(of: Browser): Promise<void> {
  const primary = await cluster.primary();
  const watcher = (primary + 1) % cluster.replicas.length;
  const shapes = [WIDE, NARROW].flatMap((viewport) =>
    (['light', 'dark'] as const).map((colorScheme) => ({ viewport, colorScheme })),
  );
  const pages: Page[] = [];
  for (const shape of shapes) {
    const page = await (await of.newContext(shape)).newPage();
    page.setDefaultTimeout(SHOWN_MS_MAX);
    await page.goto(`${cluster.urls[watcher]}/`);
    await page.getByRole('heading', { name: /all 3 replicas keep up/ }).waitFor();
    pages.push(page);
  }
  await cluster.kill(primary);
  for (const [index, page] of pages.entries()) {
    const { viewport, colorScheme } = shapes[index] as (typeof shapes)[number];
    const take = async (name: string): Promise<void> => {
      const path = `${FOLDER}/dx-${name}-${viewport.width}-${colorScheme}.png`;
      await page.screenshot({ path });
      process.stdout.write(`${path}\n`);
    };
    await page.getByRole('heading', { name: /with 2 of 3/ }).waitFor();
    await page.locator('.happenings').getByRole('link').first().waitFor();
    await take('cluster');
    for (const { name, view, prepare, all } of PICTURES) {
      if (!all && (viewport === WIDE) === (colorScheme === 'dark')) continue;
      await page.evaluate(`location.hash = '#/${view}'; scrollTo(0, 0)`);
      await prepare?.(page);
      await take(name);
      if (await page.getByRole('dialog').isVisible()) await page.keyboard.press('Escape');
    }
  }
}

/** The step that took the replica into the view change. */
async function toViewChange(page: Page): Promise<void> {
  await page.evaluate(`location.hash = '#/cluster'`);
  await page
    .locator('.happenings')
    .getByRole('link', { name: /from normal to view-change/ })
    .first()
    .click();
  await page.locator('.chart .state.current', { hasText: 'view-change' }).waitFor();
  await page.locator('.panel').getByText('taken', { exact: true }).waitFor();
  await page.evaluate('document.activeElement.blur(); scrollTo(0, 0)');
}

async function askWhy(page: Page): Promise<void> {
  await page
    .getByRole('button', { name: /^why\? Replica \d leads view/ })
    .first()
    .click();
  await page.getByText('Decided by').waitFor();
}

async function tamper(page: Page): Promise<void> {
  await page.locator('.chain-summary.good').waitFor();
  await page.getByRole('button', { name: 'Change a bit in one entry' }).click();
  await page.locator('.chain-summary.bad').waitFor();
}

async function prove(page: Page): Promise<void> {
  await page
    .getByRole('button', { name: /^prove that the event at offset/ })
    .first()
    .click();
  await page.locator('.proof.good, .proof.bad').first().waitFor();
}
