/**
 * A TLA+ value in one canonical text, so that equality is equality of strings. Immutable; build once, compare often.
 * Canonical: sets sorted by text without duplicates; a function over 1..n is a sequence; a record is a function over
 * strings, fields sorted; an empty function, record and sequence are all `<<>>`, as in TLA+.
 */
export type TlaKind = 'integer' | 'boolean' | 'string' | 'model' | 'set' | 'function';

export interface TlaValue {
  readonly kind: TlaKind;
  readonly text: string;
  /** Set members, sorted; or function pairs [key, value], sorted by key (1..n in order for a sequence). */
  readonly members?: readonly TlaValue[];
  readonly pairs?: readonly (readonly [TlaValue, TlaValue])[];
}

const byText = (a: TlaValue, b: TlaValue): number => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0);
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function tlaInteger(value: number | bigint): TlaValue {
  return { kind: 'integer', text: String(value) };
}

const TRUE: TlaValue = { kind: 'boolean', text: 'TRUE' };
const FALSE: TlaValue = { kind: 'boolean', text: 'FALSE' };
export function tlaBoolean(value: boolean): TlaValue {
  return value ? TRUE : FALSE;
}

export function tlaString(value: string): TlaValue {
  return { kind: 'string', text: JSON.stringify(value) };
}

/** A model value: an atom that equals only itself. */
export function tlaModelValue(name: string): TlaValue {
  return { kind: 'model', text: name };
}

export function tlaSet(values: Iterable<TlaValue>): TlaValue {
  const unique = new Map<string, TlaValue>();
  for (const value of values) unique.set(value.text, value);
  const members = [...unique.values()].sort(byText);
  return { kind: 'set', text: `{${members.map((member) => member.text).join(', ')}}`, members };
}

export function tlaSequence(values: readonly TlaValue[]): TlaValue {
  const pairs = values.map((value, index) => [tlaInteger(index + 1), value] as const);
  return { kind: 'function', text: `<<${values.map((value) => value.text).join(', ')}>>`, pairs };
}

/** Any function, given as pairs; keys must be distinct. */
export function tlaFunction(entries: Iterable<readonly [TlaValue, TlaValue]>): TlaValue {
  const byKey = new Map<string, readonly [TlaValue, TlaValue]>();
  for (const entry of entries) {
    if (byKey.has(entry[0].text)) throw new Error(`function with two values for ${entry[0].text}`);
    byKey.set(entry[0].text, entry);
  }
  const sequence: TlaValue[] = [];
  for (let index = 1; index <= byKey.size; index++) {
    const entry = byKey.get(String(index));
    if (entry === undefined || entry[0].kind !== 'integer') break;
    sequence.push(entry[1]);
  }
  if (sequence.length === byKey.size) return tlaSequence(sequence);
  const pairs = [...byKey.values()].sort((a, b) => byText(a[0], b[0]));
  const isRecord = pairs.every(([key]) => key.kind === 'string' && IDENTIFIER.test(JSON.parse(key.text) as string));
  const text = isRecord
    ? `[${pairs.map(([key, value]) => `${JSON.parse(key.text) as string} |-> ${value.text}`).join(', ')}]`
    : `(${pairs.map(([key, value]) => `${key.text} :> ${value.text}`).join(' @@ ')})`;
  return { kind: 'function', text, pairs };
}

export function tlaRecord(fields: Readonly<Record<string, TlaValue>>): TlaValue {
  return tlaFunction(Object.entries(fields).map(([name, value]) => [tlaString(name), value] as const));
}

/** A function over 0..n-1, as a variable indexed by replica is. */
export function tlaByIndex<T>(items: readonly T[], project: (item: T, index: number) => TlaValue): TlaValue {
  return tlaFunction(items.map((item, index) => [tlaInteger(index), project(item, index)] as const));
}
