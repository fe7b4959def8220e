/**
 * The real replicas of specs/Vsr.tla on simulated ports: a state is a cluster that is never changed, a step forks the one
 * replica that acts. project() names every variable. Bounds of the wrapper MCVsr come from the cfg: they limit what the
 * world does (requests, timeouts, crashes), never what a replica answers. Translates, decides nothing.
 */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Prepare } from '../../impl/vsr/prepare.ts';
import { vsrMachine } from '../../machines/vsr.ts';
import { PLAIN_ACTIONS, TARGET_ACTIONS, type VsrAction } from '../../machines/vsr-context.ts';
import { type ClusterView, type ReadAnswer, vsrInvariants } from '../../machines/vsr-invariants.ts';
import type { Constants, Driver } from '../driver.ts';
import { type TlaValue, tlaInteger, tlaRecord, tlaSet } from '../values/tla-value.ts';
import { GuardAnswers } from './guard-answers.ts';
import type { ReplicaFaults } from './vsr-broken.ts';
import { type Medium, RealMedium, SimulatedMedium } from './vsr-medium.ts';
import { MessageSet, type SentMessage, SentMessages, VsrStep } from './vsr-messages.ts';
import { MODEL_CLUSTER, NODE_VARIABLES, type NodeWorld, VsrNode } from './vsr-node.ts';
import { startStates } from './vsr-start.ts';
import { byIndex, hashOf, VsrTexts } from './vsr-texts.ts';

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
  readonly lagging: ReadonlySet<number>;
  readonly persisting: ReadonlySet<number>;
  readonly heartbeatFrom: number;
  readonly requestsFrom: number;
  readonly deaf: ReadonlySet<number>;
  readonly readers: ReadonlySet<number>;
  readonly maxRounds: number;
}

/** Actions that no message takes a deaf replica to. */
const HEARD_OF_LATER_VIEWS: ReadonlySet<VsrAction> = new Set([
  'JoinViewChange',
  'JoinView',
  'ReceiveStartViewWhileNormal',
]);

/** What all states of one walk share. */
interface World {
  readonly bounds: Bounds;
  readonly texts: VsrTexts;
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
  /** By replica: ops acknowledged when its open round of reads began; 0 without one. */
  readonly readOwed: readonly number[];
  readonly readAnswers: readonly ReadAnswer[];
  #view: ClusterView | undefined;

  constructor(
    fields: Pick<
      VsrCluster,
      'world' | 'nodes' | 'messages' | 'requests' | 'acknowledged' | 'crashes' | 'readOwed' | 'readAnswers'
    >,
  ) {
    this.world = fields.world;
    this.nodes = fields.nodes;
    this.messages = fields.messages;
    this.requests = fields.requests;
    this.acknowledged = fields.acknowledged;
    this.crashes = fields.crashes;
    this.readOwed = fields.readOwed;
    this.readAnswers = fields.readAnswers;
  }

  get view(): ClusterView {
    this.#view ??= {
      replicas: this.nodes.map((node) => node.view),
      messages: this.messages.views,
      acknowledged: this.acknowledged.map(hashOf),
      requests: this.requests,
      crashes: this.crashes,
      readOwed: this.readOwed,
      readAnswers: this.readAnswers,
    };
    return this.#view;
  }
}

export function vsrDriverOver(
  faults: ReplicaFaults,
  medium: () => Medium = () => new SimulatedMedium(),
): Driver<VsrCluster, VsrStep> {
  return {
    initial: (constants) => started(constants, faults, medium),
    alphabet: alphabetOf,
    step: stepped,
    project: projected,
    guards: (cluster, step) => nodeOf(cluster, step).guards(step, sentOf(cluster, step)),
    invariants: Object.fromEntries(
      Object.entries(vsrInvariants).map(([name, holds]) => [name, ({ view }: VsrCluster) => holds(view)]),
    ),
    describe: ({ type, replica, message }) => `${type}(${replica}${message === undefined ? '' : `, ${message}`})`,
  };
}

/** One line of time on real files with real fsyncs: for random traces. A state is gone once another has come after it. */
export function vsrDriverOnFiles(): Driver<VsrCluster, VsrStep> {
  const driver = vsrDriverOver({}, () => new RealMedium(mkdtempSync(join(tmpdir(), 'lockstep-vsr-'))));
  let newest: VsrCluster | undefined;
  return {
    ...driver,
    step: (cluster, step) => {
      newest = driver.step(cluster, step);
      return newest;
    },
    dispose: (cluster) => {
      if (cluster === newest) for (const node of cluster.nodes) node.dispose();
    },
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
    lagging: replicas(constants, 'Lagging'),
    persisting: replicas(constants, 'Persisting'),
    heartbeatFrom: integer(constants, 'HeartbeatFrom'),
    requestsFrom: integer(constants, 'RequestsFrom'),
    deaf: replicas(constants, 'Deaf'),
    readers: replicas(constants, 'Readers'),
    maxRounds: integer(constants, 'MaxRounds'),
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

function started(constants: Constants, faults: ReplicaFaults, medium: () => Medium): readonly VsrCluster[] {
  const bounds = boundsOf(constants);
  const { replicaCount, pipelineMax } = bounds;
  const texts = new VsrTexts();
  const indices = Array.from({ length: replicaCount }, (_, replica) => replica);
  const world: World = {
    bounds,
    texts,
    sent: new SentMessages(
      texts,
      MODEL_CLUSTER,
      replicaCount,
      (action, replica) =>
        !(action === 'ReceivePrepare' && bounds.lagging.has(replica)) &&
        !(HEARD_OF_LATER_VIEWS.has(action) && bounds.deaf.has(replica)),
    ),
    nodes: {
      texts,
      answers: new GuardAnswers(faults.machine ?? vsrMachine),
      durable: new Map(),
    },
    plain: indices.map((replica) =>
      (['ClientRequest', ...PLAIN_ACTIONS, ...TARGET_ACTIONS] as const).map((type) => new VsrStep(type, replica)),
    ),
  };
  return startStates(constants.StartFrom, replicaCount, bounds.down).map((start) => {
    for (const entry of [...start.replicas.flatMap(({ entries }) => entries), ...start.acknowledged])
      texts.entry(entry);
    const nodes = start.replicas.map((opened, replica) =>
      VsrNode.format({ replica, replicaCount, pipelineMax, medium, ...faults }, world.nodes, opened),
    );
    const messages = start.frames.reduce((set, frame) => set.with(world.sent.of(frame)), MessageSet.empty);
    const { requests, acknowledged } = start;
    const readOwed = indices.map(() => 0);
    return new VsrCluster({
      world,
      nodes,
      messages,
      requests,
      acknowledged,
      crashes: 0,
      readOwed,
      readAnswers: [],
    });
  });
}

function alphabetOf(cluster: VsrCluster): readonly VsrStep[] {
  const offered: VsrStep[] = [];
  for (const steps of cluster.world.plain)
    for (const step of steps) if (isWithinBounds(cluster, step)) offered.push(step);
  return offered.concat(cluster.messages.steps);
}

/** The guards that MCVsr adds, one by one. */
const BOUNDS: Partial<Record<VsrAction, (bounds: Bounds, cluster: VsrCluster, replica: number) => boolean>> = {
  ClientRequest: ({ maxRequests, requestsFrom }, { requests, nodes }, replica) =>
    requests < maxRequests && contextOf(nodes, replica).view >= requestsFrom,
  StartReadRound: ({ readers, maxRounds }, { nodes }, replica) =>
    readers.has(replica) && contextOf(nodes, replica).reading.round < maxRounds,
  HeartbeatTimeout: mayTimeOut,
  Abdicate: mayTimeOut,
  ViewChangeTimeout: mayTimeOut,
  RestartAsBackup: ({ down }, _, replica) => !down.has(replica),
  RestartAsPrimary: mayRestartInNextView,
  RestartInViewChange: mayRestartInNextView,
  SendCommit: ({ heartbeatFrom }, { nodes }, replica) => contextOf(nodes, replica).commit >= heartbeatFrom,
  PersistCommit: ({ persisting }, _, replica) => persisting.has(replica),
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
  const { world, nodes, messages, requests, acknowledged, crashes, readOwed, readAnswers } = cluster;
  const outcome = nodeOf(cluster, step).take(step, sentOf(cluster, step), requests + 1);
  if (outcome === undefined) return cluster;
  const { node, frames, committed, shown } = outcome;
  const owed = readOwed[step.replica] as number;
  return new VsrCluster({
    world,
    nodes: nodes.with(step.replica, node),
    messages: frames.reduce((set, frame) => set.with(world.sent.of(frame)), messages),
    requests: step.type === 'ClientRequest' ? requests + 1 : requests,
    acknowledged: committed ? acknowledgedBy(node, acknowledged) : acknowledged,
    crashes: step.type === 'Crash' ? crashes + 1 : crashes,
    readOwed: readOwed.with(step.replica, owedAfter(step, node, owed, acknowledged.length)),
    readAnswers: shown === undefined ? readAnswers : withAnswer(readAnswers, { shown, owed }),
  });
}

/** What clients had been told when the open round of reads began: 0 without one. */
function owedAfter({ type }: VsrStep, { replica }: VsrNode, owed: number, acknowledged: number): number {
  if (replica.readRound === undefined) return 0;
  return type === 'StartReadRound' ? acknowledged : owed;
}

/** A set of answers. */
function withAnswer(answers: readonly ReadAnswer[], { shown, owed }: ReadAnswer): readonly ReadAnswer[] {
  return answers.some((one) => one.shown === shown && one.owed === owed) ? answers : [...answers, { shown, owed }];
}

/** A client is told by the primary of a running view, of all that this primary has committed. */
function acknowledgedBy({ replica }: VsrNode, acknowledged: readonly Prepare[]): readonly Prepare[] {
  if (replica.status !== 'normal' || replica.primary !== replica.replica) return acknowledged;
  const told = [...acknowledged];
  for (let op = told.length + 1; op <= replica.commit; op++) told.push(replica.prepareAt(op) as Prepare);
  return told;
}

function projected(cluster: VsrCluster): Readonly<Record<string, TlaValue>> {
  const { nodes, messages, requests, acknowledged, crashes, readOwed, readAnswers, world } = cluster;
  const byReplica = nodes.map(({ texts }) => texts);
  const values: Record<string, TlaValue> = {
    messages: messages.value,
    requests: tlaInteger(requests),
    acknowledged: { kind: 'function', text: world.texts.log(acknowledged) },
    crashes: tlaInteger(crashes),
    readOwed: { kind: 'function', text: byIndex(readOwed.map(String)) },
    readAnswers: tlaSet(
      readAnswers.map(({ shown, owed }) => tlaRecord({ shown: tlaInteger(shown), owed: tlaInteger(owed) })),
    ),
  };
  for (const name of NODE_VARIABLES)
    values[name] = { kind: 'function', text: byIndex(byReplica.map((texts) => texts[name])) };
  return values;
}
