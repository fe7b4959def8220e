/**
 * The real superblock of specs/Superblock.tla on a disk that can lose power (superblock-world.ts); a step forks all of it.
 * The machine's events go to the code; rot, misdirected writes, strangers and crashes happen to the disk, within the bounds
 * of MCSuperblock. project() names every variable. Translates, decides nothing.
 */
import { type DiskFault, SimulatedDisk } from '../../impl/ports/simulated-disk.ts';
import type { Superblock, SuperblockOptions } from '../../impl/storage/superblock.ts';
import { childOf, encodeCopy, firstState, SECTOR_BYTES } from '../../impl/storage/superblock-copy.ts';
import { SuperblockError } from '../../impl/storage/superblock-error.ts';
import { evaluate, type RuleId } from '../../machines/stepper.ts';
import {
  COPIES,
  FIRST_HALF,
  SECOND_HALF,
  type SuperblockEvent,
  type SuperblockState,
  superblockMachine,
} from '../../machines/superblock.ts';
import { superblockInvariants } from '../../machines/superblock-invariants.ts';
import type { Driver } from '../driver.ts';
import {
  type TlaValue,
  tlaBoolean,
  tlaByIndex,
  tlaInteger,
  tlaRecord,
  tlaSet,
  tlaString,
} from '../values/tla-value.ts';
import {
  boundsOf,
  brokenSector,
  crash,
  damaged,
  format,
  IDENTITY,
  type Medium,
  misdirect,
  type Places,
  rangeOf,
  STRANGER_HASH,
  type SuperblockStep,
  type SuperblockWorld,
  strangerState,
  valuesOf,
} from './superblock-world.ts';

export type { Medium, SuperblockStep, SuperblockWorld } from './superblock-world.ts';

/** What stands in the spec for a hash that no state of this history has. */
const STRANGER = 1000;
const GENESIS_PARENT = '00'.repeat(32);

/** @param disk makes the disk that a run begins with, and the path of the superblock on it */
export function superblockDriverOver(
  options: SuperblockOptions = {},
  disk: () => { disk: Medium; path: string } = () => ({ disk: new SimulatedDisk(), path: '/superblock' }),
  dispose?: (world: SuperblockWorld) => void,
): Driver<SuperblockWorld, SuperblockStep> {
  const machine = options.machine ?? superblockMachine;
  return {
    initial: (constants) => format(boundsOf(constants), options, disk()),
    alphabet,
    step,
    project,
    guards: (world, event) => evaluate(machine, world.fields.superblock.snapshot, machineEvent(world, event)),
    invariants: Object.fromEntries(
      Object.entries(superblockInvariants).map(([name, holds]) => [
        name,
        (world: SuperblockWorld) => holds(world.observed()),
      ]),
    ),
    describe,
    ...(dispose === undefined ? {} : { dispose }),
  };
}

const SYSTEM: readonly SuperblockStep[] = [
  { type: 'Open' },
  { type: 'HaltUnreadable' },
  { type: 'HaltContradicted' },
  { type: 'WriteFirstHalf' },
  { type: 'SyncFirstHalf' },
  { type: 'WriteSecondHalf' },
  { type: 'SyncSecondHalf' },
];

/** What the machine may be asked at any time, refused or not, and what the world may do here within the bounds. */
function alphabet(world: SuperblockWorld): readonly SuperblockStep[] {
  const { bounds, superblock, damage } = world.fields;
  const steps: SuperblockStep[] = [...SYSTEM];
  for (let value = 0; value <= bounds.maxValue; value++) steps.push({ type: 'Update', value });
  if (bounds.mayFail) {
    steps.push({ type: 'SyncFails' });
    for (const landed of subsetsOf(FIRST_HALF)) steps.push({ type: 'WriteFirstFails', landed });
    for (const landed of subsetsOf(SECOND_HALF)) steps.push({ type: 'WriteSecondFails', landed });
  }
  const whole = world.wholeCopies();
  const flying = [...world.inFlight().keys()];
  if (superblock.status !== 'closed')
    for (const torn of subsetsOf(flying)) {
      if (damage + torn.filter((place) => whole[place] !== undefined).length > bounds.maxDamage) continue;
      for (const landed of subsetsOf(flying.filter((place) => !torn.includes(place))))
        steps.push({ type: 'Crash', torn, landed });
    }
  if (damage >= bounds.maxDamage) return steps;
  if (bounds.mayMisdirect && superblock.status.startsWith('sync-'))
    for (const from of flying) for (const to of COPIES) if (to !== from) steps.push({ type: 'Misdirect', from, to });
  const { written } = world.fields;
  const strangers = whole.some((copy) => copy !== undefined && isStranger(copy, written));
  for (const copy of COPIES) {
    if (whole[copy] === undefined) continue;
    if (bounds.mayCorrupt) steps.push({ type: 'Corrupt', copy });
    if (bounds.mayIntrude && !strangers)
      for (let sequence = 0; sequence <= bounds.maxValue + 2; sequence++)
        steps.push({ type: 'Intrude', copy, sequence });
  }
  return steps;
}

function subsetsOf(places: Places): readonly Places[] {
  const [first, ...rest] = places;
  if (first === undefined) return [[]];
  return subsetsOf(rest).flatMap((subset) => [subset, [first, ...subset]]);
}

function step(world: SuperblockWorld, event: SuperblockStep): SuperblockWorld {
  switch (event.type) {
    case 'Misdirect':
      return misdirect(world, event.from, event.to);
    case 'Corrupt':
      return damaged(world, event.copy, brokenSector);
    case 'Intrude':
      return damaged(world, event.copy, () => encodeCopy(strangerState(event.sequence), event.copy));
    case 'Crash':
      return crash(world, event.torn, event.landed);
    default:
      return deliver(world, event);
  }
}

type SystemStep = Exclude<SuperblockStep, { readonly type: 'Misdirect' | 'Corrupt' | 'Intrude' | 'Crash' }>;

/** Asks the code; a refusal is delivered too, and must change nothing. */
function deliver(world: SuperblockWorld, event: SystemStep): SuperblockWorld {
  const { superblock, disk } = world.fields;
  const fault = faultOf(event, superblock.stale);
  if (superblock.refusals(machineEvent(world, event)).length > 0) {
    // A failure is no call: it comes out of a write or a sync, and where it is refused there is none.
    if (fault === undefined && act(superblock, event).length === 0)
      throw new Error(`${event.type} was refused when asked, and then taken`);
    return world;
  }
  const fork = disk.fork();
  const twin = superblock.fork(fork);
  const next = world.with({ disk: fork, superblock: twin });
  if (fault === undefined) {
    if (act(twin, event).length > 0) throw new Error(`${event.type} was taken when asked, and then refused`);
  } else {
    fork.inject(fault);
    afterFailure(() => act(twin, event));
  }
  return noted(next, event.type);
}

/** The code's own method for this action. A failure comes out of the method whose effect the disk refuses. */
function act(superblock: Superblock, event: SystemStep): readonly RuleId[] {
  switch (event.type) {
    case 'Open':
      return superblock.open();
    case 'HaltUnreadable':
      return superblock.haltUnreadable();
    case 'HaltContradicted':
      return superblock.haltContradicted();
    case 'Update':
      return superblock.beginUpdate(valuesOf(event.value));
    case 'WriteFirstHalf':
    case 'WriteFirstFails':
      return superblock.writeFirstHalf();
    case 'WriteSecondHalf':
    case 'WriteSecondFails':
      return superblock.writeSecondHalf();
    case 'SyncFirstHalf':
      return superblock.syncFirstHalf();
    case 'SyncSecondHalf':
      return superblock.syncSecondHalf();
    case 'SyncFails':
      return superblock.status === 'sync-first' ? superblock.syncFirstHalf() : superblock.syncSecondHalf();
  }
}

/** A write that lands from its beginning and not to its end is a short one; any other part of it lands beside an error. */
function faultOf(event: SystemStep, stale: Places): DiskFault | undefined {
  if (event.type === 'SyncFails') return { operation: 'sync', kind: 'failed' };
  if (event.type !== 'WriteFirstFails' && event.type !== 'WriteSecondFails') return undefined;
  const half = event.type === 'WriteFirstFails' ? FIRST_HALF : SECOND_HALF;
  const sent = stale.filter((place) => half.includes(place));
  const landed = event.landed.filter((place) => sent.includes(place));
  const isStart = landed.length < sent.length && landed.every((place, at) => place === sent[at]);
  if (isStart && sent.length === half.length)
    return { operation: 'write', kind: 'short', bytes: landed.length * SECTOR_BYTES };
  return { operation: 'write', kind: 'io', lands: landed.map((place) => rangeOf(place)) };
}

/** The code says that the disk has refused; whether it noticed shows in what it is then. */
function afterFailure(run: () => unknown): void {
  try {
    run();
  } catch (cause) {
    if (!(cause instanceof SuperblockError)) throw cause;
  }
}

/** What an outside observer notes: the state that is shown, the state that was to be written, four copies that agree. */
function noted(world: SuperblockWorld, type: SystemStep['type']): SuperblockWorld {
  const { superblock, acknowledged, written, damage, bounds } = world.fields;
  const { installing } = superblock;
  if (type === 'Update' && installing !== undefined)
    return world.with({ written: new Map(written).set(installing.hash, installing) });
  if (superblock.status !== 'open') return world;
  const shown = superblock.state;
  const agree = world.wholeCopies().every((copy) => copy?.hash === shown.hash);
  return world.with({
    acknowledged: shown.sequence < acknowledged.sequence ? acknowledged : shown,
    damage: damage <= bounds.damageMax && agree ? 0 : damage,
  });
}

/** The machine's event with the facts that its guards read; without them where no guard is asked. */
function machineEvent(world: SuperblockWorld, event: SuperblockStep): SuperblockEvent {
  const { superblock } = world.fields;
  const { type } = event;
  if (type === 'Open' || type === 'HaltUnreadable' || type === 'HaltContradicted') {
    return { type, copies: superblock.status === 'closed' ? world.wholeCopies() : [] };
  }
  if (type === 'Update') {
    const { installing } = superblock;
    const isOpen = superblock.status === 'open' && installing !== undefined;
    return { type, next: isOpen ? childOf(installing, valuesOf(event.value)) : FIRST };
  }
  return { type } as SuperblockEvent;
}

const FIRST = firstState(IDENTITY);

const NOTHING = copyValue(0, tlaInteger(0), tlaInteger(0), false);

function project(world: SuperblockWorld): Readonly<Record<string, TlaValue>> {
  const { superblock, acknowledged, written, damage } = world.fields;
  const stateValue = (state: SuperblockState, whole: boolean): TlaValue => valueOfState(state, whole, written);
  const { installing } = superblock;
  return {
    status: tlaString(superblock.status),
    state: installing === undefined ? NOTHING : stateValue(installing, true),
    stale: tlaSet(superblock.stale.map((place) => tlaInteger(place))),
    copies: tlaByIndex(world.copiesNow(), ({ fields, state }) => stateValue(fields, state !== undefined)),
    inFlight: tlaSet([...world.inFlight().keys()].map((place) => tlaInteger(place))),
    acknowledged: stateValue(acknowledged, true),
    written: tlaSet([...written.values()].map((state) => stateValue(state, true))),
    damage: tlaInteger(damage),
  };
}

/** By hash: what a state is called never changes. */
const wholeValues = new Map<string, TlaValue>();
const brokenValues = new Map<string, TlaValue>();
const VALUES_MAX = 10_000;

function valueOfState(state: SuperblockState, whole: boolean, written: ReadonlyMap<string, SuperblockState>): TlaValue {
  const values = whole ? wholeValues : brokenValues;
  const before = values.get(state.hash);
  if (before !== undefined) return before;
  const parent = parentIn(state, written);
  const value = copyValue(state.sequence, valueIn(state), parent, whole);
  if (values.size < VALUES_MAX && parent.kind === 'integer') values.set(state.hash, value);
  return value;
}

function copyValue(sequence: number, value: TlaValue, parent: TlaValue, whole: boolean): TlaValue {
  return tlaRecord({ sequence: tlaInteger(sequence), value, parent, whole: tlaBoolean(whole) });
}

/** One value stands for view, logView and commit; three that differ stand for none. */
function valueIn({ view, logView, commit }: SuperblockState): TlaValue {
  return view === logView && view === commit ? tlaInteger(view) : tlaString(`view ${view}, ${logView}, ${commit}`);
}

/** In the spec a state's value is its hash. Only the first of all has no parent. */
function parentIn({ parent, sequence }: SuperblockState, written: ReadonlyMap<string, SuperblockState>): TlaValue {
  if (parent === GENESIS_PARENT && sequence === 0) return tlaInteger(0);
  if (parent === STRANGER_HASH) return tlaInteger(STRANGER);
  const state = written.get(parent) ?? strangerBefore(sequence, parent);
  if (state !== undefined && isStranger(state, written)) return tlaInteger(STRANGER);
  return state === undefined ? tlaString(`unknown hash ${parent}`) : valueIn(state);
}

/** Whether a state is of another history, or comes from one: beyond the budget a stranger may be opened, and updated. */
function isStranger(state: SuperblockState, written: ReadonlyMap<string, SuperblockState>): boolean {
  return parentIn(state, written).text === String(STRANGER);
}

function strangerBefore(sequence: number, hash: string): SuperblockState | undefined {
  if (sequence === 0) return undefined;
  const state = strangerState(sequence - 1);
  return state.hash === hash ? state : undefined;
}

function describe(event: SuperblockStep): string {
  const { type, ...parameters } = event;
  const texts = Object.entries(parameters).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return texts.length === 0 ? type : `${type}(${texts.join(', ')})`;
}

export const superblockDriver = superblockDriverOver();
