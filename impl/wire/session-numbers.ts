/**
 * How a client numbers what it asks in a session, so that a retry is known as one: the client's rules of
 * specs/ClientSessions.tla (SendRequest, ReceiveRegistered, ReceiveReply, ReceiveEvicted). In the memory of one process and
 * nowhere else: a process that restarts makes a new one of these and registers anew, since it cannot know which numbers it
 * has used (canary E10). The rules stand in machines/client-sessions.ts too; a client is a package without the machines, so
 * they are written out here, and conformance/drivers/client-sessions.ts holds the two equal at every state.
 */

/**
 * Requests of a session that may be without an answer, and replies that the servers keep of it: number n is sent when
 * n - this is answered. All replicas must have the same. More costs the servers memory, fewer means more round trips.
 */
export const SESSION_REPLIES_MAX = 64;

export class SessionNumbers {
  readonly window: number;
  #clientId = 0;
  #registered = false;
  #sent = 0;
  /** Ascending; at most `window`. */
  readonly #waiting = new Set<number>();

  constructor(window = SESSION_REPLIES_MAX) {
    this.window = window;
  }

  /** Whether there is a session to ask in. Without one: register. */
  get registered(): boolean {
    return this.#registered;
  }

  /** Of the session that stands, or stood last; 0 before the first. */
  get clientId(): number {
    return this.#clientId;
  }

  /** Highest number used in it. */
  get sent(): number {
    return this.#sent;
  }

  /** Numbers without an answer, ascending: each is sent again, under the same number, until it has one. */
  get waiting(): readonly number[] {
    return [...this.#waiting];
  }

  /**
   * ClientSessions!ReceiveRegistered: the answer to a registration of this very process.
   * @returns false when it is not taken: there is a session, or this one is not newer than all before it
   */
  adopt(clientId: number): boolean {
    if (this.#registered || clientId <= this.#clientId) return false;
    this.#clientId = clientId;
    this.#registered = true;
    this.#sent = 0;
    return true;
  }

  /** ClientSessions!SendRequest: the number of a new request; undefined without a session, or when the window is full. */
  next(): number | undefined {
    const [lowest] = this.#waiting;
    if (!this.#registered || (lowest !== undefined && lowest + this.window <= this.#sent + 1)) return undefined;
    this.#sent++;
    this.#waiting.add(this.#sent);
    return this.#sent;
  }

  /**
   * ClientSessions!ReceiveReply: the first reply to a request, refusals by the kernel among them. That a server is busy, or
   * was not reached, is no answer. GiveUp is the same here: nobody waits any more, and the number is used up.
   * @returns false when nobody waits for it
   */
  answered(clientId: number, requestNumber: number): boolean {
    return this.#registered && clientId === this.#clientId && this.#waiting.delete(requestNumber);
  }

  /**
   * ClientSessions!ReceiveEvicted: the session is gone, and a new one is to be registered.
   * @returns the numbers of which nobody can say whether they were executed: never to be sent again under another number
   * without asking who wanted them; undefined when it is not about the session that stands
   */
  evicted(clientId: number): readonly number[] | undefined {
    if (!this.#registered || clientId !== this.#clientId) return undefined;
    this.#registered = false;
    const inDoubt = this.waiting;
    this.#waiting.clear();
    return inDoubt;
  }

  fork(): SessionNumbers {
    const twin = new SessionNumbers(this.window);
    twin.#clientId = this.#clientId;
    twin.#registered = this.#registered;
    twin.#sent = this.#sent;
    for (const number of this.#waiting) twin.#waiting.add(number);
    return twin;
  }
}
