/**
 * What the page costs: bytes of the first visit as they travel, and how long anything keeps its main thread, on a real
 * replica in the Chromium of this machine. `node --import tsx bench/page.ts`; prints a table and fails over a bound.
 */
import Table from 'cli-table3';
import { TestCluster } from '../test/e2e/cluster-harness.ts';
import { chromiumPath, launch } from '../test/unit/sim/timeline/open-page.ts';

const LOAD_BYTES_MAX = 300 * 1024;
const TASK_MS_MAX = 100;
const MACHINES = ['Vsr', 'AppendLog', 'Superblock', 'ClientSessions'];
const SHOWN_MS_MAX = 30_000;

if (chromiumPath === undefined)
  throw new Error('no Chromium: install the package chromium, or name one with CHROMIUM=path');
const cluster = await TestCluster.start();
const browser = await launch();
let isOver = false;
try {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  page.setDefaultTimeout(SHOWN_MS_MAX);
  const sizes = new Map<string, number>();
  await page.addInitScript(
    'new PerformanceObserver((list) => { globalThis.longest = Math.max(globalThis.longest ?? 0, ...list.getEntries().map((entry) => entry.duration)); }).observe({ type: "longtask" })',
  );
  page.on('requestfinished', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname === '/' || pathname.startsWith('/page/'))
      void request.sizes().then(({ responseBodySize }) => sizes.set(pathname, responseBodySize));
  });
  await page.goto(`${cluster.urls[0]}/`);
  await page.getByRole('heading', { name: /leads/ }).waitFor();
  const table = new Table({ head: ['what', 'value', 'bound'], style: { head: [], border: [], compact: true } });
  const load = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  const kindOf = (path: string): string => (path === '/' ? 'document' : path.endsWith('.css') ? 'style' : 'script');
  for (const [path, bytes] of sizes) table.push([`${kindOf(path)}, packed`, `${(bytes / 1024).toFixed(1)} KiB`, '']);
  table.push(['first visit', `${(load / 1024).toFixed(1)} KiB`, `${LOAD_BYTES_MAX / 1024} KiB`]);
  isOver ||= load > LOAD_BYTES_MAX;
  const longestTask = async (of: string): Promise<void> => {
    const longest = await page.evaluate<number>('globalThis.longest ?? 0');
    table.push([
      `longest task of the page, ${of}`,
      longest === 0 ? 'under 50 ms' : `${longest.toFixed(0)} ms`,
      `${TASK_MS_MAX} ms`,
    ]);
    isOver ||= longest > TASK_MS_MAX;
    await page.evaluate('globalThis.longest = 0');
  };
  await longestTask('first visit');
  for (const machine of MACHINES) {
    await page.evaluate(`performance.clearMeasures(); location.hash = '#/machines/${machine}'`);
    await page.getByRole('heading', { name: new RegExp(`^${machine} at replica 0`) }).waitFor();
    await page.locator('.chart .state').first().waitFor();
    const ms = await page.evaluate<number>(
      'Math.max(...performance.getEntriesByName("layout").map(({ duration }) => duration))',
    );
    table.push([`layout of ${machine}, in its worker`, `${ms.toFixed(1)} ms`, '']);
    await longestTask(machine);
  }
  const worker = await page.locator('#page').getAttribute('data-worker');
  const file = await fetch(`${cluster.urls[0]}${worker}`, { headers: { 'accept-encoding': 'gzip' } });
  const packed = Number(file.headers.get('content-length'));
  table.push(['worker, packed, with the first chart', `${(packed / 1024).toFixed(1)} KiB`, '']);
  process.stdout.write(`${table.toString()}\n`);
} finally {
  await browser.close();
  await cluster.close();
}
process.exitCode = isOver ? 1 : 0;
