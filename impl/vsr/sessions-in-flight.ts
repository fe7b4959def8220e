/**
 * What a primary knows of requests that it has put into the log and that are not applied yet (specs/ClientSessions.tla,
 * inFlight): a retry of one of them is not put there again. Volatile, and of one view: a view change may cut the entry out
 * of the log, and a primary that still waited for it would never take the retry (canary E11). Decides nothing about replies.
 */
import type { AnswerNow, ClientSessions } from './client-sessions.ts';

export class SessionsInFlight {
  /** At most as many as the primary's pipeline and its queue hold: whoever is refused there is never added. */
  readonly #requests = new Set<string>();

  get size(): number {
    return this.#requests.size;
  }

  has(clientId: number, requestNumber: number): boolean {
    return this.#requests.has(keyOf(clientId, requestNumber));
  }

  /**
   * What to do with a request that a client sent: answer it now, leave it, since its answer is on its way, or submit it, and
   * then add() it. ClientSessions!AnswerRepeated, AnswerStale, AnswerEvicted, ReceiveRequest.
   * @param sessions as this primary has them, however old
   */
  admit<Reply>(
    sessions: ClientSessions<Reply>,
    clientId: number,
    requestNumber: number,
  ): AnswerNow<Reply> | 'submit' | 'in-flight' {
    const answer = sessions.answerNow(clientId, requestNumber);
    if (answer !== undefined) return answer;
    const request = sessions.requestFacts(clientId, requestNumber);
    const isSubmitted = sessions.rules.isSubmitted(request, this.has(clientId, requestNumber));
    return isSubmitted ? 'submit' : 'in-flight';
  }

  /** Submitted to the log in this view. */
  add(clientId: number, requestNumber: number): void {
    this.#requests.add(keyOf(clientId, requestNumber));
  }

  /** Applied, or refused by the log: whoever comes next is answered from the table, or submitted again. */
  settle(clientId: number, requestNumber: number): void {
    this.#requests.delete(keyOf(clientId, requestNumber));
  }

  /** At every change of view, in every role: nothing is known of what was in flight. */
  clear(): void {
    this.#requests.clear();
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#requests.values();
  }

  fork(): SessionsInFlight {
    const twin = new SessionsInFlight();
    for (const request of this.#requests) twin.#requests.add(request);
    return twin;
  }
}

function keyOf(clientId: number, requestNumber: number): string {
  return `${clientId}.${requestNumber}`;
}
