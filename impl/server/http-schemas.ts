/** The shapes of the HTTP API, as schemas that validate what comes in. Mirrors no spec module. */
import { type Static, Type } from '@sinclair/typebox';

const closed = { additionalProperties: false } as const;

export const NewStream = Type.Object({ name: Type.String(), dataClass: Type.Optional(Type.String()) }, closed);
export type NewStream = Static<typeof NewStream>;

export const NewEvent = Type.Object(
  {
    /** UTF-8 text; or dataBase64, exactly one of the two. */
    data: Type.Optional(Type.String()),
    dataBase64: Type.Optional(Type.String()),
    type: Type.Optional(Type.String()),
    contentType: Type.Optional(Type.String()),
  },
  closed,
);
export type NewEvent = Static<typeof NewEvent>;

export const NewEvents = Type.Object(
  { events: Type.Array(NewEvent), expectedOffset: Type.Optional(Type.Integer({ minimum: 0 })) },
  closed,
);
export type NewEvents = Static<typeof NewEvents>;

export const StreamName = Type.Object({ name: Type.String() });
export type StreamName = Static<typeof StreamName>;

const Consistency = Type.Union([Type.Literal('linearizable'), Type.Literal('committed')], { default: 'linearizable' });

export const EventsQuery = Type.Object(
  {
    from: Type.Integer({ minimum: 0, default: 0 }),
    limit: Type.Integer({ minimum: 1, default: 100 }),
    consistency: Consistency,
  },
  closed,
);
export type EventsQuery = Static<typeof EventsQuery>;

export const StreamsQuery = Type.Object({ consistency: Consistency }, closed);
export type StreamsQuery = Static<typeof StreamsQuery>;
