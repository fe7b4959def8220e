/**
 * What a run reached of the machines: (state node, event, outcome), where the outcome is `taken`, the first guard of the spec's
 * order that refused, or `status` when the node has no such event. Noted by twins of the machines that mark a byte each time
 * their table is asked, so production code knows nothing of it. Mirrors no spec module.
 */
import type { AnyStateMachine } from 'xstate';
import { appendLogMachine } from '../../machines/append-log.ts';
import { type SuperblockEvent, superblockMachine } from '../../machines/superblock.ts';
import { type Row, type Table, tableOf } from '../../machines/table.ts';
import { vsrMachine } from '../../machines/vsr.ts';
import type { BrokenParts } from './broken-parts.ts';
import type { ClusterShapes } from './cluster-shapes.ts';
import { whyNever } from './coverage-never.ts';

const MACHINES: readonly AnyStateMachine[] = [vsrMachine, appendLogMachine, superblockMachine];

/** `Vsr normal ReceivePrepare NextInSequence=0`, `Vsr normal ReceivePrepare taken`, `Vsr normal StartView status=0`. */
function keyOf(component: string, state: string, event: string, outcome: string): string {
  return `${component} ${state} ${event} ${outcome === 'taken' ? outcome : `${outcome}=0`}`;
}

function requiredTable(machine: AnyStateMachine): Table {
  const table = tableOf(machine);
  if (table === undefined) throw new Error(`${machine.id} has no table: nothing of it can be covered`);
  return table;
}

function keysOf(machine: AnyStateMachine): readonly string[] {
  const { states, rows } = requiredTable(machine);
  return states.flatMap((state, number) =>
    machine.events.flatMap((event: string) => {
      const row = rows[number]?.get(event);
      const outcomes = row === undefined ? ['status'] : [...row.conjuncts, 'taken'];
      return outcomes.map((outcome) => keyOf(machine.id, state, event, outcome));
    }),
  );
}

/** All there are, in the order of the tables. */
export const COVERAGE_KEYS: readonly string[] = MACHINES.flatMap(keysOf);
const INDEX_OF: ReadonlyMap<string, number> = new Map(COVERAGE_KEYS.map((key, index) => [key, index]));

/** Twins are made once a process and mark here: a run is one thread that ends before the next one begins. */
const marks = new Uint8Array(COVERAGE_KEYS.length);
const twins = new WeakMap<AnyStateMachine, AnyStateMachine>();

/** Events of Vsr that come with every op: what the cluster looks like then says little. */
const EVERYDAY =
  /^Vsr normal (?:ClientRequest|ReceivePrepare|ReceivePrepareOk|BackupFsync|PrimaryFsync|SendCommit|ReceiveCommit) /;
let noteShape: ((event: number) => void) | undefined;
let noteStorage: ((event: number, copies: number) => void) | undefined;
/** Of the superblock that is being opened: what its places hold, as copyShape() has it. */
let copiesAsked = 0;

/** Of one run, from here until the next one is made. */
export class RunCoverage {
  readonly #shapes: ClusterShapes | undefined;

  /** @param shapes takes what the cluster looks like at each event that is no everyday one */
  constructor(shapes?: ClusterShapes) {
    marks.fill(0);
    this.#shapes = shapes;
    noteShape = shapes === undefined ? undefined : (event) => shapes.note(event);
    noteStorage = shapes === undefined ? undefined : (event, copies) => shapes.noteStorage(event, copies);
  }

  /** The same parts over machines that note what they are asked. */
  noting(parts: BrokenParts): BrokenParts {
    const shapes = this.#shapes;
    return {
      ...parts,
      opened: (core, node) => {
        shapes?.opened(node.replica, core);
        parts.opened?.(core, node);
      },
      replica: { ...parts.replica, machine: twinOf(parts.replica?.machine ?? vsrMachine) },
      log: { ...parts.log, machine: twinOf(parts.log?.machine ?? appendLogMachine) },
      superblock: { ...parts.superblock, machine: twinOf(parts.superblock?.machine ?? superblockMachine) },
    };
  }

  keys(): ReadonlySet<string> {
    const seen = new Set<string>();
    for (let index = 0; index < COVERAGE_KEYS.length; index++)
      if (marks[index] === 1) seen.add(COVERAGE_KEYS[index] as string);
    return seen;
  }
}

function twinOf<Machine extends AnyStateMachine>(machine: Machine): Machine {
  let twin = twins.get(machine) as Machine | undefined;
  if (twin === undefined) {
    twin = machine.provide({}) as Machine;
    noteIn(twin, requiredTable(twin));
    twins.set(machine, twin);
  }
  return twin;
}

function noteIn({ id, events }: AnyStateMachine, table: Table): void {
  const byState = table.rows as ReadonlyMap<string, Row>[];
  for (const [number, state] of table.states.entries()) {
    const indexOf = (event: string, outcome: string): number =>
      INDEX_OF.get(keyOf(id, state, event, outcome)) as number;
    const refused = new Map(events.map((event: string) => [event, INDEX_OF.get(keyOf(id, state, event, 'status'))]));
    const noting = [...(byState[number] ?? [])].map(
      ([event, row]) => [event, notingRow(row, (outcome) => indexOf(event, outcome))] as const,
    );
    byState[number] = new NotingRows(noting, refused);
  }
}

function notingRow(row: Row, indexOf: (outcome: string) => number): Row {
  const takenAt = indexOf('taken');
  const key = COVERAGE_KEYS[takenAt] as string;
  const isStorage = !key.startsWith('Vsr ');
  const isNoted = !isStorage && !EVERYDAY.test(key);
  const { target, guards, conjuncts } = row;
  const indices = conjuncts.map(indexOf);
  // Whoever asks stops at the first guard that says no: with the first of a row all are asked.
  const noting = guards.map((guard, at): Row['guards'][number] => {
    if (at > 0) return guard;
    return (args, params) => {
      if (isStorage) copiesAsked = copyShape(args.event);
      for (let other = 0; other < guards.length; other++)
        if (guards[other]?.(args, params) === false) marks[indices[other] as number] = 1;
      return guard(args, params);
    };
  });
  return {
    ...row,
    guards: noting,
    /** Read by take() alone, once. */
    get target() {
      marks[takenAt] = 1;
      if (isNoted) noteShape?.(takenAt);
      if (isStorage) noteStorage?.(takenAt, copiesAsked);
      return target;
    },
  };
}

/** Of each place a digit: nothing whole, a state that is older than another's, the newest. 0 of what opens no superblock. */
function copyShape(event: SuperblockEvent | { readonly type: string }): number {
  if (!('copies' in event)) return 0;
  const newest = Math.max(...event.copies.map((copy) => copy?.sequence ?? -1));
  return event.copies.reduce((shape, copy) => shape * 3 + (copy === undefined ? 0 : copy.sequence < newest ? 1 : 2), 1);
}

class NotingRows extends Map<string, Row> {
  readonly #refused: ReadonlyMap<string, number | undefined>;

  constructor(rows: readonly (readonly [string, Row])[], refused: ReadonlyMap<string, number | undefined>) {
    super();
    this.#refused = refused;
    for (const [event, row] of rows) this.set(event, row);
  }

  override get(event: string): Row | undefined {
    const row = super.get(event);
    if (row !== undefined) return row;
    const index = this.#refused.get(event);
    if (index !== undefined) marks[index] = 1;
    return undefined;
  }
}

export interface CoverageRow {
  readonly component: string;
  readonly seen: number;
  /** Of those that can happen in a simulated run. */
  readonly possible: number;
  /** Possible and not seen. */
  readonly missing: readonly string[];
  /** Seen, though coverage-never.ts says that it cannot be: the list is wrong, or the code. */
  readonly surprising: readonly string[];
}

export function coverageRows(seen: ReadonlySet<string>): readonly CoverageRow[] {
  return MACHINES.map(({ id }) => {
    const keys = COVERAGE_KEYS.filter((key) => key.startsWith(`${id} `));
    const possible = keys.filter((key) => whyNever(key) === undefined);
    return {
      component: id,
      seen: possible.filter((key) => seen.has(key)).length,
      possible: possible.length,
      missing: possible.filter((key) => !seen.has(key)),
      surprising: keys.filter((key) => whyNever(key) !== undefined && seen.has(key)),
    };
  });
}

/** Missing keys that are listed, a component. */
const LISTED_MAX = 12;

/** Seen of possible, a component a line, and what never happened. */
export function coverageText(seen: ReadonlySet<string>): string {
  const lines = coverageRows(seen).flatMap(({ component, seen: count, possible, missing, surprising }) => [
    `${component.padEnd(10)} ${String(count).padStart(4)} of ${String(possible).padStart(4)}  (state, event, outcome)`,
    ...missing.slice(0, LISTED_MAX).map((key) => `             never: ${key.slice(component.length + 1)}`),
    ...(missing.length > LISTED_MAX ? [`             and ${missing.length - LISTED_MAX} more`] : []),
    ...surprising.map((key) => `             seen, and said to be impossible: ${key}`),
  ]);
  return `${lines.join('\n')}\n`;
}
