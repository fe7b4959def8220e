/**
 * What a client asks over the binary protocol, and the answer. Mirrors no spec module. Many requests are on their way at
 * once on one connection; answers come in any order and carry the request's id.
 *   request:  u32 id | u32 deadlineMs | u8 operation | fields
 *   response: u32 id | u8 outcome | fields of the operation, or of the failure
 * Limits beyond the frame's own are the server's to check: here is only form.
 */
import { ByteReader, ByteWriter, malformed } from './bytes.ts';

export interface AppendEvent {
  readonly data: Uint8Array;
  /** Empty when there is none. */
  readonly type: string;
  readonly contentType: string;
}

export interface AppendRequest {
  readonly operation: 'append';
  readonly stream: string;
  /** The offset that the first event must get; undefined: whatever comes next. */
  readonly expectedOffset: number | undefined;
  /** Empty when there is none. With one, the same request again changes nothing and gets the first one's answer. */
  readonly idempotencyKey: string;
  readonly events: readonly AppendEvent[];
}

export interface ReadRequest {
  readonly operation: 'read';
  readonly stream: string;
  readonly from: number;
  readonly limit: number;
  readonly linearizable: boolean;
}

export type RequestBody =
  | { readonly operation: 'create-stream'; readonly stream: string; readonly dataClass: string }
  | { readonly operation: 'delete-stream'; readonly stream: string }
  | { readonly operation: 'list-streams'; readonly linearizable: boolean }
  | { readonly operation: 'status' }
  | AppendRequest
  | ReadRequest;
export type Operation = RequestBody['operation'];

export interface Request {
  readonly id: number;
  /** Milliseconds from arrival; 0: the server's own bound. */
  readonly deadlineMs: number;
  readonly body: RequestBody;
}

export interface Appended {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  /** The op in which it was committed, and the hash of that op: the chain over everything before it. */
  readonly commitId: number;
  readonly hash: Uint8Array;
}

export interface ReadEvent extends AppendEvent {
  readonly offset: number;
  /** Milliseconds since the epoch, by the primary that took it. */
  readonly timestamp: number;
  readonly commitId: number;
  readonly hash: Uint8Array;
}

export interface ReadAnswer {
  readonly events: readonly ReadEvent[];
  /** Where the next read goes on. */
  readonly nextOffset: number;
  /** The op up to which this replica had applied everything when it read. */
  readonly commitId: number;
}

export interface StreamFacts {
  readonly name: string;
  readonly dataClass: string;
  readonly nextOffset: number;
  readonly createdCommitId: number;
}

export interface ReplicaFacts {
  readonly replica: number;
  readonly replicaCount: number;
  readonly status: string;
  readonly view: number;
  readonly op: number;
  readonly commit: number;
  readonly primary: number;
}

export interface Committed {
  readonly commitId: number;
  readonly hash: Uint8Array;
}

export interface Failure {
  /** refused: known not applied. unknown: applied or not, nobody can say now. */
  readonly outcome: 'refused' | 'unknown';
  readonly code: string;
  readonly message: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** The answer of each operation. */
export interface AnswerOf {
  readonly append: Appended;
  readonly read: ReadAnswer;
  readonly 'create-stream': Committed;
  readonly 'delete-stream': Committed;
  readonly 'list-streams': { readonly streams: readonly StreamFacts[]; readonly commitId: number };
  readonly status: ReplicaFacts;
}

const OPERATIONS: readonly Operation[] = ['append', 'read', 'create-stream', 'delete-stream', 'list-streams', 'status'];
const OUTCOMES = ['applied', 'refused', 'unknown'] as const;
const HASH_BYTES = 32;
const HAS_EXPECTED_OFFSET = 1;

export function encodeRequest(request: Request): Buffer {
  const { body } = request;
  const writer = new ByteWriter(body.operation === 'append' ? appendBytes(body) : undefined);
  writer.u32(request.id).u32(request.deadlineMs).u8(OPERATIONS.indexOf(body.operation));
  if (body.operation === 'append') writeAppend(writer, body);
  else if (body.operation === 'read') {
    writer.text(body.stream).u64(body.from).u32(body.limit).u8(Number(body.linearizable));
  } else if (body.operation === 'create-stream') writer.text(body.stream).text(body.dataClass);
  else if (body.operation === 'delete-stream') writer.text(body.stream);
  else if (body.operation === 'list-streams') writer.u8(Number(body.linearizable));
  return writer.done();
}

/** @throws WireError WIRE_MALFORMED */
export function decodeRequest(payload: Uint8Array): Request {
  const reader = new ByteReader(payload);
  const id = reader.u32('id');
  const deadlineMs = reader.u32('deadlineMs');
  const operation = OPERATIONS[reader.u8('operation')];
  if (operation === undefined) throw malformed('operation', 'is unknown');
  const body = readBody(reader, operation);
  reader.end();
  return { id, deadlineMs, body };
}

function readBody(reader: ByteReader, operation: Operation): RequestBody {
  switch (operation) {
    case 'append':
      return readAppend(reader);
    case 'read': {
      const stream = reader.text('stream');
      const from = reader.u64('from');
      const limit = reader.u32('limit');
      return { operation, stream, from, limit, linearizable: flag(reader, 'linearizable') };
    }
    case 'create-stream':
      return { operation, stream: reader.text('stream'), dataClass: reader.text('dataClass') };
    case 'delete-stream':
      return { operation, stream: reader.text('stream') };
    case 'list-streams':
      return { operation, linearizable: flag(reader, 'linearizable') };
    case 'status':
      return { operation };
  }
}

function appendBytes(body: AppendRequest): number {
  let bytes = 64 + 3 * (body.stream.length + body.idempotencyKey.length);
  for (const event of body.events) {
    bytes += 8 + event.data.byteLength + 3 * (event.type.length + event.contentType.length);
  }
  return bytes;
}

function writeAppend(writer: ByteWriter, body: AppendRequest): void {
  writer.text(body.stream).u8(body.expectedOffset === undefined ? 0 : HAS_EXPECTED_OFFSET);
  if (body.expectedOffset !== undefined) writer.u64(body.expectedOffset);
  writer.text(body.idempotencyKey).u32(body.events.length);
  for (const { data, type, contentType } of body.events) writer.bytes(data).text(type).text(contentType);
}

function readAppend(reader: ByteReader): AppendRequest {
  const stream = reader.text('stream');
  const flags = reader.u8('flags');
  if (flags > HAS_EXPECTED_OFFSET) throw malformed('flags', 'has unknown bits');
  const expectedOffset = flags === HAS_EXPECTED_OFFSET ? reader.u64('expectedOffset') : undefined;
  const idempotencyKey = reader.text('idempotencyKey');
  const count = reader.u32('count');
  // An event takes 8 bytes at least: a count that cannot be does not make us allocate.
  if (count * 8 > reader.left) throw malformed('count', 'does not fit the frame');
  const events: AppendEvent[] = [];
  for (let index = 0; index < count; index++) {
    events.push({ data: reader.bytes('data'), type: reader.text('type'), contentType: reader.text('contentType') });
  }
  return { operation: 'append', stream, expectedOffset, idempotencyKey, events };
}

function flag(reader: ByteReader, field: string): boolean {
  const value = reader.u8(field);
  if (value > 1) throw malformed(field, 'is neither 0 nor 1');
  return value === 1;
}

export function encodeAnswer<Op extends Operation>(id: number, operation: Op, answer: AnswerOf[Op]): Buffer {
  const writer = new ByteWriter().u32(id).u8(0);
  ANSWERS[operation].write(writer, answer);
  return writer.done();
}

export function encodeFailure(id: number, failure: Failure): Buffer {
  const evidence = JSON.stringify(failure.evidence, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  return new ByteWriter()
    .u32(id)
    .u8(OUTCOMES.indexOf(failure.outcome))
    .text(failure.code)
    .text(failure.message.slice(0, 10_000))
    .bytes(Buffer.from(evidence, 'utf8'))
    .done();
}

export function responseId(payload: Uint8Array): number {
  return new ByteReader(payload).u32('id');
}

/** @throws WireError WIRE_MALFORMED */
export function decodeResponse<Op extends Operation>(
  payload: Uint8Array,
  operation: Op,
): { readonly applied: AnswerOf[Op] } | { readonly failure: Failure } {
  const reader = new ByteReader(payload);
  reader.u32('id');
  const outcome = OUTCOMES[reader.u8('outcome')];
  if (outcome === undefined) throw malformed('outcome', 'is unknown');
  if (outcome === 'applied') {
    const applied = ANSWERS[operation].read(reader);
    reader.end();
    return { applied };
  }
  const code = reader.text('code');
  const message = reader.text('message');
  const evidence = evidenceOf(reader.bytes('evidence'));
  reader.end();
  return { failure: { outcome, code, message, evidence } };
}

function evidenceOf(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    throw malformed('evidence', 'is not JSON');
  }
}

interface AnswerCodec<Answer> {
  write(writer: ByteWriter, answer: Answer): void;
  read(reader: ByteReader): Answer;
}

const committed: AnswerCodec<Committed> = {
  write: (writer, { commitId, hash }) => writer.u64(commitId).raw(hash),
  read: (reader) => ({ commitId: reader.u64('commitId'), hash: reader.raw(HASH_BYTES, 'hash') }),
};

const ANSWERS: { readonly [Op in Operation]: AnswerCodec<AnswerOf[Op]> } = {
  append: {
    write: (writer, { firstOffset, count, commitId, hash }) =>
      writer.u64(firstOffset).u32(count).u64(commitId).raw(hash),
    read: (reader) => {
      const firstOffset = reader.u64('firstOffset');
      const count = reader.u32('count');
      return { firstOffset, lastOffset: firstOffset + count - 1, count, ...committed.read(reader) };
    },
  },
  'create-stream': committed,
  'delete-stream': committed,
  read: {
    write: (writer, { events, nextOffset, commitId }) => {
      writer.u64(nextOffset).u64(commitId).u32(events.length);
      for (const { offset, timestamp, commitId: op, hash, type, contentType, data } of events) {
        writer.u64(offset).u64(timestamp).u64(op).raw(hash).text(type).text(contentType).bytes(data);
      }
    },
    read: (reader) => {
      const nextOffset = reader.u64('nextOffset');
      const commitId = reader.u64('commitId');
      const events = Array.from({ length: bounded(reader, 64) }, () => ({
        offset: reader.u64('offset'),
        timestamp: reader.u64('timestamp'),
        ...committed.read(reader),
        type: reader.text('type'),
        contentType: reader.text('contentType'),
        data: reader.bytes('data'),
      }));
      return { events, nextOffset, commitId };
    },
  },
  'list-streams': {
    write: (writer, { streams, commitId }) => {
      writer.u64(commitId).u32(streams.length);
      for (const { name, dataClass, nextOffset, createdCommitId } of streams) {
        writer.text(name).text(dataClass).u64(nextOffset).u64(createdCommitId);
      }
    },
    read: (reader) => {
      const commitId = reader.u64('commitId');
      const streams = Array.from({ length: bounded(reader, 20) }, () => ({
        name: reader.text('name'),
        dataClass: reader.text('dataClass'),
        nextOffset: reader.u64('nextOffset'),
        createdCommitId: reader.u64('createdCommitId'),
      }));
      return { streams, commitId };
    },
  },
  status: {
    write: (writer, facts) => {
      writer.u8(facts.replica).u8(facts.replicaCount).text(facts.status);
      writer.u64(facts.view).u64(facts.op).u64(facts.commit).u8(facts.primary);
    },
    read: (reader) => ({
      replica: reader.u8('replica'),
      replicaCount: reader.u8('replicaCount'),
      status: reader.text('status'),
      view: reader.u64('view'),
      op: reader.u64('op'),
      commit: reader.u64('commit'),
      primary: reader.u8('primary'),
    }),
  },
};

/** A count of things that take at least so many bytes each. */
function bounded(reader: ByteReader, bytesEach: number): number {
  const count = reader.u32('count');
  if (count * bytesEach > reader.left) throw malformed('count', 'does not fit the frame');
  return count;
}
