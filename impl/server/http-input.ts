/**
 * What comes in over HTTP and how it can be wrong: bodies as UTF-8 JSON, values held to their schema, the data of events as
 * bytes. Everything ends in a value or an HttpInputError that names the field. Mirrors no spec module.
 */
import type { TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { Value } from '@sinclair/typebox/value';
import type { Failure } from '../wire/answer.ts';
import type { AppendEvent } from '../wire/request.ts';
import { failure } from './failure.ts';
import type { NewEvent } from './http-schemas.ts';

export class HttpInputError extends Error {
  readonly failure: Failure;

  constructor(refusal: Failure) {
    super(refusal.message);
    this.failure = refusal;
  }
}

export function invalid(field: string, what: string, evidence: Failure['evidence'] = {}): HttpInputError {
  return new HttpInputError(failure('REQUEST_INVALID', `${field} ${what}`, { field, ...evidence }));
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** An empty body is undefined: not every request has one. */
export function jsonOf(body: Buffer): unknown {
  if (body.byteLength === 0) return undefined;
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw invalid('body', 'is not UTF-8: send bytes as dataBase64');
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw invalid('body', `is not JSON: ${cause instanceof Error ? cause.message : 'it cannot be parsed'}`);
  }
}

/** A validator as fastify wants one. Only a query is converted: there everything is text. */
export function validatorOf(schema: TSchema, part: string | undefined): (data: unknown) => { value: unknown } {
  const check = TypeCompiler.Compile(schema);
  const isQuery = part === 'querystring';
  return (data) => {
    const value = isQuery ? Value.Convert(schema, Value.Default(schema, { ...(data as object) })) : data;
    if (check.Check(value)) return { value };
    const fault = check.Errors(value).First();
    if (value === undefined || value === null) throw invalid(part ?? 'body', 'is missing: send JSON');
    if (fault === undefined) throw invalid(part ?? 'body', 'has not its form');
    throw invalid(fieldOf(fault.path, part), `is wrong: ${fault.message.toLowerCase()}`);
  };
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
