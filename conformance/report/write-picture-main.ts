/**
 * Entry of `make picture`: docs/pictures/check-report.png, the top of build/report/check.html as a browser shows it, with the
 * component named (or the last one) below its figures. Needs Chromium; the report itself does not.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const REPORT = 'build/report/check.html';
const PICTURE = 'docs/pictures/check-report.png';
const WIDTH = 1200;
const HEIGHT = 1180;
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--hide-scrollbars', '--disable-sync'];
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-quic'];

function fail(message: string): never {
  process.stderr.write(`picture: ${message}\n`);
  process.exit(2);
}

/** The page with this component's section alone, and nothing that depends on how busy the machine was. */
function pageOf(html: string, component: string | undefined): string {
  const sections = [...html.matchAll(/<section class="component" aria-labelledby="(\w+)">[\s\S]*?<\/section>/g)];
  const chosen = sections.find(([, name]) => name === component) ?? sections.at(-1);
  if (chosen === undefined || (component !== undefined && chosen[1] !== component))
    fail(`${REPORT} has no component ${component ?? 'at all'}: run make check first`);
  return sections
    .reduce((page, [section]) => (section === chosen[0] ? page : page.replace(section, '')), html)
    .replace(/<div class="scroll"[^>]*aria-label="Components">[\s\S]*?<\/table><\/div>/, '')
    .replace(/ [\d.]+ s\.<\/p>/, '</p>');
}

if (!existsSync(REPORT)) fail(`${REPORT} is missing: run make check first`);
const browser = process.env.CHROMIUM ?? BROWSERS.find((name) => spawnSync(name, ['--version']).status === 0);
if (browser === undefined) fail('no Chromium: install the package chromium, or name one with CHROMIUM=path');
const folder = mkdtempSync(join(tmpdir(), 'lockstep-picture-'));
try {
  const page = join(folder, 'page.html');
  writeFileSync(page, pageOf(readFileSync(REPORT, 'utf8'), process.argv[2]));
  mkdirSync('docs/pictures', { recursive: true });
  const where = [`--user-data-dir=${join(folder, 'profile')}`, `--window-size=${WIDTH},${HEIGHT}`];
  const target = [`--screenshot=${PICTURE}`, `file://${page}`];
  const { status, stderr } = spawnSync(browser, [...FLAGS, ...QUIET, ...where, ...target], { encoding: 'utf8' });
  if (status !== 0) fail(`${browser} ends with ${status}: ${stderr.slice(0, 500)}`);
  process.stdout.write(`${PICTURE}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
