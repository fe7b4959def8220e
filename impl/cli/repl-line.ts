/** One line of `lockstep repl`: its words by the rules of a shell, without what only a shell can do. Mirrors no spec module. */
import { parse } from 'shell-quote';
import { CliError } from './cli-error.ts';

/** @throws CliError CLI_USAGE for pipes, redirections and the like */
export function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  // A variable stays as it is typed: entries may hold a $.
  for (const part of parse(line, (name: string) => `$${name}`)) {
    if (typeof part === 'string') words.push(part);
    else if ('pattern' in part) words.push(part.pattern);
    else if ('comment' in part) break;
    else
      throw new CliError(
        'CLI_USAGE',
        `${part.op} is for a shell: here each line is one command; quote it if it is data`,
        {
          operator: part.op,
        },
      );
  }
  return words;
}

/** `append STREAM hello world` means the words, since a REPL has no standard input of its own to read from. */
export function asCommand(words: readonly string[]): readonly string[] {
  const [name, stream, ...rest] = words;
  if (name !== 'append' || stream === undefined || rest.length === 0 || rest[0]?.startsWith('-') === true) return words;
  return [name, stream, '--text', ...rest];
}
