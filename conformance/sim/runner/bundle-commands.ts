/**
 * What `lockstep sim` does with the bundle of a failure: run it again, make it smaller, show it. In this process, one run
 * after the other; Ctrl-C ends it at once, since nothing is lost but time. Mirrors no spec module.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { vsrExplanation } from '../../drivers/vsr-explained.ts';
import { bisectBundle } from '../bisect.ts';
import { type Bundle, makeBundle } from '../bundle.ts';
import { readBundle, writeBundle } from '../bundle-file.ts';
import { saveRegression } from '../regression.ts';
import { type Replayed, replayBundle } from '../replay-bundle.ts';
import { type ShrinkProgress, shrinkBundle, shrunkText } from '../shrink.ts';
import { SimError } from '../sim-error.ts';
import type { SimEvent } from '../sim-event.ts';
import { htmlTimeline } from '../timeline/html-timeline.ts';
import { mermaidTimeline } from '../timeline/mermaid-timeline.ts';
import { terminalTimeline } from '../timeline/terminal-timeline.ts';
import type { TimelineInput } from '../timeline/timeline-input.ts';
import { failureText } from './failure-text.ts';
import { EXIT_CLEAN, EXIT_FAILED, type Surroundings } from './many-runs.ts';
import type { RegressionTask, TimelineTask } from './sim-arguments.ts';
import { guardedRun } from './simulated-world.ts';

/** Shrinking ends with what it has. */
const SHRINK_MS_MAX = 600_000;
const REDRAW_MS_MIN = 200;

/** Exit 1: it still fails. */
export function replay(file: string, json: boolean, around: Surroundings): number {
  const bundle = readBundle(file);
  const replayed = replayBundle(guardedRun, bundle, around.origin());
  const { verdict, result, sentence, doubt } = replayed;
  const { coverage: _, ...told } = result;
  if (json) around.print(`${JSON.stringify({ verdict, sentence, doubt: doubt?.error.code, result: told })}\n`);
  else {
    around.print(`${sentence}\n`);
    const { seed, failure } = result;
    if (failure !== undefined) around.print(`${failureText({ seed, ...failure }, undefined, { seed, file })}\n`);
  }
  sayDoubt(replayed, around);
  return verdict === 'no-failure' ? EXIT_CLEAN : EXIT_FAILED;
}

/** The smaller bundle lies in `shrunk/` beside the one that it was made of. */
export function shrink(file: string, json: boolean, around: Surroundings): number {
  const { progress, print, nowMs } = around;
  const bundle = readBundle(file);
  const startMs = nowMs();
  let drawnMs = startMs;
  const show = ({ probes, size }: ShrinkProgress): void => {
    if (!progress.terminal || nowMs() - drawnMs < REDRAW_MS_MIN) return;
    drawnMs = nowMs();
    const { faults, operations, steps } = size;
    progress.write(`\r\x1b[2Kshrink: ${probes} runs; ${faults} faults, ${operations} operations, ${steps} steps left`);
  };
  const shrunk = shrinkBundle(guardedRun, bundle, {
    onProgress: show,
    mayGoOn: () => nowMs() - startMs < SHRINK_MS_MAX,
  });
  if (drawnMs !== startMs) progress.write('\r\x1b[2K');
  const { scenario, before } = shrunk;
  const smaller = makeBundle(guardedRun, scenario, around.origin(), bundle.shrunkFrom ?? before.planEvents);
  const written = writeBundle(join(dirname(file), 'shrunk'), smaller);
  const saved =
    'error' in written
      ? { seed: scenario.seed, why: written.error.message }
      : { seed: scenario.seed, file: written.path };
  if (json)
    print(`${JSON.stringify({ ...shrunk, result: { ...shrunk.result, coverage: undefined }, bundle: saved })}\n`);
  else {
    print(`${shrunkText(shrunk)}\n`);
    print(`${failureText({ seed: scenario.seed, ...smaller.failure }, undefined, saved)}\n`);
  }
  return 'error' in written ? EXIT_FAILED : EXIT_CLEAN;
}

/** Where the run begins to go wrong, and what happened around it. */
export function bisect(file: string, json: boolean, { print }: Surroundings): number {
  const bundle = readBundle(file);
  const found = bisectBundle(guardedRun, bundle);
  if (json) {
    print(`${JSON.stringify({ ...found, around: undefined })}\n`);
    return EXIT_CLEAN;
  }
  print(`${found.sentence}\n`);
  const { scenario } = bundle;
  const result = { ...guardedRun(scenario), failure: found.failure };
  print(terminalTimeline({ scenario, result, events: found.around }));
  return EXIT_CLEAN;
}

export async function timeline({ file, html, mermaid }: TimelineTask, around: Surroundings): Promise<number> {
  const input = timelineInputOf(readBundle(file), around);
  if (mermaid) around.print(mermaidTimeline(input));
  if (html !== undefined) {
    const explain = await vsrExplanation.load();
    writeTimeline(html, htmlTimeline({ ...input, explain }));
    around.print(`${html}\n`);
  }
  if (!mermaid && html === undefined) around.print(terminalTimeline(input));
  return EXIT_CLEAN;
}

function writeTimeline(file: string, page: string): void {
  try {
    writeFileSync(file, page);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new SimError('SIM_PAGE_NOT_WRITTEN', `the page cannot be written: ${words}`, { file }, cause);
  }
}

/** It stays, and a test runs it for ever after. */
export function regression({ file, fixedBy, name }: RegressionTask, { print, root }: Surroundings): number {
  const folder = join(root, 'traces', 'sim');
  const saved = saveRegression(readBundle(file), { folder, fixedBy, ...(name === undefined ? {} : { name }) });
  print(`${saved}\n`);
  return EXIT_CLEAN;
}

/** The run as this code has it; when that is another history, what the bundle kept of its own. */
function timelineInputOf(bundle: Bundle, around: Surroundings): TimelineInput {
  const events: SimEvent[] = [];
  const replayed = replayBundle(
    (scenario) => guardedRun(scenario, { onEvent: (event) => events.push(event) }),
    bundle,
    around.origin(),
  );
  sayDoubt(replayed, around);
  const { scenario, failure, hash, steps } = bundle;
  if (replayed.verdict === 'same-history' || replayed.verdict === 'same-failure')
    return { scenario, result: replayed.result, events };
  around.progress.write(
    `sim: ${replayed.sentence} Shown is what the bundle kept: its last ${bundle.events.length} events.\n`,
  );
  return { scenario, result: { ...replayed.result, failure, hash, steps }, events: bundle.events };
}

function sayDoubt({ doubt }: Replayed, { progress }: Surroundings): void {
  if (doubt !== undefined) progress.write(`sim: ${doubt.error.message} (${doubt.error.code})\n`);
}
