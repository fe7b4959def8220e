/**
 * AppendLog as a machine: what the log may do next, and the state that each failure of the disk leads to.
 * Mirrors specs/AppendLog.tla, which counts in records of one size; here the same quantities are bytes. No I/O: what a scan
 * or an attempt found out comes in the event. The effects are performed by impl/storage/append-log.ts.
 */
import { and, assign, setup } from 'xstate';
import { copiesContextBy } from './table.ts';

export interface AppendLogContext {
  /** Growth of the preallocated file, and the most that may be written and not synced. */
  readonly stepBytes: number;
  readonly unsyncedBytesMax: number;
  readonly allocatedBytes: number;
  /** Position after the last record that the disk has taken. */
  readonly endBytes: number;
  /** Position after the last record known durable. */
  readonly durableBytes: number;
  /** The same two in records. */
  readonly written: number;
  readonly durable: number;
  /** What a short write still owes: a batch of so many records, and where it ends; 0 when nothing is owed. */
  readonly owed: number;
  readonly owedEndBytes: number;
}

/** What a scan of the file found: facts, not a decision. */
export interface ScanFacts {
  readonly verdict: 'whole' | 'torn' | 'damaged';
  readonly records: number;
  readonly endBytes: number;
  readonly allocatedBytes: number;
}

interface Batch {
  readonly records: number;
  readonly bytes: number;
}

export type AppendLogEvent =
  | { readonly type: 'Reopen' | 'ReopenCuttingTail' | 'ReopenDamaged'; readonly scan: ScanFacts }
  | ({ readonly type: 'Grow' | 'GrowNoSpace' | 'WriteNoSpace'; readonly spaceLeft: boolean } & Batch)
  | ({ readonly type: 'AppendBatch' | 'ShortWrite' | 'WriteFails' } & Batch)
  | { readonly type: 'FinishWrite' | 'Fsync' | 'FsyncFails' | 'Exit' }
  | { readonly type: 'Reverify' | 'ReverifyDamaged'; readonly readsBack: boolean }
  | { readonly type: 'Resume'; readonly spaceLeft: boolean };

type Facts = { context: AppendLogContext; event: AppendLogEvent };
const bytesOf = (event: AppendLogEvent): number => ('bytes' in event ? event.bytes : Number.POSITIVE_INFINITY);
const verdictOf = (event: AppendLogEvent): string => ('scan' in event ? event.scan.verdict : 'none');

const appendLogSetup = setup({
  types: {} as {
    context: AppendLogContext;
    events: AppendLogEvent;
    input: { readonly stepBytes: number; readonly unsyncedBytesMax: number; readonly allocatedBytes: number };
  },
  guards: {
    FileIsWhole: ({ event }: Facts) => verdictOf(event) === 'whole',
    TailIsTorn: ({ event }: Facts) => verdictOf(event) === 'torn',
    DamageBeforeTail: ({ event }: Facts) => verdictOf(event) === 'damaged',
    HasRoom: ({ context, event }: Facts) => context.endBytes + bytesOf(event) <= context.allocatedBytes,
    LacksRoom: ({ context, event }: Facts) => context.endBytes + bytesOf(event) > context.allocatedBytes,
    UnsyncedWithinLimit: ({ context, event }: Facts) =>
      context.endBytes + bytesOf(event) - context.durableBytes <= context.unsyncedBytesMax,
    SpaceLeft: ({ event }: Facts) => 'spaceLeft' in event && event.spaceLeft,
    NoSpaceLeft: ({ event }: Facts) => 'spaceLeft' in event && !event.spaceLeft,
    HasUnsynced: ({ context }: Facts) => context.written !== context.durable,
    ReadsBackWhole: ({ event }: Facts) => 'readsBack' in event && event.readsBack,
    ReadsBackDamaged: ({ event }: Facts) => 'readsBack' in event && !event.readsBack,
  },
  actions: {
    takeScan: assign((_, { records, endBytes, allocatedBytes }: ScanFacts) => ({
      allocatedBytes,
      endBytes,
      durableBytes: endBytes,
      written: records,
      durable: records,
    })),
    takeBatch: assign(({ context }, { records, bytes }: Batch) => ({
      endBytes: context.endBytes + bytes,
      written: context.written + records,
    })),
    oweBatch: assign(({ context }, { records, bytes }: Batch) => ({
      owed: records,
      owedEndBytes: context.endBytes + bytes,
    })),
    takeOwed: assign(({ context }) => ({
      endBytes: context.owedEndBytes,
      written: context.written + context.owed,
      owed: 0,
      owedEndBytes: 0,
    })),
    takeStep: assign(({ context }) => ({ allocatedBytes: context.allocatedBytes + context.stepBytes })),
    markDurable: assign(({ context }) => ({ durable: context.written, durableBytes: context.endBytes })),
    forgetAll: assign({ endBytes: 0, durableBytes: 0, written: 0, durable: 0, owed: 0, owedEndBytes: 0 }),
    // Effects: impl/storage/append-log.ts performs them before the new state counts.
    clearTail: () => {},
    writeWindowAgain: () => {},
    sync: () => {},
  },
});

/** The end of the process: possible in every state of a running log. A power loss needs no event: nobody is left to take it. */
const exits = { Exit: { target: 'down', actions: 'forgetAll' } } as const;

const syncing = {
  Fsync: { guard: and(['HasUnsynced']), actions: 'markDurable' },
  FsyncFails: { guard: and(['HasUnsynced']), target: 'unknown' },
} as const;

export const appendLogMachine = appendLogSetup.createMachine({
  id: 'AppendLog',
  initial: 'down',
  context: ({ input }) => ({
    stepBytes: input.stepBytes,
    unsyncedBytesMax: input.unsyncedBytesMax,
    allocatedBytes: input.allocatedBytes,
    endBytes: 0,
    durableBytes: 0,
    written: 0,
    durable: 0,
    owed: 0,
    owedEndBytes: 0,
  }),
  states: {
    // No process holds the file.
    down: {
      on: {
        Reopen: {
          guard: and(['FileIsWhole']),
          target: 'open',
          actions: [{ type: 'takeScan', params: ({ event }) => event.scan }, 'writeWindowAgain', 'sync'],
        },
        ReopenCuttingTail: {
          guard: and(['TailIsTorn']),
          target: 'open',
          actions: [{ type: 'takeScan', params: ({ event }) => event.scan }, 'clearTail', 'writeWindowAgain', 'sync'],
        },
        ReopenDamaged: { guard: and(['DamageBeforeTail']), target: 'damaged' },
      },
    },
    open: {
      on: {
        ...exits,
        Grow: { guard: and(['LacksRoom', 'SpaceLeft']), actions: 'takeStep' },
        GrowNoSpace: { guard: and(['LacksRoom', 'NoSpaceLeft']), target: 'full' },
        AppendBatch: {
          guard: and(['HasRoom', 'UnsyncedWithinLimit']),
          actions: { type: 'takeBatch', params: ({ event }) => event },
        },
        WriteNoSpace: { guard: and(['HasRoom', 'UnsyncedWithinLimit', 'NoSpaceLeft']), target: 'full' },
        ShortWrite: {
          guard: and(['HasRoom', 'UnsyncedWithinLimit']),
          target: 'short',
          actions: { type: 'oweBatch', params: ({ event }) => event },
        },
        WriteFails: { guard: and(['HasRoom', 'UnsyncedWithinLimit']), target: 'failed' },
        ...syncing,
      },
    },
    // No space for more; what is written can still be made durable.
    full: {
      on: {
        ...exits,
        ...syncing,
        Resume: { guard: and(['SpaceLeft']), target: 'open', actions: 'takeStep' },
      },
    },
    // The disk took a part of a batch; the rest comes first.
    short: { on: { ...exits, FinishWrite: { target: 'open', actions: 'takeOwed' } } },
    // A sync failed: what is on the medium is unknown until it is read, verified and written again.
    unknown: {
      on: {
        ...exits,
        Reverify: { guard: and(['ReadsBackWhole']), target: 'open', actions: 'writeWindowAgain' },
        ReverifyDamaged: { guard: and(['ReadsBackDamaged']), target: 'damaged' },
      },
    },
    // The device refused a write: only a restart may find out what is there.
    failed: { on: exits },
    // Damage before the tail: nothing is cut, nothing is taken.
    damaged: { on: exits },
  },
});

copiesContextBy<AppendLogContext>(appendLogMachine, (context) => ({
  stepBytes: context.stepBytes,
  unsyncedBytesMax: context.unsyncedBytesMax,
  allocatedBytes: context.allocatedBytes,
  endBytes: context.endBytes,
  durableBytes: context.durableBytes,
  written: context.written,
  durable: context.durable,
  owed: context.owed,
  owedEndBytes: context.owedEndBytes,
}));

export const appendLogEvents = {
  reopen: (scan: ScanFacts): AppendLogEvent => ({ type: 'Reopen', scan }),
  reopenCuttingTail: (scan: ScanFacts): AppendLogEvent => ({ type: 'ReopenCuttingTail', scan }),
  reopenDamaged: (scan: ScanFacts): AppendLogEvent => ({ type: 'ReopenDamaged', scan }),
  grow: (batch: Batch): AppendLogEvent => ({
    type: 'Grow',
    records: batch.records,
    bytes: batch.bytes,
    spaceLeft: true,
  }),
  growNoSpace: (batch: Batch): AppendLogEvent => ({
    type: 'GrowNoSpace',
    records: batch.records,
    bytes: batch.bytes,
    spaceLeft: false,
  }),
  appendBatch: (batch: Batch): AppendLogEvent => ({ type: 'AppendBatch', records: batch.records, bytes: batch.bytes }),
  writeNoSpace: (batch: Batch): AppendLogEvent => ({
    type: 'WriteNoSpace',
    records: batch.records,
    bytes: batch.bytes,
    spaceLeft: false,
  }),
  shortWrite: (batch: Batch): AppendLogEvent => ({ type: 'ShortWrite', records: batch.records, bytes: batch.bytes }),
  writeFails: (batch: Batch): AppendLogEvent => ({ type: 'WriteFails', records: batch.records, bytes: batch.bytes }),
  finishWrite: (): AppendLogEvent => ({ type: 'FinishWrite' }),
  fsync: (): AppendLogEvent => ({ type: 'Fsync' }),
  fsyncFails: (): AppendLogEvent => ({ type: 'FsyncFails' }),
  reverify: (readsBack: boolean): AppendLogEvent => ({ type: 'Reverify', readsBack }),
  reverifyDamaged: (readsBack: boolean): AppendLogEvent => ({ type: 'ReverifyDamaged', readsBack }),
  resume: (spaceLeft: boolean): AppendLogEvent => ({ type: 'Resume', spaceLeft }),
  exit: (): AppendLogEvent => ({ type: 'Exit' }),
};
