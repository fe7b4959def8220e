/** JSON in a field of a message: evidence, results, failures. A bigint is written as text. Mirrors no spec module. */
import { malformed } from './bytes.ts';

export function jsonOf(value: unknown): Uint8Array {
  return Buffer.from(textOf(value), 'utf8');
}

/** @throws WireError WIRE_MALFORMED */
export function jsonIn(bytes: Uint8Array, field: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
  } catch {
    throw malformed(field, 'is not JSON');
  }
}

/** With a function to ask about each field JSON.stringify takes four times as long, and bigints are rare. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? String(field) : field));
  }
}
