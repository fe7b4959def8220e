/** What may be wrong with what the simulator is asked for, and with the simulator itself. Mirrors no spec module. */
import { LockstepError } from '../../impl/ports/lockstep-error.ts';

export type SimErrorCode =
  | 'SIM_USAGE' // an option, argument or combination that `lockstep sim` does not take
  | 'SIM_UNKNOWN_SCENARIO'
  | 'SIM_UNKNOWN_FAULT'
  | 'SIM_UNKNOWN_CANARY'
  | 'SIM_UNKNOWN_WORKLOAD'
  | 'SIM_SEED_OUT_OF_RANGE' // a seed, or the last one of the runs
  | 'SIM_NO_RUNS' // none, or no whole number of them
  | 'SIM_WORKER_BROKEN' // no worker process starts
  | 'SIM_PAGE_NOT_WRITTEN'
  | 'SIM_REAL_WORLD'; // a run touched time, chance, timers or I/O of the machine: a fault of Lockstep

export class SimError extends LockstepError<SimErrorCode> {}
