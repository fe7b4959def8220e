/**
 * What a client may ask of the state machine, and the form that each request must have. Form is checked here, once where a
 * command is made and once where bytes are read; whether it is applied is decided by rules.ts from the state.
 */
import { LockstepError } from '../ports/lockstep-error.ts';
import {
  CONTENT_TYPE_BYTES_MAX,
  DATA_CLASS_BYTES_MAX,
  EVENT_BYTES_MAX,
  EVENT_TYPE_BYTES_MAX,
  EVENTS_PER_APPEND_MAX,
  IDEMPOTENCY_KEY_BYTES_MAX,
  OFFSET_MAX,
  STREAM_NAME_BYTES_MAX,
} from './limits.ts';

export interface NewEvent {
  /** 1..EVENT_BYTES_MAX bytes. */
  readonly data: Uint8Array;
  readonly type?: string | undefined;
  readonly contentType?: string | undefined;
}

/** Which request of which session this is: it is executed once, and asked again it gets the first reply. */
export interface RequestSession {
  /** Place of the command that registered it. */
  readonly clientId: number;
  /** From 1. */
  readonly requestNumber: number;
}

export interface CreateStream {
  readonly kind: 'CreateStream';
  readonly stream: string;
  readonly dataClass?: string | undefined;
  readonly session?: RequestSession | undefined;
}

export interface DeleteStream {
  readonly kind: 'DeleteStream';
  readonly stream: string;
  readonly session?: RequestSession | undefined;
}

export interface Append {
  readonly kind: 'Append';
  readonly stream: string;
  readonly events: readonly NewEvent[];
  /** The offset that the first event must get. */
  readonly expectedOffset?: number | undefined;
  /** The same append with the same key changes nothing and gets the first answer, as long as that is kept. */
  readonly idempotencyKey?: string | undefined;
  readonly session?: RequestSession | undefined;
}

/** Makes a session; its id is the place of this command in the log. */
export interface RegisterSession {
  readonly kind: 'RegisterSession';
}

/** Changes nothing: once it is committed, a local read at that op is linearizable. */
export interface ReadBarrier {
  readonly kind: 'ReadBarrier';
}

export type Command = CreateStream | DeleteStream | Append | ReadBarrier | RegisterSession;
export type CommandKind = Command['kind'];

export type CommandErrorCode =
  | 'COMMAND_TRUNCATED' // bytes end before a field does
  | 'COMMAND_BAD_LENGTH' // bytes left over, or a batch over BATCH_BYTES_MAX
  | 'COMMAND_UNKNOWN_VERSION' // a batch of another format
  | 'COMMAND_UNKNOWN_KIND'
  | 'COMMAND_UNKNOWN_FLAG'
  | 'COMMAND_TOO_MANY' // more than COMMANDS_MAX
  | 'COMMAND_BAD_STREAM_NAME'
  | 'COMMAND_BAD_DATA_CLASS'
  | 'COMMAND_BAD_EVENT_TYPE'
  | 'COMMAND_BAD_CONTENT_TYPE'
  | 'COMMAND_BAD_KEY'
  | 'COMMAND_BAD_OFFSET'
  | 'COMMAND_BAD_SESSION'
  | 'COMMAND_NO_EVENTS'
  | 'COMMAND_TOO_MANY_EVENTS'
  | 'COMMAND_EMPTY_EVENT'
  | 'COMMAND_EVENT_TOO_LARGE';

/** A command that has not its form: the user's, or bytes that are none. evidence.field names the place. */
export class CommandError extends LockstepError<CommandErrorCode> {}

/** Letters, digits, and . _ - : inside, so that a name stands in a URL and in a file name as it is. */
const STREAM_NAME = /^[A-Za-z0-9][A-Za-z0-9._:-]*$/;
const DATA_CLASS = /^[a-z0-9][a-z0-9-]*$/;
const PRINTABLE = /^[\x20-\x7e]+$/;

/** @throws CommandError when the command has not its form */
export function checkCommand(command: Command): void {
  if (command.kind === 'ReadBarrier' || command.kind === 'RegisterSession') return;
  if (command.session !== undefined) checkSession(command.session);
  checkStreamName(command.stream);
  if (command.kind === 'CreateStream') checkDataClass(command.dataClass);
  if (command.kind === 'Append') checkAppend(command);
}

export function checkSession({ clientId, requestNumber }: RequestSession): void {
  if (isCounted(clientId) && isCounted(requestNumber)) return;
  throw new CommandError('COMMAND_BAD_SESSION', 'a client id and a request number are whole numbers from 1', {
    field: 'session',
    clientId,
    requestNumber,
  });
}

export function checkStreamName(stream: string): void {
  if (stream.length <= STREAM_NAME_BYTES_MAX && STREAM_NAME.test(stream)) return;
  throw new CommandError(
    'COMMAND_BAD_STREAM_NAME',
    `a stream name is 1 to ${STREAM_NAME_BYTES_MAX} of A-Z a-z 0-9 . _ : - and begins with a letter or digit`,
    { field: 'stream', stream: excerpt(stream), length: stream.length },
  );
}

function checkDataClass(dataClass: string | undefined): void {
  if (dataClass === undefined || (dataClass.length <= DATA_CLASS_BYTES_MAX && DATA_CLASS.test(dataClass))) return;
  throw new CommandError(
    'COMMAND_BAD_DATA_CLASS',
    `a data class is 1 to ${DATA_CLASS_BYTES_MAX} of a-z 0-9 - and begins with a letter or digit`,
    { field: 'dataClass', dataClass: excerpt(dataClass) },
  );
}

function checkAppend({ events, expectedOffset, idempotencyKey }: Append): void {
  checkAppendFields(events.length, expectedOffset, idempotencyKey);
  for (const [index, event] of events.entries()) checkEvent(event, index);
}

/** What an append says beside its stream and its events. @throws CommandError */
export function checkAppendFields(
  eventCount: number,
  expectedOffset: number | undefined,
  idempotencyKey: string | undefined,
): void {
  if (eventCount === 0) {
    throw new CommandError('COMMAND_NO_EVENTS', 'an append has at least one event', { field: 'events' });
  }
  if (eventCount > EVENTS_PER_APPEND_MAX) {
    throw new CommandError(
      'COMMAND_TOO_MANY_EVENTS',
      `an append has at most ${EVENTS_PER_APPEND_MAX} events: send several`,
      { field: 'events', count: eventCount, maximum: EVENTS_PER_APPEND_MAX },
    );
  }
  if (expectedOffset !== undefined && !isOffset(expectedOffset)) {
    throw new CommandError('COMMAND_BAD_OFFSET', `an offset is a whole number from 0 to ${OFFSET_MAX}`, {
      field: 'expectedOffset',
      offset: expectedOffset,
    });
  }
  if (idempotencyKey !== undefined) checkIdempotencyKey(idempotencyKey);
}

/** @throws CommandError COMMAND_BAD_KEY */
export function checkIdempotencyKey(key: string): void {
  if (key.length <= IDEMPOTENCY_KEY_BYTES_MAX && PRINTABLE.test(key)) return;
  throw new CommandError(
    'COMMAND_BAD_KEY',
    `an idempotency key is 1 to ${IDEMPOTENCY_KEY_BYTES_MAX} printable ASCII characters`,
    { field: 'idempotencyKey', length: key.length },
  );
}

function checkEvent({ data, type, contentType }: NewEvent, index: number): void {
  if (data.length === 0) {
    throw new CommandError('COMMAND_EMPTY_EVENT', `event ${index} is empty: an event has at least one byte`, {
      field: `events[${index}].data`,
    });
  }
  if (data.length > EVENT_BYTES_MAX) {
    throw new CommandError('COMMAND_EVENT_TOO_LARGE', `event ${index} is over ${EVENT_BYTES_MAX} bytes: split it`, {
      field: `events[${index}].data`,
      bytes: data.length,
      maximum: EVENT_BYTES_MAX,
    });
  }
  if (type !== undefined && !isEventType(type)) {
    throw new CommandError(
      'COMMAND_BAD_EVENT_TYPE',
      `the type of event ${index} must be 1 to ${EVENT_TYPE_BYTES_MAX} bytes of well-formed UTF-8`,
      { field: `events[${index}].type`, type: excerpt(type) },
    );
  }
  if (contentType !== undefined && !(contentType.length <= CONTENT_TYPE_BYTES_MAX && PRINTABLE.test(contentType))) {
    throw new CommandError(
      'COMMAND_BAD_CONTENT_TYPE',
      `the content type of event ${index} must be 1 to ${CONTENT_TYPE_BYTES_MAX} printable ASCII characters`,
      { field: `events[${index}].contentType`, contentType: excerpt(contentType) },
    );
  }
}

function isCounted(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 1;
}

function isOffset(offset: number): boolean {
  return Number.isSafeInteger(offset) && offset >= 0 && offset <= OFFSET_MAX;
}

/** A lone surrogate does not survive UTF-8: two different types would become one. */
function isEventType(type: string): boolean {
  if (type.length === 0 || type.length > EVENT_TYPE_BYTES_MAX) return false;
  if (PRINTABLE.test(type)) return true;
  const bytes = Buffer.from(type, 'utf8');
  return bytes.length <= EVENT_TYPE_BYTES_MAX && bytes.toString('utf8') === type;
}

/** Enough of what came to find it again, and no more. */
function excerpt(text: string): string {
  return text.length <= 64 ? text : `${text.slice(0, 64)}…`;
}
