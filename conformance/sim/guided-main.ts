/**
 * `make sim-guided`: steered runs of the whole implementation, one process: what they reach, and a bundle of each kind of failure.
 * Ends after --runs, or with Ctrl-C after the run that goes on. Mirrors no spec module.
 */
import { parseArgs } from 'node:util';
import { COVERAGE_KEYS, coverageText } from './coverage.ts';
import { fuzz } from './fuzz.ts';
import { saveBundle } from './runner/simulated-world.ts';

const FOLDER = 'build/sim';
/** Runs between two lines. */
const LINE_RUNS = 200;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '0' },
    scenario: { type: 'string', default: 'swarm' },
    canary: { type: 'string' },
  },
});
let isStopped = false;
process.on('SIGINT', () => {
  isStopped = true;
});

const failures = new Map<string, string>();
let keys: ReadonlySet<string> = new Set();
const plan = { name: values.scenario, ...(values.canary === undefined ? {} : { canary: values.canary }) };
for (const { run, scenario, result, corpus } of fuzz({ firstSeed: Number(values.seed), guided: true, plan })) {
  keys = corpus.keys;
  const { failure } = result;
  const kind = `${failure?.oracle}: ${failure?.rule}`;
  if (failure !== undefined && !failures.has(kind)) {
    failures.set(kind, saveBundle(scenario, FOLDER));
    console.log(`run ${run}: ${kind}: ${failure.message}\n  ${failures.get(kind)}`);
  }
  if (run % LINE_RUNS === 0) {
    console.log(
      `${run} runs, ${keys.size} of ${COVERAGE_KEYS.length} keys, ${corpus.shapes} shapes, corpus ${corpus.size}`,
    );
    await new Promise((resolve) => setImmediate(resolve)); // lets Ctrl-C in
  }
  if (isStopped || run >= Number(values.runs)) break;
}
console.log(coverageText(keys));
process.exitCode = failures.size === 0 ? 0 : 1;
