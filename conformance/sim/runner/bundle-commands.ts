/** `lockstep sim --bundle F`: runs a kept failure again and says what came of it. Mirrors no spec module. */
import { readBundle } from '../bundle-file.ts';
import { replayBundle } from '../replay-bundle.ts';
import { failureText } from './failure-text.ts';
import { EXIT_CLEAN, EXIT_FAILED, type Surroundings } from './many-runs.ts';
import { guardedRun } from './simulated-world.ts';

export function replay(file: string, json: boolean, { origin, print, progress }: Surroundings): number {
  const bundle = readBundle(file);
  const { verdict, result, sentence, doubt } = replayBundle(guardedRun, bundle, origin());
  const { coverage: _, ...told } = result;
  if (json) print(`${JSON.stringify({ verdict, sentence, doubt: doubt?.error.code, result: told })}\n`);
  else {
    print(`${sentence}\n`);
    const { seed, failure } = result;
    if (failure !== undefined) print(`${failureText({ seed, ...failure }, {}, { seed, file })}\n`);
  }
  if (doubt !== undefined) progress.write(`sim: ${doubt.error.message} (${doubt.error.code})\n`);
  return verdict === 'no-failure' ? EXIT_CLEAN : EXIT_FAILED;
}
