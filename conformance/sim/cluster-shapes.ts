/**
 * Shapes of the cluster that a run went through: at each step of a view change or a restart, who is where, as ranks of views,
 * logs and lengths, whichever replica it is; and at each step of a log or a superblock, which one came before. What coverage keys do not tell apart and schedules do: it steers fuzz.ts.
 * Mirrors no spec module.
 */
import type { ReplicaCore } from '../../impl/server/replica-core.ts';
import type { VsrContext } from '../../machines/vsr-context.ts';

const STATUSES: readonly string[] = ['normal', 'view-change', 'recovering', 'halted'];
const DOWN = STATUSES.length;
/** Larger ranks are one: a cluster has at most 7 replicas. */
const RANK_BITS = 3;
const FNV_OFFSET = 0x811c_9dc5;
const FNV_PRIME = 0x0100_0193;
/** Counts of one shape in a run are told apart up to this power of two. */
const DOUBLINGS_MAX = 3;

export class ClusterShapes {
  /** Of the run so far: shape and how often, in powers of two. */
  readonly seen = new Set<number>();
  readonly #counts = new Map<number, number>();
  readonly #cores: (ReplicaCore | undefined)[] = [];
  #storageEvent = 0;

  opened(replica: number, core: ReplicaCore): void {
    this.#cores[replica] = core;
  }

  /** @param event any number that stands for what is being done */
  note(event: number): void {
    this.#count(folded(event, this.#cores));
  }

  /** Of log or superblock: what was done, what before it, and which copies were found whole. */
  noteStorage(event: number, copies: number): void {
    this.#count(mixed(mixed(mixed(FNV_OFFSET, this.#storageEvent), event), copies));
    this.#storageEvent = event;
  }

  #count(shape: number): void {
    const count = (this.#counts.get(shape) ?? 0) + 1;
    this.#counts.set(shape, count);
    const doublings = Math.log2(count);
    if (Number.isInteger(doublings) && doublings <= DOUBLINGS_MAX) this.seen.add(mixed(shape, doublings));
  }
}

function folded(event: number, cores: readonly (ReplicaCore | undefined)[]): number {
  const contexts = cores.map((core) => core?.replica.snapshot.context as VsrContext | undefined);
  const views = ranked(contexts.map((context) => context?.view ?? 0));
  const logViews = ranked(contexts.map((context) => context?.logView ?? 0));
  const ops = ranked(contexts.map((context) => context?.op ?? 0));
  const commits = ranked(contexts.map((context) => context?.commit ?? 0));
  const codes = cores.map((core, replica) => {
    const status = core === undefined ? DOWN : STATUSES.indexOf(core.replica.status);
    let code = status;
    for (const ranks of [views, logViews, ops, commits]) code = (code << RANK_BITS) | Math.min(7, ranks[replica] ?? 0);
    return code;
  });
  let hash = mixed(FNV_OFFSET, event);
  for (const code of codes.sort((a, b) => a - b)) hash = mixed(hash, code);
  return hash;
}

/** Of each value, how many different smaller ones there are. */
function ranked(values: readonly number[]): readonly number[] {
  return values.map((value) => {
    let rank = 0;
    for (let at = 0; at < values.length; at++) {
      const other = values[at] as number;
      if (other < value && values.indexOf(other) === at) rank++;
    }
    return rank;
  });
}

function mixed(hash: number, value: number): number {
  return Math.imul(hash ^ value, FNV_PRIME) >>> 0;
}
