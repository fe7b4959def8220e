/** One fault of a kind, with its strength and its time, drawn for make-plan.ts. Mirrors no spec module. */
import type { Writeback } from '../../impl/ports/simulated-disk.ts';
import type { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import { LOSING_KINDS } from './budget.ts';
import { type Fault, type FaultEvent, type FaultKind, FOREVER_US, type Link, type ReplicaCount } from './plan.ts';

export interface DrawContext {
  readonly replicaCount: ReplicaCount;
  /** Replicas that may lose what they must not lose, in an order of chance. */
  readonly losing: readonly number[];
  readonly safetyUs: number;
  /** 1..4: of this seed. */
  readonly strength: number;
  readonly atUs: number;
}

const LASTS_US_MIN = 20_000;
const LASTS_US_MAX = 1_800_000;
/** Longer than a heartbeat's patience (80 to 120 ticks), so that every second one forces a view change. */
const DOWN_US_MAX = 2_000_000;
const OPERATIONS_MAX = 12;
/** Clients of whom a request may arrive late. */
const LATE_CLIENTS = 8;
/** A write is cut short inside of its first page, or right at its beginning. */
const SHORT_BYTES_MAX = 4_096;
/** Of the superblock's size: one place of four copies. */
const WRITEBACKS: readonly Writeback[] = ['fifo', 'random', 'elevator', 'deadline'];

/** @returns undefined when no replica of this run may have it */
export function drawFault(random: SimulatedRandom, kind: FaultKind, context: DrawContext): FaultEvent | undefined {
  const { replicaCount, losing, atUs, strength } = context;
  const below = (bound: number): number => random.below(bound);
  if (LOSING_KINDS.has(kind) && losing.length === 0) return undefined;
  const replica = LOSING_KINDS.has(kind) ? (losing[below(losing.length)] as number) : below(replicaCount);
  const lasting = LASTS_US_MIN + below(LASTS_US_MAX - LASTS_US_MIN);
  const untilUs = atUs + (below(3) === 0 ? lasting : lasting >> 2);
  const interval = (fault: Fault): FaultEvent => ({ type: 'fault', atUs, untilUs, fault });
  const once = (fault: Fault): FaultEvent => ({ type: 'fault', atUs, fault });
  const perMille = 1 + below(120 * strength);
  const downUs = 1_000 + below(below(2) === 0 ? 60_000 : DOWN_US_MAX);
  const links = below(2) === 0 ? ('all' as const) : drawLinks(random, replicaCount);
  switch (kind) {
    case 'delay':
      return interval({ kind, links, extraUsMax: 500 + below(30_000 * strength) });
    case 'loss':
    case 'duplication':
      return interval({ kind, links, perMille });
    case 'message-mutation':
      return interval({ kind, links, perMille: 1 + below(40 * strength) });
    case 'reordering':
      return interval({ kind, links, perMille, extraUsMax: 500 + below(20_000 * strength) });
    case 'partition-symmetric':
    case 'partition-asymmetric':
    case 'partition-partial': {
      const cut = drawCut(random, kind, replicaCount);
      // One replica that never hears, or is never heard, again: the others must do without it.
      const alone = losing[0];
      if (kind === 'partition-asymmetric' && alone !== undefined && below(3) === 0)
        return {
          type: 'fault',
          atUs,
          untilUs: FOREVER_US,
          fault: { kind, cut: oneWay(alone, replicaCount, below(2) === 0) },
        };
      return interval({ kind, cut });
    }
    case 'clogging':
      return interval({ kind, links: drawLinks(random, replicaCount) });
    case 'gray-failure':
      return interval({ kind, replica, perMille: below(500), extraUsMax: 1_000 + below(60_000 * strength) });
    case 'disk-latency':
      return interval({ kind, replica, extraUsMax: 500 + below(20_000 * strength) });
    case 'process-pause':
      return interval({ kind, replica });
    case 'process-slow':
      return interval({ kind, replica, extraUs: 50 + below(3_000 * strength) });
    case 'clock-skew':
      return interval({ kind, replica, offsetUs: below(20_000_000) - 10_000_000 });
    case 'clock-drift':
      return interval({ kind, replica, ppm: below(100_000 * strength) - 50_000 * strength });
    case 'clock-jump':
      return once({ kind, replica, offsetUs: below(20_000_000) - 10_000_000 });
    case 'disk-eio':
      return once({ kind, replica, operation: below(2) === 0 ? 'write' : 'sync', downUs });
    case 'disk-full':
      return once({ kind, replica, downUs, ...(below(2) === 0 ? {} : { shortBytes: 1 + below(SHORT_BYTES_MAX) }) });
    case 'process-crash':
      return once({ kind, replica, atOperation: below(OPERATIONS_MAX), downUs });
    case 'power-loss':
    case 'torn-write':
    case 'disk-reordering': {
      const writeback = kind === 'disk-reordering' ? (WRITEBACKS[1 + below(3)] as Writeback) : 'fifo';
      const keptPerMille = below(4) === 0 ? 0 : below(1_001);
      const atOperation = kind === 'torn-write' ? 1 + below(OPERATIONS_MAX) : below(OPERATIONS_MAX);
      return once({ kind, replica, atOperation, keptPerMille, writeback, torn: kind === 'torn-write', downUs });
    }
    case 'lost-write':
    case 'misdirected-write':
    case 'lost-fsync':
      return once({ kind, replica, atPerMille: below(1_000) });
    case 'latent-corruption': {
      const file = below(3) === 0 ? 'superblock' : 'log';
      // What a copy of the superblock says stands at its beginning: the rest of its sector is zeros.
      const atPerMille = file === 'superblock' ? 250 * below(4) + below(12) : below(1_000);
      return once({ kind, replica, file, atPerMille, bytes: 1 + below(64) });
    }
    case 'session-flood':
      return once({ kind, replica, count: 1 + below(below(2) === 0 ? 4 : 12) });
    case 'late-duplicate':
      return once({ kind, replica, client: below(LATE_CLIENTS), back: below(4) });
    case 'gone-for-good':
      return once({ kind, replica });
  }
}

function drawLinks(random: SimulatedRandom, replicaCount: number): readonly Link[] {
  const links: Link[] = [];
  for (let from = 0; from < replicaCount; from++)
    for (let to = 0; to < replicaCount; to++) if (from !== to && random.below(2) === 0) links.push({ from, to });
  return links;
}

function drawCut(random: SimulatedRandom, kind: FaultKind, replicaCount: number): readonly Link[] {
  const links: Link[] = [];
  if (kind === 'partition-partial') {
    // Two that do not see each other, while others see both.
    const a = random.below(replicaCount);
    const b = (a + 1 + random.below(replicaCount - 1)) % replicaCount;
    return [
      { from: a, to: b },
      { from: b, to: a },
    ];
  }
  const side = Array.from({ length: replicaCount }, () => random.below(2) === 0);
  side[random.below(replicaCount)] = true;
  side[random.below(replicaCount)] = false;
  for (let from = 0; from < replicaCount; from++)
    for (let to = 0; to < replicaCount; to++) {
      if (from === to || side[from] === side[to]) continue;
      if (kind === 'partition-symmetric' || side[from] === true) links.push({ from, to });
    }
  return links;
}

/** All links to the replica, or all from it. */
function oneWay(replica: number, replicaCount: number, deaf: boolean): readonly Link[] {
  const links: Link[] = [];
  for (let other = 0; other < replicaCount; other++)
    if (other !== replica) links.push(deaf ? { from: other, to: replica } : { from: replica, to: other });
  return links;
}
