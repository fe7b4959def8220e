/** What a simulated client asks of its world, and tells it: a part of sim-clients.ts. Mirrors no spec module. */
import type { ReplicaCore } from '../../impl/server/replica-core.ts';
import type { RequestSession } from '../../impl/wire/request.ts';
import type { SessionAnswer } from './client-serve.ts';
import type { ClientAction } from './plan.ts';
import type { VirtualTime } from './sim-clock.ts';

/** What a replica is to do with a request, and with what it answers. */
export type Asking = (core: ReplicaCore, answer: (deliver: () => void) => void) => void;

export interface ClientWorld extends VirtualTime {
  readonly replicaCount: number;
  /** Hands a request to a replica; false: nobody listens there. */
  ask(client: number, replica: number, attempt: number, ask: Asking): void;
  later(atUs: number, client: number, what: () => void): void;
  /** As later(), and always the same time ahead. */
  expire(atUs: number, client: number, what: () => void): void;
  /** An answer on its way to the client. */
  answered(client: number, deliver: () => void): void;
  called(client: number, operation: number, replica: number, action: ClientAction): void;
  returned(client: number, operation: number, outcome: string): void;
  /** An answer that the state gave to a request of a session. @throws Violation when another one was given */
  told(session: RequestSession, answer: SessionAnswer): void;
}
