/**
 * Traces as ITF JSON (Apalache ADR-015): what lies in traces/ and what a divergence is saved as. Beyond ITF, in `#meta` fields:
 * the component and cfg, each step's event as the driver takes it, and what the code owes after the last step.
 */
import type { Divergence } from '../bisimulate/divergence.ts';
import { parseTla } from '../values/parse-tla.ts';
import {
  type TlaValue,
  tlaBoolean,
  tlaFunction,
  tlaInteger,
  tlaModelValue,
  tlaSequence,
  tlaSet,
  tlaString,
} from '../values/tla-value.ts';

/** The file is not an ITF trace of Lockstep; says what is missing. */
export class ItfError extends Error {}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface TraceState {
  /** undefined in the first state. `label` is for people. */
  readonly action: string | undefined;
  readonly label: string;
  /** The driver's event; undefined: any event of that action that leads to this state. */
  readonly event: { readonly type: string } | undefined;
  /** Canonical text by variable. */
  readonly values: Readonly<Record<string, string>>;
}

export interface Trace {
  readonly component: string;
  readonly cfg: string;
  /** Why the trace is kept, one sentence. */
  readonly about: string;
  readonly states: readonly TraceState[];
  /** An event that must be refused, or change nothing, after the last state. */
  readonly refused?: { readonly type: string };
}

const FORMAT_DESCRIPTION = 'Apalache ADR-015; #meta.event and #meta.refused are Lockstep driver events';

export function traceOfDivergence(component: string, cfg: string, divergence: Divergence): Trace {
  const states: TraceState[] = divergence.path.map(({ event, label, state }) => ({
    action: event?.type,
    label,
    event,
    values: state,
  }));
  const target = divergence.expected[0];
  const about = `${divergence.verdict}: ${divergence.label}: ${divergence.message}`;
  const owed = divergence.verdict === 'missing' || divergence.verdict === 'different';
  if (owed && target !== undefined) {
    const event = divergence.verdict === 'different' ? divergence.event : undefined;
    states.push({ action: divergence.action, label: divergence.label, event, values: target });
    return { component, cfg, about, states };
  }
  return { component, cfg, about, states, ...(divergence.event === undefined ? {} : { refused: divergence.event }) };
}

export function writeItf(trace: Trace): string {
  const variables = Object.keys(trace.states[0]?.values ?? {});
  const states = trace.states.map((state, index) => ({
    '#meta': {
      index,
      ...(state.action === undefined ? {} : { action: state.action, label: state.label }),
      ...(state.event === undefined ? {} : { event: eventToJson(state.event) }),
    },
    ...Object.fromEntries(Object.entries(state.values).map(([name, text]) => [name, toItf(parseTla(text))])),
  }));
  const meta = {
    format: 'ITF',
    'format-description': FORMAT_DESCRIPTION,
    component: trace.component,
    cfg: trace.cfg,
    description: trace.about,
    ...(trace.refused === undefined ? {} : { refused: eventToJson(trace.refused) }),
  };
  return `${JSON.stringify({ '#meta': meta, vars: variables, states }, null, 1)}\n`;
}

export function readItf(text: string): Trace {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ItfError('not JSON, so no ITF trace', { cause });
  }
  const root = fieldsOf(json, 'the file');
  const meta = fieldsOf(root['#meta'], '#meta');
  if (!Array.isArray(root.vars) || !Array.isArray(root.states))
    throw new ItfError('no ITF trace: "vars" or "states" is missing');
  const variables = root.vars as readonly string[];
  if (root.states.length === 0) throw new ItfError('the trace has no state');
  const states = (root.states as readonly unknown[]).map((raw, index): TraceState => {
    const state = fieldsOf(raw, `state ${index}`);
    const step = state['#meta'] === undefined ? {} : fieldsOf(state['#meta'], `#meta of state ${index}`);
    const action = typeof step.action === 'string' ? step.action : undefined;
    if (index > 0 && action === undefined) throw new ItfError(`state ${index} names no action in its #meta`);
    const values = Object.fromEntries(
      variables.map((name) => {
        if (!(name in state)) throw new ItfError(`state ${index} has no variable ${name}`);
        return [name, fromItf(state[name] as Json).text];
      }),
    );
    const event = step.event === undefined ? undefined : eventFromJson(step.event as Json);
    return { action, label: typeof step.label === 'string' ? step.label : (action ?? 'Init'), event, values };
  });
  const { component, cfg } = meta;
  if (typeof component !== 'string' || typeof cfg !== 'string')
    throw new ItfError('its #meta names no component and cfg: it is not a trace of Lockstep');
  return {
    component,
    cfg,
    about: typeof meta.description === 'string' ? meta.description : '',
    states,
    ...(meta.refused === undefined ? {} : { refused: eventFromJson(meta.refused as Json) }),
  };
}

export function toItf(value: TlaValue): Json {
  switch (value.kind) {
    case 'integer':
      return Number.isSafeInteger(Number(value.text)) ? Number(value.text) : { '#bigint': value.text };
    case 'boolean':
      return value.text === 'TRUE';
    case 'string':
      return JSON.parse(value.text) as string;
    case 'model':
      return { '#unserializable': value.text };
    case 'set':
      return { '#set': (value.members ?? []).map(toItf) };
    case 'function': {
      const pairs = value.pairs ?? [];
      if (value.text.startsWith('<<')) return pairs.map(([, item]) => toItf(item));
      if (value.text.startsWith('['))
        return Object.fromEntries(pairs.map(([key, item]) => [JSON.parse(key.text) as string, toItf(item)]));
      return { '#map': pairs.map(([key, item]) => [toItf(key), toItf(item)]) };
    }
  }
}

export function fromItf(json: Json): TlaValue {
  if (typeof json === 'number') return tlaInteger(json);
  if (typeof json === 'boolean') return tlaBoolean(json);
  if (typeof json === 'string') return tlaString(json);
  if (json === null) throw new ItfError('null is no ITF value');
  if (isList(json)) return tlaSequence(json.map(fromItf));
  const { '#bigint': bigint, '#set': set, '#tup': tuple, '#map': map, '#unserializable': model } = json;
  if (typeof bigint === 'string') return tlaInteger(BigInt(bigint));
  if (typeof model === 'string') return tlaModelValue(model);
  if (set !== undefined && isList(set)) return tlaSet(set.map(fromItf));
  if (tuple !== undefined && isList(tuple)) return tlaSequence(tuple.map(fromItf));
  if (map !== undefined && isList(map)) {
    return tlaFunction(
      map.map((pair) => {
        if (!isList(pair) || pair.length !== 2) throw new ItfError('a #map entry is not a pair');
        return [fromItf(pair[0] as Json), fromItf(pair[1] as Json)] as const;
      }),
    );
  }
  return tlaFunction(Object.entries(json).map(([name, item]) => [tlaString(name), fromItf(item)] as const));
}

/** Events hold what JSON lacks: big integers, bytes, maps and sets. */
export function eventToJson(event: unknown): Json {
  if (typeof event === 'bigint') return { '#bigint': String(event) };
  if (event instanceof Uint8Array) return { '#bytes': Buffer.from(event).toString('hex') };
  if (event instanceof Map) return { '#map': [...event].map(([key, value]) => [eventToJson(key), eventToJson(value)]) };
  if (event instanceof Set) return { '#set': [...event].map(eventToJson) };
  if (Array.isArray(event)) return event.map(eventToJson);
  if (typeof event === 'object' && event !== null) {
    const entries = Object.entries(event).filter(([, value]) => value !== undefined && typeof value !== 'function');
    return Object.fromEntries(entries.map(([name, value]) => [name, eventToJson(value)]));
  }
  if (typeof event === 'string' || typeof event === 'number' || typeof event === 'boolean' || event === null)
    return event;
  throw new ItfError(`an event holds a ${typeof event}, which cannot be saved`);
}

function eventFromJson(json: Json): { readonly type: string } {
  const event = revive(json);
  if (typeof event !== 'object' || event === null || !('type' in event) || typeof event.type !== 'string')
    throw new ItfError('an event without a type');
  return event as { readonly type: string };
}

function revive(json: Json): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (isList(json)) return json.map(revive);
  const { '#bigint': bigint, '#bytes': bytes, '#map': map, '#set': set } = json;
  if (typeof bigint === 'string') return BigInt(bigint);
  if (typeof bytes === 'string') return new Uint8Array(Buffer.from(bytes, 'hex'));
  if (map !== undefined && isList(map)) return new Map(map.map((pair) => revive(pair) as [unknown, unknown]));
  if (set !== undefined && isList(set)) return new Set(set.map(revive));
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, revive(value)]));
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

function fieldsOf(json: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new ItfError(`no ITF trace: ${what} is not an object`);
  return json as Readonly<Record<string, unknown>>;
}
