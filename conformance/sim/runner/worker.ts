/**
 * A worker process of the runner: told a range of seeds, it runs them and answers with their tally. Every run is guarded
 * (deterministic.ts), and the world is loaded after the guards. It ends when the runner does. Mirrors no spec module.
 */

import { LockstepError } from '../../../impl/ports/lockstep-error.ts';
import { guarded, guardProcess } from '../deterministic.ts';
import type { RunResult } from '../run-result.ts';
import type { Answer, Job, RunSettings, World } from './messages.ts';
import { EMPTY_TALLY, mergeTallies, type Tally, tallyOfLostRun, tallyOfRun } from './tally.ts';

const [worldModule = '', settingsJson = '{}'] = process.argv.slice(2);
const settings = JSON.parse(settingsJson) as RunSettings;
const toldCoverage = new Set<string>();
/** Runs between two turns of the event loop: what native code (lz4) holds on to is let go of there, and nowhere else. */
const RUNS_A_TURN = 16;
const BYTES_A_KIB = 1024;

// Ctrl-C reaches the whole process group: the runner decides what it means.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit(0));

guardProcess();
const world = (await import(worldModule)) as World;
process.on('message', (job: Job) => void answerTo(job).then(say));
say({ kind: 'ready' });

function say(answer: Answer): void {
  process.send?.(answer);
}

/** One job at a time: the runner waits for the answer. */
async function answerTo(job: Job): Promise<Answer> {
  switch (job.kind) {
    case 'runs': {
      const { range, coverage } = job;
      const started = performance.now();
      let tally = EMPTY_TALLY;
      const news: string[] = [];
      for (let seed = range.first; seed < range.first + range.count; seed++) {
        const ran = run(seed, coverage);
        tally = mergeTallies(tally, ran.tally);
        if ((seed - range.first) % RUNS_A_TURN === RUNS_A_TURN - 1) await nextTurn();
        for (const key of ran.result?.coverage ?? []) {
          if (toldCoverage.has(key)) continue;
          toldCoverage.add(key);
          news.push(key);
        }
      }
      const { rss, heapUsed } = process.memoryUsage();
      const residentBytesPeak = process.resourceUsage().maxRSS * BYTES_A_KIB;
      const memory = { worker: process.pid, residentBytes: rss, residentBytesPeak, heapBytes: heapUsed };
      return { kind: 'runs', range, tally, coverage: news, memory, tookMs: performance.now() - started };
    }
    case 'one': {
      const { result, tally } = run(job.seed, false);
      return { kind: 'one', result, tally };
    }
    case 'save': {
      const { seed, folder } = job;
      if (world.saveBundle === undefined) return { kind: 'not-saved', seed, why: 'this world saves no bundles' };
      try {
        return { kind: 'saved', seed, file: world.saveBundle(world.makeScenario(seed, settings), folder) };
      } catch (cause) {
        return { kind: 'not-saved', seed, why: cause instanceof Error ? cause.message : String(cause) };
      }
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function run(seed: number, coverage: boolean): { result: RunResult | undefined; tally: Tally } {
  try {
    const { scenario, result } = guarded(() => {
      const made = world.makeScenario(seed, settings);
      return { scenario: made, result: world.runScenario(made, { coverage }) };
    });
    return { result, tally: tallyOfRun(scenario, result) };
  } catch (cause) {
    return { result: undefined, tally: tallyOfLostRun(seed, ...wordsOf(cause)) };
  }
}

/** Rule and message of a run that threw; the rule without the values that differ from seed to seed. */
function wordsOf(cause: unknown): [rule: string, message: string] {
  if (!(cause instanceof Error)) return ['threw', String(cause)];
  const touched = cause instanceof LockstepError ? (cause.evidence.touched ?? '') : '';
  const rule = cause instanceof LockstepError ? `${cause.code} ${String(touched)}`.trim() : cause.name;
  return [rule, cause.stack ?? cause.message];
}
