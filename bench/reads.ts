/**
 * `node --import tsx bench/reads.ts [--beside CHECKOUT] [--seconds 2] [--rounds 2] [--in-flight 1,64]`: linearizable and
 * committed reads of one entry, three processes on this machine, ops a second and p99. With another checkout of Lockstep (built
 * by nobody: it runs from its sources) both run in turns, so that a machine that slows down slows both.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type LoadResult, median } from './load-result.ts';
import { lockstepSystems } from './lockstep-system.ts';
import type { Consistency, RunningSystem } from './system.ts';

const CONSISTENCIES: readonly Consistency[] = ['linearizable', 'committed'];
const WARM_SECONDS = 1;
const ENTRY_BYTES = 256;

const { values } = parseArgs({
  options: {
    beside: { type: 'string' },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '2' },
    'in-flight': { type: 'string', default: '1,64' },
  },
});
const here = fileURLToPath(new URL('..', import.meta.url));
const checkouts = [here, ...(values.beside === undefined ? [] : [resolve(values.beside)])];
const levels = values['in-flight'].split(',').map(Number);
const folder = mkdtempSync(join(tmpdir(), 'lockstep-reads-'));
const results = new Map<string, LoadResult[]>();
try {
  for (let round = 0; round < Number(values.rounds); round++) for (const checkout of checkouts) await measure(checkout);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const [name, measured] of results) {
  const of = (pick: (result: LoadResult) => number): number => median(measured.map(pick));
  const figures = `${of((one) => one.opsPerSecond).toFixed(0)} ops/s, p50 ${of((one) => one.p50Ms).toFixed(2)} ms, p99 ${of((one) => one.p99Ms).toFixed(2)} ms`;
  console.log(`${name}: ${figures}, errors ${measured.reduce((sum, { errors }) => sum + errors, 0)}`);
}

async function measure(checkout: string): Promise<void> {
  const [system] = lockstepSystems(checkout);
  if (system === undefined) throw new Error(`${checkout} has no lockstep to start`);
  const running = await system.start(folder);
  try {
    for (const consistency of CONSISTENCIES)
      for (const inFlight of levels) await measureOne(checkout, running, consistency, inFlight);
  } finally {
    await running.stop();
  }
}

async function measureOne(checkout: string, running: RunningSystem, consistency: Consistency, inFlight: number) {
  const load = running.reads?.[consistency];
  if (load === undefined) throw new Error('lockstep measures reads');
  const options = { inFlight, bytes: ENTRY_BYTES, warmSeconds: WARM_SECONDS, seconds: Number(values.seconds) };
  const name = `${checkout === here ? 'here' : 'beside'}, ${consistency}, ${inFlight} in flight`;
  results.set(name, [...(results.get(name) ?? []), await load(options)]);
}
