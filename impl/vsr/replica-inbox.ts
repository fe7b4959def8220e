/**
 * Frames of peers as messages, and how many of them were dropped, by why. The other end of Outbox (replica-effects.ts).
 * Mirrors no spec module: a dropped frame is a message that was lost.
 */
import { decodeMessage, FrameError } from './codec.ts';
import type { Message } from './message.ts';

export class Inbox {
  readonly #cluster: bigint;
  readonly #replicaCount: number;
  #dropped: ReadonlyMap<string, number> = new Map();

  constructor({ cluster, replicaCount }: { readonly cluster: bigint; readonly replicaCount: number }) {
    this.#cluster = cluster;
    this.#replicaCount = replicaCount;
  }

  /** The same counts, which go on apart. */
  takeOver(other: Inbox): void {
    this.#dropped = other.#dropped;
  }

  /** Frames dropped so far, by code of FrameError or of who called drop(). A snapshot. */
  get dropped(): ReadonlyMap<string, number> {
    return this.#dropped;
  }

  /** @param from index of the peer that the connection is bound to. @returns undefined for a frame that is dropped */
  decoded(from: number, frame: Uint8Array): Message | undefined {
    try {
      return decodeMessage(frame, this.#cluster, this.#replicaCount, from);
    } catch (cause) {
      if (!(cause instanceof FrameError)) throw cause;
      this.drop(cause.code);
      return undefined;
    }
  }

  drop(code: string): void {
    this.#dropped = new Map(this.#dropped).set(code, (this.#dropped.get(code) ?? 0) + 1);
  }
}
