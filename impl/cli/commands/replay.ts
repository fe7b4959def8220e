/** `lockstep replay`: the same as `make replay`. */
import { isAbsolute, relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { EXIT_DONE } from '../cli-error.ts';
import { exitsWith, Output } from '../command.ts';
import { repositoryRoot, runEngine } from '../engine-process.ts';
import { wholeNumber } from '../whole-number.ts';

interface ReplayOptions {
  readonly explain?: string;
  readonly step?: number;
  readonly replica?: number;
}

export function configure(command: Command): void {
  command
    .argument('[trace...]', 'ITF JSON files (*.itf.json); without one all of traces/')
    .addOption(
      new Option('--explain <topic>', 'then: why each replica is in its state, in the words of a server').choices([
        'replica',
        'commit',
        'refusal',
        'view-change',
      ]),
    )
    .option('--replica <n>', 'only this one', wholeNumber(0))
    .option('--step <n>', 'after which step --explain looks (default: the last)', wholeNumber(0))
    .addHelpText('after', '\nExit codes: 0 reproduced, 1 the code goes elsewhere, 2 not a trace of a spec here.')
    .action(
      exitsWith(async (traces: string[], options: ReplayOptions, self: Command) => {
        const out = new Output(self);
        const files = traces.map((file) => pathFromRoot(file));
        const asked = [
          ...(options.explain === undefined ? [] : ['--explain', options.explain]),
          ...(options.step === undefined ? [] : ['--step', String(options.step)]),
          ...(options.replica === undefined ? [] : ['--replica', String(options.replica)]),
        ];
        const { exitCode, text } = await runEngine(
          'conformance/replay/main.ts',
          [...files, ...asked],
          out.json ? 'collect' : 'inherit',
        );
        const lines = text.trimEnd().split('\n');
        out.value({ reproduced: exitCode === EXIT_DONE, exitCode, lines });
        return exitCode;
      }),
    );
}

/** The engine runs in the root: a path of the caller's folder, in the shortest form that is valid there. */
function pathFromRoot(file: string): string {
  const absolute = resolve(file);
  const inRoot = relative(repositoryRoot(), absolute);
  return inRoot.startsWith('..') || isAbsolute(inRoot) ? absolute : inRoot;
}
