/**
 * The table of client sessions against a dumb twin: plain maps, no sharing, every session looked through for the oldest. The
 * same ops give the same outcomes and the same table; the hash that is kept up to date is the one from scratch; a table
 * stays as it was, whatever is applied to forks of it.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ClientSessions,
  SESSION_BOUNDS,
  type SessionBounds,
  type SessionOutcome,
} from '../../../impl/vsr/client-sessions.ts';

const RUNS = 300;
/** Places of an op: enough for the commands of one. */
const COMMANDS = 10;

type Step =
  | { readonly kind: 'register' }
  /** pick: which of the sessions that ever were, from the newest; ahead: number from the highest on, or before it. */
  | { readonly kind: 'take'; readonly pick: number; readonly ahead: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('register' as const) }),
  fc.record({ kind: fc.constant('take' as const), pick: fc.nat(5), ahead: fc.integer({ min: -5, max: 4 }) }),
);
const ops = fc.array(fc.record({ laterMs: fc.nat(1), steps: fc.array(step, { maxLength: COMMANDS }) }), {
  minLength: 1,
  maxLength: 40,
});
const bounds: fc.Arbitrary<SessionBounds> = fc
  .record({ sessionsMax: fc.integer({ min: 1, max: 5 }), window: fc.integer({ min: 1, max: 4 }), more: fc.nat(8) })
  .map(({ sessionsMax, window, more }) => ({ sessionsMax, window, slotsMax: window + 1 + more }));

interface TwinSession {
  lastUsedMs: number;
  highest: number;
  readonly replies: Map<number, number>;
}

class Twin {
  readonly sessions = new Map<number, TwinSession>();
  readonly ids: number[] = [];
  readonly #bounds: SessionBounds;
  #executed = 0;

  constructor(bounds: SessionBounds) {
    this.#bounds = bounds;
  }

  slots(): number {
    return [...this.sessions.values()].reduce((sum, { replies }) => sum + 1 + replies.size, 0);
  }

  register(id: number, nowMs: number): number | undefined {
    const { sessionsMax, slotsMax } = this.#bounds;
    const evicted = this.sessions.size < sessionsMax && this.slots() < slotsMax ? undefined : this.#evict(id);
    this.sessions.set(id, { lastUsedMs: nowMs, highest: 0, replies: new Map() });
    this.ids.push(id);
    return evicted;
  }

  take(id: number, number: number, nowMs: number): SessionOutcome<number> {
    const session = this.sessions.get(id);
    if (session === undefined) return { kind: 'Evicted' };
    session.lastUsedMs = nowMs;
    const kept = session.replies.get(number);
    if (kept !== undefined) return { kind: 'Repeated', reply: kept };
    if (number <= session.highest - this.#bounds.window) return { kind: 'Stale', highest: session.highest };
    this.#executed++;
    session.highest = Math.max(session.highest, number);
    for (const old of [...session.replies.keys()])
      if (old <= session.highest - this.#bounds.window) session.replies.delete(old);
    session.replies.set(number, this.#executed);
    const evicted = this.slots() > this.#bounds.slotsMax ? this.#evict(id) : undefined;
    return { kind: 'New', reply: this.#executed, evicted };
  }

  #evict(spared: number): number | undefined {
    const others = [...this.sessions].filter(([id]) => id !== spared);
    const [oldest] = others.sort(([a, x], [b, y]) => x.lastUsedMs - y.lastUsedMs || a - b);
    if (oldest === undefined) return undefined;
    this.sessions.delete(oldest[0]);
    return oldest[0];
  }
}

const text = (table: ClientSessions<number>): string => JSON.stringify(table);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function tableOf(twin: Twin): object[] {
  return [...twin.sessions]
    .sort(([a, x], [b, y]) => x.lastUsedMs - y.lastUsedMs || a - b)
    .map(([clientId, { lastUsedMs, highest, replies }]) => ({
      clientId,
      lastUsedMs,
      highest,
      replies: [...replies].sort(([a], [b]) => a - b).map(([requestNumber, reply]) => ({ requestNumber, reply })),
    }));
}

test('outcomes and table are those of the twin; the hash is the one from scratch; older tables stay', () => {
  fc.assert(
    fc.property(bounds, ops, (small, log) => {
      const twin = new Twin(small);
      let table = ClientSessions.empty<number>(small);
      let executed = 0;
      let nowMs = 0;
      const before: (readonly [ClientSessions<number>, string])[] = [];
      for (const [at, { laterMs, steps }] of log.entries()) {
        nowMs += laterMs;
        before.push([table, text(table)]);
        const draft = table.begin(nowMs);
        for (const [place, one] of steps.entries()) {
          const id = (at + 1) * COMMANDS + place;
          if (one.kind === 'register') {
            expect(draft.register(id)).toBe(twin.register(id, nowMs));
            continue;
          }
          const clientId = twin.ids.at(-1 - one.pick) ?? 1;
          const number = Math.max(1, (twin.sessions.get(clientId)?.highest ?? 0) + one.ahead);
          const outcome = draft.take(clientId, number, () => {
            executed++;
            return executed;
          });
          expect(outcome).toEqual(twin.take(clientId, number, nowMs));
        }
        table = draft.sealed();
        expect([...table]).toEqual(tableOf(twin));
        expect(table.replyCount + table.size).toBe(twin.slots());
        expect(hex(table.hash)).toBe(hex(table.hashFromScratch()));
      }
      for (const [older, then] of before) expect(text(older)).toBe(then);
    }),
    { numRuns: RUNS },
  );
});

test('what is answered without an op is what the log would say, and stays so', () => {
  fc.assert(
    fc.property(bounds, ops, (small, log) => {
      let table = ClientSessions.empty<number>(small);
      const said: { readonly id: number; readonly number: number; readonly kind: string }[] = [];
      const ids: number[] = [];
      for (const [at, { steps }] of log.entries()) {
        const draft = table.begin(at);
        for (const [place, one] of steps.entries()) {
          const id = (at + 1) * COMMANDS + place;
          if (one.kind === 'register') {
            ids.push(id);
            draft.register(id);
            continue;
          }
          const clientId = ids.at(-1 - one.pick) ?? 1;
          const number = Math.max(1, (table.sessionOf(clientId)?.highest ?? 0) + one.ahead);
          const now = table.answerNow(clientId, number);
          if (now !== undefined) said.push({ id: clientId, number, kind: now.kind });
          draft.take(clientId, number, () => at);
        }
        table = draft.sealed();
        // A reply may be dropped later, never change; stale and gone are for ever, and stale may become gone.
        for (const { id, number, kind } of said) {
          const later = table.answerNow(id, number)?.kind;
          const allowed = {
            Repeated: ['Repeated', 'Stale', 'Evicted'],
            Stale: ['Stale', 'Evicted'],
            Evicted: ['Evicted'],
          };
          expect(allowed[kind as keyof typeof allowed]).toContain(later);
        }
      }
    }),
    { numRuns: RUNS },
  );
});

test('the bounds of a server: 100,000 sessions, then the one that was not used for longest goes', () => {
  const { sessionsMax } = SESSION_BOUNDS;
  const perOp = 4000;
  let table = ClientSessions.empty<string>();
  for (let first = 1; first <= sessionsMax; first += perOp) {
    const draft = table.begin(first);
    for (let id = first; id < first + perOp; id++) draft.register(id);
    table = draft.sealed();
  }
  expect(table.size).toBe(sessionsMax);
  const draft = table.begin(sessionsMax + 1);
  expect(draft.take(1, 1, () => 'used').kind).toBe('New');
  expect(draft.register(sessionsMax + 1)).toBe(2);
  const after = draft.sealed();
  expect(after.size).toBe(sessionsMax);
  expect(after.answerNow(2, 1)).toEqual({ kind: 'Evicted' });
  expect(after.answerNow(1, 1)).toEqual({ kind: 'Repeated', reply: 'used' });
  expect(after.answerNow(sessionsMax + 2, 1)).toBeUndefined();
});
