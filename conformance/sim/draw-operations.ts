/** What the clients of a run ask, by workload, drawn for make-plan.ts. Mirrors no spec module. */
import type { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import type { ClientAction, PlanEvent, Workload } from './plan.ts';

/** Operations of one run beside the streams it begins with: most runs are short, since many short ones find more. */
const OPERATIONS_MIN = 20;
const OPERATIONS_MAX = 50;
/** One run in so many has this many. */
const LONG_RUN_OF = 32;
const OPERATIONS_LONG = 400;
const STREAMS = 3;
const EVENT_BYTES = 48;
const BIG_EVENT_BYTES_MAX = 6_000;

interface Shape {
  readonly clients: number;
  readonly streams: number;
  /** Of 1,000 operations. */
  readonly reads: number;
  readonly bytesMax: number;
  readonly countMax: number;
  /** Operations that begin within a millisecond. */
  readonly burst: number;
  readonly crashes: number;
  /** Of 1,000 reads. */
  readonly linearizable: number;
}

const UNIFORM: Shape = {
  clients: 8,
  streams: STREAMS,
  reads: 300,
  bytesMax: EVENT_BYTES,
  countMax: 2,
  burst: 1,
  crashes: 0,
  linearizable: 600,
};

const SHAPES: Readonly<Record<Workload, Shape>> = {
  uniform: UNIFORM,
  'hot-stream': { ...UNIFORM, streams: 1, clients: 12 },
  bursts: { ...UNIFORM, burst: 24, clients: 24 },
  'big-entries': { ...UNIFORM, bytesMax: BIG_EVENT_BYTES_MAX, countMax: 1, reads: 150 },
  'many-clients': { ...UNIFORM, clients: 60 },
  'client-crashes': { ...UNIFORM, crashes: 14 },
  'slow-reader': { ...UNIFORM, reads: 600, clients: 5 },
};

export function clientsOf(workload: Workload): number {
  return SHAPES[workload].clients;
}

export function drawOperations(
  random: SimulatedRandom,
  workload: Workload,
  replicaCount: number,
  safetyUs: number,
): readonly PlanEvent[] {
  const shape = SHAPES[workload];
  const events: PlanEvent[] = [];
  const streams = Array.from({ length: shape.streams }, (_, index) => `s${index}`);
  const sticky = Array.from({ length: shape.clients }, () => random.below(replicaCount));
  for (const [client, stream] of streams.entries())
    events.push({
      type: 'operation',
      atUs: 1_000 + client,
      client,
      replica: sticky[client] ?? 0,
      action: { kind: 'create-stream', stream },
    });
  const operations =
    random.below(LONG_RUN_OF) === 0
      ? OPERATIONS_LONG
      : OPERATIONS_MIN + random.below(OPERATIONS_MAX - OPERATIONS_MIN + 1);
  let atUs = 0;
  for (let drawn = 0; drawn < operations; drawn++) {
    if (drawn % shape.burst === 0) atUs = 2_000 + random.below(safetyUs - 2_000);
    const client = random.below(shape.clients);
    const action = drawAction(random, shape, streams, drawn + 1);
    events.push({
      type: 'operation',
      atUs: atUs + random.below(1_000),
      client,
      replica: sticky[client] as number,
      action,
    });
  }
  for (let crash = 0; crash < shape.crashes; crash++) {
    const client = random.below(shape.clients);
    events.push({
      type: 'client-crash',
      atUs: 2_000 + random.below(safetyUs - 2_000),
      client,
      retries: random.below(2) === 0,
    });
  }
  return events;
}

function drawAction(random: SimulatedRandom, shape: Shape, streams: readonly string[], value: number): ClientAction {
  const stream = streams[random.below(streams.length)] as string;
  const kind = random.below(1_000);
  if (kind < shape.reads)
    return {
      kind: 'read',
      stream,
      linearizable: random.below(1_000) < shape.linearizable,
      limit: 2 + random.below(12),
    };
  // Rarely: a stream goes and comes again.
  if (kind >= 994) return { kind: random.below(2) === 0 ? 'delete-stream' : 'create-stream', stream };
  const bytes = 8 + random.below(shape.bytesMax);
  const count = 1 + random.below(shape.countMax);
  return { kind: 'append', stream, value, count, bytes, keyed: random.below(3) > 0, expected: random.below(8) === 0 };
}
