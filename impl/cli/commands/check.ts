/** `lockstep check`: the same as `make check`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { EXIT_USAGE } from '../cli-error.ts';
import { exitsWith, Output } from '../command.ts';
import { repositoryRoot, runEngine } from '../engine-process.ts';

interface CheckOptions {
  readonly deep?: boolean;
  readonly engine?: string;
  readonly cache: boolean;
}

export function configure(command: Command): void {
  command
    .argument('[component...]', 'components by name, in any case; without one all of them')
    .option('--deep', 'the deep models too (hours)')
    .option('--no-cache', 'check what has not changed as well')
    .addOption(new Option('--engine <engine>', 'instead of the best one found').choices(['docker', 'embedded']))
    .addHelpText('after', '\nExit codes: 0 all green, 1 a divergence or violation, 2 the check could not run.')
    .action(
      exitsWith(async (components: string[], options: CheckOptions, self: Command) => {
        const out = new Output(self);
        const args = [...components];
        if (options.deep === true) args.push('--deep');
        if (!options.cache) args.push('--no-cache');
        if (options.engine !== undefined) args.push('--engine', options.engine);
        const { exitCode, text } = await runEngine('conformance/check/main.ts', args, out.json ? 'collect' : 'inherit');
        // Exit 2 may leave the report of an earlier run in its place.
        if (out.json && exitCode !== EXIT_USAGE)
          out.value(JSON.parse(readFileSync(join(repositoryRoot(), 'build', 'report', 'check.json'), 'utf8')));
        else if (out.json) out.value({ error: { code: 'CHECK_COULD_NOT_RUN', message: text.trim(), evidence: {} } });
        return exitCode;
      }),
    );
}
