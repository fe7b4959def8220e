/** `lockstep sim`: the same as `make sim`. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { exitsWith } from '../command.ts';
import { runEngine } from '../engine-process.ts';

/** Options that are passed on as they are; what they may be is checked where the scenarios and faults are known. */
type SimOptions = Readonly<Record<string, string | boolean | undefined>>;

/** Of the caller's folder; the engine runs in the root. */
const PATHS = ['keep', 'bundle', 'html', 'out'];

export function configure(command: Command): void {
  command
    .argument(
      '[action]',
      'shrink, bisect, timeline, trace or regression with a bundle; scenarios or canaries, which lists them',
    )
    .argument('[bundle]', 'a file of build/sim/failures')
    .option('--seed <n>', 'exactly one run, of this seed')
    .option('--runs <n>', 'so many runs, of as many seeds one after the other (default: 2000)')
    .option('--first-seed <n>', 'where they begin (default: 1)')
    .option(
      '--guided',
      'steered by what the runs reach: the seeds, and changed plans of those that reached what few do',
    )
    .option('--scenario <name>', 'which faults there may be (default: swarm)')
    .option('--replicas <n>', '3, 5, 7, or swarm: each seed draws its own')
    .option('--workload <name>', 'what the clients do (default: each seed draws its own)')
    .option('--beyond', 'faults beyond what the protocol promises to survive: a loud stop is right, silence is not')
    .option('--without <faults>', 'kinds of fault that are left out, with commas')
    .option('--canary <name>', 'a broken implementation instead of the real one')
    .option('--workers <n>', 'processes (default: one a core)')
    .option('--judge <n>', 'so many of the runs, or all: TLC says at the end whether the spec allows them (default: 0)')
    .option('--keep <folder>', 'for bundles of what fails (default: build/sim/failures)')
    .option('--bundle <file>', 'runs the failure again that this file holds')
    .option('--no-resume', 'begin anew, even when the same runs were stopped before')
    .option('--no-coverage', 'do not count what the machines went through')
    .option('--html <file>', 'timeline: as a page')
    .option('--mermaid', 'timeline: as a diagram for Markdown')
    .option('--out <file>', 'trace: where the ITF trace goes (default: build/sim/traces)')
    .option('--fixed-by <text>', 'regression: the first line of the commit that mended it; it goes to traces/sim')
    .option('--name <name>', 'regression: of its file')
    .addHelpText(
      'after',
      '\nExit codes: 0 no violation, 1 a violation, 2 it could not run, 130 stopped by Ctrl-C (the same command goes on).',
    )
    .action(
      exitsWith(async (action: string | undefined, file: string | undefined, options: SimOptions, self: Command) => {
        const args = self.options.flatMap((option) => {
          const value = options[option.attributeName()];
          if (option.negate) return value === false ? [option.long as string] : [];
          if (value === undefined || value === false) return [];
          if (value === true) return option.isBoolean() ? [option.long as string] : [];
          const text = String(value);
          return [option.long as string, PATHS.includes(option.name()) ? resolve(text) : text];
        });
        if (action !== undefined) args.unshift(action, ...(file === undefined ? [] : [resolve(file)]));
        return (await runEngine('conformance/sim/main.ts', args, 'inherit', 'built')).exitCode;
      }),
    );
}
