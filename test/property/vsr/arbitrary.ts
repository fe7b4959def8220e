/** Arbitrary prepares and messages that a correct cluster could send: for the properties of test/property/vsr. */
import fc from 'fast-check';
import { GENESIS_HASH, HASH_BYTES } from '../../../impl/crypto/hash.ts';
import { OP_MAX, READ_ROUND_MAX, REQUEST_MAX, TIMESTAMP_MS_MAX, U64_MAX, VIEW_MAX } from '../../../impl/vsr/limits.ts';
import type { Message } from '../../../impl/vsr/message.ts';
import { newPrepare, type Prepare } from '../../../impl/vsr/prepare.ts';

export const REPLICA_COUNT = 5;
export const CLUSTER = 0x0123456789abcdefn;

const hash = fc
  .uint8Array({ minLength: HASH_BYTES, maxLength: HASH_BYTES })
  .map((bytes) => (bytes.every((byte) => byte === 0) ? bytes.with(0, 1) : bytes));
const op = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.maxSafeNat().map((n) => 1 + (n % OP_MAX)),
);
const round = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: READ_ROUND_MAX }));
const view = fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: VIEW_MAX }));
const replica = fc.nat({ max: REPLICA_COUNT - 1 });

export const prepareOf = (viewMax: number): fc.Arbitrary<Prepare> =>
  fc
    .record({
      view: fc.nat({ max: viewMax }),
      op,
      parent: hash,
      timestamp: fc.maxSafeNat().map((n) => n % (TIMESTAMP_MS_MAX + 1)),
      client: fc.bigInt({ min: 0n, max: U64_MAX }),
      request: fc.nat({ max: REQUEST_MAX }),
      body: fc.uint8Array({ maxLength: 300 }),
    })
    .map((fields) =>
      newPrepare({ ...fields, cluster: CLUSTER, parent: fields.op === 1 ? GENESIS_HASH : fields.parent }),
    );

const primaryOf = (of: number): number => of % REPLICA_COUNT;
const backupOf = (of: number, step: number): number => (of + 1 + (step % (REPLICA_COUNT - 1))) % REPLICA_COUNT;
const logEnd = fc.oneof(fc.record({ op, hash }), fc.constant({ op: 0, hash: GENESIS_HASH }));

export const message: fc.Arbitrary<Message> = view.chain((of) =>
  fc.oneof<fc.Arbitrary<Message>[]>(
    prepareOf(of).map((entry) => ({ type: 'Prepare', from: primaryOf(of), view: of, op: entry.op, entry })),
    fc
      .tuple(prepareOf(of), replica, replica)
      .map(([entry, from, step]) => ({ type: 'Entry', from, to: backupOf(from, step), view: of, op: entry.op, entry })),
    fc
      .tuple(fc.constantFrom('PrepareOk', 'RequestPrepare'), op, replica)
      .map(([type, at, step]) => ({ type, from: backupOf(of, step), view: of, op: at }) as Message),
    round.map((asked) => ({ type: 'ReadRound', from: primaryOf(of), view: of, round: asked })),
    fc
      .tuple(round, replica)
      .map(([asked, step]) => ({ type: 'ReadRoundOk', from: backupOf(of, step), view: of, round: asked })),
    op.map((commit) => ({ type: 'Commit', from: primaryOf(of), view: of, commit })),
    replica.map((from) => ({ type: 'StartViewChange', from, view: of })),
    fc.tuple(logEnd, replica, fc.nat({ max: of }), fc.nat({ max: 1000 })).map(([end, step, logView, n]) => ({
      type: 'DoViewChange',
      from: backupOf(of, step),
      view: of,
      logView,
      ...end,
      commit: Math.floor((end.op * n) / 1000),
    })),
    logEnd.map((end) => ({ type: 'StartView', from: primaryOf(of), view: of, ...end })),
    fc.tuple(replica, replica, op).map(([from, step, at]) => ({
      type: 'RequestEntry',
      from,
      to: backupOf(from, step),
      view: of,
      op: at,
    })),
  ),
);
