/**
 * Goal: what the page is given is the run, and what it computes from it by indices is what a plain search finds. Method: the
 * page's own script in this process, against dumb twins, over made-up runs.
 */
import { runInThisContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { pageData } from '../../../../conformance/sim/timeline/page/data.ts';
import { MODEL_SCRIPT } from '../../../../conformance/sim/timeline/page/model-script.ts';
import type { PageData, PageEvent } from '../../../../conformance/sim/timeline/page/page-types.ts';
import { fakeRun } from './fake-run.ts';

interface Model {
  readonly visible: (fromUs: number, untilUs: number, visit: (event: PageEvent, index: number) => void) => void;
  readonly filter: (text: string) => void;
  readonly next: (from: number, direction: 1 | -1) => number | undefined;
  readonly stateAt: (index: number, replica: number) => { readonly after?: object; readonly before?: object };
  readonly shownCount: () => number;
}

const input = fakeRun({ operations: 120, failing: true });
const data = pageData(input);
const createModel = runInThisContext(`(function () { ${MODEL_SCRIPT}; return createModel; })()`) as (
  data: PageData,
) => Model;
const model = createModel(data);

describe('pageData', () => {
  it('has every event but the sends that arrive or are lost, in order', () => {
    const arriving = new Set(
      input.events.flatMap((event) => (event.kind === 'deliver' || event.kind === 'drop' ? [event.frame] : [])),
    );
    const wanted = input.events.filter((event) => event.kind !== 'send' || !arriving.has(event.frame));
    expect(data.events.map(({ step }) => step)).toEqual(wanted.map(({ step }) => step));
    expect(data.events.filter(({ kind }) => kind === 'undelivered').length).toBeGreaterThan(0);
  });

  it('spans of a replica follow each other from the beginning to the end', () => {
    for (const replica of [0, 1, 2]) {
      const spans = data.spans.filter((span) => span.replica === replica);
      expect(spans[0]?.fromUs).toBe(data.startUs);
      expect(spans.at(-1)?.untilUs).toBe(data.endUs);
      for (const [at, span] of spans.entries()) if (at > 0) expect(span.fromUs).toBe(spans[at - 1]?.untilUs);
    }
    expect(new Set(data.spans.map(({ status }) => status))).toEqual(new Set(['normal', 'view-change', 'down']));
  });

  it('two faults or calls at one time are never in one row', () => {
    for (const list of [data.faults, data.calls])
      for (const a of list)
        for (const b of list)
          if (a !== b && a.row === b.row) expect(a.untilUs <= b.fromUs || b.untilUs <= a.fromUs).toBe(true);
  });

  it('states add up: what the page makes of the changes is what was recorded', () => {
    const machine = input.events.filter((event) => event.kind === 'machine' || event.kind === 'up');
    const indices = data.events.flatMap(({ changes }, index) => (changes === undefined ? [] : [index]));
    expect(indices.length).toBe(machine.length);
    for (const [at, index] of indices.entries()) {
      const event = machine[at];
      if (event === undefined) throw new Error('one event too many');
      expect(model.stateAt(index, event.replica).after).toEqual(event.state);
    }
  });
});

describe('the model of the page', () => {
  it('finds what is in sight as a search through everything does', () => {
    const span = data.endUs - data.startUs;
    for (let at = 0; at < 40; at++) {
      const from = data.startUs + (span * at) / 40 - 500;
      const until = from + span / (1 + (at % 7) * 20);
      const found: number[] = [];
      model.visible(from, until, (_, index) => found.push(index));
      const wanted = data.events.flatMap(({ us, sentUs = us }, index) =>
        sentUs <= until && us >= from ? [index] : [],
      );
      expect(found.sort((a, b) => a - b)).toEqual(wanted);
    }
  });

  it('finds a message that was under way for most of the run, wherever it is looked for', () => {
    const slow = data.events.map((event, at) => (at === 20 ? { ...event, sentUs: event.us, us: data.endUs } : event));
    const ofSlow = createModel({ ...data, events: slow });
    for (const share of [0.3, 0.6, 0.9]) {
      const found: number[] = [];
      const at = data.endUs * share;
      ofSlow.visible(at, at + 10, (_, index) => found.push(index));
      expect(found).toContain(20);
    }
  });

  it('looks at few events when little is in sight', () => {
    const long = pageData(fakeRun({ operations: 900 }));
    const ofLong = createModel(long);
    let looks = 0;
    const middle = (long.startUs + long.endUs) / 2;
    ofLong.visible(middle, middle + 2_000, () => looks++);
    expect(long.events.length).toBeGreaterThan(8_000);
    expect(looks).toBeLessThan(100);
  });

  it('a filter takes events with all words and without those after a minus', () => {
    model.filter('R1 prepare -refused');
    const shown: number[] = [];
    for (let at = model.next(-1, 1); at !== undefined; at = model.next(at, 1)) shown.push(at);
    const texts = data.events.map(({ kind, text }) => `${kind} ${text}`.toLowerCase());
    const wanted = texts.flatMap((text, at) =>
      text.includes('r1') && text.includes('prepare') && !text.includes('refused') ? [at] : [],
    );
    expect(shown).toEqual(wanted);
    expect(shown.length).toBeGreaterThan(3);
    expect(model.shownCount()).toBe(wanted.length);
    model.filter('');
    expect(model.shownCount()).toBe(data.events.length);
  });
});
