/**
 * The shapes of what the HTTP API takes, as schemas: they validate it, type it, and stand in the OpenAPI document. Patterns
 * and lengths are those of impl/kernel, which checks again (test/property/server/http-schemas.test.ts). Mirrors no spec module.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import {
  CONTENT_TYPE_BYTES_MAX,
  DATA_CLASS_BYTES_MAX,
  EVENT_TYPE_BYTES_MAX,
  IDEMPOTENCY_KEY_BYTES_MAX,
  OFFSET_MAX,
  STREAM_NAME_BYTES_MAX,
} from '../kernel/limits.ts';
import type { ServerLimits } from './server-limits.ts';

export { EVENT_TYPE_BYTES_MAX };

const closed = { additionalProperties: false } as const;

export const streamName = Type.String({
  minLength: 1,
  maxLength: STREAM_NAME_BYTES_MAX,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]*$',
  description: 'Letters, digits and . _ : - with a letter or digit first.',
});

/** A whole number that JSON holds exactly. */
export const whole = (description: string) =>
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description });

/** A space at either end would not survive a header, so a key has none there. */
export const IDEMPOTENCY_KEY_PATTERN = '^[!-~](?:[ -~]*[!-~])?$';
const idempotencyKey = Type.String({
  minLength: 1,
  maxLength: IDEMPOTENCY_KEY_BYTES_MAX,
  pattern: IDEMPOTENCY_KEY_PATTERN,
  description: 'Printable ASCII. The same append with the same key changes nothing and gets the first answer.',
});

export const NewStream = Type.Object(
  {
    name: streamName,
    dataClass: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: DATA_CLASS_BYTES_MAX,
        pattern: '^[a-z0-9][a-z0-9-]*$',
        description: 'What kind of data the stream holds, in the words of its owner.',
      }),
    ),
  },
  closed,
);
export type NewStream = Static<typeof NewStream>;

const kindOfEvent = {
  type: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: EVENT_TYPE_BYTES_MAX,
      description: `At most ${EVENT_TYPE_BYTES_MAX} bytes in UTF-8.`,
    }),
  ),
  contentType: Type.Optional(Type.String({ minLength: 1, maxLength: CONTENT_TYPE_BYTES_MAX, pattern: '^[ -~]+$' })),
};

/** UTF-8 text, or bytes: exactly one of the two. */
export interface NewEvent {
  readonly data?: string;
  readonly dataBase64?: string;
  readonly type?: string;
  readonly contentType?: string;
}

const BASE64_PATTERN = '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$';

export function newEventsSchema({ EVENT_BYTES_MAX, EVENTS_PER_APPEND_MAX, APPEND_BYTES_MAX }: ServerLimits): TSchema {
  const bytes = `1 to ${EVENT_BYTES_MAX} bytes`;
  const text = Type.String({ minLength: 1, description: `Text, ${bytes} in UTF-8.` });
  const encoded = { minLength: 4, pattern: BASE64_PATTERN, contentEncoding: 'base64' };
  const base64 = Type.String({ ...encoded, description: `Bytes in base64 (RFC 4648, with padding), ${bytes}.` });
  const event = Type.Union([
    Type.Object({ data: text, ...kindOfEvent }, closed),
    Type.Object({ dataBase64: base64, ...kindOfEvent }, closed),
  ]);
  return Type.Object(
    {
      events: Type.Array(event, {
        minItems: 1,
        maxItems: EVENTS_PER_APPEND_MAX,
        description: `At most ${APPEND_BYTES_MAX} bytes of data together.`,
      }),
      expectedOffset: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: OFFSET_MAX,
          description: 'The offset that the first event must get; 409 OFFSET_MISMATCH when it would get another.',
        }),
      ),
    },
    closed,
  );
}

export interface NewEvents {
  readonly events: readonly NewEvent[];
  readonly expectedOffset?: number;
}

export const StreamName = Type.Object({ name: streamName }, closed);
export type StreamName = Static<typeof StreamName>;

export const KeyParams = Type.Object({ key: idempotencyKey }, closed);
export type KeyParams = Static<typeof KeyParams>;

/** Other headers are not looked at. */
export const AppendHeaders = Type.Object({ 'idempotency-key': Type.Optional(idempotencyKey) });

/** May be left out, and then has its default: validatorOf fills it in, so a route always has it. */
function byDefault<Schema extends TSchema>(schema: Schema): Schema {
  return Type.Optional(schema) as unknown as Schema;
}

const offset = (description: string) => Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description });
const consistency = byDefault(
  Type.Union([Type.Literal('linearizable'), Type.Literal('committed')], {
    default: 'linearizable',
    description:
      'linearizable: everything acknowledged to anyone before the request came. committed: what this replica has, at once.',
  }),
);
const minCommitId = byDefault(
  Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 0,
    description: 'The answer is of a state that holds this commit id: hand in the highest one seen, and never go back.',
  }),
);

export function eventsQuerySchema({ READ_EVENTS_MAX }: ServerLimits) {
  return Type.Object(
    {
      from: byDefault(
        Type.Integer({
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          default: 0,
          description: 'Offset of the first event. At or after the end there is none yet.',
        }),
      ),
      limit: byDefault(
        Type.Integer({
          minimum: 1,
          maximum: READ_EVENTS_MAX,
          default: Math.min(100, READ_EVENTS_MAX),
          description: 'At most that many events in one answer; while following, in one piece.',
        }),
      ),
      consistency,
      minCommitId,
      follow: byDefault(
        Type.Boolean({
          default: false,
          description: 'The answer goes on as server-sent events: what is there, then what comes.',
        }),
      ),
    },
    closed,
  );
}
export type EventsQuery = Static<ReturnType<typeof eventsQuerySchema>>;

/** RFC: HTML Living Standard, server-sent events; the id of each event is its offset. */
export const FollowHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      pattern: '^(?:0|[1-9][0-9]{0,15})$',
      description: 'With follow=true: goes on after the event with this offset, instead of `from`.',
    }),
  ),
});

export const StreamsQuery = Type.Object({ consistency, minCommitId }, closed);
export type StreamsQuery = Static<typeof StreamsQuery>;

/** A question without parameters: one that is not known is refused, as everywhere. */
export const NoQuery = Type.Object({}, closed);

export function proofQuerySchema(linksMax: number) {
  return Type.Object(
    {
      offset: offset('Offset of the event.'),
      from: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: Number.MAX_SAFE_INTEGER,
          description: 'Commit id of the first link, to go on where an answer ended; the event’s own without it.',
        }),
      ),
      limit: byDefault(
        Type.Integer({
          minimum: 1,
          maximum: linksMax,
          default: Math.min(100, linksMax),
          description: 'At most that many links in one answer.',
        }),
      ),
    },
    closed,
  );
}
export type ProofQuery = Static<ReturnType<typeof proofQuerySchema>>;
