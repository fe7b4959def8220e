/** Query parameters as the fields of an event: `message.view=1` is { message: { view: 1 } }. Mirrors no spec module. Pure. */
import { DxError } from './dx-error.ts';

/** Fields of one dry run; no event has more. */
const FIELDS_MAX = 32;
const FIELD_PARTS_MAX = 4;
const PART = /^[A-Za-z][A-Za-z0-9]*$/;

type Fields = { [name: string]: unknown };

export function eventFields(query: Readonly<Record<string, string>>): Readonly<Fields> {
  const entries = Object.entries(query);
  if (entries.length > FIELDS_MAX) invalid(`at most ${FIELDS_MAX} fields`, String(entries.length));
  const fields: Fields = {};
  for (const [path, text] of entries) {
    const parts = path.split('.');
    if (parts.length > FIELD_PARTS_MAX || !parts.every((part) => PART.test(part)))
      invalid('a field is a name, or names with dots between', path);
    let at = fields;
    for (const part of parts.slice(0, -1)) {
      const inner = Object.hasOwn(at, part) ? at[part] : undefined;
      if (inner !== undefined && (typeof inner !== 'object' || inner === null)) invalid('a field is given twice', path);
      const next = (inner ?? {}) as Fields;
      at[part] = next;
      at = next;
    }
    at[parts.at(-1) as string] = scalarOf(text);
  }
  return fields;
}

/** Whole numbers and booleans as such, everything else as text. */
function scalarOf(text: string): unknown {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text;
}

function invalid(what: string, found: string): never {
  throw new DxError('REQUEST_INVALID', `the fields of the event: ${what}: ${found}`, { found });
}
