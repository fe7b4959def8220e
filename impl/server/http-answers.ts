/**
 * The shapes of what the HTTP API answers, as schemas for the OpenAPI document, and how answers of requests.ts become them.
 * test/unit/dx/answers-have-their-form.test.ts and `make test-api` hold real answers to the schemas. Mirrors no spec module.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { Appended, Committed, KeyFacts, ReadAnswer, ReadEvent, StreamFacts } from '../wire/answer.ts';
import { FAILURES } from './failure.ts';
import { PROBLEM_TYPE } from './http-errors.ts';
import { dataFields } from './http-input.ts';
import { streamName, whole } from './http-schemas.ts';

/** A part of the document with a name, referred to by it. */
export function ref<Schema extends TSchema>(schema: Schema): TSchema {
  return Type.Unsafe<Static<Schema>>({ $ref: `${schema.$id}#` });
}

const closed = { additionalProperties: false } as const;
export const hash = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256, hexadecimal.' });
export const commitId = whole('Place in the log, from 1; 0 is before everything.');

export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'urn:lockstep:error: and the code.' }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String({ description: 'What happened, where, and what to do.' }),
    error: Type.Object(
      {
        code: Type.String({ description: 'Stays the same for ever: docs/errors.md lists all.', examples: ['BUSY'] }),
        message: Type.String(),
        rule: Type.Optional(Type.String({ description: 'The rule that refused it, by its name in spec and machine.' })),
        evidence: Type.Record(Type.String(), Type.Unknown(), { description: 'The values that decided.' }),
      },
      closed,
    ),
  },
  { $id: 'Problem', ...closed, description: 'RFC 9457, with what Lockstep knows beside it.' },
);

const committedFields = { commitId, hash };
export const CommittedAnswer = Type.Object(committedFields, { $id: 'Committed', ...closed });

const appendedFields = {
  firstOffset: whole('Offset of the first event.'),
  lastOffset: whole('Offset of the last event.'),
  count: Type.Integer({ minimum: 1 }),
  ...committedFields,
};
export const AppendedAnswer = Type.Object(appendedFields, {
  $id: 'Appended',
  ...closed,
  description: 'A quorum has it on disk.',
});

export const EventAnswer = Type.Object(
  {
    offset: whole('Place in the stream, from 0.'),
    data: Type.Optional(Type.String({ description: 'When the bytes are UTF-8.' })),
    dataBase64: Type.Optional(Type.String({ contentEncoding: 'base64', description: 'When they are not.' })),
    type: Type.Optional(Type.String()),
    contentType: Type.Optional(Type.String()),
    timestamp: whole('Milliseconds since the epoch, by the primary that took it.'),
    ...committedFields,
  },
  { $id: 'Event', ...closed },
);

export const EventsAnswer = Type.Object(
  {
    events: Type.Array(ref(EventAnswer)),
    nextOffset: whole('Where the next read goes on.'),
    commitId: whole('The answer is of the state after this op.'),
  },
  { $id: 'Events', ...closed },
);

export const FollowedEvent = Type.Object(
  {
    data: Type.String({
      contentMediaType: 'application/json',
      description: 'An Event; of the last one, event: end, `{ code, message }`.',
    }),
    id: Type.Optional(Type.String({ description: 'The offset: for Last-Event-ID.' })),
    event: Type.Optional(
      Type.Union([Type.Literal('message'), Type.Literal('end')], {
        description: 'end: the last one; message, which is not sent: an Event.',
      }),
    ),
    retry: Type.Optional(whole('Milliseconds to wait before coming again.')),
  },
  { $id: 'FollowedEvent', ...closed, description: 'One server-sent event, with follow=true.' },
);

export const StreamsAnswer = Type.Object(
  {
    streams: Type.Array(
      Type.Object(
        {
          name: streamName,
          dataClass: Type.String(),
          nextOffset: whole('Count of its events.'),
          createdCommitId: commitId,
        },
        closed,
      ),
    ),
    commitId: whole('The answer is of the state after this op.'),
  },
  { $id: 'Streams', ...closed },
);

const replicaFields = {
  status: Type.String({ examples: ['normal'] }),
  replica: Type.Integer({ minimum: 0 }),
  replicaCount: Type.Integer({ minimum: 1 }),
  view: whole('View number.'),
  op: whole('Highest op of the log.'),
  commit: whole('Highest op known committed.'),
  primary: Type.Integer({ minimum: 0, description: 'The primary of that view.' }),
};
export const HealthAnswer = Type.Object(replicaFields, { $id: 'Health', ...closed });
export const ReadyAnswer = Type.Object({ ready: Type.Literal(true), ...replicaFields }, { $id: 'Ready', ...closed });

export const KeyAnswer = Type.Object(
  {
    key: Type.String(),
    found: Type.Boolean({ description: 'false: no append with this key is committed since keptSinceCommitId.' }),
    append: Type.Optional(Type.Object({ stream: streamName, ...appendedFields }, closed)),
    keptSinceCommitId: whole('Keys of appends from this commit id on are known; older ones are forgotten.'),
  },
  { $id: 'IdempotencyKey', ...closed },
);

/** By name in the document. */
export const NAMED_ANSWERS: readonly TSchema[] = [
  ProblemSchema,
  CommittedAnswer,
  AppendedAnswer,
  EventAnswer,
  EventsAnswer,
  FollowedEvent,
  StreamsAnswer,
  HealthAnswer,
  ReadyAnswer,
  KeyAnswer,
];

/** What can happen to any request, whatever it asks: form, key, rate, size, our own state. */
const ANY_REQUEST = [400, 401, 403, 405, 408, 413, 415, 429, 431, 500, 503] as const;

/** The responses of a route: its answer, and the ways in which it can fail. */
export function responses(
  status: number,
  description: string,
  schema: TSchema | undefined,
  failures: readonly number[] = [],
): Record<number, unknown> {
  const problem = (code: number): unknown => ({
    description: codesOf(code).join(', '),
    content: { [PROBLEM_TYPE]: { schema: ref(ProblemSchema) } },
  });
  const refused = [...new Set<number>([...ANY_REQUEST, ...failures])].sort((a, b) => a - b);
  const content = schema === undefined ? {} : { content: { 'application/json': { schema } } };
  return {
    [status]: { description, ...content },
    ...Object.fromEntries(refused.map((code) => [code, problem(code)])),
  };
}

/** An answer that is text of another kind. */
export function textResponses(
  status: number,
  description: string,
  mediaType: string,
  failures: readonly number[] = [],
): Record<number, unknown> {
  return {
    ...responses(status, description, undefined, failures),
    [status]: { description, content: { [mediaType]: { schema: Type.String() } } },
  };
}

function codesOf(status: number): readonly string[] {
  return Object.entries(FAILURES).flatMap(([code, kind]) => (kind.status === status ? [code] : []));
}

export function committedJson({ commitId: op, hash: chain }: Committed): unknown {
  return { commitId: op, hash: hex(chain) };
}

export function appendedJson({ firstOffset, lastOffset, count, ...committed }: Appended): object {
  return { firstOffset, lastOffset, count, ...(committedJson(committed) as object) };
}

export function eventJson({ offset, data, type, contentType, timestamp, ...committed }: ReadEvent): unknown {
  return {
    offset,
    ...dataFields(data),
    ...(type === '' ? {} : { type }),
    ...(contentType === '' ? {} : { contentType }),
    timestamp,
    ...(committedJson(committed) as object),
  };
}

export function eventsJson({ events, nextOffset, commitId: op }: ReadAnswer): unknown {
  return { events: events.map(eventJson), nextOffset, commitId: op };
}

export function streamsJson(answer: { readonly streams: readonly StreamFacts[]; readonly commitId: number }): unknown {
  return answer;
}

export function keyJson(key: string, { found, keptSinceCommitId }: KeyFacts): unknown {
  if (found === undefined) return { key, found: false, keptSinceCommitId };
  const { stream, ...appended } = found;
  return { key, found: true, append: { stream, ...appendedJson(appended) }, keptSinceCommitId };
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
