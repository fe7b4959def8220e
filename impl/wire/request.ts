/**
 * What a client asks over the binary protocol. Mirrors no spec module; docs/protocol.md is the page of it. Many requests are
 * on their way at once on one connection; answers (answer.ts) come in any order and carry the request's id.
 *   request:  u32 id | u32 deadlineMs | u8 operation | fields
 * Limits beyond the frame's own are the server's to check: here is only form.
 */
import { ByteReader, ByteWriter, malformed } from './bytes.ts';

export interface AppendEvent {
  readonly data: Uint8Array;
  /** Empty when there is none. */
  readonly type: string;
  readonly contentType: string;
}

/** Which request of which session this is: the same pair again changes nothing and gets the first one's answer. */
export interface RequestSession {
  /** Of the answer to register-session. */
  readonly clientId: number;
  /** From 1; the session numbers what it sends without a gap. */
  readonly requestNumber: number;
}

export interface AppendRequest {
  readonly operation: 'append';
  readonly stream: string;
  /** The offset that the first event must get; undefined: whatever comes next. */
  readonly expectedOffset: number | undefined;
  /** Empty when there is none. With one, the same request again changes nothing and gets the first one's answer. */
  readonly idempotencyKey: string;
  readonly session?: RequestSession | undefined;
  readonly events: readonly AppendEvent[];
}

export interface ReadRequest {
  readonly operation: 'read';
  readonly stream: string;
  readonly from: number;
  readonly limit: number;
  readonly linearizable: boolean;
  /** The answer is of a state that holds this op, and waits for it; absent or 0: of whatever this replica has. */
  readonly minCommitId?: number;
  /** When nothing stands at `from`: how long the answer waits for an event, in ms; absent or 0: not at all. */
  readonly waitMs?: number;
}

export interface CreateStreamRequest {
  readonly operation: 'create-stream';
  readonly stream: string;
  readonly dataClass: string;
  readonly session?: RequestSession | undefined;
}

export interface DeleteStreamRequest {
  readonly operation: 'delete-stream';
  readonly stream: string;
  readonly session?: RequestSession | undefined;
}

export interface ListStreamsRequest {
  readonly operation: 'list-streams';
  readonly linearizable: boolean;
  readonly minCommitId?: number;
}

export type RequestBody =
  | AppendRequest
  | ReadRequest
  | CreateStreamRequest
  | DeleteStreamRequest
  | ListStreamsRequest
  | { readonly operation: 'status' }
  /** Makes a session of the cluster: exactly once, over replicas and connections. */
  | { readonly operation: 'register-session' }
  /** What became of the append with this key. */
  | { readonly operation: 'lookup-key'; readonly idempotencyKey: string };
export type Operation = RequestBody['operation'];

export interface Request {
  readonly id: number;
  /** Milliseconds from arrival; 0: the server's own bound. */
  readonly deadlineMs: number;
  readonly body: RequestBody;
}

/** By number on the wire; a new one goes to the end. */
export const OPERATIONS = [
  'append',
  'read',
  'create-stream',
  'delete-stream',
  'list-streams',
  'status',
  'register-session',
  'lookup-key',
] as const satisfies readonly Operation[];

export function encodeRequest(request: Request): Uint8Array {
  const { body } = request;
  const writer = new ByteWriter(body.operation === 'append' ? appendBytes(body) : undefined);
  writer.u32(request.id).u32(request.deadlineMs).u8(OPERATIONS.indexOf(body.operation));
  writeBody(writer, body);
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

function writeBody(writer: ByteWriter, body: RequestBody): void {
  switch (body.operation) {
    case 'append':
      writeAppend(writer, body);
      break;
    case 'read':
      writer.text(body.stream).u64(body.from).u32(body.limit).u8(Number(body.linearizable));
      writer.u64(body.minCommitId ?? 0).u32(body.waitMs ?? 0);
      break;
    case 'create-stream':
      writeSession(writer.text(body.stream).text(body.dataClass), body.session);
      break;
    case 'delete-stream':
      writeSession(writer.text(body.stream), body.session);
      break;
    case 'list-streams':
      writer.u8(Number(body.linearizable)).u64(body.minCommitId ?? 0);
      break;
    case 'lookup-key':
      writer.text(body.idempotencyKey);
      break;
    case 'status':
    case 'register-session':
      break;
  }
}

function readBody(reader: ByteReader, operation: Operation): RequestBody {
  switch (operation) {
    case 'append':
      return readAppend(reader);
    case 'read': {
      const stream = reader.text('stream');
      const from = reader.u64('from');
      const limit = reader.u32('limit');
      const linearizable = reader.flag('linearizable');
      const minCommitId = reader.u64('minCommitId');
      return { operation, stream, from, limit, linearizable, minCommitId, waitMs: reader.u32('waitMs') };
    }
    case 'create-stream': {
      const stream = reader.text('stream');
      return { operation, stream, dataClass: reader.text('dataClass'), session: readSession(reader) };
    }
    case 'delete-stream':
      return { operation, stream: reader.text('stream'), session: readSession(reader) };
    case 'list-streams':
      return { operation, linearizable: reader.flag('linearizable'), minCommitId: reader.u64('minCommitId') };
    case 'status':
    case 'register-session':
      return { operation };
    case 'lookup-key':
      return { operation, idempotencyKey: reader.text('idempotencyKey') };
  }
}

function appendBytes(body: AppendRequest): number {
  let bytes = 80 + 3 * (body.stream.length + body.idempotencyKey.length);
  for (const event of body.events) {
    bytes += 8 + event.data.byteLength + 3 * (event.type.length + event.contentType.length);
  }
  return bytes;
}

function writeAppend(writer: ByteWriter, body: AppendRequest): void {
  writer.text(body.stream).u8(Number(body.expectedOffset !== undefined));
  if (body.expectedOffset !== undefined) writer.u64(body.expectedOffset);
  writeSession(writer.text(body.idempotencyKey), body.session).u32(body.events.length);
  for (const { data, type, contentType } of body.events) writer.bytes(data).text(type).text(contentType);
}

function readAppend(reader: ByteReader): AppendRequest {
  const stream = reader.text('stream');
  const expectedOffset = reader.flag('expectedOffset') ? reader.u64('expectedOffset') : undefined;
  const idempotencyKey = reader.text('idempotencyKey');
  const session = readSession(reader);
  // An event takes 8 bytes at least: a count that cannot be does not make us allocate.
  const count = reader.count('count', 8);
  const events: AppendEvent[] = [];
  for (let index = 0; index < count; index++) {
    events.push({ data: reader.bytes('data'), type: reader.text('type'), contentType: reader.text('contentType') });
  }
  return { operation: 'append', stream, expectedOffset, idempotencyKey, session, events };
}

function writeSession(writer: ByteWriter, session: RequestSession | undefined): ByteWriter {
  if (session === undefined) return writer.u8(0);
  return writer.u8(1).u64(session.clientId).u64(session.requestNumber);
}

function readSession(reader: ByteReader): RequestSession | undefined {
  if (!reader.flag('session')) return undefined;
  const clientId = reader.u64('clientId');
  const requestNumber = reader.u64('requestNumber');
  if (requestNumber === 0) throw malformed('requestNumber', 'counts from 1');
  return { clientId, requestNumber };
}
