/**
 * A machine in the form that every component here has, read once into rows: flat states, at most one transition per state
 * and event, guards and actions by name, context changed by assign alone. A row is taken as XState takes it, and far
 * faster (bench/machine-events.ts); test/property/machines/table.test.ts holds the two equal. A machine of any other
 * form has no table, and XState itself takes its events (stepper.ts).
 */
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from 'xstate';

interface Args {
  readonly context: unknown;
  readonly event: { readonly type: string };
}
type Guard = (args: Args, params: undefined) => boolean;
type Assignment = (args: Args, params: unknown) => object;

/** An effect that the machine asked for: its name and the params that the table computed. */
export interface Effect {
  readonly type: string;
  readonly params: unknown;
}

interface Step {
  readonly type: string;
  /** What the table gives it; paramsOf computes it when it depends on context or event. */
  readonly params: unknown;
  readonly paramsOf: ((args: Args) => unknown) | undefined;
  /** Undefined for an effect. */
  readonly assignment: Assignment | undefined;
}

/** One transition: what must hold, what is done, where it ends. */
export interface Row {
  /** In the order of the spec. */
  readonly conjuncts: readonly string[];
  readonly rules: readonly string[];
  readonly guards: readonly Guard[];
  /** A snapshot of the state node in which it ends, whose context is replaced. */
  readonly target: AnyMachineSnapshot;
  readonly steps: readonly Step[];
}

export interface Table {
  /** Names of the state nodes, numbered by their places. */
  readonly states: readonly string[];
  /** By number of the state node, then by event. */
  readonly rows: readonly ReadonlyMap<string, Row>[];
  /** As the target of a row: where a run begins. */
  readonly initial: AnyMachineSnapshot;
  readonly copyOf: CopyContext;
}

/** The transition for this event in this state node: a handful of names to compare, and one search. */
export function rowOf({ states, rows }: Table, state: unknown, event: string): Row | undefined {
  for (let number = 0; number < states.length; number++) if (states[number] === state) return rows[number]?.get(event);
  return undefined;
}

/** The transition that this event would take: the row of its state node whose guards hold. */
export function enabledRow(
  table: Table,
  snapshot: AnyMachineSnapshot,
  event: { readonly type: string },
): Row | undefined {
  const row = rowOf(table, snapshot.value, event.type);
  if (row === undefined) return undefined;
  const args = { context: snapshot.context, event };
  for (const guard of row.guards) if (!guard(args, undefined)) return undefined;
  return row;
}

type CopyContext = (context: object) => object;
/** By configuration, which a machine shares with all that are made of it. */
const copies = new WeakMap<object, CopyContext>();

/**
 * How a context of this machine is copied, field by field: V8 takes ten times as long for a spread that has met the contexts
 * of several machines. test/property/machines/table.test.ts holds it to XState's own copy.
 */
export function copiesContextBy<Context extends object>(
  machine: AnyStateMachine,
  copyOf: (context: Context) => Context,
): void {
  copies.set(machine.config, copyOf as unknown as CopyContext);
}

const tables = new WeakMap<AnyStateMachine, Table | 'other'>();

/** Undefined for a machine of another form. */
export function tableOf(machine: AnyStateMachine): Table | undefined {
  let table = tables.get(machine);
  if (table === undefined) {
    table = readTable(machine) ?? 'other';
    tables.set(machine, table);
  }
  return table === 'other' ? undefined : table;
}

/** Names of the guard conjuncts of a transition, which must be a name or and([names]). */
export function conjunctNames(
  machine: AnyStateMachine,
  state: string,
  event: string,
  guard: unknown,
): readonly string[] {
  if (guard === undefined) return [];
  if (typeof guard === 'string') return [guard];
  const named = guard as { readonly guards?: readonly string[]; readonly type?: string };
  if (named.guards !== undefined) return named.guards;
  if (named.type !== undefined) return [named.type];
  throw new Error(`${machine.id}: the guard of ${state}.${event} must be a name or and([names])`);
}

/** The snapshot that a run begins with. */
export function begin({ initial }: Table, machine: AnyStateMachine, input: unknown): AnyMachineSnapshot {
  const given = machine.config.context as ((args: { input: unknown }) => object) | object | undefined;
  const context = typeof given === 'function' ? given({ input }) : { ...given };
  return withContext(initial, context);
}

/** Takes a row whose guards hold. */
export function take(
  { copyOf }: Table,
  { target, steps }: Row,
  snapshot: AnyMachineSnapshot,
  event: { readonly type: string },
): readonly [AnyMachineSnapshot, readonly Effect[]] {
  const effects: Effect[] = [];
  let context = snapshot.context as object;
  let args: Args = { context, event };
  let own = false; // whether nobody else holds this context
  for (const { type, params, paramsOf, assignment } of steps) {
    const given = paramsOf === undefined ? params : paramsOf(args);
    if (paramsOf !== undefined) own = false;
    if (assignment === undefined) {
      effects.push({ type, params: given });
      continue;
    }
    const change = assignment(args, given);
    if (!own) {
      context = copyOf(context);
      args = { context, event };
      own = true;
    }
    Object.assign(context, change);
  }
  return [withContext(target, context), effects];
}

/** Field by field, not by a spread: that takes V8 five times as long for objects of so many shapes. */
function withContext(template: AnyMachineSnapshot, context: object): AnyMachineSnapshot {
  const { status, output, error, machine, _nodes, value, tags, children, historyValue } = template;
  const { matches, hasTag, can, getMeta, toJSON } = template;
  // biome-ignore format: one line a group
  const snapshot = {
    status, output, error, machine, context, _nodes, value, tags, children, historyValue,
    matches, hasTag, can, getMeta, toJSON,
  };
  return snapshot as AnyMachineSnapshot;
}

function readTable(machine: AnyStateMachine): Table | undefined {
  const nodes = Object.values(machine.states) as readonly AnyStateNode[];
  const { root } = machine;
  if (root.transitions.size > 0 || root.type !== 'compound' || !nodes.every(isPlain)) return undefined;
  const initial = root.initial?.target?.[0]?.key;
  if (initial === undefined || root.initial.actions.length + root.entry.length > 0) return undefined;
  const states = nodes.map(({ key }) => key);
  const templates = new Map(states.map((value) => [value, templateOf(machine, value)] as const));
  const rows: ReadonlyMap<string, Row>[] = [];
  for (const node of nodes) {
    const row = new Map<string, Row>();
    for (const [event, transitions] of node.transitions) {
      const [only] = transitions;
      if (only === undefined || transitions.length > 1 || event.includes('*')) return undefined;
      const steps = only.actions.map((action) => stepOf(machine, action));
      if (steps.includes(undefined) || (only.target?.length ?? 0) > 1) return undefined;
      if (only.target === undefined && steps.length === 0) return undefined;
      const conjuncts = conjunctNames(machine, node.key, event, only.guard);
      row.set(event, {
        conjuncts,
        rules: conjuncts.map((name) => `${machine.id}.${event}.${name}`),
        guards: conjuncts.map((name) => guardOf(machine, name)),
        target: templates.get(only.target?.[0]?.key ?? node.key) as AnyMachineSnapshot,
        steps: steps as readonly Step[],
      });
    }
    rows.push(row);
  }
  const copyOf = copies.get(machine.config) ?? ((context) => ({ ...context }));
  return { states, rows, initial: templates.get(initial) as AnyMachineSnapshot, copyOf };
}

function templateOf(machine: AnyStateMachine, value: string): AnyMachineSnapshot {
  return machine.resolveState({ value, context: {} }) as AnyMachineSnapshot;
}

function isPlain(node: AnyStateNode): boolean {
  const { always = [], entry, exit, invoke, type } = node;
  return type === 'atomic' && always.length + entry.length + exit.length + invoke.length === 0;
}

function guardOf(machine: AnyStateMachine, name: string): Guard {
  const guard = (machine.implementations.guards as Record<string, Guard | undefined>)[name];
  if (guard === undefined) throw new Error(`${machine.id}: guard ${name} has no implementation`);
  return guard;
}

/** Undefined for an action that is neither a named assign nor a named effect. */
function stepOf(machine: AnyStateMachine, action: unknown): Step | undefined {
  const type = typeof action === 'string' ? action : (action as { readonly type?: unknown }).type;
  if (typeof type !== 'string' || typeof action === 'function') return undefined;
  const params = typeof action === 'string' ? undefined : (action as { readonly params?: unknown }).params;
  const paramsOf = typeof params === 'function' ? (params as (args: Args) => unknown) : undefined;
  const named = (machine.implementations.actions as Record<string, unknown>)[type];
  const built = named as { readonly resolve?: unknown; readonly type?: string; readonly assignment?: unknown };
  if (named === undefined || built.resolve === undefined) return { type, params, paramsOf, assignment: undefined };
  if (built.type !== 'xstate.assign' || built.assignment === undefined) return undefined;
  return { type, params, paramsOf, assignment: assignmentOf(built.assignment) };
}

/** An assignment is a function, or one field by field. */
function assignmentOf(built: unknown): Assignment {
  if (typeof built === 'function') return built as Assignment;
  const fields = Object.entries(built as Readonly<Record<string, unknown>>);
  return (args, params) => {
    const change: Record<string, unknown> = {};
    for (const [key, value] of fields) change[key] = typeof value === 'function' ? value(args, params) : value;
    return change;
  };
}
