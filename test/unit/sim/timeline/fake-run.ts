/**
 * A small made-up run for tests of the timeline: real machines of specs/Vsr.tla on a toy network, with faults, clients, a view
 * change and, when asked, a failure at the end. Deterministic and quick; it judges nothing and is no simulator.
 */
import type { Fault, FaultEvent, FaultKind, Scenario } from '../../../../conformance/sim/plan.ts';
import type { RunResult, SimFailure } from '../../../../conformance/sim/run-result.ts';
import type { SimEvent } from '../../../../conformance/sim/sim-event.ts';
import type { TimelineInput } from '../../../../conformance/sim/timeline/timeline-input.ts';
import { SimulatedRandom } from '../../../../impl/ports/simulated-random.ts';
import { type FakeMessage, FakeReplica } from './fake-replica.ts';

/** A record of the run before it has its step and its time. */
type Record = SimEvent extends infer Each ? (Each extends SimEvent ? Omit<Each, 'step' | 'atUs'> : never) : never;

export interface FakeSettings {
  readonly seed: number;
  readonly operations: number;
  readonly failing: boolean;
}

const TICK_US = 10_000;
const OPERATION_EVERY_US = 4_000;
const SYNC_US = 600;
const HEAL_AFTER_US = 150_000;
const DONE_AFTER_US = 700_000;
const ANY_HASH = 'ab'.repeat(32);

/** A run whose clients put that many operations; some 25 events each. */
export function fakeRun(settings: Partial<FakeSettings> = {}): TimelineInput {
  return new FakeRun({ seed: 7, operations: 40, failing: false, ...settings }).run();
}

/** What a page must not take for markup, wherever a run has free text. */
export const HOSTILE = '</script><img src=x onerror="alert(1)">\u2028';

class FakeRun {
  readonly #settings: FakeSettings;
  readonly #random: SimulatedRandom;
  readonly #scenario: Scenario;
  readonly #events: SimEvent[] = [];
  readonly #replicas: FakeReplica[];
  readonly #queue: { readonly atUs: number; readonly order: number; readonly act: () => void }[] = [];
  readonly #faults = new Set<Fault>();
  readonly #waiting = new Map<string, { readonly client: number; readonly operation: number }>();
  #order = 0;
  #frame = 0;
  #step = 0;
  #nowUs = 0;
  #operation = 0;

  constructor(settings: FakeSettings) {
    this.#settings = settings;
    this.#random = new SimulatedRandom(settings.seed);
    this.#scenario = scenarioOf(settings);
    this.#replicas = [0, 1, 2].map((replica) => new FakeReplica(replica, 3));
  }

  run(): TimelineInput {
    const { safetyUs } = this.#scenario;
    for (const event of this.#scenario.plan) if (event.type === 'fault') this.#plan(event);
    for (let at = 0; at < this.#settings.operations; at++)
      this.#at(5_000 + at * OPERATION_EVERY_US, () => this.#call(at % 3));
    for (let at = TICK_US; at < safetyUs + DONE_AFTER_US; at += TICK_US) this.#at(at, () => this.#tick());
    this.#at(safetyUs, () => this.#heal());
    if (this.#settings.failing) this.#at(safetyUs + HEAL_AFTER_US, () => this.#fail());
    while (this.#queue.length > 0 && this.#events.at(-1)?.kind !== 'failure') this.#next();
    return { scenario: this.#scenario, result: this.#result(), events: this.#events };
  }

  #at(atUs: number, act: () => void): void {
    const entry = { atUs, order: this.#order++, act };
    let place = this.#queue.length;
    while (place > 0 && (this.#queue[place - 1]?.atUs ?? 0) <= atUs) place--;
    this.#queue.splice(place, 0, entry); // latest first: the next one is popped
  }

  #next(): void {
    const entry = this.#queue.pop();
    if (entry === undefined) return;
    this.#nowUs = entry.atUs;
    this.#step++;
    entry.act();
  }

  #note(record: Record): void {
    this.#events.push({ step: this.#step, atUs: this.#nowUs, ...record } as SimEvent);
  }

  #plan({ atUs, untilUs: planned, fault }: FaultEvent): void {
    const untilUs = planned ?? atUs + ('downUs' in fault ? fault.downUs : 0);
    this.#at(atUs, () => {
      this.#faults.add(fault);
      this.#note({ kind: 'fault', fault, untilUs });
      if (fault.kind === 'process-crash' || fault.kind === 'power-loss')
        this.#down(fault.replica, fault.kind, fault.downUs);
      if (fault.kind === 'gone-for-good') this.#down(fault.replica, fault.kind, undefined);
    });
    if (untilUs > atUs) this.#at(untilUs, () => this.#end(fault));
  }

  #end(fault: Fault): void {
    if (this.#faults.delete(fault)) this.#note({ kind: 'fault-end', fault });
  }

  #heal(): void {
    for (const fault of this.#faults) this.#end(fault);
    this.#note({ kind: 'heal' });
  }

  #fail(): void {
    const { rule, message, oracle } = failureAt(this.#step, this.#nowUs);
    this.#note({ kind: 'failure', oracle, message: `${rule}: ${message}` });
  }

  #down(replica: number, why: FaultKind, downUs: number | undefined): void {
    const node = this.#replicas[replica];
    if (node === undefined || node.isDown) return;
    node.isDown = true;
    this.#note({ kind: 'down', replica, why, reason: `${why}, ${HOSTILE}` });
    if (downUs === undefined) return;
    this.#at(this.#nowUs + downUs, () => {
      node.reopen();
      this.#note({ kind: 'up', replica, state: node.state });
      this.#put(node, { type: 'Crash' });
    });
  }

  #tick(): void {
    for (const node of this.#replicas) {
      if (node.isDown) continue;
      if (node.isPrimary) {
        this.#put(node, { type: 'SendCommit' });
        for (const { to, message } of node.uncommitted()) this.#send(node.replica, to, message);
      }
      if (!node.isPrimary && this.#nowUs - node.heardUs > 60_000) {
        node.heardUs = this.#nowUs;
        this.#put(node, { type: node.status === 'normal' ? 'HeartbeatTimeout' : 'ViewChangeTimeout' });
      }
      if (node.status === 'view-change') {
        this.#put(node, { type: 'SendDoViewChange' });
        this.#put(node, node.targetEvent('RequestEntry'));
      }
    }
  }

  #call(client: number): void {
    const operation = this.#operation++;
    const node = this.#replicas.find((each) => each.isPrimary && !each.isDown) ?? this.#replicas[operation % 3];
    if (node === undefined) return;
    const what = operation === 3 ? `read ${HOSTILE}` : `append stream-${operation % 2} x1 key ${operation}`;
    this.#note({ kind: 'call', client, operation, replica: node.replica, what });
    const hash = this.#random.bytes(32).reduce((text, byte) => text + byte.toString(16).padStart(2, '0'), '');
    const taken = !node.isDown && this.#put(node, { type: 'ClientRequest', hash });
    if (taken) this.#waiting.set(hash, { client, operation });
    else this.#note({ kind: 'return', client, operation, outcome: 'refused: Vsr.ClientRequest.IsPrimary' });
  }

  /** The event, then whatever the replica does by itself, and what all of it sends, writes and commits. */
  #put(node: FakeReplica, event: { readonly type: string; readonly [fact: string]: unknown }): boolean {
    const commitBefore = node.commit;
    const { records, sent, taken } = node.put(event);
    for (const record of records) this.#note({ kind: 'machine', replica: node.replica, ...record });
    for (let op = commitBefore + 1; op <= node.commit; op++) this.#commit(node, op);
    for (const { to, message } of sent) this.#send(node.replica, to, message);
    if (node.needsSync) this.#at(this.#nowUs + SYNC_US, () => this.#sync(node));
    return taken;
  }

  #sync(node: FakeReplica): void {
    if (node.isDown || !node.needsSync) return;
    if (node.status === 'view-change') this.#put(node, { type: 'ViewChangeFsync' });
    else this.#put(node, { type: node.isPrimary ? 'PrimaryFsync' : 'BackupFsync' });
  }

  #commit(node: FakeReplica, op: number): void {
    const hash = node.hashAt(op) ?? ANY_HASH;
    this.#note({ kind: 'commit', replica: node.replica, op, hash, stateHash: ANY_HASH });
    const call = this.#waiting.get(hash);
    if (call === undefined) return;
    this.#waiting.delete(hash);
    this.#note({ kind: 'return', ...call, outcome: `applied at ${op - 1}` });
  }

  #send(from: number, to: number, message: FakeMessage): void {
    const frame = ++this.#frame;
    const names = { frame, from, to, message: message.type };
    this.#note({ kind: 'send', ...names, facts: message.facts });
    const why = this.#lostBy(from, to);
    const atUs = this.#nowUs + 200 + this.#random.below(900);
    this.#at(atUs, () => {
      const node = this.#replicas[to];
      if (node === undefined || why !== undefined || node.isDown) {
        this.#note({ kind: 'drop', ...names, why: why ?? 'down' });
        return;
      }
      this.#note({ kind: 'deliver', ...names });
      if (message.facts.view >= node.view) node.heardUs = this.#nowUs;
      for (const event of node.eventsOf(message)) if (this.#put(node, event)) return;
    });
  }

  #lostBy(from: number, to: number): FaultKind | undefined {
    for (const fault of this.#faults) {
      if (fault.kind === 'loss' || fault.kind === 'message-mutation') {
        if (this.#random.below(1_000) < fault.perMille) return fault.kind;
      }
      if ('cut' in fault && fault.cut.some((link) => link.from === from && link.to === to)) return fault.kind;
    }
    return undefined;
  }

  #result(): RunResult {
    const last = this.#events.at(-1);
    const views = this.#replicas.map(({ view }) => view);
    return {
      seed: this.#settings.seed,
      hash: ANY_HASH,
      ...(last?.kind === 'failure' ? { failure: failureAt(last.step, last.atUs) } : {}),
      steps: this.#step,
      ticks: Math.floor(this.#nowUs / TICK_US),
      machineEvents: this.#events.filter(({ kind }) => kind === 'machine').length,
      framesSent: this.#frame,
      framesDelivered: this.#events.filter(({ kind }) => kind === 'deliver').length,
      operations: { applied: this.#operation - this.#waiting.size, refused: 0, unknown: this.#waiting.size },
      committedOps: Math.max(...this.#replicas.map(({ commit }) => commit)),
      viewMax: Math.max(...views),
      virtualUs: this.#nowUs,
      injected: { loss: 3, 'process-crash': 1 },
      halts: [],
    };
  }
}

function failureAt(step: number, atUs: number): SimFailure {
  return {
    oracle: 'invariants',
    rule: 'CommittedSurvives',
    message: `op 17 is committed at replica 0 and not at replica 1 ${HOSTILE}`,
    step,
    atUs,
  };
}

function scenarioOf({ seed, operations }: FakeSettings): Scenario {
  const spanUs = Math.max(300_000, operations * OPERATION_EVERY_US);
  const at = (share: number): number => Math.round(spanUs * share);
  const fault = (from: number, until: number | undefined, what: Fault): FaultEvent => ({
    type: 'fault',
    atUs: at(from),
    ...(until === undefined ? {} : { untilUs: at(until) }),
    fault: what,
  });
  const cut = [
    { from: 1, to: 0 },
    { from: 0, to: 1 },
  ];
  return {
    seed,
    name: 'swarm',
    replicaCount: 3,
    workload: 'uniform',
    beyond: false,
    safetyUs: spanUs,
    frameUs: [200, 1_100],
    syncUs: [600, 600],
    plan: [
      fault(0.04, 0.2, { kind: 'loss', links: [{ from: 0, to: 1 }], perMille: 300 }),
      fault(0.1, 0.9, { kind: 'clock-drift', replica: 2, ppm: 300 }),
      fault(0.15, 0.3, { kind: 'disk-latency', replica: 1, extraUsMax: 9_000 }),
      fault(0.3, undefined, { kind: 'process-crash', replica: 0, atOperation: 0, downUs: at(0.25) }),
      fault(0.5, 0.8, { kind: 'message-mutation', links: 'all', perMille: 60 }),
      fault(0.62, 0.8, { kind: 'partition-symmetric', cut }),
      fault(0.82, undefined, {
        kind: 'power-loss',
        replica: 2,
        atOperation: 1,
        keptPerMille: 500,
        writeback: 'random',
        torn: true,
        downUs: at(0.1),
      }),
    ],
  };
}
