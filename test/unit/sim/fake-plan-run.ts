/**
 * A stand-in for runScenario, for tests of what works on runs without knowing what is in them: it takes each event of the
 * plan at its time, some steps apart, and then asks a function whether the run fails. Deterministic.
 */
import { createHash } from 'node:crypto';
import type { Run } from '../../../conformance/sim/bundle.ts';
import type {
  ClientAction,
  Fault,
  FaultEvent,
  OperationEvent,
  PlanEvent,
  Scenario,
} from '../../../conformance/sim/plan.ts';
import type { RunResult, SimFailure } from '../../../conformance/sim/run-result.ts';
import type { SimEvent } from '../../../conformance/sim/sim-event.ts';

/** Where it fails: after the plan event of this index; `end`: after the faults. */
export interface FakeFailure {
  readonly after: number | 'end';
  readonly rule?: string;
}

export interface FakeSettings {
  readonly fails: (scenario: Scenario) => FakeFailure | undefined;
  readonly stepsPerEvent?: number;
  /** Part of the hash: another one is other code. */
  readonly code?: string;
}

export interface FakeRun {
  readonly run: Run;
  /** Runs so far. */
  readonly runs: () => number;
}

export function fakeRun({ fails, stepsPerEvent = 10, code = '' }: FakeSettings): FakeRun {
  let runs = 0;
  const run: Run = (scenario, options = {}) => {
    runs += 1;
    const { plan } = scenario;
    const fate = fails(scenario);
    let step = 0;
    const stepMax = options.stepMax ?? Number.POSITIVE_INFINITY;
    let failure: SimFailure | undefined;
    const fail = (rule: string, atUs: number): void => {
      failure = { oracle: 'agreement', rule, message: `it broke at ${atUs} us`, step, atUs };
      options.onEvent?.({ kind: 'failure', oracle: 'agreement', message: failure.message, step, atUs });
    };
    for (const [index, event] of plan.entries()) {
      step += stepsPerEvent;
      options.onEvent?.(simEventOf(event, index, step));
      if (fate?.after === index) fail(fate.rule ?? 'Broken', event.atUs);
      if (failure !== undefined || step >= stepMax) break;
    }
    if (failure === undefined && step < stepMax) {
      step += stepsPerEvent;
      options.onEvent?.({ kind: 'heal', step, atUs: scenario.safetyUs });
      if (fate?.after === 'end') fail(fate.rule ?? 'Broken', scenario.safetyUs + 1);
    }
    const hash = createHash('sha256')
      .update(JSON.stringify([code, scenario, failure, step]))
      .digest('hex');
    return resultOf(scenario, hash, step, failure);
  };
  return { run, runs: () => runs };
}

function simEventOf(event: PlanEvent, operation: number, step: number): SimEvent {
  const { atUs } = event;
  if (event.type === 'fault') return { kind: 'fault', fault: event.fault, untilUs: event.untilUs ?? atUs, step, atUs };
  if (event.type === 'client-crash') return { kind: 'client-crash', client: event.client, step, atUs };
  return { kind: 'call', client: event.client, operation, replica: event.replica, what: event.action.kind, step, atUs };
}

function resultOf({ seed }: Scenario, hash: string, steps: number, failure: SimFailure | undefined): RunResult {
  return {
    seed,
    hash,
    ...(failure === undefined ? {} : { failure }),
    steps,
    ticks: 0,
    machineEvents: 0,
    framesSent: 0,
    framesDelivered: 0,
    operations: { applied: 0, refused: 0, unknown: 0 },
    committedOps: 0,
    viewMax: 0,
    virtualUs: 0,
    injected: {},
    halts: [],
  };
}

export function scenarioOf(plan: readonly PlanEvent[], changes: Partial<Scenario> = {}): Scenario {
  return {
    seed: 7,
    name: 'swarm',
    replicaCount: 3,
    workload: 'uniform',
    beyond: false,
    safetyUs: (plan.at(-1)?.atUs ?? 0) + 1000,
    frameUs: [100, 400],
    syncUs: [50, 900],
    plan,
    ...changes,
  };
}

export function faultAt(atUs: number, fault: Fault, untilUs?: number): FaultEvent {
  return { type: 'fault', atUs, ...(untilUs === undefined ? {} : { untilUs }), fault };
}

export function operationAt(atUs: number, client = 0, changes: Partial<ClientAction> = {}): OperationEvent {
  const action = { kind: 'append', stream: 's', value: atUs, count: 3, bytes: 400, keyed: true, expected: true };
  return { type: 'operation', atUs, client, replica: client % 3, action: { ...action, ...changes } as ClientAction };
}

/** `count` events that decide nothing, of several kinds, from 1 ms on. */
export function noise(count: number): readonly PlanEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const atUs = 1000 * (index + 1);
    switch (index % 5) {
      case 0:
        return faultAt(atUs, { kind: 'loss', links: 'all', perMille: 300 }, atUs + 5000);
      case 1:
        return faultAt(atUs, { kind: 'process-crash', replica: 2, atOperation: 4, downUs: 9000 });
      case 2:
        return { type: 'client-crash', atUs, client: index % 4, retries: true };
      default:
        return operationAt(atUs, index % 4);
    }
  });
}

/** In order of time. */
export function planOf(...parts: readonly (readonly PlanEvent[])[]): readonly PlanEvent[] {
  return parts.flat().sort((left, right) => left.atUs - right.atUs);
}
