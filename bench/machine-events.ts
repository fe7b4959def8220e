/** How many events a second the machine of Vsr takes and refuses, by the stepper that the replica uses. One core. */
import { advance, refusals } from '../machines/stepper.ts';
import { firstStart, vsrMachine } from '../machines/vsr.ts';
import type { VsrEvent } from '../machines/vsr-context.ts';

const REPLICAS = 3;
const PIPELINE_MAX = 100;
const WARM_EVENTS = 20_000;
const NO_HASH = '0'.repeat(64);

export interface MachineEvents {
  readonly takenPerSecond: number;
  readonly refusedPerSecond: number;
}

/** A backup that takes prepares one after the other; then one that is asked to take the same prepare again. */
export function measureMachineEvents(events: number): MachineEvents {
  runTaken(WARM_EVENTS);
  runRefused(WARM_EVENTS);
  return { takenPerSecond: runTaken(events), refusedPerSecond: runRefused(events) };
}

function backup(): ReturnType<typeof firstStart> {
  const durable = { view: 0, logView: 0, commit: 0, op: 0, headHash: NO_HASH };
  return firstStart(vsrMachine, { replica: 1, replicaCount: REPLICAS, pipelineMax: PIPELINE_MAX, durable });
}

function prepare(op: number): VsrEvent {
  return { type: 'ReceivePrepare', message: { from: 0, view: 0, op, parent: NO_HASH, hash: NO_HASH } };
}

function runTaken(events: number): number {
  let snapshot = backup();
  const started = performance.now();
  for (let op = 1; op <= events; op++) {
    const event = prepare(op);
    if (refusals(vsrMachine, snapshot, event).length > 0) throw new Error(`the backup refuses op ${op}`);
    [snapshot] = advance(vsrMachine, snapshot, event);
  }
  return (events * 1000) / (performance.now() - started);
}

function runRefused(events: number): number {
  const snapshot = backup();
  const event = prepare(2);
  const started = performance.now();
  for (let count = 0; count < events; count++)
    if (refusals(vsrMachine, snapshot, event).length === 0) throw new Error('the backup takes an op beyond its next');
  return (events * 1000) / (performance.now() - started);
}
