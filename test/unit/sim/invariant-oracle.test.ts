/**
 * The invariant oracle: one case for each thing that it must not forget to ask again. Goal and method: two or three nodes
 * whose fields are set by hand; the step that breaks an invariant changes as little as can be, and the whole predicates agree.
 */
import { beforeEach, expect, test } from 'vitest';
import { InvariantOracle, type ObservedNode } from '../../../conformance/sim/invariant-oracle.ts';
import { GENESIS_HASH } from '../../../impl/crypto/hash.ts';
import { encodeMessage } from '../../../impl/vsr/codec.ts';
import type { Message } from '../../../impl/vsr/message.ts';
import { newPrepare, type Prepare } from '../../../impl/vsr/prepare.ts';
import { openedContext, type VsrContext } from '../../../machines/vsr-context.ts';
import { type AnarchicNode, newSuperblock } from '../../property/sim/anarchic-cluster.ts';
import { AnarchicLog } from '../../property/sim/anarchic-log.ts';
import { CLUSTER } from '../../property/vsr/arbitrary.ts';

const REPLICAS = 3;
const DURABLE = { view: 0, logView: 0, commit: 0, op: 0, headHash: '' };

let oracle: InvariantOracle;
let nodes: AnarchicNode[];

beforeEach(() => {
  oracle = new InvariantOracle({ replicaCount: REPLICAS, remembers: true });
  nodes = Array.from({ length: REPLICAS }, (_, index) => {
    const context = openedContext({ replica: index, replicaCount: REPLICAS, pipelineMax: 1, durable: DURABLE });
    const superblock = newSuperblock({ view: 0, logView: 0, commit: 0 });
    return { index, replica: { status: 'view-change', snapshot: { context } }, log: new AnarchicLog([]), superblock };
  });
  for (const node of nodes) expect(asked(node)).toBeUndefined();
});

/** Both verdicts, which are one. */
function asked(node: AnarchicNode): string | undefined {
  const seen = nodes as unknown as readonly ObservedNode[];
  const broken = oracle.changed(seen[node.index] as ObservedNode, seen);
  const all = oracle.checkAll(seen);
  if (broken === undefined) expect(all).toEqual([]);
  else expect(all).toContain(broken);
  return broken;
}

function at(index: number): AnarchicNode {
  return nodes[index] as AnarchicNode;
}

function set(node: AnarchicNode, change: Partial<VsrContext>, status = node.replica?.status ?? ''): void {
  const context = { ...(node.replica?.snapshot.context as VsrContext), ...change };
  node.replica = { status, snapshot: { context } };
}

function entry(op: number, request: number, parent: Uint8Array = GENESIS_HASH): Prepare {
  const body = new Uint8Array(0);
  return newPrepare({ cluster: CLUSTER, view: 0, op, parent, timestamp: 0, client: 7n, request, body });
}

/** Entries at the head, durable or not. */
function append(node: AnarchicNode, entries: readonly Prepare[], durably = true): void {
  node.log.entries.push(...entries);
  if (durably) node.log.sync();
  set(node, {});
}

function send(message: Message): void {
  oracle.sent(message.from, encodeMessage(CLUSTER, message));
}

const first = entry(1, 1);
const otherFirst = entry(1, 2);
const second = entry(2, 3, first.hash);
const otherSecond = entry(2, 4, first.hash);

test('a commit that rises over an op where another has committed something else, told to nobody', () => {
  append(at(0), [first]);
  expect(asked(at(0))).toBeUndefined();
  append(at(1), [otherFirst]);
  expect(asked(at(1))).toBeUndefined();
  set(at(0), { commit: 1 });
  expect(asked(at(0))).toBeUndefined();
  set(at(1), { commit: 1 });
  expect(asked(at(1))).toBe('Agreement');
});

test('a client is told an entry that is not the one that a replica has committed', () => {
  append(at(0), [first]);
  set(at(0), { commit: 1 });
  expect(asked(at(0))).toBeUndefined();
  append(at(1), [otherFirst]);
  expect(asked(at(1))).toBeUndefined();
  append(at(2), [otherFirst]);
  expect(asked(at(2))).toBeUndefined();
  oracle.committed(1, otherFirst.hash);
  expect(asked(at(2))).toBe('Agreement');
});

test('a log that changes below what clients were told and the replica has committed', () => {
  for (const node of nodes) {
    append(node, [first]);
    expect(asked(node)).toBeUndefined();
  }
  oracle.committed(1, first.hash);
  set(at(0), { commit: 1 });
  expect(asked(at(0))).toBeUndefined();
  at(0).log.cutTo(0);
  append(at(0), [otherFirst], false);
  expect(asked(at(0))).toBe('Agreement');
});

test.each([
  ['status', 0],
  ['view', 1],
])('a replica that gets into the view of another with another log, by its %s alone', (_, viewBefore) => {
  append(at(0), [first]);
  set(at(0), {}, 'normal');
  expect(asked(at(0))).toBeUndefined();
  append(at(1), [otherFirst]);
  set(at(1), { view: viewBefore }, viewBefore === 0 ? 'view-change' : 'normal');
  expect(asked(at(1))).toBeUndefined();
  set(at(1), { view: 0 }, 'normal');
  expect(asked(at(1))).toBe('PrefixConsistency');
});

test('an acknowledgement in a view that is no longer the durable one, and whose log is', () => {
  at(2).superblock = newSuperblock({ view: 1, logView: 1, commit: 0 });
  send({ type: 'PrepareOk', from: 2, view: 1, op: 0 });
  expect(asked(at(2))).toBeUndefined();
  at(2).superblock = newSuperblock({ view: 2, logView: 1, commit: 0 });
  expect(asked(at(2))).toBeUndefined();
  at(2).superblock = newSuperblock({ view: 2, logView: 0, commit: 0 });
  expect(asked(at(2))).toBe('AcknowledgedIsDurable');
});

test('the later of two logs brought to view changes', () => {
  const end = { op: 0, hash: GENESIS_HASH, commit: 0 };
  at(0).superblock = newSuperblock({ view: 1, logView: 0, commit: 0 });
  send({ type: 'DoViewChange', from: 0, view: 1, logView: 0, ...end });
  expect(asked(at(0))).toBeUndefined();
  at(0).superblock = newSuperblock({ view: 2, logView: 1, commit: 0 });
  send({ type: 'DoViewChange', from: 0, view: 2, logView: 1, ...end });
  send({ type: 'DoViewChange', from: 0, view: 1, logView: 0, ...end });
  expect(asked(at(0))).toBeUndefined();
  at(0).superblock = newSuperblock({ view: 2, logView: 0, commit: 0 });
  expect(asked(at(0))).toBe('AcknowledgedIsDurable');
});

test('a truncation and an append that a sync makes durable later, at the same length and by itself', () => {
  for (const index of [0, 1]) {
    append(at(index), [first, second]);
    expect(asked(at(index))).toBeUndefined();
  }
  oracle.committed(1, first.hash);
  oracle.committed(2, second.hash);
  expect(asked(at(0))).toBeUndefined();
  at(0).log.cutTo(1);
  append(at(0), [otherSecond], false);
  expect(asked(at(0))).toBeUndefined();
  at(0).log.sync();
  expect(asked(at(0))).toBe('CommittedSurvives');
});

test('a truncation and an append at the same length within one step', () => {
  append(at(0), [first, second]);
  set(at(0), {}, 'normal');
  expect(asked(at(0))).toBeUndefined();
  append(at(1), [first, second]);
  set(at(1), {}, 'normal');
  expect(asked(at(1))).toBeUndefined();
  at(1).log.cutTo(1);
  append(at(1), [otherSecond], false);
  expect(asked(at(1))).toBe('PrefixConsistency');
});

test('a replica that halts is what its disk surely holds, and itself again if it comes back with the same log', () => {
  append(at(0), [first, second]);
  at(0).log.cutTo(1);
  append(at(0), [otherSecond], false);
  expect(asked(at(0))).toBeUndefined();
  set(at(0), {}, 'halted');
  expect(asked(at(0))).toBeUndefined();
  append(at(1), [first, otherSecond]);
  set(at(1), {}, 'normal');
  expect(asked(at(1))).toBeUndefined();
  set(at(0), {}, 'normal');
  expect(asked(at(0))).toBeUndefined();
  append(at(2), [first, second]);
  set(at(2), {}, 'normal');
  expect(asked(at(2))).toBe('PrefixConsistency');
});

test('an op out of order is not told: what comes after a gap is not asked for', () => {
  oracle.committed(2, second.hash);
  expect(asked(at(0))).toBeUndefined();
});
