/** A failed run as a person reads it: what, where, and the commands that go on from there. Pure. Mirrors no spec module. */
import { grouped } from '../../report/html.ts';
import { commandOf } from './command-line.ts';
import type { RunSettings } from './messages.ts';
import type { SavedBundle } from './saved-state.ts';
import type { FailedRun } from './tally.ts';

const US_PER_MS = 1_000;

export function failureText(failure: FailedRun, settings: RunSettings, bundle: SavedBundle | undefined): string {
  const { seed, oracle, rule, message, step, atUs } = failure;
  const where =
    step === 0 ? '' : ` at step ${grouped(step)}, ${grouped(Math.round(atUs / US_PER_MS))} ms of virtual time`;
  const again = commandOf(settings, '--seed', String(seed));
  const lines = [
    `FAILED: seed ${seed}${where}: ${rule} (${oracle})`,
    ...message.split('\n').map((line) => `  ${line}`),
  ];
  if (bundle?.file !== undefined)
    lines.push(
      `  replay:   lockstep sim --bundle ${bundle.file}`,
      `  shrink:   lockstep sim shrink ${bundle.file}`,
      `  timeline: lockstep sim timeline ${bundle.file}`,
      `  or again: ${again}`,
    );
  else lines.push(`  replay: ${again}`, `  no bundle was saved: ${bundle?.why ?? 'the runs were stopped before'}`);
  return lines.join('\n');
}
