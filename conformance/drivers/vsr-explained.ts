/**
 * The replicas of a state as the explanations of impl/dx take them: of the real code, and of a state of specs/Vsr.tla that
 * a model checker found or a trace holds. An entry of the spec is a value with a parent; here it becomes the very prepare that
 * the driver's replica would have made of it, so both give the same hashes and so the same text. Decides nothing.
 */
import { GENESIS_HASH, hashText } from '../../impl/crypto/hash.ts';
import { newPrepare } from '../../impl/vsr/prepare.ts';
import type { EntryFacts, ExplainedReplica } from '../../machines/explanation.ts';
import { vsrMachine } from '../../machines/vsr.ts';
import type { VsrContext } from '../../machines/vsr-context.ts';
import type { Explain, StateExplanation } from '../component.ts';
import type { Constants } from '../driver.ts';
import { parseTla } from '../values/parse-tla.ts';
import type { TlaValue } from '../values/tla-value.ts';
import type { VsrCluster } from './vsr.ts';
import { MODEL_CLUSTER } from './vsr-node.ts';

/** What the driver's replicas put into every entry beside its value. */
const MODEL_CLIENT = 1n;
const MODEL_TIMESTAMP_MS = 0;
const NO_BYTES = new Uint8Array(0);

export const vsrExplanation: StateExplanation<VsrCluster> = {
  ofCode: ({ nodes }) =>
    nodes.map(({ replica }) => ({
      machine: replica.machine,
      snapshot: replica.snapshot,
      haltedBy: replica.status === 'halted' ? replica.statusReason : undefined,
      entryAt: (op) => {
        const entry = replica.prepareAt(op);
        return entry && { op, view: entry.view, hash: hashText(entry.hash), parent: hashText(entry.parent) };
      },
    })),
  ofSpec: replicasOfSpec,
  load: loadExplain,
};

const EXPLAIN: string = `../../impl/dx/explain${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`;

/** As in impl/cli/dx-plugin.ts: at run time and by name, since everything else works without the folder. */
async function loadExplain(): Promise<Explain | undefined> {
  try {
    const { explain, TOPICS } = (await import(EXPLAIN)) as { explain: Explain['explain']; TOPICS: Explain['topics'] };
    return { topics: TOPICS, explain };
  } catch (cause) {
    const isAbsent = cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND';
    if (isAbsent && /[\\/]dx[\\/]explain\.[jt]s/.test(cause.message)) return undefined;
    throw cause;
  }
}

/** @param texts canonical text of every variable of specs/Vsr.tla */
function replicasOfSpec(texts: Readonly<Record<string, string>>, constants: Constants): readonly ExplainedReplica[] {
  const state = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, parseTla(text)]));
  const entries = new SpecEntries(state);
  const replicaCount = numberOf(constants.ReplicaCount);
  const pipelineMax = numberOf(constants.PipelineMax);
  return Array.from({ length: replicaCount }, (_, replica) => {
    const of = (name: string): TlaValue => at(state[name], replica);
    const log = entries.of(of('log'));
    const durable = entries.of(of('logDurable'));
    const target = of('target');
    const reading = of('reading');
    const view = numberOf(of('view'));
    const leads = of('status').text === '"normal"' && view % replicaCount === replica;
    const context: VsrContext = {
      replica,
      replicaCount,
      pipelineMax,
      view,
      viewDurable: numberOf(of('viewDurable')),
      logView: numberOf(of('logView')),
      logViewDurable: numberOf(of('logViewDurable')),
      op: log.length,
      headHash: log.at(-1)?.hash ?? entries.hashOf(0),
      opDurable: durable.length,
      headHashDurable: durable.at(-1)?.hash ?? entries.hashOf(0),
      commit: numberOf(of('commit')),
      commitDurable: numberOf(of('commitDurable')),
      acked: Array.from({ length: replicaCount }, (_, from) => numberOf(at(of('acked'), from))),
      startVotes: membersOf(of('startVotes'))
        .map(numberOf)
        .sort((a, b) => a - b),
      changeVotes: membersOf(of('changeVotes'))
        .map((vote) => ({
          from: numberOf(field(vote, 'from')),
          view: numberOf(field(vote, 'view')),
          logView: numberOf(field(vote, 'logView')),
          op: numberOf(field(vote, 'op')),
          hash: entries.hashOf(numberOf(field(vote, 'hash'))),
          commit: numberOf(field(vote, 'commit')),
        }))
        .sort((a, b) => a.from - b.from),
      target: {
        from: numberOf(field(target, 'from')),
        op: numberOf(field(target, 'op')),
        hash: entries.hashOf(numberOf(field(target, 'hash'))),
        commit: numberOf(field(target, 'commit')),
        next: numberOf(field(target, 'next')),
      },
      reading: {
        round: numberOf(field(reading, 'round')),
        commit: numberOf(field(reading, 'commit')),
        oks: membersOf(field(reading, 'oks'))
          .map(numberOf)
          .sort((a, b) => a - b),
      },
      opBegun: leads ? log.filter((entry) => entry.view !== view).length : 0,
    };
    const value = JSON.parse(of('status').text) as string;
    return {
      machine: vsrMachine,
      snapshot: vsrMachine.resolveState({ value, context }),
      haltedBy: undefined,
      entryAt: (op) => log[op - 1],
    };
  });
}

/** Every entry that a state holds anywhere, by its value: "values are unique, so the value is the hash" (HashOf). */
class SpecEntries {
  readonly #byValue = new Map<number, EntryFacts>();

  constructor(state: Readonly<Record<string, TlaValue>>) {
    const logs = [state.log, state.logDurable].flatMap((logs) => (logs?.pairs ?? []).map(([, log]) => log));
    for (const log of [...logs, ...(state.acknowledged === undefined ? [] : [state.acknowledged])]) this.of(log);
    const sent = membersOf(state.messages)
      .filter((message) => hasField(message, 'entry'))
      .map((message) => ({ entry: field(message, 'entry'), op: numberOf(field(message, 'op')) }))
      .sort((a, b) => a.op - b.op); // a parent before its children
    for (const { entry, op } of sent) this.#learn(entry, op);
  }

  /** A log from op 1. */
  of(log: TlaValue): readonly EntryFacts[] {
    return (log.pairs ?? []).map(([op, entry]) => this.#learn(entry, numberOf(op)));
  }

  hashOf(value: number): string {
    if (value === 0) return hashText(GENESIS_HASH);
    const entry = this.#byValue.get(value);
    if (entry === undefined) throw new Error(`no log and no message of this state has the entry ${value}`);
    return entry.hash;
  }

  #learn(entry: TlaValue, op: number): EntryFacts {
    const value = numberOf(field(entry, 'value'));
    const known = this.#byValue.get(value);
    if (known !== undefined) return known;
    const view = numberOf(field(entry, 'view'));
    const parent = this.hashOf(numberOf(field(entry, 'parent')));
    const made = newPrepare({
      cluster: MODEL_CLUSTER,
      view,
      op,
      parent: Buffer.from(parent, 'hex'),
      timestamp: MODEL_TIMESTAMP_MS,
      client: MODEL_CLIENT,
      request: value,
      body: NO_BYTES,
    });
    const facts = { op, view, hash: hashText(made.hash), parent };
    this.#byValue.set(value, facts);
    return facts;
  }
}

function numberOf(value: TlaValue | undefined): number {
  if (value?.kind !== 'integer') throw new Error(`${value?.text ?? 'nothing'} is no integer of TLA+`);
  return Number(value.text);
}

function membersOf(value: TlaValue | undefined): readonly TlaValue[] {
  return value?.members ?? [];
}

function at(value: TlaValue | undefined, key: number): TlaValue {
  const found = value?.pairs?.find(([index]) => index.kind === 'integer' && index.text === String(key))?.[1];
  if (found === undefined) throw new Error(`${value?.text ?? 'nothing'} has no value for ${key}`);
  return found;
}

function hasField(record: TlaValue, name: string): boolean {
  return record.pairs?.some(([key]) => key.text === JSON.stringify(name)) ?? false;
}

function field(record: TlaValue, name: string): TlaValue {
  const found = record.pairs?.find(([key]) => key.text === JSON.stringify(name))?.[1];
  if (found === undefined) throw new Error(`${record.text} has no field ${name}`);
  return found;
}
