/** A failed run as a person reads it: what, where, and the commands that go on from there. Pure. Mirrors no spec module. */
import { grouped } from '../../report/html.ts';
import { commandOf } from './command-line.ts';
import type { RunSettings } from './messages.ts';
import type { SavedBundle } from './saved-state.ts';
import type { FailedRun } from './tally.ts';

const US_PER_MS = 1_000;

/** @param settings of which the seed makes the plan; undefined: the plan is the bundle's own */
export function failureText(
  failure: FailedRun,
  settings: RunSettings | undefined,
  bundle: SavedBundle | undefined,
): string {
  const { seed, oracle, rule, message, step, atUs } = failure;
  const where =
    step === 0 ? '' : ` at step ${grouped(step)}, ${grouped(Math.round(atUs / US_PER_MS))} ms of virtual time`;
  const again = settings === undefined ? undefined : commandOf(settings, '--seed', String(seed));
  const lines = [
    `FAILED: seed ${seed}${where}: ${rule} (${oracle})`,
    ...message.split('\n').map((line) => `  ${line}`),
  ];
  if (bundle?.file !== undefined) {
    lines.push(
      `  replay:   lockstep sim --bundle ${bundle.file}`,
      `  shrink:   lockstep sim shrink ${bundle.file}`,
      `  timeline: lockstep sim timeline ${bundle.file}`,
      `  to TLC:   lockstep sim trace ${bundle.file}`,
    );
    if (again !== undefined) lines.push(`  or again: ${again}`);
    return lines.join('\n');
  }
  if (again !== undefined) lines.push(`  replay: ${again}`);
  lines.push(`  no bundle was saved: ${bundle?.why ?? 'the runs were stopped before'}`);
  return lines.join('\n');
}
