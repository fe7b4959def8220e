/**
 * `lockstep sim`: from the words of the command line to the exit code. 0 no violation, 1 violations, 2 could not run or not
 * understood, 130 stopped. Mirrors no spec module.
 */
import { join } from 'node:path';
import Table from 'cli-table3';
import { errorText } from '../../../impl/cli/cli-error.ts';
import { repositoryRoot } from '../../../impl/cli/engine-process.ts';
import { OUTSIDE_BUDGET } from '../budget.ts';
import { simCanaries } from '../canaries.ts';
import { originOf } from '../origin.ts';
import { SCENARIOS } from '../scenarios.ts';
import { bisect, regression, replay, shrink, timeline } from './bundle-commands.ts';
import { runGuided } from './guided-runs.ts';
import { EXIT_CLEAN, runMany, type Surroundings } from './many-runs.ts';
import { runOne } from './one-run.ts';
import { type SimTask, simTaskOf } from './sim-arguments.ts';
import { trace } from './trace-command.ts';

export const EXIT_NOT_RUN = 2;
const EXIT_STOPPED_AT_ONCE = 130;
/** A signal that comes this soon after the first is the same Ctrl-C, by another way: the terminal's and the launcher's. */
const SAME_SIGNAL_MS_MAX = 400;
const COLUMNS_WITHOUT_TERMINAL = 120;

export async function runSim(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json');
  const signals = new StopSignals();
  try {
    const known = { scenarios: SCENARIOS.map(({ name }) => name), canaries: simCanaries.map(({ name }) => name) };
    const task = simTaskOf(argv, known);
    if (task.kind !== 'runs' && task.kind !== 'one' && task.kind !== 'guided') signals.close();
    return await runTask(task, surroundings(signals.stop));
  } catch (cause) {
    process.stderr.write(errorText('sim', cause, json));
    return EXIT_NOT_RUN;
  } finally {
    signals.close();
  }
}

function runTask(task: SimTask, around: Surroundings): Promise<number> | number {
  switch (task.kind) {
    case 'runs':
      return runMany(task, around);
    case 'one':
      return runOne(task, around);
    case 'guided':
      return runGuided(task, around);
    case 'replay':
      return replay(task.file, task.json, around);
    case 'shrink':
      return shrink(task.file, task.json, around);
    case 'timeline':
      return timeline(task, around);
    case 'trace':
      return trace(task, around);
    case 'bisect':
      return bisect(task.file, task.json, around);
    case 'regression':
      return regression(task, around);
    case 'scenarios':
      return list(
        around,
        task.json,
        SCENARIOS.map(({ name, description }) => ({ name, description })),
      );
    case 'canaries':
      return list(
        around,
        task.json,
        simCanaries.map(({ name, rule, canary = '' }) => ({ name, known: canary, rule })),
      );
  }
}

function list(around: Surroundings, json: boolean, rows: readonly Readonly<Record<string, string>>[]): number {
  if (json) around.print(`${JSON.stringify(rows)}\n`);
  else {
    const table = new Table({ head: Object.keys(rows[0] ?? {}), style: { head: [], border: [], compact: true } });
    for (const row of rows) table.push(Object.values(row));
    around.print(`${table.toString()}\n`);
  }
  return EXIT_CLEAN;
}

function surroundings(stop: AbortSignal): Surroundings {
  const { stderr, stdout } = process;
  const root = repositoryRoot();
  const built = import.meta.url.endsWith('.js');
  return {
    world: new URL(built ? './simulated-world.js' : './simulated-world.ts', import.meta.url).href,
    origin: () => originOf(root),
    root,
    build: join(root, 'build'),
    outsideBudget: OUTSIDE_BUDGET,
    print: (text) => stdout.write(text),
    progress: {
      terminal: stderr.isTTY === true,
      columns: stderr.columns ?? COLUMNS_WITHOUT_TERMINAL,
      write: (text) => stderr.write(text),
    },
    stop,
    nowMs: () => performance.now(),
  };
}

/** The first Ctrl-C or SIGTERM asks for a stop, the second ends the process at once; its workers with it. */
class StopSignals {
  readonly #controller = new AbortController();
  #firstMs = 0;

  constructor() {
    process.on('SIGINT', this.#onSignal).on('SIGTERM', this.#onSignal);
  }

  get stop(): AbortSignal {
    return this.#controller.signal;
  }

  close(): void {
    process.off('SIGINT', this.#onSignal).off('SIGTERM', this.#onSignal);
  }

  readonly #onSignal = (): void => {
    if (!this.stop.aborted) {
      this.#firstMs = performance.now();
      process.stderr.write('\nsim: stopping; once more ends at once\n');
      this.#controller.abort();
    } else if (performance.now() - this.#firstMs > SAME_SIGNAL_MS_MAX) process.exit(EXIT_STOPPED_AT_ONCE);
  };
}
