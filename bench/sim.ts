/** How many simulated clusters run a second on all cores, by the command that a person types: 3 replicas, every fault, all oracles. */
import { join } from 'node:path';
import type { SimReport } from '../conformance/sim/runner/sim-report.ts';
import { outputOf } from './child.ts';

export interface SimulationRates {
  readonly runs: number;
  readonly workers: number;
  readonly runsPerSecond: number;
  /** Of the second half of the runs, when V8 has compiled. */
  readonly warmRunsPerSecond: number;
  readonly stepsPerSecond: number;
  readonly machineEventsPerSecond: number;
  readonly operationsPerSecond: number;
  /** Of the runs: those with 2,000 steps or 200 operations of clients. */
  readonly wholeRuns: number;
  /** Of one run. */
  readonly steps: number;
  readonly operations: number;
}

/** @param runs from seed 1 on, the same ones each time */
export async function measureSimulation(root: string, runs: number): Promise<SimulationRates> {
  const words = ['sim', '--runs', String(runs), '--scenario', 'rate', '--no-resume', '--no-coverage', '--json'];
  const { measured, result } = JSON.parse(await outputOf(join(root, 'bin', 'lockstep'), words)) as SimReport;
  const { applied, refused, unknown } = result.tally;
  const { secondHalf } = measured;
  if (secondHalf === undefined)
    throw new Error(`${runs} simulated runs are too few to tell the rate of their second half`);
  return {
    runs: measured.runs,
    workers: measured.workers,
    runsPerSecond: measured.runs / measured.workingSeconds,
    warmRunsPerSecond: secondHalf.runs / secondHalf.seconds,
    stepsPerSecond: measured.steps / measured.workingSeconds,
    machineEventsPerSecond: measured.machineEvents / measured.workingSeconds,
    operationsPerSecond: measured.operations / measured.workingSeconds,
    wholeRuns: result.tally.wholeRuns,
    steps: measured.steps / measured.runs,
    operations: (applied + refused + unknown) / measured.runs,
  };
}
