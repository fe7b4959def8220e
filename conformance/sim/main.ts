/** Entry of `make sim` and `lockstep sim`. Mirrors no spec module. */
import { runSim } from './runner/run-sim.ts';

process.exitCode = await runSim(process.argv.slice(2));
