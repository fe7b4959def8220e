/**
 * A cluster that keeps no protocol: nodes whose log, superblock, views and messages change by chance, mostly as replicas'
 * would and now and then not, so that every invariant is broken in many ways. A part of invariant-oracle-anarchy.test.ts.
 */
import type { ObservedNode } from '../../../conformance/sim/invariant-oracle.ts';
import { hashesEqual } from '../../../impl/crypto/hash.ts';
import { assert } from '../../../impl/ports/assert.ts';
import { SimulatedRandom } from '../../../impl/ports/simulated-random.ts';
import { encodeMessage } from '../../../impl/vsr/codec.ts';
import type { Message } from '../../../impl/vsr/message.ts';
import { newPrepare, type Prepare } from '../../../impl/vsr/prepare.ts';
import { openedContext, type VsrContext } from '../../../machines/vsr-context.ts';
import { CLUSTER } from '../vsr/arbitrary.ts';
import { AnarchicLog } from './anarchic-log.ts';

interface Superblock {
  readonly status: 'open' | 'halted';
  readonly state: { readonly view: number; readonly logView: number; readonly commit: number };
  /** What is on the disk; state may be something else in the middle of an install. */
  readonly durable: { readonly view: number; readonly logView: number; readonly commit: number };
  readonly snapshot: object;
}

export interface AnarchicNode {
  readonly index: number;
  replica: { status: string; snapshot: { context: VsrContext } } | undefined;
  log: AnarchicLog;
  superblock: Superblock;
}

/** What the cluster tells. */
export interface Listener {
  sent(from: number, frame: Uint8Array): void;
  committed(op: number, hash: Uint8Array): void;
}

/** How often each happens. */
const WEIGHTS = {
  prepare: 4,
  copy: 4,
  sync: 2,
  commit: 5,
  tell: 2,
  persist: 2,
  speak: 2,
  acknowledge: 2,
  read: 3,
  'change-view': 2,
  'enter-view': 2,
  cut: 1,
  'cut-and-grow': 1,
  crash: 1,
  open: 1,
  halt: 1,
  count: 1,
} as const;
export type AnarchicEvent = keyof typeof WEIGHTS;
const EVENTS = (Object.entries(WEIGHTS) as [AnarchicEvent, number][]).flatMap(([event, weight]) =>
  new Array<AnarchicEvent>(weight).fill(event),
);
const HARMLESS: readonly AnarchicEvent[] = ['sync', 'change-view', 'open', 'halt'];
const VICES = (Object.keys(WEIGHTS) as AnarchicEvent[]).filter((event) => !HARMLESS.includes(event));

export class AnarchicCluster {
  readonly nodes: readonly AnarchicNode[];
  readonly #replicaCount: number;
  readonly #random: SimulatedRandom;
  readonly #listener: Listener;
  /** The two events that happen as no replica would let them, in so many of 1000 cases. */
  readonly #vices: readonly AnarchicEvent[];
  readonly #reckless: number;
  #request = 0;
  #committed = 0;

  constructor(replicaCount: number, seed: number, reckless: number, listener: Listener) {
    const second = Math.floor(seed / VICES.length);
    this.#vices = [seed, second].map((at) => VICES[at % VICES.length] as AnarchicEvent);
    this.#replicaCount = replicaCount;
    this.#random = new SimulatedRandom(seed);
    this.#reckless = reckless;
    this.#listener = listener;
    this.nodes = Array.from({ length: replicaCount }, (_, index) => {
      const superblock = newSuperblock({ view: 0, logView: 0, commit: 0 });
      const node: AnarchicNode = { index, replica: undefined, log: new AnarchicLog([]), superblock };
      this.#open(node, 'normal');
      return node;
    });
  }

  /** @returns the node that it happened to */
  step(): ObservedNode {
    const node = this.#anyNode();
    const event = EVENTS[this.#random.below(EVENTS.length)] as AnarchicEvent;
    const reckless = this.#vices.includes(event) && this.#random.below(1000) < this.#reckless;
    if (node.replica === undefined || node.replica.status === 'halted') {
      if (event === 'open') this.#open(node, this.#wasInView(node) ? 'normal' : 'view-change');
      else if (event === 'crash') this.#crash(node, reckless);
    } else this.#happen(node, node.replica.snapshot.context, event, reckless);
    return node as unknown as ObservedNode;
  }

  #happen(node: AnarchicNode, context: VsrContext, event: AnarchicEvent, reckless: boolean): void {
    const { log } = node;
    const { view, commit } = context;
    const primary = this.nodes[view % this.nodes.length] as AnarchicNode;
    const isNormal = node.replica?.status === 'normal';
    switch (event) {
      case 'prepare': {
        if (node !== primary || !(isNormal || reckless)) return;
        const breaksChain = reckless && this.#random.below(3) > 0;
        if (reckless && !breaksChain) log.cutTo(this.#random.below(log.op + 1));
        this.#prepare(node, view, breaksChain);
        return;
      }
      case 'copy':
        if (isNormal || reckless) this.#copy(node, reckless ? this.#anyNode() : primary, reckless);
        break;
      case 'sync':
        log.sync();
        if (this.#random.below(3) === 0) return; // quietly
        break;
      case 'commit':
        while (this.#commit(node, false));
        if (reckless) this.#commit(node, true);
        return;
      case 'tell':
        if (reckless) this.#tell(node, commit);
        return;
      case 'persist':
        this.#persist(node, reckless);
        if (this.#random.below(3) === 0) return; // quietly
        break;
      case 'speak':
        this.#speak(node, reckless);
        break;
      case 'acknowledge':
        this.#acknowledge(node, reckless);
        break;
      case 'read':
        if (node === primary && isNormal) this.#read(node, context, reckless);
        return;
      case 'change-view':
        this.#changeView(node, view);
        return;
      case 'enter-view':
        this.#enterView(node, primary, reckless);
        return;
      case 'cut':
        if (reckless) log.cutTo(this.#random.below(log.op + 1));
        else if (!isNormal && node !== primary) log.cutTo(Math.max(commit, log.op - 1));
        break;
      case 'cut-and-grow':
        if (reckless || !isNormal) this.#regrow(node, view, reckless ? 0 : commit);
        break;
      case 'crash':
        this.#crash(node, reckless);
        return;
      case 'open':
        return;
      case 'halt':
        if (node.replica !== undefined && this.#random.below(4) === 0) node.replica.status = 'halted';
        if (this.#random.below(4) === 0) node.superblock = haltedSuperblock(node.superblock);
        return;
      case 'count':
        this.#count(node, context, reckless);
        return;
    }
    this.#change(node, {});
  }

  #copy({ log }: AnarchicNode, from: AnarchicNode, reckless: boolean): void {
    for (const entry of from.log.entries.slice(log.op)) {
      if (!reckless && !hashesEqual(entry.parent, log.headHash)) return;
      log.entries.push(entry);
    }
    if (this.#random.below(2) === 0) log.sync();
  }

  /** Most often to the view that another is in. */
  #changeView(node: AnarchicNode, view: number): void {
    const highest = Math.max(...this.nodes.map(({ replica }) => replica?.snapshot.context.view ?? 0));
    const next = view < highest ? highest : this.#random.below(6) === 0 ? view + 1 : view;
    if (next > view) this.#change(node, { view: next }, 'view-change');
  }

  /** Other entries in the place of the last few. */
  #regrow(node: AnarchicNode, view: number, kept: number): void {
    const { log } = node;
    const op = log.op;
    log.cutTo(Math.max(kept, op - 1 - this.#random.below(3)));
    const end = Math.max(0, op - 1 + this.#random.below(3));
    while (log.op < end) this.#append(node, view, false);
    if (this.#random.below(3) === 0) log.sync();
  }

  #append(node: AnarchicNode, view: number, breaksChain: boolean): Prepare {
    const { log } = node;
    const parent = breaksChain && log.op > 1 ? (log.entries[0] as Prepare).hash : log.headHash;
    const fields = { cluster: CLUSTER, timestamp: 0, client: 7n, request: ++this.#request, body: new Uint8Array(0) };
    const entry = newPrepare({ ...fields, view, op: log.op + 1, parent });
    log.entries.push(entry);
    return entry;
  }

  #prepare(node: AnarchicNode, view: number, breaksChain: boolean): void {
    const entry = this.#append(node, view, breaksChain);
    this.#send({ type: 'Prepare', from: node.index, view, op: entry.op, entry });
    this.#change(node, {});
  }

  /** @returns whether it did */
  #commit(node: AnarchicNode, reckless: boolean): boolean {
    const context = contextOf(node);
    const op = context.commit + 1 + (reckless && this.#random.below(9) === 0 ? 1 : 0);
    const entry = node.log.prepareAt(op);
    if (!reckless && node.log.opShared < op) return false;
    const holders = this.nodes.filter(
      ({ log }) => entry !== undefined && log.opDurable >= op && log.holdsDurably(op, entry.hash),
    ).length;
    if (!reckless && (node.replica?.status !== 'normal' || holders <= this.nodes.length / 2)) return false;
    if (entry !== undefined && op === this.#committed + 1) this.#listener.committed(++this.#committed, entry.hash);
    this.#change(node, { commit: op });
    return true;
  }

  /** Commits and tells no client, or tells and does not commit. */
  #tell(node: AnarchicNode, commit: number): void {
    const told = node.log.prepareAt(this.#committed + 1);
    if (this.#random.below(2) === 0) this.#change(node, { commit: Math.min(commit + 1, node.log.op) });
    else if (told !== undefined) this.#listener.committed(++this.#committed, told.hash);
  }

  #persist(node: AnarchicNode, reckless: boolean): void {
    const { view, logView, commit } = contextOf(node);
    const less = (): number => (reckless ? this.#random.below(2) : 0);
    const more = reckless && this.#random.below(4) === 0 ? 1 : 0;
    const written = { view: Math.max(0, view - less()), logView: Math.max(0, logView + more - 2 * less()), commit };
    node.superblock = newSuperblock(written);
  }

  /** Twice in one step, lawfully at last: what was said first counts as well. */
  #speak(node: AnarchicNode, reckless: boolean): void {
    if (reckless) this.#say(node, this.#random.below(2), this.#random.below(2));
    this.#say(node, 0, 0);
  }

  #say(node: AnarchicNode, viewsAhead: number, logViewsAhead: number): void {
    const { view: durable, logView } = node.superblock.durable;
    const view = durable + viewsAhead;
    const from = node.index;
    const isPrimary = view % this.nodes.length === from;
    const end = { op: node.log.op, hash: node.log.headHash };
    const told = Math.min(view, logView + logViewsAhead);
    if (this.#random.below(4) === 0) this.#send({ type: 'StartViewChange', from, view });
    else if (isPrimary) this.#send({ type: 'StartView', from, view, ...end });
    else this.#send({ type: 'DoViewChange', from, view, logView: told, ...end, commit: 0 });
  }

  #acknowledge(node: AnarchicNode, reckless: boolean): void {
    const { view: durable, logView } = node.superblock.durable;
    const view = reckless ? durable + this.#random.below(2) : logView;
    if (view % this.nodes.length === node.index || (view !== durable && !reckless)) return;
    const { opDurable } = node.log;
    if (reckless) this.#send({ type: 'PrepareOk', from: node.index, view, op: opDurable + this.#random.below(2) });
    this.#send({ type: 'PrepareOk', from: node.index, view, op: Math.max(0, opDurable - this.#random.below(3)) });
  }

  /** Begins a round of reads, or ends the one that is open; with less than clients know of, or a round that it has not begun. */
  #read(node: AnarchicNode, { reading, view, commit }: VsrContext, reckless: boolean): void {
    if (reading.oks.length > 0) {
      this.#change(node, { reading: { ...reading, oks: [] } });
      return;
    }
    if (!reckless && commit < this.#committed) return;
    const round = reading.round + 1;
    const lies = reckless && this.#random.below(2) === 0;
    this.#send({ type: 'ReadRound', from: node.index, view, round: lies ? round + 1 : round });
    const shown = reckless && !lies ? Math.max(0, commit - 1) : commit;
    this.#change(node, { reading: { ...reading, round, oks: [node.index], commit: shown } });
  }

  /** Takes the primary's log, and says that it is in its view. */
  #enterView(node: AnarchicNode, primary: AnarchicNode, reckless: boolean): void {
    const { view } = contextOf(node);
    const { log } = node;
    if (!reckless && node !== primary) {
      let common = 0;
      while (common < log.op && common < primary.log.op && log.entries[common] === primary.log.entries[common])
        common++;
      log.cutTo(common);
      log.entries.push(...primary.log.entries.slice(common));
      log.sync();
    }
    const isThere = primary.replica?.snapshot.context.view === view && primary.replica.status === 'normal';
    if (reckless || node === primary || isThere) this.#change(node, { logView: view }, 'normal');
  }

  #crash(node: AnarchicNode, reckless: boolean): void {
    const { log } = node;
    const kept =
      log.op > log.opShared && log.opShared === log.opDurable ? this.#random.below(log.op - log.opDurable + 1) : 0;
    const lost = reckless && this.#random.below(2) === 0 ? this.#random.below(3) : 0;
    const found = [...log.durable, ...log.entries.slice(log.opDurable, log.opDurable + kept)];
    node.log = new AnarchicLog(found.slice(0, Math.max(0, found.length - lost)));
    const { durable: state } = node.superblock;
    const falls = reckless && (state.view > state.logView || this.#random.below(3) === 0);
    const fallen = falls ? { ...state, view: Math.max(0, state.view - 1) } : state;
    node.superblock = newSuperblock(fallen);
    node.replica = undefined;
    if (this.#random.below(3) === 0) this.#open(node, this.#wasInView(node) ? 'normal' : 'view-change');
  }

  #count(node: AnarchicNode, { acked }: VsrContext, reckless: boolean): void {
    const some = acked.map(() => this.#random.below(9));
    const { target } = contextOf(node);
    const wrong: readonly Partial<VsrContext>[] = [
      { acked: some.slice(1) },
      { acked: some.map((op) => op - 4) },
      { startVotes: [this.#random.below(9)] },
      { target: { ...target, from: this.#random.below(9) } },
      { logView: -1 },
    ];
    this.#change(node, reckless ? (wrong[this.#random.below(wrong.length)] as Partial<VsrContext>) : { acked: some });
  }

  #wasInView({ superblock: { durable } }: AnarchicNode): boolean {
    return durable.view === durable.logView;
  }

  #open(node: AnarchicNode, status: string): void {
    const { view, logView, commit } = node.superblock.durable;
    const durable = { view, logView, commit: Math.min(commit, node.log.op), op: 0, headHash: '' };
    const context = openedContext({
      replica: node.index,
      replicaCount: this.#replicaCount,
      pipelineMax: 1,
      durable,
    });
    node.replica = { status, snapshot: { context } };
  }

  #change(node: AnarchicNode, change: Partial<VsrContext>, status = node.replica?.status ?? 'normal'): void {
    if (node.replica === undefined) return;
    node.replica = { status, snapshot: { context: { ...node.replica.snapshot.context, ...change } } };
  }

  #send(message: Message): void {
    const frame = encodeMessage(CLUSTER, message);
    for (let copy = 0; copy < 2; copy++) this.#listener.sent(message.from, frame);
  }

  #anyNode(): AnarchicNode {
    return this.nodes[this.#random.below(this.nodes.length)] as AnarchicNode;
  }
}

function contextOf({ replica }: AnarchicNode): VsrContext {
  assert(replica !== undefined, 'a node that is down has no context');
  return replica.snapshot.context;
}

export function newSuperblock(state: Superblock['state']): Superblock {
  return { status: 'open', state, durable: state, snapshot: {} };
}

function haltedSuperblock({ durable }: Superblock): Superblock {
  return { status: 'halted', state: { ...durable, view: durable.view + 1 }, durable, snapshot: {} };
}
