/**
 * Goal: the timeline on a terminal tells what happened in order, fits its width, and lets no text of a run write to the
 * terminal. Method: made-up runs (fake-run.ts) and single events.
 */
import { describe, expect, it } from 'vitest';
import type { SimEvent } from '../../../../conformance/sim/sim-event.ts';
import { LINE_COLUMNS_MAX, terminalTimeline } from '../../../../conformance/sim/timeline/terminal-timeline.ts';
import type { TimelineInput } from '../../../../conformance/sim/timeline/timeline-input.ts';
import { fakeRun, HOSTILE } from './fake-run.ts';

const failing = fakeRun({ failing: true });

function withEvents(events: readonly SimEvent[], input: TimelineInput = failing): TimelineInput {
  return { ...input, events };
}

describe('terminalTimeline', () => {
  it.each([3, 5, 7] as const)('fits its columns (R=%i)', (replicaCount) => {
    const text = terminalTimeline({ ...failing, scenario: { ...failing.scenario, replicaCount } });
    const widths = text.split('\n').map((line) => [...line].length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(LINE_COLUMNS_MAX);
  });

  it('a long text goes on below, broken at spaces, and inside of a word only when the word is too long', () => {
    const what = `${'short words '.repeat(12)}${'w'.repeat(150)}`;
    const call: SimEvent = { step: 1, atUs: 5, kind: 'call', client: 0, operation: 0, replica: 0, what };
    const lines = terminalTimeline(withEvents([call])).split('\n');
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(LINE_COLUMNS_MAX);
    const texts = lines.flatMap((line) => (/short|www/.test(line) ? [line.slice(54).trim()] : []));
    expect(texts.length).toBeGreaterThan(4);
    for (const text of texts.filter((each) => !each.includes('w'.repeat(10)))) expect(text).toMatch(/(?:short|words)$/);
    expect(texts.join('').match(/w{2,}/g)?.join('')).toHaveLength(150);
  });

  it('a message is an arrow from its sender to its receiver, in both directions; a lost one ends in a cross', () => {
    const text = terminalTimeline(failing);
    expect(text).toMatch(/ ●─+▶ .* Prepare v0 op 1\n/);
    expect(text).toMatch(/ ◀─+● .* PrepareOk v0 op 1 commits 1\n/);
    expect(text).toMatch(/ ●┄+✗ .* Prepare v0 op \d+ lost: loss\n/);
  });

  it('a fault has a bar from its beginning to its end, and nothing beside it afterwards', () => {
    const lines = terminalTimeline(failing).split('\n');
    const begins = lines.findIndex((line) => line.includes(' loss r0 -> r1, 300 of 1,000'));
    const ends = lines.findIndex((line) => line.includes('end of loss r0 -> r1'));
    const slot = lines[begins]?.indexOf('┌') ?? -1;
    expect(slot).toBeGreaterThan(0);
    for (const line of lines.slice(begins + 1, ends)) expect(line[slot]).toBe('│');
    expect(lines[ends]?.[slot]).toBe('└');
    expect(lines[ends + 1]?.[slot]).toBe(' ');
  });

  it('a new view is marked, the replica that is down has no lane, the failure comes last', () => {
    const text = terminalTimeline(failing);
    expect(text).toMatch(/◆.* view \d/);
    expect(text).toContain('down: process-crash');
    expect(text.indexOf('FAILURE after step')).toBeGreaterThan(text.indexOf('heal: all faults have ended'));
    expect(text.trimEnd().split('\n').at(-1)).toMatch(/^ {2}op 17 is committed at replica 0/);
  });

  it('equal rows are one with a count; what every tick repeats is a number', () => {
    const drop = failing.events.find(({ kind }) => kind === 'drop');
    if (drop === undefined) throw new Error('the run loses nothing');
    const text = terminalTimeline(withEvents(Array.from({ length: 5 }, (_, at) => ({ ...drop, step: at + 1 }))));
    expect(text.match(/lost: /g)).toHaveLength(1);
    expect(text).toMatch(/lost: \S+ ×5\n/);
    expect(terminalTimeline(failing)).toMatch(/\d+ Commit, \d+ SendCommit|\d+ SendCommit, \d+ Commit/);
  });

  it('the last steps alone begin in the views and under the faults that were there', () => {
    const all = terminalTimeline(failing).split('\n');
    const some = terminalTimeline(failing, { steps: 60 }).split('\n');
    const shared = some.slice(4).join('\n');
    expect(all.join('\n')).toContain(shared);
    expect(some.length).toBeLessThan(all.length / 2);
    expect(some.length).toBeGreaterThan(10);
  });

  it('one replica alone: no message between two others', () => {
    const text = terminalTimeline(failing, { replica: 2 });
    expect(text).toMatch(/ PrepareOk v0 op 1\n/);
    expect(text).not.toMatch(/ ●─+▶ {8}│ .* Prepare /);
  });

  it('text of the run is shown and not obeyed', () => {
    const evil: SimEvent = { step: 1, atUs: 5, kind: 'failure', oracle: 'liveness', message: '\u001b[2Jgone\r\n' };
    const call: SimEvent = {
      step: 1,
      atUs: 5,
      kind: 'call',
      client: 0,
      operation: 0,
      replica: 0,
      what: '\u001b]0;x\u0007',
    };
    const text = terminalTimeline(withEvents([call, evil]));
    expect(text).toContain('\\u001b]0;x\\u0007');
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(terminalTimeline(failing)).toContain(HOSTILE.slice(0, 9));
  });

  it('a run without failure says so', () => {
    expect(terminalTimeline(fakeRun())).toMatch(/no failure\n$/);
  });
});
