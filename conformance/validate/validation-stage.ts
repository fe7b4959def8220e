/**
 * Random walks of the real code, driven by nothing but its own alphabet, handed to TLC: does the spec allow them? The walks
 * use the larger constants of component.random and its driver on the real disk. Runs of a real cluster come the same way.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Stage, StageInput } from '../check/check-component.ts';
import { behaviourNames } from '../check/liveness.ts';
import type { Problem, StageOutcome, TraceNumbers } from '../check/outcome.ts';
import type { Component } from '../component.ts';
import type { Constants } from '../driver.ts';
import { parseCfg } from '../engines/cfg.ts';
import type { Tlc } from '../engines/find-tlc.ts';
import { flatten } from '../engines/flatten.ts';
import { type ObservedRun, type ObservedStep, validate } from './validate.ts';

/** Walks handed to TLC in one run, and their steps: TLC follows some thousand steps in seconds. */
const WALKS = 20;
const WALK_STEPS_MAX = 60;
const SEED_DEFAULT = 20_261_121;

export const validationStage: Stage<TraceNumbers> = async (input: StageInput) => {
  const { random, recordedRuns } = input.component;
  const { tlc, root } = input.context;
  if ((random === undefined && recordedRuns === undefined) || tlc === undefined)
    return { numbers: { traces: 0, steps: 0, ok: random === undefined && recordedRuns === undefined }, problems: [] };
  let { numbers, problems } = await validatedWalks(input, tlc);
  for (const { about, run } of recordedRuns ?? []) {
    if (problems.length > 0) break;
    input.context.progress?.(input.component.name, about);
    const { traces, steps, simulated, wrong } = await run(root, tlc);
    const sums = { traces: numbers.traces + traces, steps: numbers.steps + steps, ok: wrong === undefined };
    numbers = { ...numbers, ...sums, ...(simulated === undefined ? {} : { simulated }) };
    if (wrong !== undefined) problems = [{ code: 'validation', component: input.component.name, message: wrong }];
  }
  return { numbers, problems };
};

async function validatedWalks({ component, context }: StageInput, tlc: Tlc): Promise<StageOutcome<TraceNumbers>> {
  const { random } = component;
  if (random === undefined) return { numbers: { traces: 0, steps: 0, ok: true }, problems: [] };
  const folder = join(context.root, dirname(component.sources.spec));
  const cfg = parseCfg(readFileSync(join(folder, random.cfg), 'utf8'));
  const next = mulberry(Number(process.env.SEED ?? SEED_DEFAULT));
  context.progress?.(component.name, `${random.cfg}: ${WALKS} walks of the code, validated by TLC`);
  const runs = Array.from({ length: WALKS }, () => walk(component, random.driver, cfg.constants, next));
  const names = behaviourNames(flatten(folder, random.module), cfg.specification ?? 'Spec');
  const files = { folder, module: random.module, cfg: random.cfg };
  const result = await validate(tlc, files, runs, names);
  const problems: Problem[] = [];
  for (const { run, step, label } of result.refused.slice(0, 1)) {
    const path = runs[run]?.slice(0, step + 1).map((taken, index) => `    ${index}. ${taken.label}`) ?? [];
    const message = `the code took ${label}, as its step ${step}, which the spec does not allow\n${path.join('\n')}`;
    problems.push({ code: 'validation', component: component.name, cfg: random.cfg, message });
  }
  if (result.violated !== undefined)
    problems.push({
      code: 'validation',
      component: component.name,
      cfg: random.cfg,
      message: `a run of the code breaks ${result.violated}`,
    });
  return { numbers: { traces: result.runs, steps: result.steps, ok: problems.length === 0 }, problems };
}

type AnyDriver = Component['driver'];

/** A walk of taken events; a state without one ends it. */
function walk(component: Component, driver: AnyDriver, constants: Constants, next: () => number): ObservedRun {
  const initial = driver.initial(constants);
  const candidates: readonly unknown[] = Array.isArray(initial) ? initial : [initial];
  let current = candidates[Math.floor(next() * candidates.length)];
  const run: ObservedStep[] = [observe(component, driver, current, 'Init')];
  while (run.length <= WALK_STEPS_MAX) {
    const events = [...driver.alphabet(current)];
    let taken: unknown;
    while (events.length > 0 && taken === undefined) {
      const [event] = events.splice(Math.floor(next() * events.length), 1);
      if (event === undefined) break;
      const after = driver.step(current, event);
      if (after === current) continue;
      taken = after;
      run.push(observe(component, driver, after, driver.describe?.(event) ?? event.type));
    }
    if (taken === undefined) break;
    driver.dispose?.(current);
    current = taken;
  }
  driver.dispose?.(current);
  return run;
}

function observe(component: Component, driver: AnyDriver, state: unknown, label: string): ObservedStep {
  const projected = Object.entries(driver.project(state)).filter(([name]) => !(name in component.abstracted));
  return { label, after: Object.fromEntries(projected.map(([name, value]) => [name, value.text])) };
}

/** A small seeded generator, so that a failing walk comes again with the same SEED. */
function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
