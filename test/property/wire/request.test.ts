/**
 * Goal: requests and answers of the binary protocol come out as they went in, of any size, and bytes that are none end in a
 * WireError. Method: random requests and answers there and back (the writer grows at every place), and mutated bytes.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnswerOf, decodeResponse, encodeAnswer, encodeFailure, responseId } from '../../../impl/wire/answer.ts';
import { decodeRequest, encodeRequest, type Operation, type RequestBody } from '../../../impl/wire/request.ts';
import { WireError } from '../../../impl/wire/wire-error.ts';

const RUNS = 300;
const MUTATIONS = 20_000;
const data = fc.uint8Array({ maxLength: 700 });
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const event = fc.record({ data, type: text, contentType: text });

const session = fc.option(fc.record({ clientId: count, requestNumber: fc.integer({ min: 1, max: 2 ** 52 }) }), {
  nil: undefined,
});
const bodies: fc.Arbitrary<RequestBody> = fc.oneof(
  fc.record({
    operation: fc.constant('append' as const),
    stream: text,
    expectedOffset: fc.option(count, { nil: undefined }),
    idempotencyKey: text,
    session,
    events: fc.array(event, { maxLength: 12 }),
  }),
  fc.record({
    operation: fc.constant('read' as const),
    stream: text,
    from: count,
    limit: u32,
    linearizable: fc.boolean(),
    minCommitId: count,
    waitMs: u32,
  }),
  fc.record({ operation: fc.constant('create-stream' as const), stream: text, dataClass: text, session }),
  fc.record({ operation: fc.constant('delete-stream' as const), stream: text, session }),
  fc.record({ operation: fc.constant('list-streams' as const), linearizable: fc.boolean(), minCommitId: count }),
  fc.constant({ operation: 'register-session' as const }),
  fc.record({ operation: fc.constant('lookup-key' as const), idempotencyKey: text }),
  fc.constant({ operation: 'status' as const }),
);

const committed = fc.record({ commitId: count, hash });
const appended = fc
  .record({
    firstOffset: fc.integer({ min: 0, max: 2 ** 40 }),
    count: fc.integer({ min: 1, max: 1_000 }),
    commitId: count,
    hash,
  })
  .map((answer) => ({ ...answer, lastOffset: answer.firstOffset + answer.count - 1 }));
const answers: { readonly [Op in Operation]: fc.Arbitrary<AnswerOf[Op]> } = {
  append: appended,
  'create-stream': committed,
  'delete-stream': committed,
  read: fc.record({
    events: fc.array(
      fc.record({ offset: count, timestamp: count, commitId: count, hash, data, type: text, contentType: text }),
      { maxLength: 20 },
    ),
    nextOffset: count,
    commitId: count,
  }),
  'list-streams': fc.record({
    streams: fc.array(fc.record({ name: text, dataClass: text, nextOffset: count, createdCommitId: count }), {
      maxLength: 30,
    }),
    commitId: count,
  }),
  status: fc.record({
    replica: fc.nat(255),
    replicaCount: fc.nat(255),
    status: text,
    view: count,
    op: count,
    commit: count,
    primary: fc.nat(255),
  }),
  'register-session': fc.record({
    clientId: count,
    window: fc.integer({ min: 1, max: 0xffff_ffff }),
    commitId: count,
    hash,
  }),
  'lookup-key': fc.record({
    found: fc.option(
      fc.tuple(appended, text).map(([answer, stream]) => ({ ...answer, stream })),
      { nil: undefined },
    ),
    keptSinceCommitId: count,
  }),
};

/** Buffers and Uint8Arrays with the same bytes are the same. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}

describe('binary protocol', () => {
  it('every request comes out as it went in', () => {
    fc.assert(
      fc.property(u32, u32, bodies, (id, deadlineMs, body) => {
        expect(plain(decodeRequest(encodeRequest({ id, deadlineMs, body })))).toEqual(plain({ id, deadlineMs, body }));
      }),
      { numRuns: RUNS },
    );
  });

  for (const operation of Object.keys(answers) as Operation[]) {
    it(`every answer to ${operation} comes out as it went in`, () => {
      fc.assert(
        fc.property(u32, answers[operation] as fc.Arbitrary<AnswerOf[Operation]>, (id, answer) => {
          const bytes = encodeAnswer(id, operation, answer);
          expect(responseId(bytes)).toBe(id);
          expect(plain(decodeResponse(bytes, operation))).toEqual(plain({ applied: answer }));
        }),
        { numRuns: RUNS },
      );
    });
  }

  it('every failure comes out as it went in', () => {
    const failures = fc.record({
      outcome: fc.constantFrom('refused' as const, 'unknown' as const),
      code: text,
      message: text,
      evidence: fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean())),
    });
    fc.assert(
      fc.property(u32, failures, (id, failure) => {
        expect(decodeResponse(encodeFailure(id, failure), 'append')).toEqual({
          failure: { ...failure, evidence: JSON.parse(JSON.stringify(failure.evidence)) },
        });
      }),
      { numRuns: RUNS },
    );
  });

  it(`${MUTATIONS} mutated and cut requests: a request or a WireError, never anything else`, () => {
    const seeds = fc
      .sample(bodies, { numRuns: 200, seed: 7 })
      .map((body) => encodeRequest({ id: 1, deadlineMs: 0, body }));
    let refused = 0;
    fc.assert(
      fc.property(fc.nat(199), fc.nat(), fc.nat(255), fc.boolean(), (at, place, value, cut) => {
        const bytes = Buffer.from(seeds[at] as Buffer);
        const position = place % bytes.byteLength;
        bytes[position] = value;
        try {
          decodeRequest(cut ? bytes.subarray(0, position) : bytes);
        } catch (cause) {
          expect(cause).toBeInstanceOf(WireError);
          refused++;
        }
      }),
      { numRuns: MUTATIONS },
    );
    expect(refused).toBeGreaterThan(MUTATIONS / 4);
  });
});
