/**
 * A session of the cluster, as its client keeps it: numbers requests from 1 without a gap, and never sends number n before
 * n - window is answered, so that the cluster still has the answer to everything that may be sent again. Pure.
 * The client's half of specs/ClientSessions.tla; VRR 4.1.
 */
import { assert } from '../ports/assert.ts';
import type { SessionFacts } from '../wire/answer.ts';
import type { RequestSession } from '../wire/request.ts';

/** A window that a server names is taken up to this: more requests at once gain nothing. */
const WINDOW_MAX = 65_536;

export class Session {
  readonly clientId: number;
  readonly window: number;
  /** The next number. */
  #next = 1;
  /** The oldest number without an answer, or #next. */
  #oldest = 1;
  /** Numbers from #oldest on that are answered, each at its place modulo the window. */
  readonly #answered: Uint8Array;

  constructor({ clientId, window }: SessionFacts) {
    assert(window > 0, 'a session has a window');
    this.clientId = clientId;
    this.window = Math.min(window, WINDOW_MAX);
    this.#answered = new Uint8Array(this.window);
  }

  /** Whether another request may be numbered. */
  get hasRoom(): boolean {
    return this.#next < this.#oldest + this.window;
  }

  number(): RequestSession {
    assert(this.hasRoom, 'a request is numbered within the window');
    return { clientId: this.clientId, requestNumber: this.#next++ };
  }

  /** The answer is here, or the request is given up: it is never sent again. */
  answered(requestNumber: number): void {
    assert(requestNumber < this.#next, 'a number is answered after it was given');
    if (requestNumber < this.#oldest) return;
    this.#answered[requestNumber % this.window] = 1;
    while (this.#answered[this.#oldest % this.window] === 1) {
      this.#answered[this.#oldest % this.window] = 0;
      this.#oldest++;
    }
    assert(this.#oldest <= this.#next, 'only what was numbered is answered');
  }
}
