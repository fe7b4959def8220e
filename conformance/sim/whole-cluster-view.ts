/**
 * A cluster as the whole predicates of machines/vsr-invariants.ts see it: every log read anew, every message decoded. Slow;
 * what the invariant oracle is held against. Mirrors the variables of specs/Vsr.tla.
 */
import { hashText } from '../../impl/crypto/hash.ts';
import { assert } from '../../impl/ports/assert.ts';
import { decodeMessage } from '../../impl/vsr/codec.ts';
import type { Prepare } from '../../impl/vsr/prepare.ts';
import { factsOf } from '../../impl/vsr/replica-messages.ts';
import { NO_READING, noAcks, noTarget, type VsrContext } from '../../machines/vsr-context.ts';
import type { EntryView, MessageView, ReplicaView } from '../../machines/vsr-invariants.ts';
import type { ObservedNode } from './observed-replica.ts';

/** Where the cluster stands in a frame of impl/vsr/codec.ts. */
const CLUSTER_AT = 8;

/** Undefined for a message that the spec does not have. */
export function messageViewOf(frame: Uint8Array, replicaCount: number): MessageView | undefined {
  const cluster = new DataView(frame.buffer, frame.byteOffset).getBigUint64(CLUSTER_AT, true);
  const message = decodeMessage(frame, cluster, replicaCount);
  return message.type === 'RequestPrepare' ? undefined : { ...factsOf(message), type: message.type };
}

/** @param lastDurable what the superblock held when it last was open: it counts while an install is not through */
export function replicaViewOf(
  { replica, log, superblock }: ObservedNode,
  replicaCount: number,
  lastDurable: { readonly viewDurable: number; readonly logViewDurable: number; readonly commitDurable: number },
): ReplicaView {
  const { viewDurable, logViewDurable, commitDurable } = lastDurable;
  const state =
    superblock.status === 'open'
      ? superblock.state
      : { view: viewDurable, logView: logViewDurable, commit: commitDurable };
  const durable = {
    viewDurable: state.view,
    logViewDurable: state.logView,
    commitDurable: state.commit,
    logDurable: entriesOf(log.opDurable, (op) => log.durablePrepareAt(op)),
  };
  if (replica === undefined || replica.status === 'halted') {
    const { view, logView, commit } = state;
    const nothing = {
      acked: noAcks(replicaCount),
      startVotes: [],
      changeVotes: [],
      target: noTarget(replicaCount),
      reading: NO_READING,
    };
    return { ...durable, ...nothing, status: 'recovering', view, logView, commit, log: durable.logDurable };
  }
  const context = replica.snapshot.context as VsrContext;
  const { view, logView, commit, acked, startVotes, changeVotes, target, reading } = context;
  const volatile = { status: replica.status, view, logView, commit, acked, startVotes, changeVotes, target, reading };
  return { ...durable, ...volatile, log: entriesOf(log.op, (op) => log.prepareAt(op)) };
}

const views = new WeakMap<Prepare, EntryView>();

function entriesOf(op: number, prepareAt: (op: number) => Prepare | undefined): readonly EntryView[] {
  return Array.from({ length: op }, (_, at) => {
    const prepare = prepareAt(at + 1);
    assert(prepare !== undefined, 'a log has every op up to its end');
    let view = views.get(prepare);
    if (view === undefined) {
      view = { view: prepare.view, hash: hashText(prepare.hash), parent: hashText(prepare.parent) };
      views.set(prepare, view);
    }
    return view;
  });
}
