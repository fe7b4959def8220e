/** Entry of `make check` during development, run by tsx; `lockstep check` calls the same runCheck. */
import { runCheck } from './run-check.ts';

process.exitCode = await runCheck(process.argv.slice(2));
