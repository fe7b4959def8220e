/**
 * Goal: the diagram is one that Mermaid reads: every participant declared, no character of its own syntax out of a text of the
 * run, no longer than Mermaid takes. Method: made-up runs; the grammar of the lines that are written, checked line by line.
 */
import { describe, expect, it } from 'vitest';
import {
  MERMAID_CHARACTERS_MAX,
  MERMAID_ROWS_DEFAULT,
  MERMAID_ROWS_MAX,
  mermaidTimeline,
} from '../../../../conformance/sim/timeline/mermaid-timeline.ts';
import { fakeRun } from './fake-run.ts';

const failing = fakeRun({ failing: true, operations: 80 });
const LINE =
  /^ {2}(?:(?:participant|actor) (\w+)(?: as [\w ]+)?|(\w+)(?:->>|-->>|-x)(\w+): (.*)|Note over (\w+)(?:,(\w+))?: (.*))$/;
/** What Mermaid would take for its own; codes such as #59; are how it wants them. */
const SYNTAX = /[;<>%{}"`\\]|#/;

function linesOf(text: string): readonly RegExpExecArray[] {
  const [head, ...lines] = text.trimEnd().split('\n');
  expect(head).toBe('sequenceDiagram');
  return lines.map((line) => {
    const match = LINE.exec(line);
    if (match === null) throw new Error(`Mermaid does not read: ${line}`);
    return match;
  });
}

describe('mermaidTimeline', () => {
  it('every line is of the grammar, every participant is declared before it is used', () => {
    const declared = new Set<string>();
    for (const [, name, from, to, , over, until] of linesOf(mermaidTimeline(failing, { rows: MERMAID_ROWS_MAX }))) {
      if (name !== undefined) declared.add(name);
      for (const used of [from, to, over, until]) if (used !== undefined) expect(declared).toContain(used);
    }
    expect([...declared]).toEqual(['c0', 'c1', 'c2', 'r0', 'r1', 'r2']);
  });

  it('no text of the run is syntax', () => {
    const lines = linesOf(mermaidTimeline(failing, { rows: MERMAID_ROWS_MAX }));
    const texts = lines.map((match) => match[4] ?? match[7] ?? '');
    for (const text of texts) expect(text.replaceAll(/#\d+;/g, '')).not.toMatch(SYNTAX);
    expect(texts.some((text) => text.includes('#60;/script#62;#60;img'))).toBe(true);
  });

  it('messages are arrows, lost ones have a cross, the failure comes last', () => {
    const text = mermaidTimeline(failing, { rows: MERMAID_ROWS_MAX });
    expect(mermaidTimeline(failing, { toStep: 20 })).toMatch(/ r0->>r1: Prepare v0 op 1\n/);
    expect(text).toMatch(/ r\d-xr\d: \w+ v\d.* lost: /);
    expect(text).toMatch(/Note over r0,r2: FAILURE after step \d+: invariants, CommittedSurvives: [^\n]*\n$/);
  });

  it('bounds: rows by default, rows at most, characters at most', () => {
    const rowsOf = (rows: number | undefined): number =>
      linesOf(mermaidTimeline(failing, { rows })).filter(([, name]) => name === undefined).length;
    const around = 1 + 3 + 1; // where it begins, the replicas then, the failure
    expect(rowsOf(undefined)).toBe(MERMAID_ROWS_DEFAULT + around);
    expect(rowsOf(10)).toBe(10 + around);
    const long = fakeRun({ operations: 400, failing: true });
    expect(mermaidTimeline(long, { rows: 1e9 }).split('\n').length).toBeLessThan(MERMAID_ROWS_MAX + 20);
    const wordy = long.events.map((event) => (event.kind === 'drop' ? event : { ...event, ...longText(event.kind) }));
    const text = mermaidTimeline({ ...long, events: wordy as typeof long.events }, { rows: 1e9 });
    expect(text.length).toBeLessThan(MERMAID_CHARACTERS_MAX + 1_000);
    expect(text.length).toBeGreaterThan(MERMAID_CHARACTERS_MAX / 2);
    linesOf(text);
  });

  it('selected steps, and none at all', () => {
    const text = mermaidTimeline(failing, { fromStep: 5, toStep: 9 });
    expect(text).toContain('from step 5');
    expect(text).not.toContain('FAILURE');
    linesOf(mermaidTimeline({ ...failing, events: [] }));
  });
});

function longText(kind: string): object {
  if (kind === 'call') return { what: 'x;'.repeat(500) };
  return kind === 'return' ? { outcome: 'y#'.repeat(500) } : {};
}
