/**
 * Which requests of sessions a primary has in its pipeline, and the further tries of those, which wait for the same outcome
 * instead of going into the log as well (specs/ClientSessions.tla, inFlight; impl/vsr/sessions-in-flight.ts). Volatile, and of
 * one view (canary E11): what is executed once decides the kernel at apply, whatever is known here.
 */
import type { RequestSession } from '../kernel/command.ts';
import { SessionsInFlight } from '../vsr/sessions-in-flight.ts';

interface Try {
  readonly session?: RequestSession | undefined;
  readonly deadlineMs: number;
}

export class JoinedRequests<Request extends Try> {
  readonly inFlight = new SessionsInFlight();
  /** At most as many as requests may wait. */
  #joined: Request[] = [];

  /** Whether an earlier try is in flight; if not, this one is from now on. */
  isJoin({ session }: Request): boolean {
    if (session === undefined) return false;
    const { clientId, requestNumber } = session;
    if (this.inFlight.has(clientId, requestNumber)) return true;
    this.inFlight.add(clientId, requestNumber);
    return false;
  }

  join(requests: readonly Request[]): void {
    for (const request of requests) this.#joined.push(request);
  }

  /** These are applied, or were not submitted after all. @returns those that had joined them */
  settle(requests: readonly Request[]): readonly Request[] {
    for (const { session } of requests) {
      if (session !== undefined) this.inFlight.settle(session.clientId, session.requestNumber);
    }
    return this.#joined.length === 0 ? [] : this.#without(({ session }) => !this.#isInFlight(session));
  }

  /** In another view nothing is known to be in flight. @returns all that had joined */
  leave(): readonly Request[] {
    this.inFlight.clear();
    return this.#without(() => true);
  }

  /** @returns those whose deadline is over */
  expire(nowMs: number): readonly Request[] {
    return this.#joined.length === 0 ? [] : this.#without(({ deadlineMs }) => deadlineMs <= nowMs);
  }

  #isInFlight(session: RequestSession | undefined): boolean {
    return session !== undefined && this.inFlight.has(session.clientId, session.requestNumber);
  }

  #without(leaves: (request: Request) => boolean): readonly Request[] {
    const left = this.#joined.filter(leaves);
    if (left.length > 0) this.#joined = this.#joined.filter((request) => !leaves(request));
    return left;
  }
}
