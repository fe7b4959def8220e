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
type Params = ((args: Args) => unknown) | unknown;
type Assignment = ((args: Args, params: unknown) => object) | Readonly<Record<string, unknown>>;

/** An effect that the machine asked for: its name and the params that the table computed. */
export interface Effect {
  readonly type: string;
  readonly params: unknown;
}

interface Step {
  readonly type: string;
  readonly params: Params;
  /** Absent for an effect. */
  readonly assignment?: Assignment | undefined;
}

/** One transition: what must hold, what is done, where it ends. */
export interface Row {
  /** In the order of the spec. */
  readonly conjuncts: readonly string[];
  readonly rules: readonly string[];
  readonly guards: readonly Guard[];
  readonly target: string;
  readonly steps: readonly Step[];
}

export interface Table {
  /** By state node, then by event. */
  readonly rows: ReadonlyMap<string, ReadonlyMap<string, Row>>;
  /** A snapshot of each state node, whose context is replaced. */
  readonly templates: ReadonlyMap<string, AnyMachineSnapshot>;
  /** State node that a run begins in. */
  readonly initial: string;
  readonly copyOf: CopyContext;
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
export function begin({ templates, initial }: Table, machine: AnyStateMachine, input: unknown): AnyMachineSnapshot {
  const given = machine.config.context as ((args: { input: unknown }) => object) | object | undefined;
  const context = typeof given === 'function' ? given({ input }) : { ...given };
  return withContext(templates.get(initial) as AnyMachineSnapshot, context);
}

/** Takes a row whose guards hold. */
export function take(
  table: Table,
  { target, steps }: Row,
  snapshot: AnyMachineSnapshot,
  event: { readonly type: string },
): readonly [AnyMachineSnapshot, readonly Effect[]] {
  const effects: Effect[] = [];
  let context = snapshot.context as object;
  let own = false; // whether nobody else holds this context
  for (const { type, params, assignment } of steps) {
    const args = { context, event };
    const given = typeof params === 'function' ? (params as (args: Args) => unknown)(args) : params;
    if (typeof params === 'function') own = false;
    if (assignment === undefined) {
      effects.push({ type, params: given });
      continue;
    }
    const change = typeof assignment === 'function' ? assignment(args, given) : fields(assignment, args, given);
    context = Object.assign(own ? context : table.copyOf(context), change);
    own = true;
  }
  return [withContext(table.templates.get(target) as AnyMachineSnapshot, context), effects];
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

function fields(assignment: Readonly<Record<string, unknown>>, args: Args, params: unknown): object {
  const change: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(assignment))
    change[key] =
      typeof value === 'function' ? (value as (args: Args, params: unknown) => unknown)(args, params) : value;
  return change;
}

function readTable(machine: AnyStateMachine): Table | undefined {
  const nodes = Object.values(machine.states) as readonly AnyStateNode[];
  const { root } = machine;
  if (root.transitions.size > 0 || root.type !== 'compound' || !nodes.every(isPlain)) return undefined;
  const initial = root.initial?.target?.[0]?.key;
  if (initial === undefined || root.initial.actions.length + root.entry.length > 0) return undefined;
  const rows = new Map<string, ReadonlyMap<string, Row>>();
  const templates = new Map<string, AnyMachineSnapshot>();
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
        target: only.target?.[0]?.key ?? node.key,
        steps: steps as readonly Step[],
      });
    }
    rows.set(node.key, row);
    templates.set(node.key, machine.resolveState({ value: node.key, context: {} }) as AnyMachineSnapshot);
  }
  const copyOf = copies.get(machine.config) ?? ((context) => ({ ...context }));
  return { rows, templates, initial, copyOf };
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
  const params = typeof action === 'string' ? undefined : (action as { readonly params?: Params }).params;
  const named = (machine.implementations.actions as Record<string, unknown>)[type];
  const built = named as { readonly resolve?: unknown; readonly type?: string; readonly assignment?: Assignment };
  if (named === undefined || built.resolve === undefined) return { type, params };
  return built.type === 'xstate.assign' && built.assignment !== undefined
    ? { type, params, assignment: built.assignment }
    : undefined;
}
