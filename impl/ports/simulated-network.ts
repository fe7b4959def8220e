/**
 * The Network port as the spec sees it: the set of every frame ever sent. Nothing is delivered by itself; the harness picks
 * any frame, any number of times, in any order, or never: that is loss, duplication, reordering and delay at once.
 * Forkable: sets are shared until one side sends. Mirrors `messages` of Vsr.tla.
 */
import { assert } from './assert.ts';
import type { Network } from './network.ts';

export interface SentFrame {
  readonly from: number;
  readonly to: number;
  readonly frame: Uint8Array;
}

export class SimulatedNetwork {
  #sent: ReadonlyMap<string, SentFrame>;

  constructor(sent: ReadonlyMap<string, SentFrame> = new Map()) {
    this.#sent = sent;
  }

  fork(): SimulatedNetwork {
    return new SimulatedNetwork(this.#sent);
  }

  /** The port of one replica. */
  portOf(from: number): Network {
    return { send: (to, frame) => this.#send(from, to, frame) };
  }

  /** Each distinct frame once, in the order of first sending. */
  get everSent(): readonly SentFrame[] {
    return [...this.#sent.values()];
  }

  get count(): number {
    return this.#sent.size;
  }

  #send(from: number, to: number, frame: Uint8Array): void {
    assert(from !== to, 'a replica does not send to itself');
    const key = `${from}>${to}:${Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString('base64')}`;
    if (this.#sent.has(key)) return;
    this.#sent = new Map(this.#sent).set(key, { from, to, frame: Uint8Array.from(frame) });
  }
}
