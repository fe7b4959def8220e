/**
 * Keeps the store up to date: asks every replica whose address is known for its own status, each in a loop of its own so that a
 * silent one holds up no other, and the primary for what it knows of the rest. Mirrors no spec module.
 */
import { effect } from '@preact/signals';
import type { Asked, Replication, Status, Step } from './answers.ts';
import { askDx, pause, timeText } from './browser.ts';
import type { ClusterView } from './cluster-view.ts';
import { type Happening, happeningOf, happeningsBetween } from './happenings.ts';
import {
  announced,
  apiKey,
  baseOf,
  cluster,
  HAPPENINGS_KEPT_MAX,
  happenings,
  keyWanted,
  observed,
  ownReplica,
  replication,
} from './store.ts';

/** Between two questions to one replica, while the page is seen, and while it is not. */
const LOOK_MS = 700;
const LOOK_WHILE_HIDDEN_MS = 5_000;
/** One that does not answer is asked less often. */
const SILENT_PATIENCE = 2;
/** Steps asked for after a status changed: heartbeats since the change do not push it out. */
const STEPS_ASKED = 400;

let nextId = 1;
const stepsSeen = new Map<number, number>();

export function startWatching(): void {
  void watchOwn();
  let before: ClusterView | undefined;
  effect(() => {
    const now = cluster.value;
    if (before !== undefined && before.cards.length > 0) notice(before, now);
    before = now;
  });
}

async function watchOwn(): Promise<void> {
  for (;;) {
    const asked = await askDx<Status>('', 'status', apiKey.value);
    keyWanted.value = !asked.ok && (asked.problem.status === 401 || asked.problem.status === 403);
    if (asked.ok) {
      const { replica, replica_count: count } = asked.value;
      if (ownReplica.value === undefined) {
        ownReplica.value = replica;
        void watchReplication();
        observed.value = Array.from({ length: count }, (_, index) => ({
          replica: index,
          base: index === replica ? '' : undefined,
          asked: undefined,
        }));
      }
      remember(replica, asked);
    } else if (ownReplica.value !== undefined) remember(ownReplica.value, asked);
    else observed.value = [{ replica: 0, base: '', asked }];
    await pause(lookMs());
  }
}

/** The primary knows how far each replica is; any replica knows their addresses. */
async function watchReplication(): Promise<void> {
  const watched = new Set<number>();
  for (;;) {
    const { primary } = cluster.value;
    const asked = await askDx<Replication>(baseOf(primary) ?? '', 'replication', apiKey.value);
    if (asked.ok) {
      replication.value = asked.value;
      for (const { replica, http } of asked.value.replicas) {
        if (http === null || replica === ownReplica.value || watched.has(replica)) continue;
        watched.add(replica);
        void watchOther(replica, `${location.protocol}//${http}`);
      }
    }
    await pause(lookMs());
  }
}

async function watchOther(replica: number, base: string): Promise<void> {
  observed.value = observed.value.map((one) => (one.replica === replica ? { ...one, base } : one));
  for (;;) {
    const asked = await askDx<Status>(base, 'status', apiKey.value);
    remember(replica, asked);
    await pause(asked.ok ? lookMs() : lookMs() * SILENT_PATIENCE);
  }
}

function remember(replica: number, asked: Asked<Status>): void {
  const known = observed.value.find((one) => one.replica === replica)?.asked;
  if (known !== undefined && JSON.stringify(known) === JSON.stringify(asked)) return;
  const last = asked.ok ? { last: asked.value } : {};
  observed.value = observed.value.map((one) => (one.replica === replica ? { ...one, asked, ...last } : one));
}

function lookMs(): number {
  return document.hidden ? LOOK_WHILE_HIDDEN_MS : LOOK_MS;
}

function notice(before: ClusterView, now: ClusterView): void {
  const found = happeningsBetween(before, now);
  tell(found);
  if (before.title !== now.title) announced.value = `${now.title}. ${now.detail}`;
  for (const { replica, status } of now.cards) {
    const earlier = before.cards.find((card) => card.replica === replica)?.status;
    const moved =
      status !== undefined &&
      earlier !== undefined &&
      (status.view !== earlier.view || status.status !== earlier.status);
    if (moved) void tellSteps(replica);
  }
}

/** The machine's own steps from one status to another: also those between two looks. */
async function tellSteps(replica: number): Promise<void> {
  const asked = await askDx<readonly Step[]>(
    baseOf(replica) ?? '',
    `machines/Vsr/history?limit=${STEPS_ASKED}`,
    apiKey.value,
  );
  if (!asked.ok) return;
  const last = asked.value.at(-1)?.sequence ?? 0;
  const before = stepsSeen.get(replica) ?? 0;
  const seen = last < before ? 0 : before; // another process: it counts from 1 again
  const fresh = asked.value.filter(({ sequence, from, to }) => sequence > seen && from !== to);
  stepsSeen.set(replica, last);
  tell(fresh.map((step) => happeningOf(replica, step)));
}

function tell(found: readonly Happening[]): void {
  if (found.length === 0) return;
  const time = timeText();
  const added = found.map((happening) => ({ ...happening, id: nextId++, time }));
  happenings.value = [...added.reverse(), ...happenings.value].slice(0, HAPPENINGS_KEPT_MAX);
}
