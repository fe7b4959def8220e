/**
 * The real replicas of specs/Vsr.tla on simulated ports: a state is a cluster that is never changed, a step forks the one
 * replica that acts. project() names every variable. Bounds of the wrapper MCVsr come from the cfg: they limit what the
 * world does (requests, timeouts, crashes), never what a replica answers. Translates, decides nothing.
 */

import { hashText } from '../../impl/crypto/hash.ts';
import type { Prepare } from '../../impl/vsr/prepare.ts';
import { PLAIN_ACTIONS, TARGET_ACTIONS, type VsrAction } from '../../machines/vsr-context.ts';
import { type ClusterView, vsrInvariants } from '../../machines/vsr-invariants.ts';
import type { Constants, Driver } from '../driver.ts';
import {
  type TlaValue,
  tlaByIndex,
  tlaInteger,
  tlaRecord,
  tlaSequence,
  tlaSet,
  tlaString,
} from '../values/tla-value.ts';
import { EntryValues, MessageSet, type SentMessage, SentMessages, VsrStep } from './vsr-messages.ts';
import { MODEL_CLUSTER, type NodeFaults, type NodeWorld, VsrNode } from './vsr-node.ts';

/** The constants of MCVsr. */
interface Bounds {
  readonly replicaCount: number;
  readonly pipelineMax: number;
  readonly maxView: number;
  readonly maxRequests: number;
  readonly maxCrashes: number;
  readonly impatient: ReadonlySet<number>;
  readonly crashProne: ReadonlySet<number>;
  readonly down: ReadonlySet<number>;
  readonly heartbeatFrom: number;
}

/** What all states of one walk share. */
interface World {
  readonly bounds: Bounds;
  readonly values: EntryValues;
  readonly sent: SentMessages;
  readonly nodes: NodeWorld;
  /** Steps that take no message, by replica. */
  readonly plain: readonly (readonly VsrStep[])[];
}

export class VsrCluster {
  readonly world: World;
  readonly nodes: readonly VsrNode[];
  readonly messages: MessageSet;
  readonly requests: number;
  readonly acknowledged: readonly Prepare[];
  readonly crashes: number;

  constructor(fields: Pick<VsrCluster, 'world' | 'nodes' | 'messages' | 'requests' | 'acknowledged' | 'crashes'>) {
    this.world = fields.world;
    this.nodes = fields.nodes;
    this.messages = fields.messages;
    this.requests = fields.requests;
    this.acknowledged = fields.acknowledged;
    this.crashes = fields.crashes;
  }
}

export function vsrDriverOver(faults: NodeFaults): Driver<VsrCluster, VsrStep> {
  return {
    initial: (constants) => formatted(constants, faults),
    alphabet: alphabetOf,
    step: stepped,
    project: projected,
    guards: (cluster, step) => nodeOf(cluster, step).guards(step, sentOf(cluster, step)),
    invariants: Object.fromEntries(
      Object.entries(vsrInvariants).map(([name, holds]) => [
        name,
        (cluster: VsrCluster) => holds(clusterView(cluster)),
      ]),
    ),
    describe: ({ type, replica, message }) => `${type}(${replica}${message === undefined ? '' : `, ${message}`})`,
  };
}

export const vsrDriver: Driver<VsrCluster, VsrStep> = vsrDriverOver({});

function boundsOf(constants: Constants): Bounds {
  return {
    replicaCount: integer(constants, 'ReplicaCount'),
    pipelineMax: integer(constants, 'PipelineMax'),
    maxView: integer(constants, 'MaxView'),
    maxRequests: integer(constants, 'MaxRequests'),
    maxCrashes: integer(constants, 'MaxCrashes'),
    impatient: replicas(constants, 'Impatient'),
    crashProne: replicas(constants, 'CrashProne'),
    down: replicas(constants, 'Down'),
    heartbeatFrom: integer(constants, 'HeartbeatFrom'),
  };
}

function given(constants: Constants, name: string): TlaValue {
  const value = constants[name];
  if (value === undefined) throw new Error(`the cfg gives no ${name}`);
  return value;
}

function integer(constants: Constants, name: string): number {
  return Number(given(constants, name).text);
}

function replicas(constants: Constants, name: string): ReadonlySet<number> {
  return new Set((given(constants, name).members ?? []).map(({ text }) => Number(text)));
}

function formatted(constants: Constants, faults: NodeFaults): VsrCluster {
  const bounds = boundsOf(constants);
  const { replicaCount, pipelineMax } = bounds;
  const values = new EntryValues();
  const indices = Array.from({ length: replicaCount }, (_, replica) => replica);
  const world: World = {
    bounds,
    values,
    sent: new SentMessages(values, MODEL_CLUSTER, replicaCount),
    nodes: { durable: new Map(), lastDelivery: undefined },
    plain: indices.map((replica) =>
      (['ClientRequest', ...PLAIN_ACTIONS, ...TARGET_ACTIONS] as const).map((type) => new VsrStep(type, replica)),
    ),
  };
  const nodes = indices.map((replica) =>
    VsrNode.format({ replica, replicaCount, pipelineMax, ...faults }, world.nodes, bounds.down.has(replica)),
  );
  return new VsrCluster({ world, nodes, messages: MessageSet.empty, requests: 0, acknowledged: [], crashes: 0 });
}

function alphabetOf(cluster: VsrCluster): readonly VsrStep[] {
  const { world, messages } = cluster;
  const plain = world.plain.flatMap((steps) => steps.filter((step) => isWithinBounds(cluster, step)));
  return plain.concat(messages.steps);
}

/** The guards that MCVsr adds, one by one. */
const BOUNDS: Partial<Record<VsrAction, (bounds: Bounds, cluster: VsrCluster, replica: number) => boolean>> = {
  ClientRequest: ({ maxRequests }, { requests }) => requests < maxRequests,
  HeartbeatTimeout: mayTimeOut,
  Abdicate: mayTimeOut,
  ViewChangeTimeout: mayTimeOut,
  RestartAsBackup: ({ down }, _, replica) => !down.has(replica),
  RestartAsPrimary: mayRestartInNextView,
  RestartInViewChange: mayRestartInNextView,
  SendCommit: ({ heartbeatFrom }, { nodes }, replica) => contextOf(nodes, replica).commit >= heartbeatFrom,
  Crash: ({ crashProne, maxCrashes }, { crashes }, replica) => crashProne.has(replica) && crashes < maxCrashes,
};

function mayTimeOut({ impatient, maxView }: Bounds, { nodes }: VsrCluster, replica: number): boolean {
  return impatient.has(replica) && contextOf(nodes, replica).view < maxView;
}

function mayRestartInNextView({ down, maxView }: Bounds, { nodes }: VsrCluster, replica: number): boolean {
  return !down.has(replica) && contextOf(nodes, replica).view < maxView;
}

function contextOf(nodes: readonly VsrNode[], replica: number): VsrNode['context'] {
  return (nodes[replica] as VsrNode).context;
}

function isWithinBounds(cluster: VsrCluster, { type, replica }: VsrStep): boolean {
  return BOUNDS[type]?.(cluster.world.bounds, cluster, replica) ?? true;
}

function nodeOf({ nodes }: VsrCluster, { replica }: VsrStep): VsrNode {
  const node = nodes[replica];
  if (node === undefined) throw new Error(`there is no replica ${replica}`);
  return node;
}

/** A step that came out of a file names its message by its text. */
function sentOf({ world }: VsrCluster, step: VsrStep): SentMessage | undefined {
  const sent = VsrStep.sentOf(step);
  if (sent !== undefined || step.message === undefined) return sent;
  const named = world.sent.byText(step.message);
  if (named === undefined) throw new Error(`nobody has sent ${step.message}`);
  return named;
}

function stepped(cluster: VsrCluster, step: VsrStep): VsrCluster {
  const { world, nodes, messages, requests, acknowledged, crashes } = cluster;
  const outcome = nodeOf(cluster, step).take(step, sentOf(cluster, step), requests + 1);
  if (outcome === undefined) return cluster;
  const { node, frames, committed } = outcome;
  return new VsrCluster({
    world,
    nodes: nodes.with(step.replica, node),
    messages: frames.reduce((set, frame) => set.with(world.sent.of(frame)), messages),
    requests: step.type === 'ClientRequest' ? requests + 1 : requests,
    acknowledged: committed ? acknowledgedBy(node, acknowledged) : acknowledged,
    crashes: step.type === 'Crash' ? crashes + 1 : crashes,
  });
}

/** A client is told by the primary of a running view, of all that this primary has committed. */
function acknowledgedBy({ replica }: VsrNode, acknowledged: readonly Prepare[]): readonly Prepare[] {
  if (replica.status !== 'normal' || replica.primary !== replica.replica) return acknowledged;
  const told = [...acknowledged];
  for (let op = told.length + 1; op <= replica.commit; op++) told.push(replica.prepareAt(op) as Prepare);
  return told;
}

const views = new WeakMap<VsrCluster, ClusterView>();

function clusterView(cluster: VsrCluster): ClusterView {
  let view = views.get(cluster);
  if (view === undefined) {
    view = {
      replicas: cluster.nodes.map((node) => node.view),
      messages: cluster.messages.views,
      acknowledged: cluster.acknowledged.map(({ hash }) => hashText(hash)),
      requests: cluster.requests,
      crashes: cluster.crashes,
    };
    views.set(cluster, view);
  }
  return view;
}

function projected(cluster: VsrCluster): Readonly<Record<string, TlaValue>> {
  const { nodes, messages, requests, acknowledged, crashes, world } = cluster;
  const { values } = world;
  const log = (entries: readonly Prepare[]): TlaValue => tlaSequence(entries.map((entry) => values.entry(entry)));
  const number = (field: (node: VsrNode) => number): TlaValue => tlaByIndex(nodes, (node) => tlaInteger(field(node)));
  return {
    status: tlaByIndex(nodes, ({ replica }) => tlaString(String(replica.snapshot.value))),
    view: number(({ context }) => context.view),
    viewDurable: number(({ durable }) => durable.view),
    logView: number(({ context }) => context.logView),
    logViewDurable: number(({ durable }) => durable.logView),
    log: tlaByIndex(nodes, ({ entries }) => log(entries)),
    logDurable: tlaByIndex(nodes, ({ durable }) => log(durable.entries)),
    commit: number(({ context }) => context.commit),
    commitDurable: number(({ durable }) => durable.commit),
    acked: tlaByIndex(nodes, ({ context }) => tlaByIndex(context.acked, tlaInteger)),
    startVotes: tlaByIndex(nodes, ({ context }) => tlaSet(context.startVotes.map(tlaInteger))),
    changeVotes: tlaByIndex(nodes, ({ context }) =>
      tlaSet(
        context.changeVotes.map(({ from, view, logView, op, hash, commit }) =>
          tlaRecord({
            type: tlaString('DoViewChange'),
            from: tlaInteger(from),
            view: tlaInteger(view),
            logView: tlaInteger(logView),
            op: tlaInteger(op),
            hash: tlaInteger(values.of(hash)),
            commit: tlaInteger(commit),
          }),
        ),
      ),
    ),
    target: tlaByIndex(nodes, ({ context: { target } }) =>
      tlaRecord({
        from: tlaInteger(target.from),
        op: tlaInteger(target.op),
        hash: tlaInteger(values.of(target.hash)),
        commit: tlaInteger(target.commit),
        next: tlaInteger(target.next),
      }),
    ),
    messages: messages.value,
    requests: tlaInteger(requests),
    acknowledged: log(acknowledged),
    crashes: tlaInteger(crashes),
  };
}
