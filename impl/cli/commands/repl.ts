/** `lockstep repl`: the commands of this program one after the other, with history, completion and colour. */
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { exitsWith, type Program } from '../command.ts';
import { historyFileOf, runRepl } from '../repl.ts';

interface ReplOptions {
  readonly url?: string;
}

export function configure(command: Command, program: Program): void {
  command
    .option(
      '--url <url>',
      'HTTP address of a replica, or several with commas between, for every command of the session',
    )
    .addHelpText(
      'after',
      '\nEach line is a command without the word lockstep; `append STREAM words...` appends each word. exit or Ctrl-D ends.',
    )
    .action(
      exitsWith(async ({ url }: ReplOptions) => {
        if (url !== undefined) process.env.LOCKSTEP_URL = url;
        await runRepl({
          program,
          command: [process.execPath, fileURLToPath(new URL('../run.js', import.meta.url))],
          historyFile: historyFileOf(process.env),
        });
        return undefined;
      }),
    );
}
