/**
 * A constant has one home, the cfg. Finds TypeScript that gives a value to a name that the spec declares as a constant:
 * `ReplicaCount: 3`, `const LIMIT = 2`, `constants.Limit ?? 2`. Reads text, so it sees names, not meanings.
 */
import type { MirrorFinding } from './finding.ts';

/** @param source text of one file; @param file its name for the finding. */
export function restatedConstants(names: readonly string[], source: string, file: string): readonly MirrorFinding[] {
  const findings: MirrorFinding[] = [];
  const lines = withoutComments(source).split('\n');
  for (const name of names) {
    const spellings = [...new Set([name, name[0]?.toLowerCase() + name.slice(1), screaming(name)])].join('|');
    const literal = `(?:-?\\d|'|"|\`|true\\b|false\\b|\\[\\s*[\\d'"]|new Set\\()`;
    const given = new RegExp(`\\b(?:${spellings})\\b\\??\\s*(?::\\s*\\w+\\s*=|[:=])\\s*${literal}`);
    const fallback = new RegExp(`\\b(?:${spellings})\\b[^;,\\n]*(?:\\?\\?|\\|\\|)\\s*${literal}`);
    for (const [index, line] of lines.entries()) {
      if (!given.test(line) && !fallback.test(line)) continue;
      const message = `${file}:${index + 1} gives ${name} a value; the cfg is the only place for it: ${line.trim().slice(0, 80)}`;
      findings.push({ kind: 'constant-restated', message });
    }
  }
  return findings;
}

function screaming(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
}

/** Blanks comments out and keeps the lines. */
export function withoutComments(source: string): string {
  const blank = (text: string): string => text.replace(/[^\n]/g, ' ');
  return source.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/(^|[\s;{}()])\/\/.*$/gm, (whole) => blank(whole));
}
