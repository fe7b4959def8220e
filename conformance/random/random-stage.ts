/**
 * Random deep traces: thousands of TLC's behaviours with larger constants, replayed step by step on the real code over the
 * real disk (component.random.driver), every variable compared and every invariant evaluated after every step.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Stage, StageInput } from '../check/check-component.ts';
import type { Problem, TraceNumbers } from '../check/outcome.ts';
import type { Component } from '../component.ts';
import { type Cfg, parseCfg } from '../engines/cfg.ts';
import { type Trace, writeItf } from '../replay/itf.ts';
import { replay } from '../replay/replay.ts';
import { diffLines } from '../report/problem-text.ts';
import { saveTrace } from '../report/save-divergence.ts';
import { type Behaviour, eventsOf, randomBehaviours } from './behaviours.ts';

/** Same seed, same behaviours; SEED=n asks for others. */
const SEED_DEFAULT = 20_261_121;

export const randomStage: Stage<TraceNumbers> = async (input: StageInput) => {
  const { component, context } = input;
  const { random } = component;
  if (random === undefined || context.tlc === undefined)
    return { numbers: { traces: 0, steps: 0, ok: random === undefined }, problems: [] };
  const folder = join(context.root, dirname(component.sources.spec));
  const cfg = parseCfg(readFileSync(join(folder, random.cfg), 'utf8'));
  const seed = Number(process.env.SEED ?? SEED_DEFAULT);
  context.progress?.(component.name, `${random.cfg}: ${random.traces} random behaviours`);
  const files = { folder, module: random.module, cfg: random.cfg };
  const behaviours = await randomBehaviours(context.tlc, files, { traces: random.traces, depth: random.depth, seed });
  const problems: Problem[] = [];
  let steps = 0;
  let traces = 0;
  for (const behaviour of behaviours) {
    const replayed = replayBehaviour(component, random.driver, cfg, behaviour);
    steps += replayed.steps;
    traces++;
    context.progress?.(component.name, `${random.cfg}: ${traces} of ${behaviours.length} behaviours, ${steps} steps`);
    if (replayed.problem === undefined) continue;
    const path =
      context.save === true ? saveTrace(context.root, component.name, 'random', writeItf(replayed.trace)) : undefined;
    const again = path === undefined ? '' : `\n  replay it: make replay T=${path}`;
    problems.push({
      code: 'random',
      component: component.name,
      cfg: random.cfg,
      message: `seed ${seed}: ${replayed.problem}${again}`,
    });
    break;
  }
  if (steps === 0 && problems.length === 0)
    problems.push({
      code: 'random',
      component: component.name,
      cfg: random.cfg,
      message: 'TLC gave no behaviour: nothing was replayed',
    });
  return { numbers: { traces, steps, ok: problems.length === 0 }, problems };
};

type AnyDriver = Component['driver'];

function replayBehaviour(
  component: Component,
  real: AnyDriver,
  cfg: Cfg,
  behaviour: Behaviour,
): { readonly steps: number; readonly trace: Trace; readonly problem?: string } {
  const { events, lostAt } = eventsOf(behaviour, component.driver, cfg.constants, component.abstracted);
  const reached = distinctStates(behaviour).slice(0, lostAt === undefined ? undefined : events.length + 2);
  const trace: Trace = {
    component: component.name,
    cfg: component.random?.cfg ?? '',
    about: 'a random behaviour of the spec',
    states: reached.map((texts, index) => {
      const event = index === 0 ? undefined : events[index - 1];
      const label =
        event === undefined ? (index === 0 ? 'Init' : 'Next') : (component.driver.describe?.(event) ?? event.type);
      const values = Object.fromEntries(behaviour.variables.map((name, at) => [name, texts[at] ?? '']));
      return { action: index === 0 ? undefined : (event?.type ?? 'Next'), label, event, values };
    }),
  };
  if (lostAt !== undefined) {
    const diff = diffLines(trace.states.at(-2)?.values ?? {}, trace.states.at(-1)?.values ?? {}, 'before', 'after ');
    return {
      steps: events.length,
      trace,
      problem: `the spec takes a step, its ${lostAt}th, that no event of the code takes\n${plain(diff)}`,
    };
  }
  let broken: string | undefined;
  const watched: AnyDriver = {
    ...real,
    project: (state) => {
      for (const [name, holds] of Object.entries(real.invariants ?? {})) if (!holds(state)) broken ??= name;
      return real.project(state);
    },
  };
  const { steps, failure } = replay(trace, watched, cfg.constants, { abstracted: component.abstracted });
  if (failure !== undefined) {
    const diff = diffLines(failure.expected ?? {}, failure.actual ?? failure.expected ?? {});
    return { steps, trace, problem: `step ${failure.at}: ${failure.message}\n${plain(diff)}` };
  }
  return broken === undefined
    ? { steps, trace }
    : { steps, trace, problem: `invariant ${broken} is false on the real code` };
}

/** Without stutters, as eventsOf counts them. */
function distinctStates({ states }: Behaviour): readonly (readonly string[])[] {
  return states.filter((texts, index) => index === 0 || texts.join('\n') !== states[index - 1]?.join('\n'));
}

/** A message goes to check.json too: no colours in it. */
function plain(lines: readonly string[]): string {
  return stripVTControlCharacters(lines.join('\n'));
}
