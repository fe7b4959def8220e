/**
 * A batch read as far as the state machine needs it: kinds, streams, keys and counts, every field checked as decodeCommand
 * checks it, and no event's data touched. A property holds the two equal. A part of command-codec.ts; mirrors no spec module.
 */
import {
  type CreateStream,
  checkAppendFields,
  checkSession,
  checkStreamName,
  type DeleteStream,
  type ReadBarrier,
  type RegisterSession,
  type RequestSession,
} from './command.ts';
import {
  decodeCommand,
  HAS_EXPECTED_OFFSET,
  HAS_KEY,
  IN_SESSION,
  KEYS_OF_THE_CLUSTER_VERSION,
  KINDS,
  LENGTH_BYTES,
  readBatchHeader,
  SESSION_BYTES,
} from './command-codec.ts';
import { CommandReader, refuse } from './command-reader.ts';
import { CONTENT_TYPE_BYTES_MAX, EVENT_BYTES_MAX, EVENT_TYPE_BYTES_MAX } from './limits.ts';

export interface AppendOutline {
  readonly kind: 'Append';
  readonly stream: string;
  readonly eventCount: number;
  readonly expectedOffset: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly session: RequestSession | undefined;
}

export type CommandOutline = CreateStream | DeleteStream | ReadBarrier | RegisterSession | AppendOutline;

const APPEND = KINDS.indexOf('Append');

export class BatchOutline {
  readonly #body: Uint8Array;
  readonly #reader: CommandReader;
  /** Position of each command, and after the last one. */
  readonly #positions: number[] = [];
  /** Where the last stream name was read, and which it was: names come in runs. */
  #nameAt = -1;
  #name = '';
  /** Written by a release in which a key was of one stream. */
  readonly keysAreOfStreams: boolean = false;

  /** @throws CommandError when the body is no batch; what each command is shows at() */
  constructor(body: Uint8Array) {
    this.#body = body;
    this.#reader = new CommandReader(body);
    if (body.byteLength === 0) return;
    const { version, count } = readBatchHeader(this.#reader);
    this.keysAreOfStreams = version < KEYS_OF_THE_CLUSTER_VERSION;
    for (let index = 0; index < count; index++) {
      const length = this.#reader.u32();
      this.#positions.push(this.#reader.position);
      this.#reader.skip(length);
    }
    this.#positions.push(this.#reader.position + LENGTH_BYTES);
    this.#reader.end();
  }

  get count(): number {
    return Math.max(0, this.#positions.length - 1);
  }

  /** @throws CommandError when the bytes are no command */
  at(index: number): CommandOutline {
    const first = this.#startOf(index);
    const end = this.#endOf(index);
    const start = this.#afterSession(first, end);
    if (start >= end || this.#body[start] !== APPEND) return decodeCommand(this.bytesAt(index)) as CommandOutline;
    const reader = this.#reader;
    const session = start === first ? undefined : this.#session(first + 1, end);
    reader.within(start + 1, end);
    const stream = this.#streamName(reader);
    const flags = reader.u8();
    if (flags > (HAS_EXPECTED_OFFSET | HAS_KEY)) refuse('COMMAND_UNKNOWN_FLAG', 'an append has an unknown flag');
    const expectedOffset = flags & HAS_EXPECTED_OFFSET ? reader.u64() : undefined;
    const idempotencyKey = flags & HAS_KEY ? reader.ascii() : undefined;
    const eventCount = reader.u16();
    checkAppendFields(eventCount, expectedOffset, idempotencyKey);
    for (let event = 0; event < eventCount; event++) skipEvent(reader);
    reader.end();
    return { kind: 'Append', stream, eventCount, expectedOffset, idempotencyKey, session };
  }

  /** The command as it was encoded. */
  bytesAt(index: number): Uint8Array {
    return this.#body.subarray(this.#startOf(index), this.#endOf(index));
  }

  /** The same without its session: two with equal bytes ask the same. */
  unsessionedBytesAt(index: number): Uint8Array {
    const start = this.#startOf(index);
    const end = this.#endOf(index);
    return this.#body.subarray(this.#afterSession(start, end), end);
  }

  /** Where a command goes on behind its session, if it has one. */
  #afterSession(start: number, end: number): number {
    return end - start >= SESSION_BYTES && this.#body[start] === IN_SESSION ? start + SESSION_BYTES : start;
  }

  #session(start: number, end: number): RequestSession {
    this.#reader.within(start, end);
    const session = { clientId: this.#reader.u64(), requestNumber: this.#reader.u64() };
    checkSession(session);
    return session;
  }

  #startOf(index: number): number {
    if (index >= this.count) refuse('COMMAND_TRUNCATED', `a batch of ${this.count} commands has no command ${index}`);
    return this.#positions[index] as number;
  }

  #endOf(index: number): number {
    return (this.#positions[index + 1] as number) - LENGTH_BYTES;
  }

  #streamName(reader: CommandReader): string {
    if (this.#nameAt >= 0 && reader.sameTextAs(this.#nameAt)) return this.#name;
    const at = reader.position;
    const name = reader.ascii();
    checkStreamName(name);
    this.#name = name;
    this.#nameAt = at;
    return name;
  }
}

function skipEvent(reader: CommandReader): void {
  const length = reader.u32();
  if (length === 0) refuse('COMMAND_EMPTY_EVENT', 'an event is empty');
  if (length > EVENT_BYTES_MAX) refuse('COMMAND_EVENT_TOO_LARGE', `an event is over ${EVENT_BYTES_MAX} bytes`);
  reader.skipPrintableOr(EVENT_TYPE_BYTES_MAX, 'COMMAND_BAD_EVENT_TYPE', 'utf8');
  reader.skipPrintableOr(CONTENT_TYPE_BYTES_MAX, 'COMMAND_BAD_CONTENT_TYPE', 'nothing');
  reader.skip(length);
}
