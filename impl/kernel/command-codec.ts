/**
 * Commands as bytes: one command, as it travels between replicas, and a batch of them, the body of a prepare.
 * Little endian. Batch: version u8, count u16, then for each command its length u32 and its bytes; zero bytes are an empty
 * batch. Command: kind u8, then texts with their length before them (u8), numbers u64; one encoding for each command only.
 * A command of a session: IN_SESSION u8, clientId u64, requestNumber u64, then the command as it is without.
 */
import { assert } from '../ports/assert.ts';
import { writeU32, writeU64 } from '../ports/little-endian.ts';
import { writeBytes, writeShortAscii } from '../ports/short-fields.ts';
import {
  type Append,
  type Command,
  type CommandKind,
  checkCommand,
  type NewEvent,
  type RequestSession,
} from './command.ts';
import { CommandReader, refuse } from './command-reader.ts';
import { BATCH_BYTES_MAX, COMMANDS_MAX, EVENT_BYTES_MAX } from './limits.ts';

/** Of what is written; every version from 1 is read, since a log on disk may hold them all. */
const BATCH_VERSION = 2;
/** Before it an idempotency key was of one stream: those ops are applied as they were. */
export const KEYS_OF_THE_CLUSTER_VERSION = 2;
const BATCH_HEADER_BYTES = 3;
export const LENGTH_BYTES = 4;
/** Index is the kind on the wire; 0 is never sent. */
export const KINDS: readonly (CommandKind | undefined)[] = [
  undefined,
  'CreateStream',
  'DeleteStream',
  'Append',
  'ReadBarrier',
  'RegisterSession',
];
/** In the place of a kind. */
export const IN_SESSION = 6;
export const SESSION_BYTES = 17;
export const HAS_EXPECTED_OFFSET = 1;
export const HAS_KEY = 2;

/** @throws CommandError when the command has not its form */
export function encodeCommand(command: Command): Uint8Array {
  checkCommand(command);
  const bytes = Buffer.allocUnsafe(bytesOf(command));
  const code = KINDS.indexOf(command.kind);
  if (command.kind === 'ReadBarrier' || command.kind === 'RegisterSession') {
    bytes[0] = code;
    return bytes;
  }
  let at = writeSession(bytes, command.session);
  bytes[at++] = code;
  at = writeText(bytes, at, command.stream);
  if (command.kind === 'CreateStream') at = writeText(bytes, at, command.dataClass ?? '');
  if (command.kind === 'Append') at = writeAppend(bytes, at, command);
  assert(at === bytes.length, 'the size was computed right');
  return bytes;
}

/** Data of events are views of the bytes. @throws CommandError and nothing else */
export function decodeCommand(bytes: Uint8Array): Command {
  const reader = new CommandReader(bytes);
  const command = readCommand(reader, readSession(reader));
  reader.end();
  checkCommand(command);
  return command;
}

/** Whose request an encoded command is; undefined for one without a session. */
export function sessionOf(encodedCommand: Uint8Array): RequestSession | undefined {
  if (encodedCommand[0] !== IN_SESSION || encodedCommand.byteLength < SESSION_BYTES) return undefined;
  return readSession(new CommandReader(encodedCommand));
}

/** Bytes that a command adds to a batch. */
function bytesInBatch(encodedCommand: Uint8Array): number {
  return LENGTH_BYTES + encodedCommand.length;
}

/** The body of a prepare: commands already encoded, in order. @throws CommandError when there are too many or too large */
export function encodeBatch(encodedCommands: readonly Uint8Array[]): Uint8Array {
  if (encodedCommands.length > COMMANDS_MAX) refuse('COMMAND_TOO_MANY', 'a batch has too many commands');
  const size = encodedCommands.reduce((sum, command) => sum + bytesInBatch(command), BATCH_HEADER_BYTES);
  if (size > BATCH_BYTES_MAX) refuse('COMMAND_BAD_LENGTH', `a batch is over ${BATCH_BYTES_MAX} bytes`);
  const bytes = Buffer.allocUnsafe(size);
  bytes[0] = BATCH_VERSION;
  let at = writeU16(bytes, 1, encodedCommands.length);
  for (const command of encodedCommands) {
    writeU32(bytes, at, command.length);
    at += LENGTH_BYTES;
    bytes.set(command, at);
    at += command.length;
  }
  return bytes;
}

/** Every command with its data, for those who show a log; the state machine reads an outline. @throws CommandError */
export function decodeBatch(body: Uint8Array): readonly Command[] {
  if (body.length === 0) return [];
  const reader = new CommandReader(body);
  const { count } = readBatchHeader(reader);
  const commands: Command[] = [];
  for (let index = 0; index < count; index++) commands.push(decodeCommand(reader.bytes(reader.u32())));
  reader.end();
  return commands;
}

/** @throws CommandError */
export function readBatchHeader(reader: CommandReader): { readonly version: number; readonly count: number } {
  if (reader.left > BATCH_BYTES_MAX) refuse('COMMAND_BAD_LENGTH', `a batch is over ${BATCH_BYTES_MAX} bytes`);
  const version = reader.u8();
  if (version < 1 || version > BATCH_VERSION)
    refuse('COMMAND_UNKNOWN_VERSION', `a batch is of version ${version}, not 1 to ${BATCH_VERSION}`);
  const count = reader.u16();
  if (count > COMMANDS_MAX) refuse('COMMAND_TOO_MANY', 'a batch has too many commands');
  return { version, count };
}

function bytesOf(command: Command): number {
  if (command.kind === 'ReadBarrier' || command.kind === 'RegisterSession') return 1;
  const bytes = (command.session === undefined ? 0 : SESSION_BYTES) + 2 + command.stream.length;
  if (command.kind === 'DeleteStream') return bytes;
  if (command.kind === 'CreateStream') return bytes + 1 + (command.dataClass?.length ?? 0);
  let size = bytes + 3;
  if (command.expectedOffset !== undefined) size += 8;
  if (command.idempotencyKey !== undefined) size += 1 + command.idempotencyKey.length;
  for (const event of command.events) {
    size +=
      6 +
      (event.type === undefined ? 0 : Buffer.byteLength(event.type)) +
      (event.contentType?.length ?? 0) +
      event.data.length;
  }
  return size;
}

function writeSession(bytes: Uint8Array, session: RequestSession | undefined): number {
  if (session === undefined) return 0;
  bytes[0] = IN_SESSION;
  writeU64(bytes, 1, session.clientId);
  writeU64(bytes, 9, session.requestNumber);
  return SESSION_BYTES;
}

function writeAppend(bytes: Uint8Array, start: number, { expectedOffset, idempotencyKey, events }: Append): number {
  const flags = (expectedOffset === undefined ? 0 : HAS_EXPECTED_OFFSET) | (idempotencyKey === undefined ? 0 : HAS_KEY);
  let at = start;
  bytes[at++] = flags;
  if (expectedOffset !== undefined) {
    writeU64(bytes, at, expectedOffset);
    at += 8;
  }
  if (idempotencyKey !== undefined) at = writeText(bytes, at, idempotencyKey);
  at = writeU16(bytes, at, events.length);
  for (const { data, type, contentType } of events) {
    writeU32(bytes, at, data.length);
    at += LENGTH_BYTES;
    at = writeText(bytes, at, type ?? '');
    at = writeText(bytes, at, contentType ?? '');
    writeBytes(bytes, at, data);
    at += data.length;
  }
  return at;
}

function writeU16(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  return at + 2;
}

function writeText(bytes: Uint8Array, at: number, text: string): number {
  const length = writeShortAscii(bytes, at + 1, text) ? text.length : writeUtf8(bytes, at + 1, text);
  assert(length <= 255, 'a text is at most 255 bytes');
  bytes[at] = length;
  return at + 1 + length;
}

/** @returns how many bytes */
function writeUtf8(bytes: Uint8Array, at: number, text: string): number {
  const written = Buffer.from(text, 'utf8');
  bytes.set(written, at);
  return written.length;
}

/** The session before a command, if it has one. */
function readSession(reader: CommandReader): RequestSession | undefined {
  if (reader.left === 0 || reader.peek() !== IN_SESSION) return undefined;
  reader.skip(1);
  return { clientId: reader.u64(), requestNumber: reader.u64() };
}

/** Every field is there, though it be undefined: commands of a kind have one hidden class. */
function readCommand(reader: CommandReader, session: RequestSession | undefined): Command {
  const kind = KINDS[reader.u8()];
  switch (kind) {
    case 'CreateStream': {
      const stream = reader.ascii();
      const dataClass = reader.ascii();
      return { kind, stream, dataClass: dataClass === '' ? undefined : dataClass, session };
    }
    case 'DeleteStream':
      return { kind, stream: reader.ascii(), session };
    case 'Append':
      return readAppend(reader, session);
    case 'ReadBarrier':
    case 'RegisterSession':
      if (session !== undefined) refuse('COMMAND_BAD_SESSION', `a ${kind} is of no session`);
      return { kind };
    case undefined:
      return refuse('COMMAND_UNKNOWN_KIND', 'a command is of no known kind');
  }
}

function readAppend(reader: CommandReader, session: RequestSession | undefined): Append {
  const stream = reader.ascii();
  const flags = reader.u8();
  if (flags > (HAS_EXPECTED_OFFSET | HAS_KEY)) refuse('COMMAND_UNKNOWN_FLAG', 'an append has an unknown flag');
  const expectedOffset = flags & HAS_EXPECTED_OFFSET ? reader.u64() : undefined;
  const idempotencyKey = flags & HAS_KEY ? reader.ascii() : undefined;
  const count = reader.u16();
  const events: NewEvent[] = [];
  for (let index = 0; index < count; index++) events.push(readEvent(reader));
  return { kind: 'Append', stream, events, expectedOffset, idempotencyKey, session };
}

function readEvent(reader: CommandReader): NewEvent {
  const length = reader.u32();
  if (length > EVENT_BYTES_MAX) refuse('COMMAND_EVENT_TOO_LARGE', `an event is over ${EVENT_BYTES_MAX} bytes`);
  const type = reader.text();
  const contentType = reader.ascii();
  const data = reader.bytes(length);
  return { data, type: type === '' ? undefined : type, contentType: contentType === '' ? undefined : contentType };
}
