/**
 * `lockstep sim trace`: the steps of a failing run as an ITF trace, what TLC says of them by specs/Vsr.tla, and what the whole
 * code does with the same trace. Mirrors no spec module.
 */
import { basename, join } from 'node:path';
import { findTlc } from '../../engines/find-tlc.ts';
import { readBundle } from '../bundle-file.ts';
import { saveSimTrace } from '../judge/itf-trace.ts';
import { verdictText } from '../judge/judge.ts';
import { judgedRun, replayedText } from '../judge/judged-run.ts';
import { EXIT_CLEAN, type Surroundings } from './many-runs.ts';
import type { TraceTask } from './sim-arguments.ts';
import { guardedRun } from './simulated-world.ts';

const BUNDLE_ENDING = '.bundle.zst';

export async function trace({ file, out, json }: TraceTask, { root, build, print }: Surroundings): Promise<number> {
  const { scenario } = readBundle(file);
  const found = findTlc(undefined);
  const judged = await judgedRun('found' in found ? found.found : undefined, root, guardedRun, scenario);
  const path = out ?? join(build, 'sim', 'traces', `${basename(file, BUNDLE_ENDING)}.itf.json`);
  saveSimTrace(path, judged.trace);
  const { verdict, replayed } = judged;
  const { steps, cut } = judged.trace;
  const said =
    verdict === undefined ? `did not run: ${'missing' in found ? found.missing : 'no verdict'}` : verdictText(verdict);
  if (json) {
    print(`${JSON.stringify({ trace: path, steps, cut, verdict, said, replayed: replayedText(replayed) })}\n`);
    return EXIT_CLEAN;
  }
  print(`TLC: ${said}\n`);
  print(`code: ${replayedText(replayed)}\n`);
  print(`trace of ${steps} steps${cut === undefined ? '' : ` (${cut})`}: ${path}\n`);
  print(`step it on the real code: lockstep replay ${path}\n`);
  return EXIT_CLEAN;
}
