/**
 * One simulated run from its scenario to its result: the safety phase with its faults, then all faults end and everything
 * must complete, then what is judged at the end. Single-threaded, synchronous, deterministic. Mirrors no spec module.
 */
import { AssertionError } from '../../impl/ports/assert.ts';
import type { BrokenParts } from './broken-parts.ts';

import { canaryNamed } from './canaries.ts';

import { RunCoverage } from './coverage.ts';
import { judgeEnd } from './final-oracles.ts';
import { Oracles } from './oracles.ts';
import type { Scenario } from './plan.ts';
import { isPrompt } from './promptness-oracle.ts';
import type { Oracle, RunOptions, RunResult, SimFailure } from './run-result.ts';
import { Violation } from './violation.ts';
import { World } from './world.ts';

/** From the end of all faults until everything has completed. The longest patience of a view change is 8 s. */
export const LIVENESS_TICKS_MAX = 2_500;
const LIVENESS_US_MAX = LIVENESS_TICKS_MAX * 10_000;
/** Steps of one run; more is a loop of ours. */
const STEPS_MAX = 2_000_000;
/** Steps between two looks whether everything has completed. */
const LOOK_STEPS = 16;
/**
 * Beyond the budget a replica may stop, loudly, and with it the cluster; and what a disk has silently forgotten its replica
 * cannot know. What must hold all the same: no client is told anything wrong, and no two replicas commit two things.
 */
const NOT_PROMISED_BEYOND: readonly Oracle[] = ['invariants', 'liveness', 'durability'];
const NONE: ReadonlySet<Oracle> = new Set();

export function runScenario(scenario: Scenario, options: RunOptions = {}): RunResult {
  const broken: BrokenParts = scenario.canary === undefined ? {} : canaryNamed(scenario.canary).parts();
  const coverage = options.coverage === true ? new RunCoverage(options.shapes) : undefined;
  const without = scenario.beyond
    ? new Set([...(options.without ?? NONE), ...NOT_PROMISED_BEYOND])
    : (options.without ?? NONE);
  const oracles = new Oracles(scenario.replicaCount, without, isPrompt(scenario));
  const world = new World(scenario, oracles, options, coverage === undefined ? broken : coverage.noting(broken));
  const failure = play(world, oracles, options, without);
  options.onHistory?.(world.clients.history);
  if (failure !== undefined && world.listens)
    world.emit({ kind: 'failure', oracle: failure.oracle, message: failure.message });
  return resultOf(world, oracles, failure, coverage);
}

function play(
  world: World,
  oracles: Oracles,
  options: RunOptions,
  without: ReadonlySet<Oracle>,
): SimFailure | undefined {
  try {
    const stepMax = options.stepMax ?? Number.POSITIVE_INFINITY;
    if (!passSafety(world, stepMax)) return undefined;
    world.nowUs = Math.max(world.nowUs, world.scenario.safetyUs);
    world.heal();
    if (complete(world, without, stepMax)) judgeEnd(world, oracles, without);
    return undefined;
  } catch (cause) {
    const { step, nowUs: atUs } = world;
    const told = failureOf(cause);
    if (told.oracle === 'assertions' && without.has('assertions')) return undefined;
    return { ...told, step, atUs };
  }
}

/** A function of its own: V8 compiles a loop by what is around it, and what comes after it once a run is never seen by then. */
function passSafety(world: World, stepMax: number): boolean {
  const { safetyUs, stepsMin = 0 } = world.scenario;
  while (
    world.scheduler.nextUs <= safetyUs ||
    (world.step < stepsMin && world.scheduler.nextUs < Number.POSITIVE_INFINITY)
  ) {
    if (world.step >= stepMax) return false;
    world.advance();
  }
  return true;
}

/** @returns false when it was stopped before. @throws Violation when it takes too long */
function complete(world: World, without: ReadonlySet<Oracle>, stepMax: number): boolean {
  const deadlineUs = world.nowUs + LIVENESS_US_MAX;
  for (let look = 0; ; look++) {
    if (look % LOOK_STEPS === 0 && world.clients.unfinished === 0 && isAgreed(world)) return true;
    if (world.step >= stepMax) return false;
    if (world.scheduler.nextUs > deadlineUs || world.step > STEPS_MAX) {
      if (without.has('liveness')) return !world.scenario.beyond;
      const waits = world.clients.unfinished;
      throw new Violation({
        oracle: 'liveness',
        rule: waits > 0 ? 'everything submitted completes' : 'the replicas agree',
        message: `${LIVENESS_TICKS_MAX} ticks after all faults have ended ${waits} operations wait${waits > 0 ? ` (${world.clients.waitingText})` : ''}: ${world.text}`,
      });
    }
    world.advance();
  }
}

/** The replicas that are there to stay are normal in one view, with one log, all of it committed and applied. */
function isAgreed(world: World): boolean {
  const nodes = world.nodes.filter((node) => world.mustTakePart(node));
  const [first] = nodes;
  return nodes.every(({ core }) => {
    const head = first?.core?.replica;
    if (core === undefined || head === undefined) return false;
    const { replica, state } = core;
    return (
      replica.status === 'normal' &&
      replica.view === head.view &&
      replica.op === head.op &&
      replica.commit === replica.op &&
      state.commit === replica.op
    );
  });
}

function failureOf(cause: unknown): Pick<SimFailure, 'oracle' | 'rule' | 'message'> {
  if (cause instanceof Violation) return cause.failure;
  const text = cause instanceof Error ? cause.message : String(cause);
  const where = cause instanceof Error && cause.stack !== undefined ? placeOf(cause.stack) : '';
  const rule =
    cause instanceof AssertionError
      ? text
      : `${cause instanceof Error ? cause.name : 'thrown'}: ${text.split('\n')[0]}`;
  return { oracle: 'assertions', rule, message: `${text}${where}` };
}

/** The first place in our own code, without the machine's own path. */
function placeOf(stack: string): string {
  const lines = stack.split('\n').filter((line) => /(?:impl|machines|conformance)\//.test(line));
  const match = /((?:impl|machines|conformance)\/[^):]+:\d+)/.exec(
    lines.find((line) => !line.includes('assert.ts')) ?? '',
  );
  return match === null ? '' : ` (${match[1]})`;
}

function resultOf(
  world: World,
  oracles: Oracles,
  failure: SimFailure | undefined,
  coverage: RunCoverage | undefined,
): RunResult {
  const operations = { applied: 0, refused: 0, unknown: 0 };
  for (const { outcome } of world.clients.history) {
    if (outcome.kind === 'unknown') operations.unknown++;
    else if (outcome.kind === 'applied') operations.applied++;
    else operations.refused++;
  }
  return {
    seed: world.scenario.seed,
    hash: world.history.end(),
    ...(failure === undefined ? {} : { failure }),
    steps: world.step,
    ticks: world.ticks,
    machineEvents: world.nodes.reduce((sum, node) => sum + node.eventsTaken, 0),
    framesSent: world.network.framesSent,
    framesDelivered: world.framesDelivered,
    operations,
    committedOps: oracles.committed.length,
    viewMax: oracles.viewMax,
    virtualUs: world.nowUs,
    injected: world.injected,
    halts: world.halts,
    ...(coverage === undefined ? {} : { coverage: coverage.keys() }),
  };
}
