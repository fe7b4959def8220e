/**
 * What is held against a simulated run while it goes on: the shared invariants, one entry an op and one state a commit id on
 * all replicas. And what the others need to see: the records of a run for a listener. The oracles of a run's end are in
 * final-oracles.ts. Mirrors no spec module: the predicates are those of machines/vsr-invariants.ts.
 */

import { hashesEqual, hashText } from '../../impl/crypto/hash.ts';
import type { CommandResult } from '../../impl/kernel/command-result.ts';
import type { RecordedState } from '../../impl/server/recorder.ts';
import type { Superblock } from '../../impl/storage/superblock.ts';
import { decodeMessage } from '../../impl/vsr/codec.ts';
import type { Prepare } from '../../impl/vsr/prepare.ts';
import { factsOf } from '../../impl/vsr/replica-messages.ts';
import { FRAME_KINDS } from '../../impl/wire/frame.ts';
import type { RequestSession } from '../../impl/wire/request.ts';
import type { VsrContext } from '../../machines/vsr-context.ts';
import type { SessionAnswer } from './client-serve.ts';
import { InvariantOracle, type ObservedNode } from './invariant-oracle.ts';
import { recordedState } from './judge/recorded-state.ts';
import { PromptnessOracle } from './promptness-oracle.ts';
import type { Oracle } from './run-result.ts';
import { SessionOracle } from './session-oracle.ts';
import type { EmittedEvent, SimEvent } from './sim-event.ts';
import type { Packet } from './sim-network.ts';
import { CLUSTER, type SimNode } from './sim-node.ts';
import { Violation } from './violation.ts';

/** What is asked of world.ts. */
export interface WatchedWorld {
  readonly listens: boolean;
  emit(event: EmittedEvent): void;
}

export class Oracles {
  /** By op - 1: hash of the entry that was committed there first, and of the state after it. */
  readonly committed: Uint8Array[] = [];
  readonly #stateHashes: Uint8Array[] = [];
  readonly #replicaCount: number;
  readonly #without: ReadonlySet<Oracle>;
  readonly #invariants: InvariantOracle | undefined;
  readonly #promptness: PromptnessOracle | undefined;
  readonly #sessions: SessionOracle | undefined;
  viewMax = 0;
  /** Of nodes whose disk lies: the superblock as they last took it to be. */
  readonly #beliefs: ObservedNode['superblock'][] = [];

  /** @param isPrompt nothing happens in this run that could hold anything up */
  constructor(replicaCount: number, without: ReadonlySet<Oracle>, isPrompt = false) {
    this.#replicaCount = replicaCount;
    this.#without = without;
    this.#promptness = isPrompt && !without.has('promptness') ? new PromptnessOracle(replicaCount) : undefined;
    this.#sessions = without.has('sessions') ? undefined : new SessionOracle();
    this.#invariants = without.has('invariants') ? undefined : new InvariantOracle({ replicaCount });
  }

  watch(node: SimNode, world: WatchedWorld): void {
    if (!world.listens) return;
    node.onEvent = (record) => {
      const { type, taken, message } = record;
      const guards = record.guards();
      world.emit({ kind: 'machine', replica: node.index, type, taken, message, guards, state: this.stateOf(node) });
    };
    if (node.core !== undefined) node.core.replica.onEvent = node.onEvent;
  }

  sent({ from, kind, payload }: Packet): void {
    if (kind === FRAME_KINDS.replica) this.#invariants?.sent(from, payload);
  }

  /** Before it stops, in the middle of a step perhaps: what it took to be durable by then counts, whatever its disk holds. */
  stopping(node: SimNode): void {
    if (node.isForgetful) this.#believed(node);
  }

  /** After every step of a node, its stops and its starts. @throws Violation */
  changed(node: SimNode, nodes: readonly SimNode[], nowUs: number): void {
    this.#promptness?.changed(node, nodes, nowUs);
    const { replica } = node;
    // Stopped in the middle of an install: which of the two states its disk holds, the next start will say.
    if (replica === undefined && node.superblock.status !== 'open') return;
    if (replica !== undefined && replica.view > this.viewMax) this.viewMax = replica.view;
    const broken = this.#invariants?.changed(node.isForgetful ? this.#believed(node) : node, nodes);
    if (broken === undefined) return;
    throw new Violation({
      oracle: 'invariants',
      rule: broken,
      message: `${broken} does not hold after a step of replica ${node.index}`,
    });
  }

  /**
   * A node whose disk was made to lie, as it takes itself: what it said it holds durable it cannot know to be gone. It does not
   * come back from its next stop (budget.ts), so nothing is built on that.
   */
  #believed(node: SimNode): ObservedNode {
    const { index, replica, log, superblock } = node;
    if (replica !== undefined) {
      const {
        viewDurable: view,
        logViewDurable: logView,
        commitDurable: commit,
      } = replica.snapshot.context as VsrContext;
      this.#beliefs[index] = {
        snapshot: replica.snapshot,
        status: 'open',
        state: { view, logView, commit } as Superblock['state'],
      };
    }
    return { index, replica, log, superblock: this.#beliefs[index] ?? superblock };
  }

  /** @throws Violation */
  applied(node: SimNode, prepare: Prepare, results: readonly CommandResult[], stateHash: Uint8Array): void {
    const { op, hash } = prepare;
    const before = this.committed[op - 1];
    if (before === undefined) {
      if (op !== this.committed.length + 1 && !this.#without.has('agreement'))
        this.#disagree('skipped op', `replica ${node.index} commits op ${op}, and nobody has committed op ${op - 1}`);
      this.committed[op - 1] = hash;
      this.#stateHashes[op - 1] = stateHash;
      this.#invariants?.committed(op, hash);
      this.#sessions?.applied(prepare, results);
      return;
    }
    if (this.#without.has('agreement')) return;
    if (!hashesEqual(before, hash))
      this.#disagree(
        'one entry an op',
        `replica ${node.index} commits ${short(hash)} at op ${op}, where ${short(before)} was committed before`,
      );
    const stateBefore = this.#stateHashes[op - 1] as Uint8Array;
    if (!hashesEqual(stateBefore, stateHash))
      this.#disagree(
        'one state a commit id',
        `replica ${node.index} has state ${short(stateHash)} at commit id ${op}, where another has ${short(stateBefore)}`,
      );
  }

  /** An answer that the state gave to a request of a session. @throws Violation */
  told(session: RequestSession, answer: SessionAnswer): void {
    this.#sessions?.told(session, answer);
  }

  stateOf(node: SimNode): RecordedState {
    const { replica } = node;
    if (replica === undefined) throw new Error('a node that is down has no machine');
    return recordedState({ replica, log: node.log, superblock: node.superblock });
  }

  nameOf({ kind, payload, from }: Packet): string {
    if (kind === FRAME_KINDS.forwardRequest) return 'ForwardRequest';
    if (kind === FRAME_KINDS.forwardResult) return 'ForwardResult';
    return decodeMessage(payload, CLUSTER, this.#replicaCount, from).type;
  }

  sendEvent(packet: Packet): Omit<Extract<SimEvent, { readonly kind: 'send' }>, 'step' | 'atUs'> {
    const { frame, from, to, kind, payload } = packet;
    if (kind !== FRAME_KINDS.replica)
      return { kind: 'send', frame, from, to, message: this.nameOf(packet), facts: undefined };
    const message = decodeMessage(payload, CLUSTER, this.#replicaCount, from);
    const facts = message.type === 'RequestPrepare' ? { from, view: message.view, op: message.op } : factsOf(message);
    return { kind: 'send', frame, from, to, message: message.type, facts };
  }

  #disagree(rule: string, message: string): never {
    throw new Violation({ oracle: 'agreement', rule, message });
  }
}

function short(hash: Uint8Array): string {
  return hashText(hash).slice(0, 12);
}
