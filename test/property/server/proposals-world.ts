/**
 * A replica and its peers as Proposals sees them, without protocol: an adversary decides what is committed, what a view change
 * leaves behind and brings back, which frames are lost, and which of them were taken all the same. It keeps the truth.
 */

import type { ForwardResult } from '../../../impl/server/forward.ts';
import { decodeForwardRequest } from '../../../impl/server/forward.ts';
import type { CommandOutcome } from '../../../impl/server/offered-command.ts';
import { Proposals } from '../../../impl/server/proposals.ts';
import { SERVER_LIMITS } from '../../../impl/server/server-limits.ts';
import type { Prepare } from '../../../impl/vsr/prepare.ts';
import type { ReplicaPort, Submitted } from '../../../impl/vsr/replica-port.ts';

const REPLICAS = 3;

/** What was asked, and how it ended. */
export interface Asked {
  readonly id: number;
  readonly retrySafe: boolean;
  readonly fromPeer: boolean;
  /** A request of a session: its number is the id, and others may ask the same. */
  readonly session: boolean;
  readonly outcomes: CommandOutcome[];
}

interface Frame {
  readonly id: number;
  readonly to: number;
  /** undefined: a barrier. */
  readonly command: number | undefined;
}

/** Of the one life that is tested here. */
const PROCESS = 5;

export class World {
  /** Committed prepares, op 1 first: the truth. */
  readonly truth: Prepare[] = [];
  readonly asked: Asked[] = [];
  readonly proposals: Proposals;
  /** Requests of sessions that went into the log twice in one view. */
  readonly doubled: number[] = [];
  nowMs = 0;
  #ids = 0;
  #log: Prepare[] = [];
  /** Prepares that some replica may still hold, and a later view may bring back. */
  #ghosts: Prepare[] = [];
  #frames: Frame[] = [];
  #delivered = 0;
  #status: ReplicaPort['status'] = 'normal';
  #view = 0;
  #hashes = 0;

  constructor() {
    const world = this;
    const replica = {
      replica: 0,
      get status() {
        return world.#status;
      },
      get view() {
        return world.#view;
      },
      get logView() {
        return world.#status === 'normal' ? world.#view : -1;
      },
      get primary() {
        return world.#view % REPLICAS;
      },
      submit: (body: Uint8Array): Submitted => {
        this.#noteDoubled(body);
        const prepare = this.#prepare(body);
        this.#log.push(prepare);
        return { op: prepare.op, hash: prepare.hash };
      },
      prepareAt: (op: number) => this.#log[op - 1],
    } as unknown as ReplicaPort;
    this.proposals = new Proposals({
      replica,
      limits: { ...SERVER_LIMITS, PREPARES_IN_FLIGHT_MAX: 3, BATCH_COMMANDS_MAX: 2, REQUESTS_IN_FLIGHT_MAX: 40 },
      encodeBatch: (commands) => Buffer.concat(commands),
      barrierCommand: bytesOf(0),
      process: PROCESS,
      forward: (to, payload) => {
        const { id, command } = decodeForwardRequest(Buffer.from(payload));
        this.#frames.push({ id, to, command: typeof command === 'string' ? undefined : idOf(command) });
        return true;
      },
      nowMs: () => this.nowMs,
      wake: () => {},
      answerNow: ({ requestNumber }) => this.#answerNow(requestNumber),
    });
  }

  ask(kind: 'plain' | 'keyed' | 'session', fromPeer: boolean, barrier: boolean, withinMs: number): void {
    const session = kind === 'session' && !barrier;
    this.#offer(++this.#ids, { retrySafe: kind !== 'plain' || barrier, fromPeer, session, barrier, withinMs });
  }

  /** Another try of an earlier request of a session. */
  askAgain(which: number, fromPeer: boolean, withinMs: number): void {
    const earlier = this.asked.filter(({ session }) => session);
    const again = earlier[which % Math.max(1, earlier.length)];
    if (again === undefined) return;
    this.#offer(again.id, { retrySafe: true, fromPeer, session: true, barrier: false, withinMs });
  }

  #offer(
    id: number,
    {
      retrySafe,
      fromPeer,
      session,
      barrier,
      withinMs,
    }: Omit<Asked, 'id' | 'outcomes'> & { barrier: boolean; withinMs: number },
  ): void {
    const asked: Asked = { id, retrySafe, fromPeer, session, outcomes: [] };
    this.asked.push(asked);
    this.proposals.offer({
      bytes: barrier ? undefined : bytesOf(id),
      ...(session ? { session: { clientId: 1, requestNumber: id } } : {}),
      deadlineMs: this.nowMs + withinMs,
      retrySafe: retrySafe && !fromPeer,
      fromPeer,
      done: (outcome) => asked.outcomes.push(outcome),
    });
  }

  #answerNow(id: number) {
    const at = this.truth.slice(0, this.#delivered).findIndex(({ body }) => idsOf(body).includes(id));
    const prepare = this.truth[at];
    return prepare === undefined ? undefined : { op: prepare.op, hash: prepare.hash, result: id };
  }

  #noteDoubled(body: Uint8Array): void {
    const waiting = this.#log.slice(this.truth.length).filter(({ view }) => view === this.#view);
    const ids = [...waiting.flatMap((prepare) => idsOf(prepare.body)), ...idsOf(body)];
    for (const { id, session } of this.asked)
      if (session && ids.filter((one) => one === id).length > 1) this.doubled.push(id);
  }

  /** The next op of the log is committed. */
  commitOne(): void {
    const next = this.#log[this.truth.length];
    if (this.#status === 'normal' && next !== undefined) this.#commit(next);
  }

  beginViewChange(): void {
    this.#status = 'view-change';
    this.#view++;
  }

  /** @param kept ops of our uncommitted log in the new one; @param ghost which of those left behind comes back instead */
  endViewChange(kept: number, ghost: number | undefined): void {
    if (this.#status !== 'view-change') return;
    const commit = this.truth.length;
    const suffix = this.#log.slice(commit);
    const back = ghost === undefined ? [] : this.#chainOf(ghost);
    this.#log = [...this.truth, ...(back.length > 0 ? back : suffix.slice(0, kept))];
    this.#ghosts.push(...suffix.filter((prepare) => !this.#log.includes(prepare)));
    this.#status = 'normal';
  }

  /** The primary takes a frame: commits it as the next op, or refuses it. Its answer arrives or does not. */
  deliver(which: number, commits: boolean, answered: boolean): void {
    if (this.#frames.length === 0) return;
    const [frame] = this.#frames.splice(which % this.#frames.length, 1) as [Frame];
    if (!commits) {
      if (!answered) return;
      const busy = { outcome: 'refused', code: 'BUSY', message: '', evidence: {} } as const;
      const kinds: readonly ForwardResult[] = [
        { process: PROCESS, id: frame.id, kind: 'not-primary' },
        { process: PROCESS, id: frame.id, kind: 'failed', failure: busy },
      ];
      this.proposals.forwardResult(frame.to, kinds[which % 2] as ForwardResult);
      return;
    }
    const { op, hash } = this.#commitForeign(frame.to, frame.command);
    if (answered)
      this.proposals.forwardResult(frame.to, {
        process: PROCESS,
        id: frame.id,
        kind: 'applied',
        op,
        hash,
        result: frame.command,
      });
  }

  losePeer(peer: number): void {
    this.proposals.peerLost(peer);
  }

  /** The worst end: what may still be committed after we have answered is. */
  afterwards(): void {
    for (const { to, command } of this.#frames.splice(0)) this.#commitForeign(to, command);
    for (let at = 0; at < this.#ghosts.length; at++) {
      for (const prepare of this.#chainOf(at)) this.truth.push(prepare);
    }
  }

  /** How often a command is in the truth. */
  timesApplied(id: number): number {
    return this.truth.flatMap(({ body }) => idsOf(body)).filter((applied) => applied === id).length;
  }

  /** Another primary commits it, of this view or of a later one: what we had beyond the truth is left behind. */
  #commitForeign(to: number, command: number | undefined): Prepare {
    if (this.#status !== 'normal' || this.#view % REPLICAS !== to) {
      do this.#view++;
      while (this.#view % REPLICAS !== to);
      this.#status = 'normal';
    }
    const commit = this.truth.length;
    this.#ghosts.push(...this.#log.slice(commit));
    this.#log = [...this.truth];
    const prepare = this.#prepare(bytesOf(command ?? 0));
    this.#log.push(prepare);
    this.#commit(prepare);
    return prepare;
  }

  #commit(prepare: Prepare): void {
    this.truth.push(prepare);
    while (this.#delivered < this.truth.length) {
      const committed = this.truth[this.#delivered++] as Prepare; // applied before it is told
      this.proposals.committed(committed, idsOf(committed.body));
    }
  }

  /** A ghost and what it follows, up from the end of the truth; empty when something else is committed there. */
  #chainOf(ghost: number): Prepare[] {
    const chain: Prepare[] = [];
    let link = this.#ghosts[ghost % Math.max(1, this.#ghosts.length)];
    while (link !== undefined && link.op > this.truth.length) {
      chain.unshift(link);
      const parent = link.parent;
      link = [...this.#ghosts, ...this.truth].find(({ hash }) => Buffer.from(hash).equals(parent));
    }
    const first = chain[0];
    return first !== undefined && first.op === this.truth.length + 1 && (first.op === 1 || link !== undefined)
      ? chain
      : [];
  }

  #prepare(body: Uint8Array): Prepare {
    const hash = Buffer.alloc(32);
    hash.writeUInt32LE(++this.#hashes);
    const parent = this.#log.at(-1)?.hash ?? Buffer.alloc(32);
    return {
      cluster: 1n,
      view: this.#view,
      op: this.#log.length + 1,
      parent,
      hash,
      timestamp: 0,
      client: 0n,
      request: 0,
      body,
    };
  }
}

function bytesOf(id: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(id);
  return bytes;
}

function idOf(bytes: Uint8Array): number {
  return Buffer.from(bytes).readUInt32LE(0);
}

function idsOf(body: Uint8Array): number[] {
  return Array.from({ length: body.byteLength / 4 }, (_, at) => Buffer.from(body).readUInt32LE(at * 4));
}
