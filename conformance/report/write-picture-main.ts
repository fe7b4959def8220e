/**
 * Entry of `make picture`: docs/pictures/check-report.png, the top of build/report/check.html as a browser shows it, with the
 * component named (or the last one) below its figures. Needs Chromium; the report itself does not.
 */
import { existsSync, readFileSync } from 'node:fs';
import { screenshot } from './screenshot.ts';

const REPORT = 'build/report/check.html';
const PICTURE = 'docs/pictures/check-report.png';
const WIDTH = 1200;
const HEIGHT = 1180;

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
screenshot(pageOf(readFileSync(REPORT, 'utf8'), process.argv[2]), PICTURE, [WIDTH, HEIGHT]);
process.stdout.write(`${PICTURE}\n`);
