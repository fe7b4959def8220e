/**
 * The wires between the replicas of a simulated cluster. A frame takes its time, and the faults of the moment decide whether
 * it is lost, doubled, late, held back or changed; each link draws from a seed of its own. Frames of the protocol may come in
 * any order and any number, as specs/Vsr.tla has it. Frames of servers among each other (forwarding) are of a connection:
 * never doubled, and a lost one breaks it for both. Mirrors `messages` of Vsr.tla.
 */
import { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import { encodeFrame, FRAME_BYTES_MAX, FRAME_KINDS, type FrameKind, FrameReader } from '../../impl/wire/frame.ts';
import { WireError } from '../../impl/wire/wire-error.ts';
import type { Fault, FaultKind, Link } from './plan.ts';

export interface Packet {
  /** What it is to its receiver: see Waiting of sim-node.ts. */
  readonly what: 'frame';
  readonly frame: number;
  readonly from: number;
  readonly to: number;
  readonly kind: FrameKind;
  readonly payload: Uint8Array;
  /** Of the connection on which it was sent. */
  readonly epoch: number;
}

export interface NetworkEnds {
  /** Puts the packet before its receiver at that time. */
  arrive(atUs: number, packet: Packet): void;
  /** Both ends of a connection learn that it broke. */
  broken(atUs: number, a: number, b: number): void;
  /** A fault of this kind was met. */
  count(kind: FaultKind): void;
  dropped(packet: Packet, why: FaultKind | 'down' | 'reset'): void;
}

/** How long a silent connection is kept: PEER_SILENT_MS_MAX of impl/ports/real-network.ts. */
const SILENT_US_MAX = 3_000_000;

interface LinkState {
  readonly random: SimulatedRandom;
  epoch: number;
  loss: number;
  duplication: number;
  delayUs: number;
  reordering: number;
  reorderingUs: number;
  mutation: number;
  gray: number;
  grayUs: number;
  /** How many faults cut it now, and the kind of the last one. */
  cuts: number;
  cutBy: FaultKind;
  clogs: number;
  /** When the last frame left, and when it arrives. */
  leftUs: number;
  arrivesUs: number;
  readonly held: Packet[];
}

export class SimNetwork {
  readonly #links: LinkState[];
  readonly #replicaCount: number;
  readonly #ends: NetworkEnds;
  /** How long a frame is on its way, in microseconds. */
  readonly #fromUs: number;
  readonly #toUs: number;
  #frames = 0;

  constructor(replicaCount: number, seed: number, frameUs: readonly [number, number], ends: NetworkEnds) {
    this.#replicaCount = replicaCount;
    [this.#fromUs, this.#toUs] = frameUs;
    this.#ends = ends;
    this.#links = Array.from({ length: replicaCount * replicaCount }, (_, index) => ({
      random: new SimulatedRandom(Math.imul(seed, 0x9e37_79b1) + index + 1),
      epoch: 0,
      loss: 0,
      duplication: 0,
      delayUs: 0,
      reordering: 0,
      reorderingUs: 0,
      mutation: 0,
      gray: 0,
      grayUs: 0,
      cuts: 0,
      cutBy: 'partition-symmetric',
      clogs: 0,
      leftUs: -1,
      arrivesUs: 0,
      held: [],
    }));
  }

  get framesSent(): number {
    return this.#frames;
  }

  /** @returns the packet, whatever becomes of it: a sender never learns */
  send(atUs: number, from: number, to: number, kind: FrameKind, payload: Uint8Array): Packet {
    const link = this.#link(from, to);
    const packet: Packet = { what: 'frame', frame: ++this.#frames, from, to, kind, payload, epoch: link.epoch };
    if (link.cuts > 0) {
      this.#ends.count(link.cutBy);
      this.#lose(atUs, packet, link.cutBy);
      return packet;
    }
    if (link.clogs > 0) {
      this.#ends.count('clogging');
      link.held.push(packet);
      return packet;
    }
    this.#launch(atUs, link, packet);
    return packet;
  }

  /** Whether it is still of a connection that stands; frames of the protocol need none. */
  isCurrent({ from, to, kind, epoch }: Packet): boolean {
    return kind === FRAME_KINDS.replica || this.#link(from, to).epoch === epoch;
  }

  isCut(from: number, to: number): boolean {
    return this.#link(from, to).cuts > 0;
  }

  begin(fault: Fault, sign: 1 | -1 = 1): void {
    switch (fault.kind) {
      case 'loss':
        this.#each(fault.links, (link) => {
          link.loss += sign * fault.perMille;
        });
        return;
      case 'duplication':
        this.#each(fault.links, (link) => {
          link.duplication += sign * fault.perMille;
        });
        return;
      case 'delay':
        this.#each(fault.links, (link) => {
          link.delayUs += sign * fault.extraUsMax;
        });
        return;
      case 'reordering':
        this.#each(fault.links, (link) => {
          link.reordering += sign * fault.perMille;
          link.reorderingUs += sign * fault.extraUsMax;
        });
        return;
      case 'message-mutation':
        this.#each(fault.links, (link) => {
          link.mutation += sign * fault.perMille;
        });
        return;
      case 'gray-failure':
        this.#each(this.#linksOf(fault.replica), (link) => {
          link.gray += sign * fault.perMille;
          link.grayUs += sign * fault.extraUsMax;
        });
        return;
      case 'partition-symmetric':
      case 'partition-asymmetric':
      case 'partition-partial':
        this.#each(fault.cut, (link) => {
          link.cuts += sign;
          link.cutBy = fault.kind;
        });
        return;
      case 'clogging':
        this.#each(fault.links, (link) => {
          link.clogs += sign;
        });
        return;
      default:
        return;
    }
  }

  end(atUs: number, fault: Fault): void {
    this.begin(fault, -1);
    if (fault.kind !== 'clogging') return;
    for (const { from, to } of fault.links) {
      const link = this.#link(from, to);
      if (link.clogs > 0) continue;
      for (const packet of link.held.splice(0)) this.#launch(atUs, link, packet);
    }
  }

  /** The connection between two replicas is gone, and what servers had sent each other on it. */
  reset(a: number, b: number): void {
    this.#link(a, b).epoch++;
    this.#link(b, a).epoch++;
  }

  #launch(atUs: number, link: LinkState, packet: Packet): void {
    const { random } = link;
    let arrivesUs = atUs + this.#fromUs + random.below(this.#toUs - this.#fromUs + 1);
    // Frames of one write arrive as one piece; a frame of a later write may still be faster.
    if (atUs === link.leftUs) arrivesUs = link.arrivesUs;
    else {
      link.leftUs = atUs;
      link.arrivesUs = arrivesUs;
    }
    if (link.delayUs > 0) {
      this.#ends.count('delay');
      arrivesUs += random.below(link.delayUs);
    }
    if (link.grayUs > 0) {
      this.#ends.count('gray-failure');
      arrivesUs += random.below(link.grayUs);
      if (chance(random, link.gray)) {
        this.#lose(atUs, packet, 'gray-failure');
        return;
      }
    }
    if (link.loss > 0 && chance(random, link.loss)) {
      this.#ends.count('loss');
      this.#lose(atUs, packet, 'loss');
      return;
    }
    if (link.mutation > 0 && chance(random, link.mutation)) {
      this.#ends.count('message-mutation');
      this.#mutate(atUs, packet, random);
      return;
    }
    if (link.reordering > 0 && chance(random, link.reordering)) {
      this.#ends.count('reordering');
      arrivesUs += 1 + random.below(link.reorderingUs);
    }
    this.#ends.arrive(arrivesUs, packet);
    if (link.duplication > 0 && packet.kind === FRAME_KINDS.replica && chance(random, link.duplication)) {
      this.#ends.count('duplication');
      this.#ends.arrive(arrivesUs + 1 + random.below(2 * this.#toUs), packet);
    }
  }

  #lose(atUs: number, packet: Packet, why: FaultKind): void {
    this.#ends.dropped(packet, why);
    if (packet.kind === FRAME_KINDS.replica) return;
    this.reset(packet.from, packet.to);
    this.#ends.broken(atUs + SILENT_US_MAX, packet.from, packet.to);
  }

  /** Bits change on the wire: the real frame with its real checksum goes to the real reader, which must refuse it. */
  #mutate(atUs: number, packet: Packet, random: SimulatedRandom): void {
    const bytes = Uint8Array.from(encodeFrame(packet.kind, packet.payload));
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    const reader = new FrameReader(FRAME_BYTES_MAX);
    let read = 0;
    try {
      reader.push(Buffer.from(bytes.buffer), () => read++);
    } catch (cause) {
      if (!(cause instanceof WireError)) throw cause;
      // Refused by its code. A length that grew waits for bytes that never come, with the same end.
    }
    if (read > 0) throw new MutationUnseen(`bit flipped in byte ${at} of a frame of ${bytes.length} bytes`);
    this.#ends.dropped(packet, 'message-mutation');
    this.reset(packet.from, packet.to);
    this.#ends.broken(atUs, packet.from, packet.to);
  }

  #linksOf(replica: number): readonly Link[] {
    const links: Link[] = [];
    for (let other = 0; other < this.#replicaCount; other++)
      if (other !== replica) links.push({ from: replica, to: other }, { from: other, to: replica });
    return links;
  }

  #each(links: readonly Link[] | 'all', change: (link: LinkState) => void): void {
    if (links === 'all') for (const link of this.#links) change(link);
    else for (const { from, to } of links) change(this.#link(from, to));
  }

  #link(from: number, to: number): LinkState {
    return this.#links[from * this.#replicaCount + to] as LinkState;
  }
}

/** A changed frame that the checksum of the wire let through. */
export class MutationUnseen extends Error {}

function chance(random: SimulatedRandom, perMille: number): boolean {
  return perMille > 0 && random.below(1_000) < perMille;
}
