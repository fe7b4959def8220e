/**
 * Simulation, metamorphic: what one client asks in a fixed order has one outcome whatever happens to the cluster meanwhile.
 * Different fault schedules give the same committed stream; a replica that stalls changes times and nothing else.
 */
import { expect, test } from 'vitest';
import type { HistoryEntry } from '../../../conformance/sim/client-history.ts';
import { makeScenario } from '../../../conformance/sim/make-plan.ts';
import type { FaultEvent, OperationEvent, PlanEvent, Scenario } from '../../../conformance/sim/plan.ts';
import { runScenario } from '../../../conformance/sim/run.ts';
import { SESSION_BOUNDS } from '../../../impl/vsr/client-sessions.ts';

const SEEDS = 40;
const OPERATIONS = 40;

/** One client, one stream, every append under a key or in a session: nothing is left in doubt. */
function operations(safetyUs: number): readonly OperationEvent[] {
  const ask = (at: number, action: OperationEvent['action']): OperationEvent => ({
    type: 'operation',
    atUs: Math.floor((safetyUs * at) / (OPERATIONS + 1)),
    client: 0,
    replica: at % 3,
    action,
  });
  const append = (at: number): OperationEvent =>
    ask(at, { kind: 'append', stream: 's', value: at, count: 1 + (at % 3), bytes: 20, keyed: true, expected: false });
  const read = (at: number): OperationEvent => ask(at, { kind: 'read', stream: 's', linearizable: true, limit: 5 });
  const create = ask(0, { kind: 'create-stream', stream: 's' });
  return [create, ...Array.from({ length: OPERATIONS }, (_, at) => (at % 4 === 3 ? read(at + 1) : append(at + 1)))];
}

function withPlan(scenario: Scenario, faults: readonly PlanEvent[]): Scenario {
  const plan = [...operations(scenario.safetyUs), ...faults].toSorted((a, b) => a.atUs - b.atUs);
  // Where no session is evicted: what was in doubt in one that is would stay so.
  return { ...scenario, ...(scenario.sessions === undefined ? {} : { sessions: SESSION_BOUNDS }), plan };
}

const faultsOf = ({ plan }: Scenario): readonly FaultEvent[] => plan.filter((event) => event.type === 'fault');

/** What the client saw, without times and commit ids; the creation may be in doubt. */
function outcomesOf(scenario: Scenario): readonly unknown[] {
  let history: readonly HistoryEntry[] = [];
  const { failure } = runScenario(scenario, {
    onHistory: (seen) => {
      history = seen;
    },
  });
  expect(failure).toBeUndefined();
  return history
    .filter(({ kind }) => kind === 'append' || kind === 'read')
    .map(({ operation, outcome }) => {
      if (outcome.kind !== 'applied') return { operation, outcome: outcome.kind };
      const { commitId: _commitId, ...seen } = outcome;
      return { operation, ...seen };
    });
}

test(`${SEEDS} schedules of faults, one outcome for every operation of a client that asks in order`, () => {
  const calm = outcomesOf(withPlan(makeScenario(0, { name: 'calm' }), []));
  expect(calm).toHaveLength(OPERATIONS);
  expect(calm.every((seen) => !(seen as { outcome?: string }).outcome)).toBe(true);
  let compared = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    const scenario = makeScenario(seed);
    const seen = outcomesOf(withPlan(scenario, faultsOf(scenario)));
    // A creation whose answer was lost is not asked again: then there may be no stream, and every operation says so.
    if (seen.every((one) => (one as { outcome?: string }).outcome !== undefined)) continue;
    expect(seen, `seed ${seed}`).toEqual(calm);
    compared++;
  }
  expect(compared).toBeGreaterThan(SEEDS / 2);
});

test('a stall of any replica changes when things happen, and nothing else', () => {
  const scenario = makeScenario(1, { name: 'calm' });
  const histories = new Set<string>();
  const outcomes = [undefined, 0, 1, 2].map((replica) => {
    const stall: readonly FaultEvent[] =
      replica === undefined
        ? []
        : [
            {
              type: 'fault',
              atUs: 100_000,
              untilUs: Math.floor(scenario.safetyUs * 0.9),
              fault: { kind: 'process-pause', replica },
            },
          ];
    const stalled = withPlan(scenario, stall);
    histories.add(runScenario(stalled).hash);
    return outcomesOf(stalled);
  });
  for (const one of outcomes) expect(one).toEqual(outcomes[0]);
  expect(histories.size).toBe(outcomes.length);
});
