/**
 * Reads the text in which TLC and the embedded engine print values, and gives the canonical TlaValue.
 * Grammar: integers (any size), TRUE/FALSE, strings, model values, {sets}, a..b, <<sequences>>, [records], (functions :> @@).
 * No TLA+ expressions: a spec is read elsewhere (conformance/mirror).
 */
import {
  type TlaValue,
  tlaBoolean,
  tlaFunction,
  tlaInteger,
  tlaModelValue,
  tlaSequence,
  tlaSet,
  tlaString,
} from './tla-value.ts';

/** The text is not a TLA+ value; says where. */
export class TlaParseError extends Error {}

/** One value, and nothing after it. */
export function parseTla(text: string): TlaValue {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}

/** `/\ x = 1 /\ y = {..}` (line breaks anywhere) or `x = 1` alone, as TLC prints a state. Keys in the order of the text. */
export function parseState(text: string): ReadonlyMap<string, TlaValue> {
  const reader = new Reader(text);
  const state = new Map<string, TlaValue>();
  do {
    reader.take('/\\');
    const name = reader.identifier();
    reader.expect('=');
    state.set(name, reader.value());
  } while (!reader.atEnd());
  return state;
}

const IDENTIFIER = /[A-Za-z0-9_]*[A-Za-z_][A-Za-z0-9_]*/y;
const INTEGER = /-?[0-9]+/y;
const SPACE = /\s*/y;

class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  value(): TlaValue {
    this.space();
    const first = this.text[this.at];
    if (first === '"') return tlaString(this.string());
    if (this.take('<<')) return tlaSequence(this.list('>>'));
    if (first === '{') {
      this.expect('{');
      return tlaSet(this.list('}'));
    }
    if (first === '[') return this.record();
    if (first === '(') return this.function();
    const integer = this.match(INTEGER);
    if (integer !== undefined && !/[A-Za-z_]/.test(this.text[this.at] ?? '')) {
      if (!this.take('..')) return tlaInteger(BigInt(integer));
      return this.interval(BigInt(integer));
    }
    if (integer !== undefined) this.at -= integer.length;
    const name = this.identifier();
    // The embedded engine prints the booleans of an initial state in lower case.
    if (/^(?:TRUE|FALSE|true|false)$/.test(name)) return tlaBoolean(name.toUpperCase() === 'TRUE');
    return tlaModelValue(name);
  }

  identifier(): string {
    this.space();
    const name = this.match(IDENTIFIER);
    if (name === undefined) throw this.error('a value or name');
    return name;
  }

  take(token: string): boolean {
    this.space();
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.take(token)) throw this.error(`"${token}"`);
  }

  atEnd(): boolean {
    this.space();
    return this.at >= this.text.length;
  }

  end(): void {
    if (!this.atEnd()) throw this.error('the end');
  }

  private list(close: string): TlaValue[] {
    const values: TlaValue[] = [];
    if (this.take(close)) return values;
    do values.push(this.value());
    while (this.take(','));
    this.expect(close);
    return values;
  }

  private record(): TlaValue {
    this.expect('[');
    const fields: [TlaValue, TlaValue][] = [];
    if (this.take(']')) return tlaFunction(fields);
    do {
      const name = this.identifier();
      this.expect('|->');
      fields.push([tlaString(name), this.value()]);
    } while (this.take(','));
    this.expect(']');
    return tlaFunction(fields);
  }

  private function(): TlaValue {
    this.expect('(');
    const pairs: [TlaValue, TlaValue][] = [];
    do {
      const key = this.value();
      if (pairs.length === 0 && this.take(')')) return key; // a value in parentheses
      this.expect(':>');
      pairs.push([key, this.value()]);
    } while (this.take('@@'));
    this.expect(')');
    return tlaFunction(pairs);
  }

  private interval(from: bigint): TlaValue {
    const to = this.match(INTEGER);
    if (to === undefined) throw this.error('the upper end of an interval');
    const members: TlaValue[] = [];
    for (let member = from; member <= BigInt(to); member++) members.push(tlaInteger(member));
    return tlaSet(members);
  }

  private string(): string {
    let result = '';
    for (this.at++; this.text[this.at] !== '"'; this.at++) {
      if (this.at >= this.text.length) throw this.error('the end of a string');
      if (this.text[this.at] !== '\\') result += this.text[this.at];
      else result += ESCAPES[this.text[++this.at] ?? ''] ?? this.text[this.at];
    }
    this.at++;
    return result;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private space(): void {
    const code = this.text.charCodeAt(this.at);
    if (code > 32) return;
    this.match(SPACE);
  }

  private error(wanted: string): TlaParseError {
    const around = this.text.slice(Math.max(0, this.at - 20), this.at + 20);
    return new TlaParseError(`TLA+ value: wanted ${wanted} at ${this.at}, near ${JSON.stringify(around)}`);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f' };
