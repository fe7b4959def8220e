/**
 * The network between the replicas of a simulated cluster: loss, duplication, delay and cut lines, all from one seed.
 * Frames of one sender overtake each other when they are delayed. A part of cluster.ts.
 */
import type { Network } from '../../../impl/ports/network.ts';
import type { SimulatedRandom } from '../../../impl/ports/simulated-random.ts';
import { decodeMessage } from '../../../impl/vsr/codec.ts';
import { factsOf } from '../../../impl/vsr/replica-messages.ts';
import type { MessageView } from '../../../machines/vsr-invariants.ts';
import { CLUSTER } from './arbitrary.ts';

export interface Weather {
  /** Of 1000 frames. */
  readonly lost: number;
  readonly doubled: number;
  /** Ticks; 0: everything arrives within the tick after. */
  readonly delayMax: number;
}

export const CALM: Weather = { lost: 0, doubled: 0, delayMax: 0 };

interface Packet {
  readonly from: number;
  readonly to: number;
  readonly frame: Uint8Array;
  readonly due: number;
}

export class ClusterNetwork {
  weather: Weather = CALM;
  /** Tick. */
  now = 0;
  framesSent = 0;
  /** Told of every frame as it leaves. */
  onSend: (from: number, frame: Uint8Array) => void = () => {};
  /** Every distinct message of the spec, as the invariants ask for it. */
  readonly everSent: MessageView[] = [];
  readonly #seen = new Set<string>();
  readonly #replicaCount: number;
  readonly #random: SimulatedRandom;
  readonly #remembers: boolean;
  readonly #cut = new Set<string>();
  /** Replicas that are down: what is sent to them is lost. */
  readonly #deaf = new Set<number>();
  #packets: Packet[][];

  constructor(replicaCount: number, random: SimulatedRandom, remembers: boolean) {
    this.#replicaCount = replicaCount;
    this.#random = random;
    this.#remembers = remembers;
    this.#packets = Array.from({ length: replicaCount }, () => []);
  }

  portOf(from: number): Network {
    return { send: (to, frame) => this.#send(from, to, frame) };
  }

  /** Those that are due, taken off the line, in an order of chance when they were delayed. */
  dueFor(to: number): readonly Packet[] {
    const waiting = this.#packets[to] ?? [];
    const due = waiting.filter((packet) => packet.due <= this.now);
    this.#packets[to] = waiting.filter((packet) => packet.due > this.now);
    if (this.weather.delayMax === 0) return due;
    for (let at = due.length - 1; at > 0; at--) {
      const other = this.#random.below(at + 1);
      [due[at], due[other]] = [due[other] as Packet, due[at] as Packet];
    }
    return due;
  }

  /** Those on their way now, and those that come until it listens again. */
  loseFramesTo(replica: number): void {
    this.#deaf.add(replica);
    this.#packets[replica] = [];
  }

  listen(replica: number): void {
    this.#deaf.delete(replica);
  }

  /** Nothing goes from one to the other; the way back stays. */
  cut(from: number, to: number): void {
    this.#cut.add(`${from}>${to}`);
  }

  isolate(replica: number): void {
    for (let other = 0; other < this.#replicaCount; other++) {
      this.cut(replica, other);
      this.cut(other, replica);
    }
  }

  heal(): void {
    this.#cut.clear();
  }

  #send(from: number, to: number, frame: Uint8Array): void {
    this.framesSent++;
    this.onSend(from, frame);
    if (this.#remembers) this.#remember(frame);
    if (this.#cut.has(`${from}>${to}`) || this.#deaf.has(to)) return;
    const { lost, doubled, delayMax } = this.weather;
    const copies = this.#chance(lost) ? 0 : this.#chance(doubled) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delay = delayMax === 0 ? 0 : 1 + this.#random.below(delayMax);
      this.#packets[to]?.push({ from, to, frame, due: this.now + delay });
    }
  }

  #chance(ofThousand: number): boolean {
    return ofThousand > 0 && this.#random.below(1000) < ofThousand;
  }

  #remember(frame: Uint8Array): void {
    const key = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString('latin1');
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const message = decodeMessage(frame, CLUSTER, this.#replicaCount);
    if (message.type !== 'RequestPrepare') this.everSent.push({ ...factsOf(message), type: message.type });
  }
}
