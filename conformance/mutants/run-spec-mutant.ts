/**
 * Runs one spec mutant: the model with the broken rule laid over it, on TLC, or on the embedded engine when there is no TLC.
 * Killed means: the engine found exactly the invariant or property that the mutant names, and found it first.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { CheckContext } from '../check/check-model.ts';
import type { MutantOutcome } from '../check/outcome.ts';
import type { Component } from '../component.ts';
import { EMBEDDED_ALONE_STATES_MAX, runEmbedded } from '../engines/embedded.ts';
import type { EngineRun, ModelFiles } from '../engines/engine.ts';
import { runTlc } from '../engines/tlc.ts';
import { cfgOf, DEADLOCK, MutantError, mutatedSpec, type SpecMutant, specFolder } from './spec-mutant.ts';

/** Java heap of one mutant: two run at once beside the engine's own process. */
const HEAP_MB = 1024;

/** @param changeCfg for a model with a bound lowered. */
export async function runSpecMutant(
  context: CheckContext,
  component: Component,
  mutant: SpecMutant,
  changeCfg: (text: string) => string = (text) => text,
): Promise<MutantOutcome> {
  const folder = specFolder(context.root, component);
  const spec = basename(component.sources.spec);
  const cfg = cfgOf(folder, mutant);
  const isProperty = cfg.properties.includes(mutant.killedBy);
  const cfgText = changeCfg(readFileSync(join(folder, mutant.model), 'utf8'));
  const overlay = {
    [spec]: mutatedSpec(mutant, readFileSync(join(folder, spec), 'utf8')),
    // TLC does not say which of several properties is violated: the mutant runs with its own alone.
    [mutant.model]: isProperty ? withOnlyProperty(cfgText, mutant.killedBy) : cfgText,
  };
  const files: ModelFiles = { folder, module: mutant.module, cfg: mutant.model };
  const model = component.models.find(({ cfg: name }) => name === mutant.model);
  const base = {
    side: 'spec' as const,
    name: mutant.name,
    ...(mutant.canary === undefined ? {} : { canary: mutant.canary }),
    rule: mutant.rule,
    cfg: mutant.model,
  };
  if (context.tlc === undefined && model?.embeddedSkipped !== undefined)
    return { ...base, verdict: 'skipped', note: `needs TLC: ${model.embeddedSkipped}`, seconds: 0 };
  const run =
    context.tlc === undefined
      ? runEmbeddedOver(files, overlay)
      : await runTlc(context.tlc, files, { overlay, workers: 1, heapMegabytes: HEAP_MB, isBrief: true });
  return { ...base, ...judge(mutant, isProperty, run), seconds: run.seconds };
}

function judge(
  mutant: SpecMutant,
  isProperty: boolean,
  run: EngineRun,
): Pick<MutantOutcome, 'verdict' | 'killedBy' | 'steps' | 'note'> {
  const failure = run.failure;
  if (failure === undefined)
    return { verdict: 'survived', note: `${mutant.killedBy} holds in all ${run.distinct} states of ${mutant.model}` };
  const said = failure.message.split('\n').slice(0, 2).join(' ').slice(0, 200);
  switch (failure.kind) {
    case 'parse':
    case 'config':
      throw new MutantError(`${mutant.file}: the broken spec does not run: ${failure.message.slice(0, 400)}`);
    case 'limit':
      return { verdict: 'skipped', note: `needs TLC: ${said}` };
    default:
      break;
  }
  const spoken = failure.name ?? (failure.kind === 'deadlock' ? DEADLOCK : undefined);
  const named =
    spoken === mutant.killedBy ||
    (isProperty && (failure.kind === 'property' || (spoken === undefined && /propert/i.test(failure.message))));
  const steps = Math.max(0, failure.trace.length - 1);
  if (named) return { verdict: 'killed', killedBy: mutant.killedBy, steps };
  const note = `was to break ${mutant.killedBy}, and first broke ${spoken ?? said}`;
  // Which of two rules is broken first depends on the order of the search, and that is pinned for TLC's.
  if (run.engine === 'embedded') return { verdict: 'skipped', note: `needs TLC: ${note}` };
  return { verdict: 'survived', note };
}

/** The cfg with one property alone; its invariants stay, and one that breaks first is reported. */
export function withOnlyProperty(cfg: string, property: string): string {
  const kept = cfg
    .replace(/\\\*.*$/gm, '')
    .replace(/^\s*PROPERT(?:Y|IES)\b[\s\S]*?(?=^\s*[A-Z_]{4,}\b|(?![\s\S]))/gm, '');
  return `${kept}\nPROPERTY ${property}\n`;
}

function runEmbeddedOver(files: ModelFiles, overlay: Readonly<Record<string, string>>): EngineRun {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-mutant-'));
  try {
    for (const name of readdirSync(files.folder))
      if (name.endsWith('.tla')) cpSync(join(files.folder, name), join(folder, name));
    for (const [name, text] of Object.entries(overlay)) writeFileSync(join(folder, name), text);
    return runEmbedded({ ...files, folder }, false, EMBEDDED_ALONE_STATES_MAX);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
