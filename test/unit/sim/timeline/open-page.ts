/** Opens a page of a run in the Chromium of this machine, for tests: what it says on the console, fetches and does wrong is kept. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Undefined on a machine without one. */
export const chromiumPath: string | undefined =
  process.env.CHROMIUM ??
  BROWSERS.map((name) => spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim()).find((path) => path !== '');

export interface OpenedPage {
  readonly page: Page;
  /** Errors, warnings, dialogs and everything that was fetched beside the page: to stay empty. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** @param home folder whose `.pki/nssdb` says which authorities are believed; default: the user's */
export async function launch(home?: string): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error('no Chromium');
  const { HOME: usual = '/', ...environment } = process.env as Readonly<Record<string, string>>;
  const args = ['--no-sandbox', '--disable-gpu'];
  return chromium.launch({ executablePath: chromiumPath, args, env: { ...environment, HOME: home ?? usual } });
}

export async function openPage(
  browser: Browser,
  html: string,
  options: BrowserContextOptions = {},
  hash = '',
): Promise<OpenedPage> {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-timeline-'));
  const file = join(folder, 'run.html');
  writeFileSync(file, html);
  const address = pathToFileURL(file).href;
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(address)) complaints.push(`fetched: ${request.url()}`);
  });
  await page.goto(`${address}${hash}`);
  await page.waitForSelector('html[data-ready]');
  return {
    page,
    complaints,
    close: async () => {
      await context.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What axe-core finds wrong with the page as it is, `rule: where`; a colour on its way to another one is neither. */
export async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate('Promise.allSettled(document.getAnimations().map(({ finished }) => finished)).then(() => {})');
  await page.evaluate(AXE);
  return page.evaluate<string[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ': ' + target.join(' '))))`,
  );
}
