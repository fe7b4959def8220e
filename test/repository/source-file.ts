/**
 * The files that the repository's rules look at: what git tracks, as it stands in the work tree, and a view of TypeScript
 * without its comments and without the contents of its strings, so that a rule about code never reads prose.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** What is not tracked yet counts too: a rule is broken when the file is written, not when it is committed. */
export function trackedFiles(): readonly SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { encoding: 'utf8' }).split('\0');
  return listed
    .filter((path) => path !== '' && existsSync(path))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

/** A `/` after one of these begins a regular expression; after anything else it divides. */
const BEFORE_PATTERN = /(?:^|[(,=:[!&|?{};+>]|\breturn|\btypeof|\bcase)\s*$/;

/** Comments and the contents of strings, templates and patterns become blanks; lines stay lines. */
export function codeOf(source: string): string {
  let out = '';
  let at = 0;
  const blank = (end: number): void => {
    out += source.slice(at, end).replace(/[^\n]/g, ' ');
    at = end;
  };
  /** Of a quoted text: keeps the quotes. */
  const quoted = (end: number): void => {
    out += source[at];
    at++;
    blank(end - 1);
    out += source[at] ?? '';
    at = end;
  };
  while (at < source.length) {
    const two = source.slice(at, at + 2);
    const one = source[at] ?? '';
    if (two === '//') blank(indexOrEnd(source, '\n', at));
    else if (two === '/*') blank(indexOrEnd(source, '*/', at + 2) + 2);
    else if (one === "'" || one === '"') quoted(closing(source, at, one));
    else if (one === '`') blank(closingTemplate(source, at));
    else if (one === '/' && BEFORE_PATTERN.test(out.slice(-40))) blank(closingPattern(source, at));
    else {
      out += one;
      at++;
    }
  }
  return out;
}

function indexOrEnd(source: string, what: string, from: number): number {
  const index = source.indexOf(what, from);
  return index < 0 ? source.length : index;
}

function closing(source: string, from: number, quote: string): number {
  let at = from + 1;
  while (at < source.length && source[at] !== quote) at += source[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** The templates here hold no code worth a rule; nested templates are stepped over. */
function closingTemplate(source: string, from: number): number {
  let at = from + 1;
  while (at < source.length && source[at] !== '`') {
    if (source[at] === '\\') at += 2;
    else if (source.startsWith('${', at)) at = closingBrace(source, at + 2);
    else at++;
  }
  return at + 1;
}

function closingBrace(source: string, from: number): number {
  let at = from;
  for (let depth = 1; at < source.length && depth > 0; ) {
    const one = source[at] ?? '';
    if (one === "'" || one === '"') at = closing(source, at, one);
    else if (one === '`') at = closingTemplate(source, at);
    else {
      if (one === '{') depth++;
      if (one === '}') depth--;
      at++;
    }
  }
  return at;
}

function closingPattern(source: string, from: number): number {
  let at = from + 1;
  for (let inClass = false; at < source.length && (inClass || source[at] !== '/'); at++) {
    if (source[at] === '\n') return from + 1;
    if (source[at] === '\\') at++;
    else if (source[at] === '[') inClass = true;
    else if (source[at] === ']') inClass = false;
  }
  return at + 1;
}
