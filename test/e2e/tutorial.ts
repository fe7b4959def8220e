/**
 * A page with commands and their output, as something that can be run: the blocks ```console of docs/tutorial.md. In them a
 * line that begins with `$ ` is a command (with a here-document, if it has one), and what follows is what it prints; `…`
 * stands for anything in a line, and alone in a line for any lines.
 */

export interface Step {
  readonly line: number;
  readonly command: string;
  readonly expected: readonly string[];
  /** The word after `console`: cluster (goes on running), until (asked again until it says this), stop, or nothing. */
  readonly kind: string;
}

export function stepsOf(markdown: string): readonly Step[] {
  const lines = markdown.split('\n');
  const steps: Step[] = [];
  for (let at = 0; at < lines.length; at++) {
    const kind = /^```console ?(\w*)$/.exec(lines[at] as string)?.[1];
    if (kind === undefined) continue;
    const end = lines.indexOf('```', at);
    steps.push(...stepsIn(lines.slice(at + 1, end), at + 2, kind));
    at = end;
  }
  return steps;
}

function stepsIn(lines: readonly string[], firstLine: number, kind: string): readonly Step[] {
  const steps: { line: number; command: string; expected: string[]; kind: string }[] = [];
  let until: string | undefined;
  for (const [index, line] of lines.entries()) {
    const last = steps.at(-1);
    if (until !== undefined && last !== undefined) {
      last.command += `\n${line}`;
      if (line === until) until = undefined;
    } else if (line.startsWith('$ ')) {
      steps.push({ line: firstLine + index, command: line.slice(2), expected: [], kind });
      until = /<<'(\w+)'$/.exec(line)?.[1];
    } else if (last === undefined) steps.push({ line: firstLine + index, command: '', expected: [line], kind });
    else last.expected.push(line);
  }
  return steps;
}

/** What is wrong, in a sentence, or undefined. Trailing white space does not count. */
export function differenceOf(expected: readonly string[], printed: string): string | undefined {
  const actual = printed.replace(/\s+$/, '') === '' ? [] : printed.replace(/\s+$/, '').split('\n');
  const matches = (at: number, from: number): boolean => {
    if (at === expected.length) return from === actual.length;
    const pattern = expected[at] as string;
    if (pattern === '…') {
      for (let next = from; next <= actual.length; next++) if (matches(at + 1, next)) return true;
      return false;
    }
    return from < actual.length && lineMatches(pattern, actual[from] as string) && matches(at + 1, from + 1);
  };
  if (matches(0, 0)) return undefined;
  return `the page says\n${expected.join('\n')}\nand it printed\n${actual.join('\n')}`;
}

function lineMatches(pattern: string, line: string): boolean {
  const parts = pattern.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}\\s*$`).test(line);
}
