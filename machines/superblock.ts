/**
 * The superblock of specs/Superblock.tla as a table: one event an action of System, guards named and ordered as its
 * conjuncts, one node a status. An install goes through four nodes, two halves written and synced one after the other.
 * What the four copies hold comes in with the event. Effects are empty here: impl/storage/superblock.ts does them. No I/O.
 */
import { and, assign, setup } from 'xstate';
import { start } from './stepper.ts';

/** One state of the superblock. Hashes are hexadecimal; hash covers everything else in here. */
export interface SuperblockState {
  readonly cluster: bigint;
  readonly replica: number;
  readonly replicaCount: number;
  /** From 0 at format, one more with each update. */
  readonly sequence: number;
  readonly view: number;
  readonly logView: number;
  readonly commit: number;
  /** Hash of the state before; zeros for the first. */
  readonly parent: string;
  readonly hash: string;
}

/** What is read at each of the four places: a whole state, or nothing that can be used. */
export type CopyFacts = readonly (SuperblockState | undefined)[];

export interface SuperblockContext {
  /** Being installed, or installed; undefined before the copies were read. */
  readonly state: SuperblockState | undefined;
  /** Copies that the install has still to write, ascending. */
  readonly stale: readonly number[];
}

export type SuperblockEvent =
  | { readonly type: 'Open'; readonly copies: CopyFacts }
  | { readonly type: 'HaltUnreadable'; readonly copies: CopyFacts }
  | { readonly type: 'HaltContradicted'; readonly copies: CopyFacts }
  | { readonly type: 'Update'; readonly next: SuperblockState }
  | { readonly type: 'WriteFirstHalf' }
  | { readonly type: 'SyncFirstHalf' }
  | { readonly type: 'WriteSecondHalf' }
  | { readonly type: 'SyncSecondHalf' }
  | { readonly type: 'WriteFirstFails' }
  | { readonly type: 'WriteSecondFails' }
  | { readonly type: 'SyncFails' };

/** Copies that are written together. While one half is in flight the other holds the state before, or already the next. */
export const FIRST_HALF: readonly number[] = [0, 1];
export const SECOND_HALF: readonly number[] = [2, 3];
export const COPIES: readonly number[] = [...FIRST_HALF, ...SECOND_HALF];

type Args = { readonly context: SuperblockContext; readonly event: SuperblockEvent };

function wholeOf(event: SuperblockEvent): readonly SuperblockState[] {
  return 'copies' in event ? event.copies.filter((copy) => copy !== undefined) : [];
}

function newestOf(whole: readonly SuperblockState[]): readonly SuperblockState[] {
  return whole.filter((copy) => whole.every((other) => other.sequence <= copy.sequence));
}

function sameReplica(a: SuperblockState, b: SuperblockState): boolean {
  return a.cluster === b.cluster && a.replica === b.replica && a.replicaCount === b.replicaCount;
}

/** A hash covers the identity too; asked all the same, so that a copy of another replica is named as one. */
function isParent(old: SuperblockState, next: SuperblockState): boolean {
  return sameReplica(old, next) && old.sequence + 1 === next.sequence && old.hash === next.parent;
}

/** A second copy that holds the newest state, or its parent beside it, shows that it is of this history. */
function isVouched(newest: SuperblockState, whole: readonly SuperblockState[]): boolean {
  return whole.filter((copy) => copy.hash === newest.hash).length >= 2 || whole.some((copy) => isParent(copy, newest));
}

function oneNewest({ event }: Args): boolean {
  const newest = newestOf(wholeOf(event));
  return newest.every((copy) => copy.hash === newest[0]?.hash);
}

function parentMatches({ event }: Args): boolean {
  const whole = wholeOf(event);
  const newest = newestOf(whole);
  const older = whole.filter((copy) => !newest.includes(copy));
  const lagsBehind = (old: SuperblockState, next: SuperblockState): boolean =>
    sameReplica(old, next) && old.sequence + 1 < next.sequence && isVouched(next, whole);
  return newest.every((next) => older.every((old) => isParent(old, next) || lagsBehind(old, next)));
}

function advances({ context: { state }, event }: Args): boolean {
  if (!('next' in event) || state === undefined) return false; // the DX API asks without one
  const { next } = event;
  const pairs = [
    [state.view, next.view],
    [state.logView, next.logView],
    [state.commit, next.commit],
  ] as const;
  return pairs.every(([before, after]) => after >= before) && pairs.some(([before, after]) => after > before);
}

/** Whether the guards of Open all hold for these copies. */
export function mayOpen(copies: CopyFacts): boolean {
  const args: Args = { context: { state: undefined, stale: [] }, event: { type: 'Open', copies } };
  return copies.some((copy) => copy !== undefined) && oneNewest(args) && parentMatches(args);
}

const effect = (_: unknown, _copies: readonly number[]): void => {};
const staleIn =
  (half: readonly number[]) =>
  ({ context }: Args): readonly number[] =>
    context.stale.filter((copy) => half.includes(copy));

const superblockSetup = setup({
  types: {} as { context: SuperblockContext; events: SuperblockEvent },
  guards: {
    CopyReadable: ({ event }) => wholeOf(event).length > 0,
    NoCopyReadable: ({ event }) => 'copies' in event && wholeOf(event).length === 0,
    OneNewest: oneNewest,
    ParentMatches: parentMatches,
    Contradicted: (args) => !oneNewest(args) || !parentMatches(args),
    Advances: advances,
    FirstHalfStale: ({ context }) => context.stale.some((copy) => FIRST_HALF.includes(copy)),
    SecondHalfStale: ({ context }) => context.stale.some((copy) => SECOND_HALF.includes(copy)),
  },
  actions: {
    chooseNewest: assign(({ event }) => {
      const newest = newestOf(wholeOf(event))[0];
      if (event.type !== 'Open' || newest === undefined) return {};
      const stale = COPIES.filter((copy) => event.copies[copy]?.hash !== newest.hash);
      return { state: newest, stale };
    }),
    follow: assign(({ event }) => (event.type === 'Update' ? { state: event.next, stale: COPIES } : {})),
    firstIsDurable: assign(({ context }) => ({ stale: context.stale.filter((copy) => !FIRST_HALF.includes(copy)) })),
    allAreDurable: assign({ stale: [] }),
    writeCopies: effect, // params: the copies to write; impl/storage/superblock.ts does it
    sync: effect,
  },
});

export const superblockMachine = superblockSetup.createMachine({
  id: 'Superblock',
  initial: 'closed',
  context: { state: undefined, stale: [] },
  states: {
    closed: {
      on: {
        Open: {
          guard: and(['CopyReadable', 'OneNewest', 'ParentMatches']),
          target: 'write-first',
          actions: 'chooseNewest',
        },
        HaltUnreadable: { guard: and(['NoCopyReadable']), target: 'halted' },
        HaltContradicted: { guard: and(['Contradicted']), target: 'halted' },
      },
    },
    'write-first': {
      on: {
        WriteFirstHalf: { target: 'sync-first', actions: { type: 'writeCopies', params: staleIn(FIRST_HALF) } },
        WriteFirstFails: { guard: and(['FirstHalfStale']), target: 'halted' },
      },
    },
    'sync-first': {
      on: {
        SyncFirstHalf: {
          target: 'write-second',
          actions: [{ type: 'sync', params: staleIn(FIRST_HALF) }, 'firstIsDurable'],
        },
        SyncFails: { target: 'halted' },
      },
    },
    'write-second': {
      on: {
        WriteSecondHalf: { target: 'sync-second', actions: { type: 'writeCopies', params: staleIn(SECOND_HALF) } },
        WriteSecondFails: { guard: and(['SecondHalfStale']), target: 'halted' },
      },
    },
    'sync-second': {
      on: {
        SyncSecondHalf: { target: 'open', actions: [{ type: 'sync', params: staleIn(SECOND_HALF) }, 'allAreDurable'] },
        SyncFails: { target: 'halted' },
      },
    },
    open: {
      on: { Update: { guard: and(['Advances']), target: 'write-first', actions: 'follow' } },
    },
    halted: {}, // what is on the medium is unknown, or contradicts itself: only reading it again helps
  },
});

export type SuperblockMachine = typeof superblockMachine;

export const startSuperblock = (machine: SuperblockMachine = superblockMachine) => start(machine, {});
