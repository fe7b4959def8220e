/**
 * Linearizable reads on their way to a commit number: gathered, put into one round of the primary together (one round is open
 * at a time, the next takes all that came meanwhile), or handed to the primary in one frame. Each ends exactly once: with the
 * op that its answer must show, or refused. Mirrors Vsr!StartReadRound and Vsr!CompleteRead from the client's side. Asking
 * again is always right: a read changes nothing, and a later commit number shows more.
 */
import { assert } from '../ports/assert.ts';
import type { ReplicaPort } from '../vsr/replica-port.ts';
import type { Failure } from '../wire/answer.ts';
import { busy, failure, noQuorum } from './failure.ts';
import { encodeForwardRequest, type ForwardResult, READ_IDS_FROM } from './forward.ts';
import type { ServerLimits } from './server-limits.ts';

/** A peer that has not answered for so long is asked again: a frame may be lost with no connection lost. */
const HANDED_ON_MS_MAX = 500;

/** 'not-primary': only to reads that a peer handed to us. */
export type ReadOutcome = { readonly commitId: number } | Failure | 'not-primary';

export interface Read {
  /** On the monotonic clock. */
  readonly deadlineMs: number;
  /** Of a peer, and not handed on again. */
  readonly fromPeer: boolean;
  readonly done: (outcome: ReadOutcome) => void;
}

interface HandedOn {
  readonly reads: readonly Read[];
  readonly to: number;
  readonly againMs: number;
}

export interface ReadsOptions {
  readonly replica: ReplicaPort;
  readonly limits: ServerLimits;
  /** Of this process among all lives of this replica: answers to another life's requests are not ours. */
  readonly process: number;
  /** Hands a ForwardRequest to a peer; false when it did not leave. */
  readonly forward: (to: number, payload: Uint8Array) => boolean;
  readonly nowMs: () => number;
  /** Something waits for begin(). */
  readonly wake: () => void;
}

export class Reads {
  readonly #options: ReadsOptions;
  /** In no round and not handed on. */
  #queue: Read[] = [];
  /** In the open round, whose name is that of the replica. */
  #inRound: readonly Read[] = [];
  #round: { readonly view: number; readonly round: number } | undefined = undefined;
  /** By the number of the frame. */
  readonly #handedOn = new Map<number, HandedOn>();
  #nextId = READ_IDS_FROM;
  #waiting = 0;

  constructor(options: ReadsOptions) {
    this.#options = options;
  }

  /** Reads without an outcome. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Takes a read; its outcome comes through done, perhaps at once when the bound is reached. */
  offer(read: Read): void {
    const { limits, wake } = this.#options;
    const bound = limits.REQUESTS_IN_FLIGHT_MAX;
    if (this.#waiting >= bound) {
      read.done(busy('too many reads wait', { waiting: this.#waiting, bound }));
      return;
    }
    this.#waiting++;
    this.#queue.push(read);
    wake();
  }

  /** Once a turn: begins a round when this is the primary, hands on what waits when another is. */
  begin(): void {
    if (this.#waiting === 0) return;
    const { replica } = this.#options;
    this.#noticeEnd();
    this.#noticePrimary();
    if (this.#queue.length === 0) return;
    if (replica.status === 'halted') this.#refuseAll(failure('HALTED', 'this replica is halted: use another one'));
    else if (replica.status !== 'normal') this.#returnToPeers();
    else if (replica.primary === replica.replica) this.#beginRound();
    else {
      this.#returnToPeers();
      if (this.#queue.length > 0) this.#handOn(replica.primary);
    }
  }

  /** The open round has ended: its reads may show the log up to this op. */
  completed(commitId: number): void {
    const reads = this.#inRound;
    this.#inRound = [];
    this.#round = undefined;
    for (const read of reads) this.#settle(read, { commitId });
    if (this.#queue.length > 0) this.#options.wake();
  }

  /** The answer of the primary to what was handed on. */
  forwardResult(from: number, answer: ForwardResult): void {
    const handedOn = this.#handedOn.get(answer.id);
    // It is of another life of this replica, or of reads that were asked again or have ended since.
    if (answer.process !== this.#options.process || handedOn === undefined || handedOn.to !== from) return;
    this.#handedOn.delete(answer.id);
    if (answer.kind === 'not-primary' || answer.kind === 'applied') this.#again(handedOn.reads);
    else for (const read of handedOn.reads) this.#settle(read, answer.kind === 'read-at' ? answer : answer.failure);
  }

  peerLost(peer: number): void {
    for (const [id, { reads, to }] of this.#handedOn) if (to === peer) this.#takeBack(id, reads);
  }

  /** Ends reads whose deadline is over, and asks again where no answer came. Every few ticks. */
  review(): void {
    if (this.#waiting === 0) return;
    const nowMs = this.#options.nowMs();
    this.#queue = this.#unexpired(this.#queue, nowMs);
    this.#inRound = this.#unexpired(this.#inRound, nowMs);
    for (const [id, handedOn] of this.#handedOn) {
      const reads = this.#unexpired(handedOn.reads, nowMs);
      if (reads.length === 0) this.#handedOn.delete(id);
      else if (handedOn.againMs <= nowMs) this.#takeBack(id, reads);
      else this.#handedOn.set(id, { ...handedOn, reads });
    }
    if (this.#waiting > 0) this.#options.wake();
  }

  /** The server stops or the replica halted: nothing here will be answered any more. */
  close(): void {
    for (const [id, { reads }] of this.#handedOn) this.#takeBack(id, reads);
    this.#queue.push(...this.#inRound);
    this.#inRound = [];
    this.#round = undefined;
    this.#refuseAll(failure('DRAINING', 'this replica is stopping: use another one'));
  }

  /** A cluster of one completes the round within the call. */
  #beginRound(): void {
    const { replica } = this.#options;
    if (replica.readRound !== undefined) return; // what waits goes with the next one
    const reads = this.#queue;
    this.#queue = [];
    this.#inRound = reads;
    const begun = replica.startReadRound();
    if ('refusedBy' in begun) {
      this.#inRound = [];
      this.#queue = reads; // review() tries again
      return;
    }
    this.#round = replica.readRound;
    assert(this.#round !== undefined || this.#inRound.length === 0, 'a round is open, or its reads are answered');
  }

  /** A round that is gone without an answer went with its view: its reads are asked again. */
  #noticeEnd(): void {
    if (this.#round === undefined) return;
    const open = this.#options.replica.readRound;
    if (open !== undefined && open.view === this.#round.view && open.round === this.#round.round) return;
    const reads = this.#inRound;
    this.#inRound = [];
    this.#round = undefined;
    this.#queue.unshift(...reads);
  }

  /** What was handed to the primary of an earlier view is asked of this one's. */
  #noticePrimary(): void {
    const { replica } = this.#options;
    if (replica.status !== 'normal') return;
    for (const [id, { reads, to }] of this.#handedOn) if (to !== replica.primary) this.#takeBack(id, reads);
  }

  /** One frame for all; false of forward() leaves them for review(). */
  #handOn(to: number): void {
    const { process, forward, nowMs } = this.#options;
    const reads = this.#queue;
    const now = nowMs();
    const latestMs = reads.reduce((latest, { deadlineMs }) => Math.max(latest, deadlineMs), now);
    const id = this.#nextId;
    const deadlineMs = Math.max(1, Math.ceil(latestMs - now));
    if (!forward(to, encodeForwardRequest({ process, id, deadlineMs, command: 'read' }))) return;
    this.#nextId = id === 0xffff_ffff ? READ_IDS_FROM : id + 1;
    this.#queue = [];
    this.#handedOn.set(id, { reads, to, againMs: now + HANDED_ON_MS_MAX });
  }

  #takeBack(id: number, reads: readonly Read[]): void {
    this.#handedOn.delete(id);
    this.#again(reads);
  }

  #again(reads: readonly Read[]): void {
    this.#queue.push(...reads);
    this.#options.wake();
  }

  /** One hop only: what a peer handed to us goes back to it when we are not the primary. */
  #returnToPeers(): void {
    const returned = this.#queue.filter(({ fromPeer }) => fromPeer);
    if (returned.length === 0) return;
    this.#queue = this.#queue.filter(({ fromPeer }) => !fromPeer);
    for (const read of returned) this.#settle(read, 'not-primary');
  }

  #refuseAll(refusal: Failure): void {
    const refused = this.#queue;
    this.#queue = [];
    for (const read of refused) this.#settle(read, refusal);
  }

  #unexpired<Reading extends readonly Read[]>(reads: Reading, nowMs: number): Read[] {
    const left: Read[] = [];
    const { view, commit } = this.#options.replica;
    for (const read of reads) {
      if (read.deadlineMs > nowMs) left.push(read);
      else this.#settle(read, noQuorum({ view, commit }));
    }
    return left;
  }

  #settle(read: Read, outcome: ReadOutcome): void {
    this.#waiting--;
    assert(this.#waiting >= 0, 'a read ends once');
    read.done(outcome);
  }
}
