/**
 * What comes in over HTTP and how it can be wrong: bodies as UTF-8 JSON, values held to their schema, the data of events as
 * bytes. Everything ends in a value or an HttpInputError that names the field. Mirrors no spec module.
 */
import type { Static, TSchema } from '@sinclair/typebox';
import { TypeCompiler, type ValueError, ValueErrorType } from '@sinclair/typebox/compiler';
import type { Failure } from '../wire/answer.ts';
import type { AppendEvent } from '../wire/request.ts';
import { type FailureCode, failure } from './failure.ts';
import type { NewEvent } from './http-schemas.ts';
import { EVENT_TYPE_BYTES_MAX } from './http-schemas.ts';

export class HttpInputError extends Error {
  readonly failure: Failure;

  constructor(refusal: Failure) {
    super(refusal.message);
    this.failure = refusal;
  }
}

export function invalid(field: string, what: string, evidence: Failure['evidence'] = {}): HttpInputError {
  return inputError('REQUEST_INVALID', field, what, evidence);
}

function inputError(code: FailureCode, field: string, what: string, evidence: Failure['evidence']): HttpInputError {
  return new HttpInputError(failure(code, `${field} ${what}`, { field, ...evidence }));
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** An empty body is undefined: not every request has one. */
export function jsonOf(body: Uint8Array): unknown {
  if (body.byteLength === 0) return undefined;
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw invalid('body', 'is not UTF-8: send bytes as dataBase64');
  }
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch (cause) {
    throw invalid('body', `is not JSON: ${cause instanceof Error ? cause.message : 'it cannot be parsed'}`);
  }
  const twice = repeatedKey(text);
  if (twice !== undefined) throw invalid('body', `has the key ${twice.slice(0, 64)} twice in one object`);
  return value;
}

/**
 * JSON.parse keeps the last of two equal keys, other parsers the first: such a body would mean different things on its way.
 * @param text JSON, parsed before
 */
export function repeatedKey(text: string): string | undefined {
  const objects: (Set<string> | undefined)[] = []; // undefined: an array
  let lastString = '';
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const start = at;
        do at = text.indexOf('"', at + 1);
        while (isEscaped(text, at));
        lastString = text.slice(start, at + 1);
        break;
      }
      case 0x3a: {
        const keys = objects.at(-1);
        const key = JSON.parse(lastString) as string;
        if (keys?.has(key) === true) return key;
        keys?.add(key);
        break;
      }
      case 0x7b:
        objects.push(new Set());
        break;
      case 0x5b:
        objects.push(undefined);
        break;
      case 0x7d:
      case 0x5d:
        objects.pop();
        break;
    }
  }
  return undefined;
}

/** Whether an odd number of backslashes stands before. */
function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 1;
}

type Validator = (data: unknown) => { value: unknown };

/** A validator as fastify wants one. Queries and parameters of the path come as text, and are converted to what they must be. */
export function validatorOf(schema: TSchema, part: string | undefined): Validator {
  const check = TypeCompiler.Compile(schema);
  const isText = part === 'querystring' || part === 'params';
  return (data) => {
    const value = isText ? valuesOf(schema, data as Readonly<Record<string, unknown>>) : data;
    if (check.Check(value)) return { value };
    if (value === undefined || value === null) throw invalid(part ?? 'body', 'is missing: send JSON');
    const fault = deepest(check.Errors(value).First());
    if (fault === undefined) throw invalid(part ?? 'body', 'has not its form');
    const field = fieldOf(fault.path, part);
    if (TOO_LARGE.has(fault.type) && !isText) {
      const maximum: unknown = fault.schema.maxItems ?? fault.schema.maxLength;
      throw inputError('TOO_LARGE', field, `is too large: ${fault.message.toLowerCase()}`, { maximum });
    }
    throw invalid(field, `is wrong: ${messageOf(fault)}`);
  };
}

/** More than a limit is refused as such: a shorter one would do. */
const TOO_LARGE: ReadonlySet<ValueErrorType> = new Set([ValueErrorType.ArrayMaxItems, ValueErrorType.StringMaxLength]);

function messageOf({ type, message, schema }: ValueError): string {
  if (type === ValueErrorType.ObjectAdditionalProperties) return 'there is no such field here';
  if (type !== ValueErrorType.Union) return message.toLowerCase();
  const forms = (schema.anyOf as readonly TSchema[]).map((one) => one.const ?? one.required ?? one.type);
  return `expected exactly one of ${forms.map(String).join(', ')}`;
}

/** Of a value that is none of several forms: why it is not the one that it comes closest to. */
function deepest(fault: ValueError | undefined): ValueError | undefined {
  if (fault === undefined || fault.type !== ValueErrorType.Union) return fault;
  const variants = fault.errors.map((errors) => [...errors]).filter((errors) => errors.length > 0);
  const [closest, next] = variants.sort((a, b) => a.length - b.length);
  const undecided = closest?.length === next?.length || closest?.[0]?.path === fault.path;
  return undecided ? fault : deepest(closest?.[0]);
}

const WHOLE = /^-?(?:0|[1-9]\d*)$/;

/** Defaults filled in; whole numbers and booleans read. What is not written as one stays text, and is refused as such. */
function valuesOf(schema: TSchema, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const values: Record<string, unknown> = { ...given };
  for (const [name, property] of Object.entries((schema.properties ?? {}) as Record<string, TSchema>)) {
    const text = Object.hasOwn(given, name) ? given[name] : undefined;
    if (text === undefined) {
      if (property.default !== undefined) values[name] = property.default as Static<TSchema>;
    } else if (property.type === 'integer' && typeof text === 'string' && WHOLE.test(text)) values[name] = Number(text);
    else if (property.type === 'boolean' && (text === 'true' || text === 'false')) values[name] = text === 'true';
  }
  return values;
}

/** `/events/0/data` is `events[0].data`. */
function fieldOf(path: string, part: string | undefined): string {
  const names = path.split('/').slice(1);
  const text = names.map((name) => (/^\d+$/.test(name) ? `[${name}]` : `.${name}`)).join('');
  return text === '' ? (part ?? 'body') : text.replace(/^\./, '');
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** A surrogate without its partner: it has no UTF-8 and would come back as another character. */
const LONE_SURROGATE = /\p{Surrogate}/u;

export function eventOf(event: NewEvent, index: number): AppendEvent {
  const { data, dataBase64, type = '', contentType = '' } = event;
  const field = `events[${index}]`;
  if ((data === undefined) === (dataBase64 === undefined)) {
    throw invalid(field, 'needs exactly one of data (UTF-8 text) and dataBase64');
  }
  if (LONE_SURROGATE.test(type)) throw invalid(`${field}.type`, 'has half a surrogate pair');
  if (Buffer.byteLength(type) > EVENT_TYPE_BYTES_MAX) {
    const bytes = Buffer.byteLength(type);
    const maximum = EVENT_TYPE_BYTES_MAX;
    throw inputError('TOO_LARGE', `${field}.type`, `has ${bytes} bytes, at most ${maximum}`, { bytes, maximum });
  }
  if (dataBase64 !== undefined) {
    if (!BASE64.test(dataBase64)) throw invalid(`${field}.dataBase64`, 'is not base64 (RFC 4648, with padding)');
    return { data: Buffer.from(dataBase64, 'base64'), type, contentType };
  }
  const text = data as string;
  if (LONE_SURROGATE.test(text)) throw invalid(`${field}.data`, 'has half a surrogate pair: send bytes as dataBase64');
  return { data: Buffer.from(text, 'utf8'), type, contentType };
}

/** data when the bytes are UTF-8 and come back as the same bytes, dataBase64 otherwise. */
export function dataFields(data: Uint8Array): { readonly data: string } | { readonly dataBase64: string } {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd')) return { data: text };
  return Buffer.from(text, 'utf8').equals(bytes) ? { data: text } : { dataBase64: bytes.toString('base64') };
}
