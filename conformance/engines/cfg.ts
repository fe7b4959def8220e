/**
 * Reads a TLC configuration file: constants as values, names of invariants and properties, and what spoils a proof.
 * The one place from which the engine knows a model's constants; TypeScript never restates them.
 */
import { parseTla } from '../values/parse-tla.ts';
import { type TlaValue, tlaModelValue } from '../values/tla-value.ts';

export interface Cfg {
  /** The comment on the first line without `\*`; empty when missing. */
  readonly about: string;
  readonly constants: Readonly<Record<string, TlaValue>>;
  /** `Name <- Definition`. */
  readonly substitutions: Readonly<Record<string, string>>;
  readonly specification: string | undefined;
  readonly invariants: readonly string[];
  readonly properties: readonly string[];
  readonly constraints: readonly string[];
  readonly symmetry: readonly string[];
  readonly checksDeadlock: boolean;
}

const KEYWORD =
  /^(CONSTANTS?|CONSTRAINTS?|ACTION_CONSTRAINTS?|INVARIANTS?|PROPERTY|PROPERTIES|SPECIFICATION|INIT|NEXT|SYMMETRY|VIEW|CHECK_DEADLOCK|ALIAS|POSTCONDITION)\b/;

export function parseCfg(text: string): Cfg {
  const first = text.split('\n', 1)[0] ?? '';
  const body = text.replace(/\\\*.*$/gm, '').replace(/\(\*[\s\S]*?\*\)/g, '');
  const sections = new Map<string, string[]>();
  let section: string[] = [];
  for (const word of body.split(/\s*\n\s*|\s+(?=[A-Z_]+\b)/)) {
    const keyword = KEYWORD.exec(word)?.[1];
    if (keyword !== undefined) {
      const name = keyword.replace(/^PROPERTIES$/, 'PROPERTY').replace(/(CONSTANT|CONSTRAINT|INVARIANT)S$/, '$1');
      section = sections.get(name) ?? [];
      sections.set(name, section);
    }
    const rest = keyword === undefined ? word : word.slice(keyword.length);
    if (rest.trim() !== '') section.push(rest.trim());
  }
  const names = (key: string): string[] =>
    (sections.get(key) ?? [])
      .join(' ')
      .split(/[\s,]+/)
      .filter(Boolean);
  const assignments = splitAssignments((sections.get('CONSTANT') ?? []).join('\n'));
  return {
    about: first.trimStart().startsWith('\\*') ? first.replace(/^\s*\\\*\s*/, '').trim() : '',
    constants: Object.fromEntries(assignments.values),
    substitutions: Object.fromEntries(assignments.substitutions),
    specification: names('SPECIFICATION')[0],
    invariants: names('INVARIANT'),
    properties: names('PROPERTY'),
    constraints: [...names('CONSTRAINT'), ...names('ACTION_CONSTRAINT')],
    symmetry: names('SYMMETRY'),
    checksDeadlock: names('CHECK_DEADLOCK')[0] !== 'FALSE',
  };
}

function splitAssignments(text: string): { values: [string, TlaValue][]; substitutions: [string, string][] } {
  const values: [string, TlaValue][] = [];
  const substitutions: [string, string][] = [];
  for (const part of text.split(/(?:^|\s)(?=[A-Za-z_]\w*\s*(?:=|<-))/)) {
    const match = /^([A-Za-z_]\w*)\s*(=|<-)\s*([\s\S]*)$/.exec(part.trim());
    if (match === null) continue;
    const [, name = '', operator, right = ''] = match;
    if (operator === '<-') substitutions.push([name, right.trim()]);
    else values.push([name, right.trim() === name ? tlaModelValue(name) : parseTla(right)]);
  }
  return { values, substitutions };
}
