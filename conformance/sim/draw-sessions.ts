/**
 * The client table of a run, mostly the real one and in every third run so small that sessions are evicted, for registrations
 * and for replies, and what happens to sessions in it, drawn for make-plan.ts. Mirrors no spec module.
 */
import type { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import { SESSION_BOUNDS, type SessionBounds } from '../../impl/vsr/client-sessions.ts';
import { drawFault } from './draw-fault.ts';
import { type FaultEvent, type FaultKind, type ReplicaCount, SESSION_FAULTS } from './plan.ts';

const SMALL_OF = 3;
/** And at least half as many as clients have one: with fewer they would do nothing but evict each other. */
const SESSIONS_MIN = 4;
const FAULTS_MAX = 9;
/** Of faults in a run with a small table: most are floods there, where they evict. */
const QUIET_US = 60_000;

export function isSessionFault(kind: FaultKind): boolean {
  return (SESSION_FAULTS as readonly string[]).includes(kind);
}

/** @param clients half of them have a session */
export function drawSessions(random: SimulatedRandom, clients: number): SessionBounds {
  if (random.below(SMALL_OF) > 0) return SESSION_BOUNDS;
  const window = 1 + random.below(4);
  const sessionsMax = Math.max(SESSIONS_MIN, clients >> 2) + random.below(5);
  // Between one reply more than a whole session has and all that all may have: a reply needs the room of others, too.
  return { sessionsMax, window, slotsMax: window + sessionsMax + random.below(sessionsMax * window) };
}

export interface SessionsWanted {
  readonly sessions: SessionBounds | undefined;
  readonly kinds: readonly FaultKind[];
  readonly replicaCount: ReplicaCount;
  readonly safetyUs: number;
}

export function drawSessionFaults(
  random: SimulatedRandom,
  { sessions, kinds, replicaCount, safetyUs }: SessionsWanted,
): readonly FaultEvent[] {
  const wanted = SESSION_FAULTS.filter((kind) => kinds.includes(kind));
  if (sessions === undefined || wanted.length === 0) return [];
  const faults: FaultEvent[] = [];
  for (let left = random.below(FAULTS_MAX + 1); left > 0; left--) {
    const kind = wanted[random.below(wanted.length)] as FaultKind;
    const atUs = QUIET_US + random.below(safetyUs - QUIET_US);
    const fault = drawFault(random, kind, { replicaCount, losing: [], safetyUs, strength: 1, atUs });
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}
