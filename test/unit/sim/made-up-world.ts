/** A world without a cluster, for tests of the runner: results follow from the seed, and some seeds misbehave as the canary's name asks. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAULT_KINDS, type Scenario } from '../../../conformance/sim/plan.ts';
import type { RunOptions, RunResult } from '../../../conformance/sim/run-result.ts';
import type { RunSettings } from '../../../conformance/sim/runner/messages.ts';

export function makeScenario(seed: number, settings: RunSettings): Scenario {
  const kind = FAULT_KINDS[seed % FAULT_KINDS.length];
  return {
    seed,
    name: settings.name ?? 'swarm',
    replicaCount: seed % 2 === 0 ? 3 : 5,
    workload: 'uniform',
    beyond: settings.beyond ?? false,
    ...(settings.canary === undefined ? {} : { canary: settings.canary }),
    safetyUs: 1,
    frameUs: [1, 1],
    syncUs: [1, 1],
    plan: kind === 'loss' ? [{ type: 'fault', atUs: 0, fault: { kind, links: 'all', perMille: 1 } }] : [],
  };
}

/** Canaries: `what@seed`, several with commas. */
export function runScenario(scenario: Scenario, options: RunOptions): RunResult {
  const { seed } = scenario;
  for (const [what, at] of (scenario.canary ?? '').split(',').map((word) => word.split('@')))
    if (at === 'all' || Number(at) === seed) misbehave(what ?? '');
  const fails = scenario.canary?.includes(`fails@${seed % 10};`) ?? false;
  const rule = `Rule${seed % 3}`;
  return {
    seed,
    hash: createHash('sha256').update(`run ${seed}`).digest('hex'),
    ...(fails ? { failure: { oracle: 'agreement' as const, rule, message: `of ${seed}`, step: 7, atUs: 9_000 } } : {}),
    steps: 100 + seed,
    ticks: 10,
    machineEvents: 50,
    framesSent: 20,
    framesDelivered: 19,
    operations: { applied: 5, refused: 1, unknown: seed % 2 },
    committedOps: 5,
    viewMax: seed % 7,
    virtualUs: 1_000_000,
    injected: Object.fromEntries(FAULT_KINDS.map((kind) => [kind, scenario.canary === 'calm' ? 0 : 1 + (seed % 2)])),
    halts: seed % 5 === 0 ? [{ replica: 0, code: 'SOME_HALT' }] : [],
    ...(options.coverage === true ? { coverage: new Set([`key ${seed % 40}`, 'always']) } : {}),
  };
}

export function saveBundle({ seed }: Scenario, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${seed}.bundle`);
  writeFileSync(file, String(seed));
  return file;
}

function misbehave(what: string): void {
  if (what === 'throws') throw new RangeError('the run threw');
  if (what === 'touches') Math.random();
  if (what === 'dies') process.abort();
  if (what === 'exits') process.exit(9);
  if (what === 'hangs') for (;;);
  if (what === 'slow') for (const end = process.hrtime; end === undefined; );
}
