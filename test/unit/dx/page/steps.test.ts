/**
 * Goal: the history in the page is bounded, has each step once and shows what changed something; TLA+ keeps its lines' numbers;
 * a chart has every event. Method: made-up histories, the real machines' definitions.
 */
import { describe, expect, test } from 'vitest';
import type { Step } from '../../../../impl/dx/page/app/answers.ts';
import { chartOf } from '../../../../impl/dx/page/app/chart-layout.ts';
import { specLines, valueText } from '../../../../impl/dx/page/app/spec-text.ts';
import { filteredSteps, mergedSteps, STEPS_KEPT_MAX, stepText } from '../../../../impl/dx/page/app/steps.ts';
import { appendLogMachine } from '../../../../machines/append-log.ts';
import { definitionOf } from '../../../../machines/definition.ts';
import { superblockMachine } from '../../../../machines/superblock.ts';
import { vsrMachine } from '../../../../machines/vsr.ts';

function step(sequence: number, change: Partial<Step> = {}): Step {
  const event = 'ReceivePrepare';
  return {
    sequence,
    event,
    taken: true,
    from: 'normal',
    to: 'normal',
    peer: 0,
    view: 0,
    op: sequence,
    commit_id: 0,
    guards: {},
    ...change,
  };
}

describe('steps', () => {
  test('are merged by their number, each once, and bounded', () => {
    const kept = [step(1), step(2)];
    expect(mergedSteps(kept, [step(1), step(2)])).toBe(kept);
    expect(mergedSteps(kept, [step(2), step(3)]).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    const many = Array.from({ length: STEPS_KEPT_MAX + 10 }, (_, index) => step(index + 1));
    expect(mergedSteps([], many)).toHaveLength(STEPS_KEPT_MAX);
    expect(mergedSteps(many, [step(many.length + 1)]).at(-1)?.sequence).toBe(many.length + 1);
  });

  test('a restarted process counts from 1 again: its steps replace the old ones', () => {
    expect(mergedSteps([step(100), step(101)], [step(1), step(2)]).map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  test('heartbeats and refusals are left out unless asked for', () => {
    const heartbeat = step(2, { event: 'SendCommit', op: 1 });
    const refusal = step(3, { taken: false, op: 1 });
    const timeout = step(4, { event: 'HeartbeatTimeout', to: 'view-change', view: 1, op: 1 });
    const all = [step(1), heartbeat, refusal, timeout];
    expect(filteredSteps(all, 'changes')).toEqual([step(1), timeout]);
    expect(filteredSteps(all, 'refusals')).toEqual([refusal]);
    expect(filteredSteps(all, 'all')).toBe(all);
    expect(stepText(timeout)).toBe('4: HeartbeatTimeout from replica 0, normal to view-change; view 1, op 1, commit 0');
  });
});

describe('TLA+ text', () => {
  const text = "Do(r) ==\n    /\\ IsPrimary(r)\n    /\\ ~HigherView(r)\n    /\\ x' = 1\n\n\\* The next one.\n";

  test('keeps its numbers, finds each guard and drops the next comment', () => {
    const lines = specLines(text, 'specs/Vsr.tla:155', ['IsPrimary', 'HigherView']);
    expect(lines.map(({ number, guard }) => [number, guard])).toEqual([
      [155, undefined],
      [156, 'IsPrimary'],
      [157, 'HigherView'],
      [158, undefined],
    ]);
  });

  test('values fit on a line, hashes are cut', () => {
    expect(valueText('ab'.repeat(32))).toBe('abababababab…');
    expect(valueText('00'.repeat(32))).toBe('none');
    expect(valueText([1, { a: null }])).toBe('[1,{"a":null}]');
    expect(valueText(undefined)).toBe('nothing');
  });
});

describe.each(
  [vsrMachine, appendLogMachine, superblockMachine].map((machine) => [machine.id, definitionOf(machine)] as const),
)('the chart of %s', (_, definition) => {
  test.each([false, true])('has every state and event once, and nothing outside of it (brief: %s)', (brief) => {
    const chart = chartOf(definition as never, brief);
    expect(chart.states.map(({ state }) => state)).toEqual(definition.states);
    const drawn = [
      ...chart.states.flatMap(({ state, events }) => events.map((event) => `${state} ${event} ${state}`)),
      ...chart.lines.flatMap(({ from, to, events }) => events.map((event) => `${from} ${event} ${to}`)),
    ];
    expect(drawn.sort()).toEqual(definition.transitions.map(({ from, event, to }) => `${from} ${event} ${to}`).sort());
    for (const { left, top, width, height } of [...chart.states, ...chart.lines]) {
      expect(left).toBeGreaterThanOrEqual(0);
      expect(top).toBeGreaterThanOrEqual(0);
      expect(left + width).toBeLessThanOrEqual(chart.width);
      expect(top + height).toBeLessThanOrEqual(chart.height);
    }
  });

  test('no state covers another', () => {
    const { states } = chartOf(definition as never, false);
    for (const a of states)
      for (const b of states) {
        if (a === b) continue;
        const apart =
          a.left + a.width <= b.left ||
          b.left + b.width <= a.left ||
          a.top + a.height <= b.top ||
          b.top + b.height <= a.top;
        expect(apart, `${a.state} and ${b.state}`).toBe(true);
      }
  });
});
