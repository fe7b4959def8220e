/**
 * Client sessions, broken on purpose: switches in the code, parts that keep what they must forget, and guards of the machine
 * that always say yes. Held against the models by conformance/components/client-sessions.ts.
 */
import type { SessionFaultName } from '../../impl/vsr/session-fault.ts';
import type { Turn } from '../../impl/vsr/session-order.ts';
import { SessionsInFlight } from '../../impl/vsr/sessions-in-flight.ts';
import { SessionNumbers } from '../../impl/wire/session-numbers.ts';
import { clientSessionsMachine } from '../../machines/client-sessions.ts';
import type { Parts } from './client-sessions-world.ts';

export interface BrokenSessions {
  readonly name: string;
  readonly rule: string;
  readonly canary?: string;
  /** The model that shows it. */
  readonly cfg: string;
  readonly parts: Partial<Parts>;
}

type Row<Name = string> = readonly [name: Name, rule: string, cfg: string, canary?: string | undefined];

/** Guards that always say yes, under the code as it is. */
const GUARDS: readonly Row[] = [
  ['HasSession', 'only a client with a session asks, and takes answers', 'crash'],
  ['NeedsSession', 'a client has one session at a time', 'crash'],
  ['WindowHasRoom', 'number n waits for the answer to n - W', 'window'],
  ['IsWaited', 'a client stops waiting for what it waits for', 'crash'],
  ['AnswerOverdue', 'only what was asked is asked again', 'window'],
  ['AddressedHere', 'a process takes no answer that another one asked for', 'crash'],
  ['HigherSession', 'a client goes to newer sessions only', 'evict'],
  ['OfThisSession', 'an answer of another session is none', 'evict'],
  ['AwaitsAnswer', 'an answer ends one wait', 'window'],
  ['NotInFlight', 'a request goes into the log once in a view', 'window'],
  ['MayBeRegistered', 'what is gone for sure does not go into the log', 'evict'],
  ['SessionHere', 'only a session in the table has replies', 'evict'],
  ['SessionAbsent', 'a session that is in the table is not gone', 'window'],
  ['PlaceApplied', 'a table that lags does not say that a session is gone', 'view'],
  ['ReplyKept', 'a retry has a reply only when it is kept', 'window'],
  ['ReplyNotKept', 'what has a reply is not executed', 'view'],
  ['BelowWindow', 'only what is below the window is too old', 'window'],
  ['InWindow', 'what is below the window is not executed', 'view'],
  ['IsRegister', 'only a registration makes a session', 'window'],
  ['IsRequest', 'only a request is executed', 'window'],
  ['TableHasRoom', 'a session more needs room', 'evict'],
  ['TableIsFull', 'a session goes only when there is no room', 'window'],
  ['ReplyFits', 'a reply more needs room', 'slots'],
  ['ReplyDoesNotFit', 'a session goes only when a reply does not fit', 'window'],
];

const SWITCHES: readonly Row<SessionFaultName>[] = [
  ['answered-anew', 'a retry is not executed', 'view'],
  ['use-not-noted', 'who was used goes last', 'oldest'],
  ['replies-forgotten', 'for a reply a whole session goes', 'slots'],
  ['evict-own-session', 'the session stays that the room is for', 'slots'],
];

/** The process that comes after a crash goes on in the session of the one before, and numbers from 1. */
function keptSession(before: SessionNumbers): SessionNumbers {
  const numbers = new SessionNumbers(before.window);
  if (before.registered) numbers.adopt(before.clientId);
  return numbers;
}

/** A primary that still knows what the one before had in flight. */
class NeverCleared extends SessionsInFlight {
  override clear(): void {}

  override fork(): SessionsInFlight {
    const twin = new NeverCleared();
    for (const request of this) {
      const [id, number] = request.split('.');
      twin.add(Number(id), Number(number));
    }
    return twin;
  }
}

const highestIdFirst = (a: Turn, b: Turn): number => a.lastUsedMs - b.lastUsedMs || b.id - a.id;
const newestFirst = (a: Turn, b: Turn): number => b.lastUsedMs - a.lastUsedMs || a.id - b.id;

const PARTS: readonly (readonly [...Row, Partial<Parts>])[] = [
  ['session-survives-crash', 'a client that restarts registers anew', 'crash', 'E10', { restarted: keptSession }],
  [
    'in-flight-survives-view',
    'what was in flight is of one view',
    'view',
    'E11',
    { inFlight: () => new NeverCleared() },
  ],
  [
    'client-names-session',
    'a session is named by its place in the log',
    'evict',
    'E12',
    { sessionId: (_, { client }) => client },
  ],
];

const ORDERS: readonly (readonly [...Row, (a: Turn, b: Turn) => number])[] = [
  ['highest-id-first', 'among sessions unused as long the lowest id goes', 'oldest', undefined, highestIdFirst],
  ['newest-first', 'the session goes that was not used for longest', 'oldest', undefined, newestFirst],
];

function broken([name, rule, cfg, canary]: Row, parts: Partial<Parts>): BrokenSessions {
  return { name, rule, cfg: `ClientSessions_${cfg}.cfg`, parts, ...(canary === undefined ? {} : { canary }) };
}

export const brokenSessions: readonly BrokenSessions[] = [
  ...GUARDS.map(([guard, ...row]) => {
    const machine = clientSessionsMachine.provide({ guards: { [guard]: () => true } });
    return broken([`drop-${guard}`, ...row], { options: { machine } });
  }),
  ...SWITCHES.map((row) => broken(row, { options: { faults: new Set([row[0]]) } })),
  ...PARTS.map(([name, rule, cfg, canary, parts]) => broken([name, rule, cfg, canary], parts)),
  ...ORDERS.map(([name, rule, cfg, , compare]) => broken([name, rule, cfg], { options: { compare } })),
];
