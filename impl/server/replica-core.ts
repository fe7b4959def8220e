/**
 * The synchronous heart of a replica server: replica, kernel, proposals and requests over one data directory, and what one
 * turn of the event loop does to them. A server (replica-server.ts) puts sockets and HTTP around it, the simulator
 * (conformance/sim) simulated ports: there is no second one. Mirrors no spec module: it calls receive, tick, flush and
 * submit of impl/vsr/replica.ts, which does.
 */
import type { VsrMachine } from '../../machines/vsr.ts';
import { encodeBatch, encodeCommand, sessionOf } from '../kernel/command-codec.ts';
import type { CommandResult } from '../kernel/command-result.ts';
import { BATCH_BYTES_MAX } from '../kernel/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { Network } from '../ports/network.ts';
import type { Random } from '../ports/random.ts';
import type { Turn } from '../ports/turn.ts';
import type { DataDirectory } from '../storage/data-directory.ts';
import type { SessionBounds } from '../vsr/client-sessions.ts';
import type { Prepare } from '../vsr/prepare.ts';
import { PrepareLog, type PrepareLogReport } from '../vsr/prepare-log.ts';
import { Replica } from '../vsr/replica.ts';
import type { SessionOptions } from '../vsr/session-rules.ts';
import { FRAME_KINDS, type FrameKind } from '../wire/frame.ts';
import { WireError } from '../wire/wire-error.ts';
import { failure } from './failure.ts';
import {
  decodeForwardRequest,
  decodeForwardResult,
  encodeForwardResult,
  type ForwardRequest,
  type ForwardResult,
  READ_IDS_FROM,
} from './forward.ts';
import type { CommandOutcome } from './offered-command.ts';
import { Proposals } from './proposals.ts';
import { type ReadOutcome, Reads } from './reads.ts';
import type { RequestTrace } from './request-trace.ts';
import { Requests } from './requests.ts';
import type { ServerLimits } from './server-limits.ts';
import { StreamState } from './stream-state.ts';
import { TurnEnd } from './turn-end.ts';

/** Ticks between two looks at deadlines. */
const REVIEW_TICKS = 5;
/** A command of a peer: it fits a batch alone. Our own clients' are smaller by APPEND_BYTES_MAX. */
const FORWARDED_BYTES_MAX = BATCH_BYTES_MAX - 64;
const READ_BARRIER = encodeCommand({ kind: 'ReadBarrier' });

/** Frames to peers: those of the protocol, and those of servers among each other. */
export interface PeerNetwork extends Network {
  /** False when it did not leave. */
  sendToPeer(to: number, kind: FrameKind, payload: Uint8Array): boolean;
  /** Writes what is gathered. */
  flush(): void;
}

export interface ReplicaCoreOptions {
  readonly directory: DataDirectory;
  readonly network: PeerNetwork;
  readonly clock: Clock;
  readonly random: Random;
  readonly turn: Turn;
  readonly limits: ServerLimits;
  /** Our own fault: nothing goes on. */
  readonly failed: (cause: unknown) => void;
  readonly onBatch?: (commands: number) => void;
  /** Of the request that is taken now, for its commands. */
  readonly currentTrace?: () => RequestTrace | undefined;
  /** After an op was applied, with its results. */
  readonly onApplied?: (prepare: Prepare, results: readonly CommandResult[]) => void;
  /** Only the harness passes these: see ReplicaOptions. */
  readonly sessionBounds?: SessionBounds;
  readonly sessionOptions?: SessionOptions;
  readonly machine?: VsrMachine;
  readonly faults?: ReadonlySet<string>;
}

export class ReplicaCore {
  readonly replica: Replica;
  readonly log: PrepareLog;
  readonly prepareLogReport: PrepareLogReport;
  readonly state: StreamState;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly requests: Requests;
  readonly turn: TurnEnd;
  readonly #options: ReplicaCoreOptions;
  #ticks = 0;
  #announceDue = false;

  /** The replica is open and has delivered nothing yet: see begin(). @throws what opening the log throws */
  constructor(options: ReplicaCoreOptions) {
    this.#options = options;
    const { directory, network, clock, random, limits, machine, faults } = options;
    const { superblock, log, report } = directory;
    const { prepareLog, report: prepareLogReport } = PrepareLog.open(log, superblock.state.cluster);
    this.log = prepareLog;
    this.prepareLogReport = prepareLogReport;
    this.replica = Replica.open({
      superblock,
      log: prepareLog,
      network,
      clock,
      random,
      firstStart: report.firstStart,
      ...(machine === undefined ? {} : { machine }),
      ...(faults === undefined ? {} : { faults }),
    });
    this.state = new StreamState((op) => this.replica.prepareAt(op), options.sessionBounds, options.sessionOptions);
    const nowMs = (): number => clock.monotonicMs();
    const process = processNumber(random);
    const forward = (to: number, payload: Uint8Array): boolean =>
      network.sendToPeer(to, FRAME_KINDS.forwardRequest, payload);
    const { onBatch } = options;
    this.proposals = new Proposals({
      replica: this.replica,
      limits,
      encodeBatch,
      barrierCommand: READ_BARRIER,
      process,
      forward,
      nowMs,
      wake: () => this.turn.wake(),
      answerNow: (session) => this.state.answerNow(session),
      ...(onBatch === undefined ? {} : { onBatch }),
    });
    this.reads = new Reads({
      replica: this.replica,
      limits,
      process,
      forward,
      nowMs,
      wake: () => this.turn.wake(),
    });
    const completed = (commitId: number): void => this.reads.completed(commitId);
    this.replica.onRead = completed; // by a name: V8 keeps a function literal that is put into a field for long, and all it sees
    this.requests = new Requests({
      replica: this.replica,
      proposals: this.proposals,
      reads: this.reads,
      state: this.state,
      limits,
      nowMs,
      ...(options.currentTrace === undefined ? {} : { currentTrace: options.currentTrace }),
    });
    this.turn = new TurnEnd(options.turn, {
      propose: () => this.#propose(),
      send: () => network.flush(),
      sync: () => this.replica.flush(false),
      failed: options.failed,
    });
  }

  /** Applies what is committed so far, and all that comes. */
  begin(): void {
    const committed = (prepare: Prepare): void => this.#committed(prepare);
    this.replica.onCommitted = committed;
  }

  tick(): void {
    this.replica.tick();
    this.#announceDue = true;
    this.#ticks++;
    if (this.#ticks % REVIEW_TICKS === 0) {
      this.proposals.review();
      this.reads.review();
      this.requests.waiters.review(this.#options.clock.monotonicMs());
    }
    this.turn.wake();
  }

  /** @throws WireError for what no peer sends: its connection is refused with the code */
  receivePeer(from: number, kind: FrameKind, payload: Uint8Array): void {
    if (kind === FRAME_KINDS.replica) this.replica.receive(from, payload);
    else if (kind === FRAME_KINDS.forwardRequest) this.#takeForwarded(from, decodeForwardRequest(payload));
    else if (kind === FRAME_KINDS.forwardResult) this.#takeForwardResult(from, decodeForwardResult(payload));
    else if (kind !== FRAME_KINDS.goodbye) {
      throw new WireError('WIRE_UNKNOWN_KIND', `a peer sends no frames of kind ${kind}`, { kind });
    }
    this.turn.wake();
  }

  peerLost(peer: number): void {
    this.proposals.peerLost(peer);
    this.reads.peerLost(peer);
    this.turn.wake();
  }

  /** A Commit leaves with the next prepare in one write; else at the next tick, or when a peer's client waits for it. */
  #propose(): void {
    const opBefore = this.replica.op;
    this.reads.begin();
    this.proposals.propose();
    if (this.replica.op === opBefore && !this.#announceDue) return;
    this.#announceDue = false;
    this.replica.announce();
  }

  #takeForwardResult(from: number, answer: ForwardResult): void {
    if (answer.id >= READ_IDS_FROM) this.reads.forwardResult(from, answer);
    else this.proposals.forwardResult(from, answer);
  }

  #takeForwarded(from: number, { process, id, deadlineMs, command }: ForwardRequest): void {
    if (typeof command !== 'string' && command.byteLength > FORWARDED_BYTES_MAX) {
      const refusal = failure('TOO_LARGE', 'the command fits no prepare', { maximum: FORWARDED_BYTES_MAX });
      this.#answerForwarded(from, { process, id }, refusal);
      return;
    }
    const { clock, limits } = this.#options;
    const endsMs = clock.monotonicMs() + Math.min(deadlineMs, limits.REQUEST_DEADLINE_MS_MAX);
    const done = (outcome: CommandOutcome | ReadOutcome): void => this.#answerForwarded(from, { process, id }, outcome);
    if (command === 'read') {
      this.reads.offer({ deadlineMs: endsMs, fromPeer: true, done });
      return;
    }
    const bytes = command === 'barrier' ? undefined : command;
    const session = bytes === undefined ? undefined : sessionOf(bytes);
    this.proposals.offer({
      bytes,
      session,
      deadlineMs: endsMs,
      retrySafe: false, // whether it may be sent again is the peer's to say
      fromPeer: true,
      done,
    });
  }

  #answerForwarded(
    to: number,
    name: Pick<ForwardRequest, 'process' | 'id'>,
    outcome: CommandOutcome | ReadOutcome,
  ): void {
    const forwarded = forwardResultOf(name, outcome);
    this.#announceDue = true;
    this.turn.wake();
    // A peer that is gone learns of it as a client would: by reading, or by its deadline.
    this.#options.network.sendToPeer(to, FRAME_KINDS.forwardResult, encodeForwardResult(forwarded));
  }

  #committed(prepare: Prepare): void {
    const results = this.state.apply(prepare);
    this.proposals.committed(prepare, results);
    this.requests.waiters.applied(prepare.op);
    this.#options.onApplied?.(prepare, results);
  }
}

function forwardResultOf(
  name: Pick<ForwardRequest, 'process' | 'id'>,
  outcome: CommandOutcome | ReadOutcome,
): ForwardResult {
  const { process, id } = name;
  if (outcome === 'not-primary') return { process, id, kind: 'not-primary' };
  if ('op' in outcome) {
    const { op, hash, result } = outcome;
    return { process, id, kind: 'applied', op, hash, result };
  }
  if ('commitId' in outcome) return { process, id, kind: 'read-at', commitId: outcome.commitId };
  return { process, id, kind: 'failed', failure: outcome };
}

/** 53 bits of chance: what a number holds. */
function processNumber(random: Random): number {
  return random.below(2 ** 32) * 2 ** 21 + random.below(2 ** 21);
}
