/**
 * The shapes of the DX API: what its routes take, and what is in the envelope of each answer, for the OpenAPI document.
 * test/unit/dx/answers-have-their-form.test.ts holds real answers to them. Mirrors no spec module.
 */
import { type TSchema, Type } from '@sinclair/typebox';
import { commitId, hash, ref, responses } from '../server/http-answers.ts';
import { whole } from '../server/http-schemas.ts';

/** Transitions in one answer of history, entries in one answer of log. */
export const HISTORY_LIMIT_DEFAULT = 20;
export const LOG_LIMIT_DEFAULT = 20;
const PAGE_ITEMS_MAX = 1_000;
const VALUE_CHARACTERS_MAX = 256;

const closed = { additionalProperties: false } as const;
const count = Type.Integer({ minimum: 0 });
const orNull = <Schema extends TSchema>(schema: Schema): TSchema => Type.Union([schema, Type.Null()]);
const positive = (description: string) => Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description });

export const nameOf = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z][A-Za-z0-9]*$' });
const sequence = positive('Number of an event in the history.');
const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_ITEMS_MAX }));
export const MachineParams = Type.Object({ name: nameOf }, closed);
export const RecordParams = Type.Object({ name: nameOf, sequence }, closed);
export const HistoryQuery = Type.Object({ limit }, closed);
export const LogQuery = Type.Object({ from: Type.Optional(positive('First op.')), limit }, closed);
export const FormatQuery = Type.Object(
  { format: Type.Optional(Type.Union([Type.Literal('json'), Type.Literal('mermaid'), Type.Literal('scxml')])) },
  closed,
);
export const CanQuery = Type.Object(
  { event: nameOf },
  {
    additionalProperties: Type.String({ maxLength: VALUE_CHARACTERS_MAX }),
    description: 'What the event carries, by path: message.op=9.',
  },
);
export const CommitQuery = Type.Object(
  { commit_id: Type.Optional(positive('The first that is not committed without it.')) },
  closed,
);
export const ReadQuery = Type.Object(
  {
    min_commit_id: Type.Optional(
      positive('Of a committed read with that minCommitId; of a linearizable one without it.'),
    ),
  },
  closed,
);
export const RefusalQuery = Type.Object(
  {
    event: Type.Optional(nameOf),
    sequence: Type.Optional(sequence),
    commit_id: Type.Optional(positive('A command that the kernel refused in this op.')),
    command: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535, description: 'Its place in the op, from 0.' })),
  },
  closed,
);

const snapshot_id = Type.String({ pattern: '^[0-9a-f]{16}$', description: 'Equal for equal states.' });
const observed = Type.Object({ snapshot_id, commit_id: commitId }, closed);
const values = Type.Record(Type.String(), Type.Unknown());
const place = Type.Object({ file: Type.String(), line: Type.Integer({ minimum: 1 }) }, closed);

export const AppliedRuleAnswer = Type.Object(
  {
    rule_id: Type.String({ description: 'Component.Event.Guard, or Component.Invariant.' }),
    description: Type.String({ description: 'The comment in the spec.' }),
    evaluation: Type.Boolean({ description: 'What the guard returned.' }),
    evidence: Type.Record(Type.String(), Type.Unknown(), { description: 'What the guard read, by path.' }),
    missing: Type.Optional(Type.Array(Type.String())),
    spec: Type.Optional(
      Type.Object({ file: Type.String(), line: Type.Integer({ minimum: 1 }), text: Type.String() }, closed),
    ),
    machine: Type.Optional(place),
  },
  { $id: 'AppliedRule', ...closed },
);

export const ExplanationAnswer = Type.Object(
  {
    explanation_type: Type.String(),
    observed_snapshot: observed,
    inputs: values,
    rules_applied: Type.Array(ref(AppliedRuleAnswer)),
    decided_by: Type.Array(Type.String(), { description: 'Ids of the rules that the conclusion rests on.' }),
    conclusion: Type.String(),
    missing_facts: Type.Array(Type.String(), { description: 'What would have to be known to say more.' }),
  },
  { $id: 'Explanation', ...closed },
);

export const StatusData = Type.Object(
  {
    replica: count,
    role: Type.Union(['primary', 'backup', 'standby', 'none'].map((role) => Type.Literal(role))),
    status: Type.Union(['normal', 'view-change', 'recovering', 'halted'].map((status) => Type.Literal(status))),
    status_reason: Type.Optional(Type.String()),
    view: whole('View number.'),
    log_view: whole('View in which the log was last normal.'),
    primary: count,
    op: whole('Highest op of the log.'),
    op_durable: whole('Highest op that a crash leaves.'),
    commit: whole('Highest op known committed.'),
    applied: whole('Highest op applied here.'),
    state_hash: hash,
    streams: count,
    cluster: Type.String({ pattern: '^[0-9]{1,20}$' }),
    replica_count: count,
    quorum: count,
    address: Type.String(),
    http: Type.String(),
    version: Type.String(),
    peers: Type.Array(Type.Object({ replica: count, address: Type.String(), connected: Type.Boolean() }, closed)),
    opened_with: values,
  },
  closed,
);

export const LogData = Type.Object(
  {
    op: whole('Highest op of the log.'),
    op_durable: whole('Highest op that a crash leaves.'),
    commit: whole('Highest op known committed.'),
    entries: Type.Array(
      Type.Object(
        {
          op: commitId,
          view: whole('View whose primary made it.'),
          parent: hash,
          hash,
          timestamp: whole('Milliseconds since the epoch.'),
          client: Type.String(),
          request: whole('u32.'),
          body_bytes: count,
          durable: Type.Boolean(),
          committed: Type.Boolean(),
        },
        closed,
      ),
    ),
  },
  closed,
);

export const LogBodiesData = Type.Object(
  {
    op: whole('Highest op of the log.'),
    entries: Type.Array(
      Type.Object(
        { op: commitId, body: Type.String({ contentEncoding: 'base64', description: 'As it was hashed.' }) },
        closed,
      ),
    ),
  },
  closed,
);

export const ReplicationData = Type.Object(
  {
    view: whole('View number.'),
    primary: count,
    replicas: Type.Array(
      Type.Object(
        {
          replica: count,
          address: Type.String(),
          http: orNull(Type.String()),
          connected: Type.Boolean(),
          acknowledged: orNull(whole('Known at the primary only.')),
          lag: orNull(Type.Integer({ minimum: 0 })),
        },
        closed,
      ),
    ),
  },
  closed,
);

export const MvccData = Type.Object(
  {
    versions: Type.Array(Type.Object({ commit_id: commitId, state_hash: hash, streams: count }, closed)),
  },
  closed,
);
export const SnapshotsData = Type.Object({ snapshots: Type.Array(Type.Unknown(), { maxItems: 0 }) }, closed);
export const CheckpointsData = Type.Object(
  {
    checkpoints: Type.Array(Type.Unknown(), { maxItems: 0 }),
    durable_commit: whole('What the superblock says is committed.'),
  },
  closed,
);
export const IndexesData = Type.Object(
  {
    indexes: Type.Array(
      Type.Object(
        { name: Type.String(), finds: Type.String(), entries: count, durable: Type.Boolean(), code: Type.String() },
        closed,
      ),
    ),
  },
  closed,
);

export const MachinesData = Type.Array(
  Type.Object(
    {
      name: nameOf,
      state: Type.String(),
      module: orNull(Type.String()),
      states: count,
      events: count,
      guards: count,
      transitions: count,
    },
    closed,
  ),
);

const placeText = orNull(Type.String({ pattern: ':[0-9]+$' }));
export const MachineData = Type.Object(
  {
    name: nameOf,
    module: orNull(Type.String()),
    state: Type.String(),
    context: values,
    initial: Type.String(),
    states: Type.Array(Type.String()),
    transitions: Type.Array(
      Type.Object(
        {
          from: Type.String(),
          event: Type.String(),
          guards: Type.Array(Type.String()),
          to: Type.String(),
          actions: Type.Array(Type.String()),
          action: placeText,
          action_text: orNull(Type.String()),
          description: Type.String(),
          machine: placeText,
        },
        closed,
      ),
    ),
    guards: Type.Array(
      Type.Object(
        {
          guard: Type.String(),
          description: Type.String(),
          text: orNull(Type.String()),
          spec: placeText,
          machine: placeText,
        },
        closed,
      ),
    ),
  },
  closed,
);

const recordFields = {
  sequence,
  event: Type.String(),
  taken: Type.Boolean(),
  from: Type.String(),
  to: Type.String(),
  peer: orNull(count),
  view: whole('View number.'),
  op: whole('Highest op of the log.'),
  commit_id: commitId,
  guards: Type.Record(Type.String(), Type.Boolean()),
};
export const HistoryData = Type.Array(Type.Object(recordFields, closed));
export const RecordData = Type.Object({ ...recordFields, rules_applied: Type.Array(ref(AppliedRuleAnswer)) }, closed);

export const CanData = Type.Object(
  {
    machine: nameOf,
    state: Type.String(),
    event: nameOf,
    can: Type.Boolean({ description: 'Whether every guard holds; nothing is done.' }),
    rules_applied: Type.Array(ref(AppliedRuleAnswer)),
  },
  closed,
);

export const NAMED_DX_ANSWERS: readonly TSchema[] = [AppliedRuleAnswer, ExplanationAnswer];

/** The envelope that every answer of the DX API comes in. */
export function envelopeOf(data: TSchema): TSchema {
  return Type.Object(
    {
      api_version: Type.Literal('1'),
      observed_at: observed,
      data,
      notes: Type.Array(Type.String(), { description: 'What is not known, or has no component yet.' }),
    },
    closed,
  );
}

/** What a DX route says of itself. */
export function dxSchema(operationId: string, summary: string, data: TSchema, more: Record<string, unknown> = {}) {
  return {
    operationId,
    summary,
    tags: ['dx'],
    querystring: Type.Object({}, closed),
    response: responses(200, summary, envelopeOf(data), [404]) as Record<number, unknown>,
    ...more,
  };
}
