/**
 * What becomes of a registration and of a request: asks machines/client-sessions.ts (specs/ClientSessions.tla), at a primary
 * before the log and at every replica at apply. Each op is taken by exactly one of the Apply actions. Holds no state.
 */
import type { AnyMachineSnapshot } from 'xstate';
import {
  type ClientSessionsContext,
  type ClientSessionsEvent,
  type ClientSessionsMachine,
  clientSessionsMachine,
  type RegisterApplied,
  type RequestApplied,
  type RequestFacts,
  type RoomFacts,
} from '../../machines/client-sessions.ts';
import { isEnabled, start } from '../../machines/stepper.ts';
import { assert } from '../ports/assert.ts';
import type { SessionFaultName } from './session-fault.ts';
import type { CompareTurns } from './session-order.ts';

export interface SessionOptions {
  readonly machine?: ClientSessionsMachine;
  /** Broken on purpose; only the harness passes one. */
  readonly faults?: ReadonlySet<SessionFaultName>;
  /** Another order of eviction than the right one; only the harness passes one. */
  readonly compare?: CompareTurns;
}

export type AnsweredNow = 'AnswerRepeated' | 'AnswerStale' | 'AnswerEvicted';

const NO_FAULTS: ReadonlySet<SessionFaultName> = new Set();
const ANSWERS: readonly AnsweredNow[] = ['AnswerRepeated', 'AnswerStale', 'AnswerEvicted'];
/** The commonest first. */
const OF_REQUEST: readonly RequestApplied[] = [
  'ApplyNew',
  'ApplyRepeated',
  'ApplyNewEvicting',
  'ApplyStale',
  'ApplyEvicted',
];

export class SessionRules {
  readonly faults: ReadonlySet<SessionFaultName>;
  readonly machine: ClientSessionsMachine;
  /** The rules depend on the facts alone: it never changes. */
  readonly snapshot: AnyMachineSnapshot;

  constructor(bounds: ClientSessionsContext, { machine = clientSessionsMachine, faults = NO_FAULTS }: SessionOptions) {
    this.faults = faults;
    this.machine = machine;
    this.snapshot = start(machine, bounds);
  }

  /** What a primary may answer from its table, however old that is; undefined: only the log can say. */
  answerNow(request: RequestFacts): AnsweredNow | undefined {
    for (const type of ANSWERS) if (this.takes({ type, request })) return type;
    return undefined;
  }

  /** ClientSessions!ReceiveRequest: whether it is to go into the log now. */
  isSubmitted(request: RequestFacts, inFlight: boolean): boolean {
    return this.takes({ type: 'ReceiveRequest', request, inFlight });
  }

  ofRegister(room: RoomFacts): RegisterApplied {
    const entry = 'Register';
    return this.takes({ type: 'ApplyRegister', entry, room }) ? 'ApplyRegister' : 'ApplyRegisterEvicting';
  }

  ofRequest(request: RequestFacts, room: RoomFacts): RequestApplied {
    for (const type of OF_REQUEST) if (this.takes({ type, entry: 'Request', request, room })) return type;
    assert(false, 'every request is new, repeated, stale or of a session that is gone');
  }

  takes(event: ClientSessionsEvent): boolean {
    return isEnabled(this.machine, this.snapshot, event);
  }
}
