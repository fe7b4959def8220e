/** How many simulated clusters run a second on all cores, by the command that a person types: 3 replicas, every fault, all oracles. */
import { join } from 'node:path';
import type { SimReport } from '../conformance/sim/runner/sim-report.ts';
import { outputOf } from './child.ts';

export interface SimulationRates {
  readonly runs: number;
  readonly workers: number;
  readonly runsPerSecond: number;
  readonly stepsPerSecond: number;
  readonly machineEventsPerSecond: number;
  /** Of one run. */
  readonly operations: number;
}

/** @param runs from seed 1 on, the same ones each time */
export async function measureSimulation(root: string, runs: number): Promise<SimulationRates> {
  const words = ['sim', '--runs', String(runs), '--replicas', '3', '--no-resume', '--no-coverage', '--json'];
  const { measured, result } = JSON.parse(await outputOf(join(root, 'bin', 'lockstep'), words)) as SimReport;
  const { applied, refused, unknown } = result.tally;
  return {
    runs: measured.runs,
    workers: measured.workers,
    runsPerSecond: measured.runs / measured.workingSeconds,
    stepsPerSecond: measured.steps / measured.workingSeconds,
    machineEventsPerSecond: measured.machineEvents / measured.workingSeconds,
    operations: (applied + refused + unknown) / measured.runs,
  };
}
