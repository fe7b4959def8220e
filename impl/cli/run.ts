/** Entry of the replicas that `lockstep cluster` starts: the command line without the launcher. Mirrors no spec module. */
import { runCommandLine } from './main.ts';

await runCommandLine(process.argv.slice(2));
