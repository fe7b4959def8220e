/**
 * Goal: check.json has the documented shape and check.html shows every number and problem without asking anybody else.
 * Method: a real check of the example counter on the embedded engine, green, and red with a broken machine.
 */
import { stripVTControlCharacters } from 'node:util';
import { type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CheckOutcome, ComponentOutcome, MutantOutcome } from '../../../conformance/check/outcome.ts';
import { check } from '../../../conformance/check/run-check.ts';
import { stages } from '../../../conformance/check/stages.ts';
import { anyComponent } from '../../../conformance/components/all.ts';
import { checkHtml } from '../../../conformance/report/check-html.ts';
import { checkJson } from '../../../conformance/report/check-json.ts';
import { notChecked } from '../../../conformance/report/not-checked.ts';
import { Pace } from '../../../conformance/report/pace.ts';
import { tableText, terminal } from '../../../conformance/report/terminal.ts';
import { counterComponent, counterDriverOver, counterMachine } from '../../../docs/example/counter.ts';

const count = Type.Integer({ minimum: 0 });
const seconds = Type.Number({ minimum: 0 });
const closed = (properties: Record<string, TSchema>): TSchema =>
  Type.Object(properties, { additionalProperties: false });
const traces = closed({ traces: count, steps: count, ok: Type.Boolean() });
const reasons = Type.Record(Type.String(), Type.String());
const killed = closed({ killed: count, total: count });
const depth = { distinct: count, generated: count, depth: count, edges: count };

/** The shape of docs and design; what this project added to it stands in the last lines of each object. */
const CHECK_JSON = closed({
  schema: Type.Literal(1),
  ok: Type.Boolean(),
  engines: Type.Array(
    closed({ name: Type.Union([Type.Literal('tlc'), Type.Literal('embedded')]), version: Type.String() }),
  ),
  components: Type.Array(
    closed({
      name: Type.String(),
      ok: Type.Boolean(),
      models: Type.Array(
        closed({
          cfg: Type.String(),
          ...depth,
          executed: count,
          seconds,
          kind: Type.Union(['small', 'deep', 'live', 'directed', 'refinement'].map((kind) => Type.Literal(kind))),
          about: Type.String(),
        }),
      ),
      spec: closed({ ...depth, actions: Type.Record(Type.String(), count), seconds }),
      second: Type.Union([
        closed({
          engine: Type.String(),
          distinct: count,
          agrees: Type.Boolean(),
          skippedModels: Type.Optional(Type.Array(Type.String())),
        }),
        closed({ skipped: Type.String() }),
      ]),
      liveness: closed({ properties: Type.Array(Type.String()), ok: Type.Boolean() }),
      mirror: closed({ actions: count, guards: count, invariants: count, ok: Type.Boolean(), outside: reasons }),
      bisimulation: closed({
        states: count,
        edges: count,
        executed: count,
        missing: count,
        extra: count,
        different: count,
        seconds,
        delivered: count,
        refused: count,
      }),
      random: traces,
      validation: traces,
      invariants: Type.Array(closed({ name: Type.String(), evaluations: count, ok: Type.Boolean(), states: count })),
      mutants: closed({ spec: killed, impl: killed, list: Type.Array(Type.Object({ name: Type.String() })) }),
      cached: Type.Boolean(),
      problems: Type.Array(closed({ code: Type.String(), cfg: Type.Optional(Type.String()), message: Type.String() })),
    }),
  ),
  seconds,
  problems: Type.Array(closed({ code: Type.String(), component: Type.String(), message: Type.String() })),
  notChecked: Type.Array(Type.String()),
});

const green = anyComponent(counterComponent);
/** Counts beyond the limit, which the spec forbids. */
const beyondLimit = counterMachine.provide({ guards: { BelowLimit: () => true } });
const broken = anyComponent({ ...counterComponent, driver: counterDriverOver(beyondLimit) });

async function checked(component: typeof green): Promise<CheckOutcome> {
  const settings = { root: process.cwd(), only: [], engine: 'embedded', deep: false, print: () => {} } as const;
  return check({ ...settings, components: [component], stages: { mirror: stages.mirror as never } });
}

describe('the progress line', () => {
  test('counts, rate and time left; a rate begins anew with the next count', () => {
    const pace = new Pace();
    expect(pace.line('Vsr', 'Vsr_normal.cfg: 0 of 20000 edges', 1_000)).toBe('Vsr_normal.cfg: 0 of 20,000 edges');
    expect(pace.line('Vsr', 'Vsr_normal.cfg: 5000 of 20000 edges', 2_000)).toBe(
      'Vsr_normal.cfg: 5,000 of 20,000 edges, 5,000/s, 3 s left',
    );
    expect(pace.line('Vsr', 'Vsr_join.cfg: 100 of 20000 edges', 2_100)).toBe('Vsr_join.cfg: 100 of 20,000 edges');
    expect(pace.line('Vsr', '1 of 80 mutants of the spec', 3_000)).toBe('1 of 80 mutants of the spec');
    expect(pace.line('Vsr', '2 of 80 mutants of the spec', 5_000)).toBe(
      '2 of 80 mutants of the spec, 0.5/s, 2 min 36 s left',
    );
    expect(pace.line('Vsr', 'Vsr_crash.cfg: model checking', 6_000)).toBe('Vsr_crash.cfg: model checking');
  });
});

describe('the report of a check', () => {
  let greenOutcome: CheckOutcome;
  let redOutcome: CheckOutcome;
  beforeAll(async () => {
    greenOutcome = await checked(green);
    redOutcome = await checked(broken);
  });

  test('check.json has the documented shape, green and red', () => {
    for (const outcome of [greenOutcome, redOutcome]) {
      const json = JSON.parse(JSON.stringify(checkJson(outcome))) as unknown;
      expect([...Value.Errors(CHECK_JSON, json)].map(({ path, message }) => `${path}: ${message}`)).toEqual([]);
    }
  });

  test('check.json: ok says whether every row is green', () => {
    expect(checkJson(greenOutcome)).toMatchObject({ ok: true });
    expect(checkJson(redOutcome)).toMatchObject({ ok: false });
    expect(checkJson({ ...greenOutcome, components: [] })).toMatchObject({ ok: false });
  });

  test('without TLC nothing is called all green: what was not checked is named, in words, JSON and HTML', async () => {
    const [component] = greenOutcome.components as [(typeof greenOutcome.components)[0]];
    const leftOut = { 'Counter_large.cfg': 'more than 60000 states' };
    const without = { ...greenOutcome, components: [{ ...component, leftOut }] };
    const [line = ''] = notChecked(without);
    expect(line).toMatch(
      /^Counter: 1 of \d+ models: Counter_large\.cfg \(more than 60000 states\); .*random deep traces/,
    );
    expect(checkJson(without)).toMatchObject({ notChecked: [line] });
    expect(tableText(without)).toMatch(/ \d of \d /);
    const html = await checkHtml(without, [green]);
    expect(html).toContain('Counter_large.cfg (more than 60000 states)');
    expect(html).toContain('all that was checked is green');
    expect(html).not.toContain('all green');
    const printed: string[] = [];
    const out = { write: (text: string) => printed.push(text) } as unknown as NodeJS.WriteStream;
    terminal(out).table(without);
    expect(printed.join('')).toContain(`Not checked, since TLC did not run:\n  ${line}\n`);
    expect(printed.join('')).not.toContain('all green');
    const engines = [{ name: 'tlc', version: '2.18', origin: 'here' } as const, ...greenOutcome.engines];
    expect(notChecked({ ...greenOutcome, engines })).toEqual([]);
  });

  test('check.html is one file: it names no other', async () => {
    const html = await checkHtml(greenOutcome, [green]);
    expect(html).not.toMatch(/https?:|\bsrc=|<link|@import|url\(|<script/);
    expect(html).toContain("default-src 'none'");
    expect(html).toContain('prefers-color-scheme: dark');
  });

  test('check.html shows the graph of the machine, its transitions and the mutants', async () => {
    const html = await checkHtml(greenOutcome, [green]);
    expect(html).toMatch(/<svg role="img" aria-label="Machine Counter: 2 states, 4 transitions/);
    expect(html).toMatch(/<th scope="row">Increment<\/th><td>up<\/td><td>BelowLimit<\/td>/);
    expect(html).toContain('Counter_small.cfg');
  });

  test('check.html holds spec, machine and code side by side, by name and place', async () => {
    const html = await checkHtml(greenOutcome, [green]);
    const row = /<tr><th scope="row">Increment<.*?<\/tr>/.exec(html)?.[0] ?? '';
    expect(row).toMatch(/docs\/example\/Counter\.tla:\d+/);
    expect(row).toMatch(/docs\/example\/counter\.ts:\d+/);
    expect(row).toMatch(/<li>BelowLimit<span>\d+ true<\/span><span>\d+ false<\/span>/);
    expect(html).toMatch(/<strong>100 %<\/strong><span>of 15 edges/);
  });

  test('check.html marks a guard that was never false, unless the component says why', async () => {
    const always = { ...(redOutcome.components[0] as ComponentOutcome) };
    expect(await checkHtml({ ...redOutcome, components: [always] }, [broken])).toContain('✗ never false');
    const excused = anyComponent({
      ...counterComponent,
      constantGuards: { 'Counter.Increment.BelowLimit': 'the fault of this test' },
    });
    expect(await checkHtml({ ...redOutcome, components: [always] }, [excused])).toContain(
      '<span class="soft">never false</span>',
    );
  });

  test('the table of the terminal drops columns until it fits, and never the verdict', () => {
    for (const width of [120, 80]) {
      const lines = tableText(greenOutcome, width).split('\n');
      for (const line of lines) expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(width);
      expect(lines.join()).toContain('executed');
    }
    expect(tableText(greenOutcome)).toContain('validation');
    expect(tableText(greenOutcome, 10)).toContain('mutants');
  });

  test('check.html lists each mutant with what killed it, or that it survived', async () => {
    const mutant = { rule: 'a rule', cfg: 'Counter_small.cfg', seconds: 1 };
    const list: MutantOutcome[] = [
      { ...mutant, side: 'spec', name: 'free-save', verdict: 'killed', killedBy: 'SavedWasCounted', steps: 3 },
      { ...mutant, side: 'impl', name: 'drop-Unsaved', verdict: 'survived' },
    ];
    const mutants = { spec: { killed: 1, total: 1 }, impl: { killed: 0, total: 1 }, list };
    const components = greenOutcome.components.map((component) => ({ ...component, mutants }));
    const html = await checkHtml({ ...greenOutcome, components }, [green]);
    expect(html).toContain('SavedWasCounted in 3 steps');
    expect(html).toContain('✗ survived');
  });

  test('check.html: a table has a caption and scoped headers', async () => {
    const html = await checkHtml(greenOutcome, [green]);
    const tables = html.match(/<table>/g)?.length ?? 0;
    expect(tables).toBeGreaterThan(5);
    expect(html.match(/<caption>/g)).toHaveLength(tables);
    expect(html.match(/<thead><tr><th scope="col">/g)).toHaveLength(tables);
  });

  test('check.html shows a divergence: path, difference by variable, guards, source lines', async () => {
    const html = await checkHtml(redOutcome, [broken]);
    expect(html).toContain('Shortest path');
    expect(html).toContain('Difference by variable');
    expect(html).toContain('Counter.Increment.BelowLimit');
    expect(html).toMatch(/docs\/example\/Counter\.tla:\d+/);
  });
});
