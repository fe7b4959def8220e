/**
 * What the cluster looks like from here, as one sentence and one card a replica: each replica's own answer where it gave one,
 * and what the primary knows of it where it did not. Decides nothing of the protocol; mirrors no spec module.
 */
import type { Asked, Problem, Replication, Status } from './answers.ts';

/** Entries of the end of the log that are drawn for each replica. */
export const CELLS_DRAWN_MAX = 24;

export interface Observed {
  readonly replica: number;
  /** Scheme and host to ask it at; undefined: its HTTP address is not known. */
  readonly base: string | undefined;
  /** Undefined: not asked yet, or nowhere to ask. */
  readonly asked: Asked<Status> | undefined;
  /** The last thing that it said of itself. */
  readonly last?: Status | undefined;
}

export type Role = 'primary' | 'backup' | 'changing view' | 'recovering' | 'halted' | 'silent' | 'unknown';

export interface ReplicaCard {
  readonly replica: number;
  readonly base: string | undefined;
  readonly role: Role;
  /** Who says what stands on the card. */
  readonly source: 'itself' | 'itself, before' | 'the primary' | 'nobody';
  /** What it says now. */
  readonly status: Status | undefined;
  /** What it said when it last answered. */
  readonly last: Status | undefined;
  readonly problem: Problem | undefined;
  /** Connection to the replica that was asked for replication; undefined: not known. */
  readonly connected: boolean | undefined;
  /** Highest op known to be on its disk. */
  readonly op: number | undefined;
  /** Ops behind the longest log; undefined: not known. */
  readonly lag: number | undefined;
}

export interface ClusterView {
  readonly tone: 'good' | 'wait' | 'bad';
  readonly title: string;
  readonly detail: string;
  readonly cards: readonly ReplicaCard[];
  readonly primary: number | undefined;
  readonly view: number;
  readonly commit: number;
  /** Ops of the cells, both inclusive; empty when last < first. */
  readonly cells: { readonly first: number; readonly last: number };
}

export function clusterView(observed: readonly Observed[], replication: Replication | undefined): ClusterView {
  const known = observed.flatMap(({ asked }) => (asked?.ok ? [asked.value] : []));
  const view = Math.max(0, ...known.map((status) => status.view));
  const primary = known.find((status) => status.role === 'primary' && status.view === view)?.replica;
  const opMax = Math.max(0, ...known.map(({ op }) => op));
  const cards = observed.map((one) => cardOf(one, replication, opMax));
  return {
    ...headlineOf({
      cards,
      view,
      primary,
      count: known[0]?.replica_count ?? observed.length,
      quorum: known[0]?.quorum,
    }),
    cards,
    primary,
    view,
    commit: Math.max(0, ...known.map(({ commit }) => commit)),
    cells: { first: Math.max(1, opMax - CELLS_DRAWN_MAX + 1), last: opMax },
  };
}

function cardOf(observed: Observed, replication: Replication | undefined, opMax: number): ReplicaCard {
  const { replica, base, asked, last } = observed;
  const row = replication?.replicas.find((one) => one.replica === replica);
  const connected = row?.connected;
  const known = { replica, base, last, connected, problem: asked?.ok === false ? asked.problem : undefined };
  if (asked?.ok) {
    const status = asked.value;
    const { op } = status;
    return { ...known, role: roleOf(status), source: 'itself', status, last: status, op, lag: opMax - op };
  }
  // 0 says no more than that nothing was acknowledged in this view yet.
  const acknowledged = row?.acknowledged === 0 ? undefined : (row?.acknowledged ?? undefined);
  const op = acknowledged ?? last?.op;
  const source = last !== undefined ? 'itself, before' : row === undefined ? 'nobody' : 'the primary';
  // One that refuses to say is not silent.
  const refuses = known.problem?.status !== undefined;
  const role = !refuses && (asked !== undefined || connected === false) ? 'silent' : 'unknown';
  return { ...known, role, source, status: undefined, op, lag: op === undefined ? undefined : opMax - op };
}

function roleOf({ status, role }: Status): Role {
  if (role === 'primary' || role === 'backup') return role;
  if (status === 'view-change') return 'changing view';
  if (status === 'halted' || status === 'recovering') return status;
  return 'unknown';
}

interface Facts {
  readonly cards: readonly ReplicaCard[];
  readonly view: number;
  readonly primary: number | undefined;
  readonly count: number;
  readonly quorum: number | undefined;
}

function headlineOf({
  cards,
  view,
  primary,
  count,
  quorum = 0,
}: Facts): Pick<ClusterView, 'tone' | 'title' | 'detail'> {
  const missing = cards.filter(
    ({ role, connected }) => role === 'silent' || (role === 'unknown' && connected === false),
  );
  const halted = cards.filter(({ role }) => role === 'halted');
  const able = cards.filter(({ status, role, connected }) =>
    status === undefined
      ? role === 'unknown' && connected === true
      : status.status === 'normal' && status.view === view,
  );
  if (cards.every(({ status }) => status === undefined)) {
    const refused = cards.find(({ problem }) => problem?.status !== undefined)?.problem;
    if (refused !== undefined) return { tone: 'bad', title: 'The replica refuses to answer', detail: refused.message };
    return {
      tone: 'bad',
      title: 'No replica answers',
      detail: 'Start one with lockstep cluster or lockstep server; this page goes on asking.',
    };
  }
  const names = (some: readonly ReplicaCard[]): string => listed(some.map(({ replica }) => String(replica)));
  if (primary === undefined) {
    const changing = cards.some(({ role }) => role === 'changing view');
    const detail = `Appends wait until ${quorum} of ${count} replicas agree on who leads. ${missing.length > 0 ? `No answer from ${replicasText(missing)}.` : ''}`;
    return changing
      ? { tone: 'wait', title: `Choosing a primary for view ${view}`, detail }
      : { tone: 'bad', title: 'No primary is known', detail };
  }
  if (able.length < quorum)
    return {
      tone: 'bad',
      title: `Replica ${primary} leads, without a quorum`,
      detail: `${able.length} of the ${quorum} replicas that a commit needs are there: appends wait. No answer from ${replicasText(missing)}.`,
    };
  if (able.length === count)
    return {
      tone: 'good',
      title: `Replica ${primary} leads, all ${count} replicas keep up`,
      detail: `Every entry is on the disks of at least ${quorum} replicas before it is acknowledged.`,
    };
  const behind = cards.filter((card) => !able.includes(card) && !missing.includes(card) && !halted.includes(card));
  const parts = [
    ...(missing.length > 0
      ? [`${capital(replicasText(missing))} ${missing.length === 1 ? 'does' : 'do'} not answer.`]
      : []),
    ...(halted.length > 0 ? [`${capital(replicasText(halted))} halted.`] : []),
    ...(behind.length > 0 ? [`Not yet with it: ${names(behind)}.`] : []),
    `Appends go on: ${quorum} of ${count} are enough.`,
  ];
  return { tone: 'wait', title: `Replica ${primary} leads, with ${able.length} of ${count}`, detail: parts.join(' ') };
}

function replicasText(some: readonly ReplicaCard[]): string {
  const names = listed(some.map(({ replica }) => String(replica)));
  return `${some.length === 1 ? 'replica' : 'replicas'} ${names}`;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
