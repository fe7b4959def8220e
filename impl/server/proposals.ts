/**
 * Commands on their way into the log: gathered, put into one prepare together, watched until they commit, or handed to the
 * primary. Each ends exactly once: applied, refused (known not applied) or unknown. Callbacks, no promise per command.
 * Mirrors Vsr!ClientRequest from the client's side. Known not applied: never submitted, or another op is committed in its
 * place. A view whose log lacks it proves nothing: 1. a view change leaves an op behind that two of five hold, 2. the new
 * primary and its first backup are cut off, 3. the next view takes the op from one of the two, and commits it.
 */
import { hashesEqual } from '../crypto/hash.ts';
import type { RequestSession } from '../kernel/command.ts';
import { assert } from '../ports/assert.ts';
import type { Prepare } from '../vsr/prepare.ts';
import type { ReplicaPort } from '../vsr/replica-port.ts';
import type { Failure } from '../wire/answer.ts';
import { busy, failure, noQuorum, outcomeUnknown } from './failure.ts';
import { encodeForwardRequest, type ForwardResult, READ_IDS_FROM } from './forward.ts';
import { JoinedRequests } from './joined-requests.ts';
import {
  type Applied,
  type Command,
  type CommandOutcome,
  inDoubt,
  isFromPeer,
  latestDeadlineMs,
  type Waiting,
  waiting,
} from './offered-command.ts';
import type { ServerLimits } from './server-limits.ts';

/** Patience of a barrier that is only there to move the log on. */
const STALE_BARRIER_MS = 1_000;

interface Batch {
  readonly op: number;
  readonly view: number;
  readonly hash: Uint8Array;
  readonly commands: readonly Waiting[];
  readonly barriers: readonly Waiting[];
}

export interface ProposalsOptions {
  readonly replica: ReplicaPort;
  readonly limits: ServerLimits;
  /** The body of a prepare. */
  readonly encodeBatch: (commands: readonly Uint8Array[]) => Uint8Array;
  readonly barrierCommand: Uint8Array;
  /** Of this process among all lives of this replica: answers to another life's requests are not ours. */
  readonly process: number;
  /** Hands a ForwardRequest to a peer; false when it did not leave. */
  readonly forward: (to: number, payload: Uint8Array) => boolean;
  readonly nowMs: () => number;
  /** What is known of a session's request without the log: it was executed, or its session keeps nothing of it. */
  readonly answerNow?: (session: RequestSession) => Applied | undefined;
  readonly wake: () => void; // something waits for propose()
  readonly onBatch?: (commands: number, bytes: number) => void;
}

export class Proposals {
  readonly #options: ProposalsOptions;
  /** Not submitted and not handed on, oldest first. */
  #queue: Waiting[] = [];
  #barriers: Waiting[] = [];
  /** Submitted here, by op. */
  readonly #submitted = new Map<number, Batch>();
  /** Submitted in an earlier view, and no more in the log of this one. Those that may be tried again are. */
  #stale: Batch[] = [];
  /** Handed to the primary, by the number of the frame: one command, or all barriers that waited. */
  readonly #forwarded = new Map<number, { readonly commands: readonly Waiting[]; readonly to: number }>();
  /** What is in #submitted of sessions' requests; public for those who ask why, and who break it. */
  readonly sessions = new JoinedRequests<Waiting>();
  #nextForward = 1;
  #nextRequest = 1;
  #waiting = 0;
  #waitingBytes = 0;
  #viewSeen = -1;

  constructor(options: ProposalsOptions) {
    this.#options = options;
  }

  /** Commands and barriers that have no outcome yet. */
  get waiting(): number {
    return this.#waiting;
  }

  get queued(): number {
    return this.#queue.length + this.#barriers.length;
  }

  get preparesInFlight(): number {
    return this.#submitted.size;
  }

  /** Takes a command; its outcome comes through done, perhaps at once when a bound is reached. */
  offer(command: Command): void {
    const { limits } = this.#options;
    const bytes = command.bytes?.length ?? 0;
    if (this.#waiting >= limits.REQUESTS_IN_FLIGHT_MAX) {
      command.done(busy('too many requests wait', { waiting: this.#waiting, bound: limits.REQUESTS_IN_FLIGHT_MAX }));
      return;
    }
    if (this.#waitingBytes + bytes > limits.REQUEST_BYTES_IN_FLIGHT_MAX) {
      const evidence = { waitingBytes: this.#waitingBytes, bound: limits.REQUEST_BYTES_IN_FLIGHT_MAX };
      command.done(busy('too many bytes wait', evidence));
      return;
    }
    this.#waiting++;
    this.#waitingBytes += bytes;
    this.#enqueue(waiting(command));
  }

  /** Once a turn: submits what waits when this is the primary, hands it on when another is. */
  propose(): void {
    const { replica } = this.#options;
    this.#noticeView();
    if (this.queued === 0) return;
    if (replica.status === 'halted') this.#refuseAll(failure('HALTED', 'this replica is halted: use another one'));
    else if (replica.status !== 'normal') this.#returnToPeers();
    else if (replica.primary === replica.replica) this.#submitAll();
    else this.#handOn(replica.primary);
  }

  /** An op is committed and applied; results in the order of the batch. */
  committed(prepare: Prepare, results: readonly unknown[]): void {
    const batch = this.#submitted.get(prepare.op);
    if (batch !== undefined) {
      this.#submitted.delete(prepare.op);
      if (hashesEqual(batch.hash, prepare.hash)) this.#applied(batch, results);
      else for (const command of [...batch.commands, ...batch.barriers]) this.#enqueue(command);
      // Those that joined it come again, and hear what the state says. None joined a batch of an earlier view.
      const joined = batch.view === this.#viewSeen ? this.sessions.settle(batch.commands) : [];
      for (const command of joined) this.#enqueue(command);
    }
    if (this.#stale.length > 0) this.#endStale(prepare, results);
    if (this.queued > 0) this.#options.wake();
  }

  /** The answer of the primary to what was handed on. */
  forwardResult(from: number, answer: ForwardResult): void {
    const forwarded = this.#forwarded.get(answer.id);
    // It is of another life of this replica, its deadline is over, or it went elsewhere since.
    if (answer.process !== this.#options.process || forwarded === undefined || forwarded.to !== from) return;
    this.#forwarded.delete(answer.id);
    for (const command of forwarded.commands) {
      if (answer.kind === 'applied') this.#settle(command, answer);
      else if (answer.kind === 'failed') this.#settle(command, answer.failure);
      else this.#enqueue(command);
    }
  }

  /** What was handed to a peer whose connection is gone may be applied or not. */
  peerLost(peer: number): void {
    for (const [id, { commands, to }] of this.#forwarded) {
      if (to !== peer) continue;
      this.#forwarded.delete(id);
      for (const command of commands) {
        if (command.retrySafe) this.#tryAgain(command);
        else this.#settle(command, outcomeUnknown({ handedTo: peer }));
      }
    }
  }

  /** Looks for passed deadlines and for what a view change did to the batches. Every few ticks. */
  review(): void {
    this.#noticeView();
    if (this.#waiting + this.queued + this.#stale.length + this.#forwarded.size === 0) return;
    const nowMs = this.#options.nowMs();
    if (this.#queue.length > 0) this.#queue = this.#expireQueued(this.#queue, nowMs);
    if (this.#barriers.length > 0) this.#barriers = this.#expireQueued(this.#barriers, nowMs);
    for (const command of this.sessions.expire(nowMs)) this.#settle(command, outcomeUnknown({ joined: true }));
    for (const batch of this.#submitted.values()) this.#expireBatch(batch, nowMs); // in flight until its op commits
    for (const [id, forwarded] of this.#forwarded) this.#expireForwarded(id, forwarded, nowMs);
    this.#moveStale(nowMs);
    if (this.queued > 0) this.#options.wake();
  }

  /** The server stops or the replica halted: nothing here will be answered any more. */
  close(): void {
    this.#refuseAll(failure('DRAINING', 'this replica is stopping: use another one'));
    for (const { op, commands, barriers } of [...this.#submitted.values(), ...this.#stale]) {
      for (const command of [...commands, ...barriers]) this.#settle(command, outcomeUnknown({ op }));
    }
    this.#submitted.clear();
    this.#stale = [];
    for (const { commands, to } of this.#forwarded.values()) {
      for (const command of commands) this.#settle(command, outcomeUnknown({ handedTo: to }));
    }
    this.#forwarded.clear();
    for (const command of this.sessions.leave()) this.#settle(command, outcomeUnknown({ joined: true }));
  }

  #enqueue(command: Waiting): void {
    if (command.settled) return;
    const known = command.session === undefined ? undefined : this.#options.answerNow?.(command.session);
    if (known !== undefined) {
      this.#settle(command, known);
      return;
    }
    (command.bytes === undefined ? this.#barriers : this.#queue).push(command);
    this.#options.wake();
  }

  /** It may be applied already, and doing it twice changes nothing. */
  #tryAgain(command: Waiting): void {
    command.inDoubt = command.bytes !== undefined;
    this.#enqueue(command);
  }

  #settle(command: Waiting, outcome: CommandOutcome): void {
    if (command.settled) return;
    command.settled = true;
    this.#waiting--;
    this.#waitingBytes -= command.bytes?.length ?? 0;
    command.done(command.inDoubt ? inDoubt(outcome) : outcome);
  }

  #submitAll(): void {
    while (this.queued > 0 && this.#submitted.size < this.#options.limits.PREPARES_IN_FLIGHT_MAX) {
      if (!this.#submitOne()) return;
    }
  }

  /** One prepare of as many commands as fit; every barrier that waits goes with it. False when the replica refuses. */
  #submitOne(): boolean {
    const { replica, limits, encodeBatch, barrierCommand, onBatch } = this.#options;
    const { commands, joins, taken, bytes } = this.#nextCommands(limits);
    if (commands.length === 0 && this.#barriers.length === 0) {
      this.#queue = this.#queue.slice(taken);
      this.sessions.join(joins);
      return this.queued > 0;
    }
    const bodies = commands.length === 0 ? [barrierCommand] : commands.map((command) => command.bytes as Uint8Array);
    const submitted = replica.submit(encodeBatch(bodies), 0n, this.#nextRequest);
    if ('refusedBy' in submitted) {
      this.sessions.settle(commands);
      return false;
    }
    this.#nextRequest = this.#nextRequest === 0xffff_ffff ? 1 : this.#nextRequest + 1;
    assert(!this.#submitted.has(submitted.op), 'an op is submitted once');
    const { op, hash } = submitted;
    for (const { trace } of commands) trace?.proposed(op);
    this.#queue = this.#queue.slice(taken);
    this.sessions.join(joins);
    this.#submitted.set(op, { op, hash, view: replica.view, commands, barriers: this.#barriers });
    this.#barriers = [];
    onBatch?.(commands.length, bytes);
    return true;
  }

  /** As many of the queue as fit a prepare; another try of a request that is in flight joins it. */
  #nextCommands({ BATCH_BYTES_MAX, BATCH_COMMANDS_MAX }: ServerLimits) {
    const commands: Waiting[] = [];
    const joins: Waiting[] = [];
    let bytes = 0;
    let taken = 0;
    for (const command of this.#queue) {
      const size = command.bytes?.byteLength ?? 0;
      const count = commands.length;
      if (count > 0 && (bytes + size > BATCH_BYTES_MAX || count >= BATCH_COMMANDS_MAX)) break;
      if (this.sessions.isJoin(command)) joins.push(command);
      else {
        commands.push(command);
        bytes += size;
      }
      taken++;
    }
    return { commands, joins, taken, bytes };
  }

  /** A view change may have cut what they joined out of the log, and may not: what they waited for is in doubt. */
  #leaveJoined(): void {
    for (const command of this.sessions.leave()) {
      if (command.fromPeer) this.#settle(command, outcomeUnknown({ joined: true }));
      else this.#tryAgain(command);
    }
  }

  #handOn(primary: number): void {
    this.#returnToPeers();
    if (this.#barriers.length > 0 && this.#handOver(primary, this.#barriers)) this.#barriers = [];
    const queue = this.#queue;
    let handed = 0;
    while (handed < queue.length && this.#handOver(primary, [queue[handed] as Waiting])) handed++;
    if (handed > 0) this.#queue = queue.slice(handed); // review() tries the rest again, or ends them at their deadline
  }

  /** False when the frame did not leave. */
  #handOver(to: number, commands: readonly Waiting[]): boolean {
    const { process, forward, nowMs } = this.#options;
    const id = this.#nextForward;
    const deadlineMs = Math.max(1, Math.ceil(latestDeadlineMs(commands) - nowMs()));
    const command = commands[0]?.bytes ?? 'barrier';
    if (!forward(to, encodeForwardRequest({ process, id, deadlineMs, command }))) return false;
    this.#nextForward = id === READ_IDS_FROM - 1 ? 1 : id + 1;
    this.#forwarded.set(id, { commands, to });
    return true;
  }

  /** One hop only: what a peer handed to us goes back to it when we are not the primary. */
  #returnToPeers(): void {
    if (!this.#queue.some(isFromPeer) && !this.#barriers.some(isFromPeer)) return;
    const returned = [...this.#queue, ...this.#barriers].filter(isFromPeer);
    this.#queue = this.#queue.filter((command) => !command.fromPeer);
    this.#barriers = this.#barriers.filter((command) => !command.fromPeer);
    for (const command of returned) this.#settle(command, 'not-primary');
  }

  #refuseAll(refusal: Failure): void {
    const refused = [...this.#queue, ...this.#barriers];
    this.#queue = [];
    this.#barriers = [];
    for (const command of refused) this.#settle(command, refusal);
  }

  #applied({ op, hash, commands, barriers }: Batch, results: readonly unknown[]): void {
    assert(results.length >= commands.length, 'each command of a batch has a result');
    for (let index = 0; index < commands.length; index++)
      this.#settle(commands[index] as Waiting, { op, hash, result: results[index] });
    for (const barrier of barriers) this.#settle(barrier, { op, hash, result: undefined });
  }

  /** The op of a batch that an earlier view left behind is committed: it is that batch after all, or it never will be. */
  #endStale(prepare: Prepare, results: readonly unknown[]): void {
    const ended = this.#stale.filter(({ op }) => op === prepare.op);
    this.#stale = this.#stale.filter(({ op }) => op !== prepare.op);
    for (const batch of ended) {
      if (hashesEqual(batch.hash, prepare.hash)) this.#applied(batch, results);
      else for (const command of [...batch.commands, ...batch.barriers]) if (!command.retrySafe) this.#enqueue(command);
    }
  }

  /** What an earlier view knew of an op may be wrong in this one, once its log is here. */
  #noticeView(): void {
    const { status, view, logView } = this.#options.replica;
    if (status !== 'normal' || logView !== view || view === this.#viewSeen) return;
    this.#viewSeen = view;
    this.#afterViewChange();
  }

  /** What may be tried again is; what may not waits until an op is committed in its place, or for its deadline. */
  #afterViewChange(): void {
    const { replica } = this.#options;
    this.#leaveJoined();
    for (const [op, batch] of this.#submitted) {
      if (batch.view === replica.view) continue;
      const prepare = replica.prepareAt(op);
      if (prepare !== undefined && hashesEqual(prepare.hash, batch.hash)) continue;
      this.#submitted.delete(op);
      this.#stale.push(batch);
      for (const command of [...batch.commands, ...batch.barriers]) if (command.retrySafe) this.#tryAgain(command);
    }
    for (const [id, { commands, to }] of this.#forwarded) {
      if (to === replica.primary || !commands.every((command) => command.retrySafe)) continue;
      this.#forwarded.delete(id);
      for (const command of commands) this.#tryAgain(command);
    }
  }

  /** A stale batch learns its end when its op is committed: when nothing else moves the log on, a barrier does. */
  #moveStale(nowMs: number): void {
    this.#stale = this.#stale.filter((batch) => this.#expireBatch(batch, nowMs) > 0);
    const { status } = this.#options.replica;
    if (this.#stale.length === 0 || status !== 'normal') return;
    if (this.queued > 0 || this.#forwarded.size > 0 || this.#submitted.size > 0) return;
    const done = (): void => {};
    this.offer({ bytes: undefined, deadlineMs: nowMs + STALE_BARRIER_MS, retrySafe: true, fromPeer: false, done });
  }

  #expireQueued(queue: readonly Waiting[], nowMs: number): Waiting[] {
    const { replica } = this.#options;
    return queue.filter((command) => {
      if (command.settled || command.deadlineMs > nowMs) return !command.settled;
      this.#settle(command, noQuorum({ status: replica.status, view: replica.view, primary: replica.primary }));
      return false;
    });
  }

  #expireForwarded(id: number, { commands, to }: { commands: readonly Waiting[]; to: number }, nowMs: number): void {
    for (const command of commands) {
      if (command.deadlineMs > nowMs) continue;
      this.#settle(command, command.bytes === undefined ? noQuorum({ askedOf: to }) : outcomeUnknown({ handedTo: to }));
    }
    if (commands.every((command) => command.settled)) this.#forwarded.delete(id);
  }

  /** Returns how many have no outcome yet. */
  #expireBatch({ op, hash, view, commands, barriers }: Batch, nowMs: number): number {
    const evidence = { op, hash: Buffer.from(hash).toString('hex'), view };
    let left = 0;
    for (const command of commands) {
      if (!command.settled && command.deadlineMs <= nowMs) this.#settle(command, outcomeUnknown(evidence));
      if (!command.settled) left++;
    }
    for (const barrier of barriers) {
      if (!barrier.settled && barrier.deadlineMs <= nowMs) this.#settle(barrier, noQuorum(evidence));
      if (!barrier.settled) left++;
    }
    return left;
  }
}
