/** A page as Chromium shows it, as a picture file. Mirrors no spec module. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--hide-scrollbars', '--disable-sync'];
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-quic'];

/** Nothing was written. */
export class PictureError extends Error {}

/** @param at the part of the page's address behind #. @throws PictureError without a browser, or when it fails */
export function screenshot(html: string, picture: string, [width, height]: readonly [number, number], at = ''): void {
  const browser = process.env.CHROMIUM ?? BROWSERS.find((name) => spawnSync(name, ['--version']).status === 0);
  if (browser === undefined)
    throw new PictureError('no Chromium: install the package chromium, or name one with CHROMIUM=path');
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-picture-'));
  try {
    const page = join(folder, 'page.html');
    writeFileSync(page, html);
    mkdirSync(dirname(picture), { recursive: true });
    const where = [`--user-data-dir=${join(folder, 'profile')}`, `--window-size=${width},${height}`];
    const target = [`--screenshot=${picture}`, `file://${page}${at === '' ? '' : `#${at}`}`];
    const { status, stderr } = spawnSync(browser, [...FLAGS, ...QUIET, ...where, ...target], { encoding: 'utf8' });
    if (status !== 0) throw new PictureError(`${browser} ends with ${status}: ${stderr.slice(0, 500)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
