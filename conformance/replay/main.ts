/** Entry of `make replay` during development, run by tsx; `lockstep replay` calls the same runReplay. */
import { runReplay } from './run-replay.ts';

process.exitCode = await runReplay(process.argv.slice(2));
