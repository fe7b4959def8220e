/**
 * A storm of view changes: one replica after the other is kept from the rest for longer than their patience, each as the one
 * before comes back, so that every view is begun by another quorum and logs of different views meet. Independent faults
 * hardly ever do that: canaries E6, E7 and E19 need it. Drawn for make-plan.ts. Mirrors no spec module.
 */
import type { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import type { Fault, FaultEvent, FaultKind, Link, PlanEvent, ReplicaCount } from './plan.ts';

/** Around a backup's patience of 80 to 120 ticks: some views begin, and some just do not. */
const ROUND_US_MIN = 850_000;
const ROUND_US_MAX = 1_700_000;
/** The next one goes so long before or after the one before comes back. */
const OVERLAP_US_MAX = 60_000;
const KINDS: readonly FaultKind[] = [
  'partition-symmetric',
  'partition-symmetric',
  'partition-asymmetric',
  'process-crash',
  'process-pause',
];

/** Until the others have a new primary, what is asked of the one that is kept apart goes into its log and nowhere else. */
const FOCUS_US = 900_000;
/** One round in so many is left as it is. */
const UNFOCUSED_OF = 8;

/** In most of the rounds, whoever asks then asks the replica that is kept apart: so its log grows beyond the others'. */
export function focusOnStorm(
  random: SimulatedRandom,
  operations: readonly PlanEvent[],
  storm: readonly FaultEvent[],
): readonly PlanEvent[] {
  const focused = storm.filter(() => random.below(UNFOCUSED_OF) > 0);
  return operations.map((event) => {
    if (event.type !== 'operation') return event;
    const round = focused.find(({ atUs }) => event.atUs >= atUs && event.atUs < atUs + FOCUS_US);
    const replica = round === undefined ? undefined : keptApart(round.fault);
    return replica === undefined ? event : { ...event, replica };
  });
}

function keptApart(fault: Fault): number | undefined {
  if ('replica' in fault) return fault.replica;
  if (!('cut' in fault)) return undefined;
  const [first, second] = fault.cut;
  return first?.from === second?.from ? first?.from : first?.to;
}

/** @param allowed kinds that this run may have @returns as many rounds as fit before the end */
export function drawStorm(
  random: SimulatedRandom,
  replicaCount: ReplicaCount,
  safetyUs: number,
  allowed: readonly FaultKind[],
): readonly FaultEvent[] {
  const kinds = KINDS.filter((kind) => allowed.includes(kind));
  const faults: FaultEvent[] = [];
  if (kinds.length === 0) return faults;
  let replica = random.below(replicaCount);
  let atUs = 100_000 + random.below(400_000);
  while (atUs < safetyUs) {
    const untilUs = atUs + ROUND_US_MIN + random.below(ROUND_US_MAX - ROUND_US_MIN);
    const kind = kinds[random.below(kinds.length)] as FaultKind;
    faults.push(roundOf(random, kind, replica, replicaCount, atUs, untilUs));
    // Mostly whoever leads the next view; now and then anybody else.
    const step = random.below(3) === 0 ? 1 + random.below(replicaCount - 1) : 1;
    replica = (replica + step) % replicaCount;
    atUs = untilUs + random.below(2 * OVERLAP_US_MAX) - OVERLAP_US_MAX;
  }
  return faults;
}

function roundOf(
  random: SimulatedRandom,
  kind: FaultKind,
  replica: number,
  replicaCount: number,
  atUs: number,
  untilUs: number,
): FaultEvent {
  const lasting = (fault: Fault): FaultEvent => ({ type: 'fault', atUs, untilUs, fault });
  if (kind === 'process-crash')
    return { type: 'fault', atUs, fault: { kind, replica, atOperation: random.below(4), downUs: untilUs - atUs } };
  if (kind === 'process-pause') return lasting({ kind, replica });
  const from = linksOf(replica, replicaCount, true);
  const to = linksOf(replica, replicaCount, false);
  if (kind === 'partition-asymmetric') return lasting({ kind, cut: random.below(2) === 0 ? from : to });
  return lasting({ kind: 'partition-symmetric', cut: [...from, ...to] });
}

function linksOf(replica: number, replicaCount: number, from: boolean): readonly Link[] {
  const others = Array.from({ length: replicaCount }, (_, other) => other).filter((other) => other !== replica);
  return others.map((other) => (from ? { from: replica, to: other } : { from: other, to: replica }));
}
