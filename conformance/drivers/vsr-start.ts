/**
 * Start states of the models of Vsr on real disks: formatted replicas, or the directed ones of specs/MCVsrRanking.tla, whose
 * superblocks and logs the real storage code has written. A part of the driver vsr.ts; decides nothing.
 */
import { GENESIS_HASH } from '../../impl/crypto/hash.ts';
import { encodeMessage } from '../../impl/vsr/codec.ts';
import { newPrepare, type Prepare } from '../../impl/vsr/prepare.ts';
import type { SpecMessage } from '../../impl/vsr/replica-messages.ts';
import type { TlaValue } from '../values/tla-value.ts';
import { MODEL_CLUSTER, type OpenedFrom } from './vsr-node.ts';

export interface StartState {
  readonly replicas: readonly OpenedFrom[];
  readonly requests: number;
  readonly acknowledged: readonly Prepare[];
  readonly frames: readonly Uint8Array[];
}

/** Entry(view, value, parent) of the module; a parent is the entry before. */
type EntryIn = readonly [view: number, value: number];

interface Directed {
  readonly statuses: readonly ('normal' | 'recovering')[];
  readonly views: readonly number[];
  readonly logs: readonly (readonly EntryIn[])[];
  readonly commits: readonly number[];
  readonly requests: number;
  readonly acknowledged: readonly EntryIn[];
  readonly sent: readonly SpecMessage[];
}

const LONGER_STALE_LOG: Directed = {
  statuses: ['normal', 'recovering', 'normal'],
  views: [0, 1, 1],
  logs: [
    [
      [0, 1],
      [0, 2],
    ],
    [[1, 3]],
    [[1, 3]],
  ],
  commits: [0, 1, 0],
  requests: 3,
  acknowledged: [[1, 3]],
  sent: [],
};

const NEWER_LAST_ENTRY: Directed = {
  statuses: ['normal', 'normal', 'recovering'],
  views: [2, 1, 2],
  logs: [[[0, 1]], [[1, 2]], [[0, 1]]],
  commits: [0, 0, 1],
  requests: 2,
  acknowledged: [[0, 1]],
  sent: [],
};

const STALE_ACKNOWLEDGEMENT: Directed = {
  statuses: ['normal', 'normal', 'normal'],
  views: [1, 1, 0],
  logs: [[], [], [[0, 1]]],
  commits: [0, 0, 0],
  requests: 2,
  acknowledged: [],
  sent: [{ type: 'PrepareOk', from: 2, view: 0, op: 1 }],
};

const STALE_READ_ANSWER: Directed = {
  statuses: ['normal', 'normal', 'normal'],
  views: [3, 4, 4],
  logs: [[], [[4, 1]], [[4, 1]]],
  commits: [0, 1, 0],
  requests: 1,
  acknowledged: [[4, 1]],
  sent: [{ type: 'ReadRoundOk', from: 1, view: 0, round: 1 }],
};

/** By the constant StartFrom. */
const DIRECTED: Readonly<Record<string, readonly Directed[]>> = {
  'conflicting logs': [LONGER_STALE_LOG, NEWER_LAST_ENTRY],
  'stale acknowledgement': [STALE_ACKNOWLEDGEMENT],
  'stale read answer': [STALE_READ_ANSWER],
};

/** @param startFrom the constant StartFrom; undefined for a cluster at its first start after format */
export function startStates(
  startFrom: TlaValue | undefined,
  replicaCount: number,
  down: ReadonlySet<number>,
): readonly StartState[] {
  if (startFrom !== undefined) {
    const directed = DIRECTED[JSON.parse(startFrom.text) as string];
    if (directed === undefined) throw new Error(`no start state is called ${startFrom.text}`);
    return directed.map(written);
  }
  const replicas = Array.from({ length: replicaCount }, (_, replica) => ({
    isDown: down.has(replica),
    view: 0,
    commit: 0,
    entries: [],
  }));
  return [{ replicas, requests: 0, acknowledged: [], frames: [] }];
}

function written({ statuses, views, logs, commits, requests, acknowledged, sent }: Directed): StartState {
  return {
    replicas: statuses.map((status, replica) => ({
      isDown: status === 'recovering',
      view: views[replica] as number,
      commit: commits[replica] as number,
      entries: chained(logs[replica] as readonly EntryIn[]),
    })),
    requests,
    acknowledged: chained(acknowledged),
    frames: sent.map((message) => encodeMessage(MODEL_CLUSTER, message)),
  };
}

function chained(log: readonly EntryIn[]): readonly Prepare[] {
  const entries: Prepare[] = [];
  for (const [view, request] of log) {
    const parent = entries.at(-1)?.hash ?? GENESIS_HASH;
    const body = new Uint8Array(0);
    const op = entries.length + 1;
    entries.push(newPrepare({ cluster: MODEL_CLUSTER, view, op, parent, timestamp: 0, client: 1n, request, body }));
  }
  return entries;
}
