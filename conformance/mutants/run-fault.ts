/**
 * Runs one implementation fault: the driver over the broken code walks the graphs of the models that the fault names, until
 * the walk parts from the spec. Stops there: a mutant has to be caught once.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bisimulate, ProjectionError } from '../bisimulate/bisimulate.ts';
import type { Divergence } from '../bisimulate/divergence.ts';
import type { StageInput } from '../check/check-component.ts';
import { leftOut, modelFiles } from '../check/check-model.ts';
import type { MutantOutcome } from '../check/outcome.ts';
import type { ImplementationFault } from '../component.ts';
import { parseCfg } from '../engines/cfg.ts';
import { MutantError } from './spec-mutant.ts';

type AnyFault = ImplementationFault<unknown, { readonly type: string }>;

export interface FaultRun {
  readonly outcome: MutantOutcome;
  /** Where the broken code parts from the spec; undefined when it survives. */
  readonly divergence?: Divergence;
}

export function runFault({ context, component, graphs }: StageInput, fault: AnyFault): FaultRun {
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const base = {
    side: 'impl' as const,
    name: fault.name,
    ...(fault.canary === undefined ? {} : { canary: fault.canary }),
    rule: fault.rule,
  };
  if (fault.cfgs.length === 0) throw new MutantError(`fault ${fault.name} names no model to walk`);
  let edges = 0;
  let judgesStutters = true;
  for (const cfg of fault.cfgs) {
    const model = component.models.find((candidate) => candidate.cfg === cfg);
    const graph = graphs.get(cfg);
    const why = model === undefined ? undefined : leftOut(context, model);
    if (why !== undefined) {
      const note = `needs TLC: ${cfg} is left out, ${why}`;
      return { outcome: { ...base, cfg, verdict: 'skipped', note, seconds: seconds() } };
    }
    if (model === undefined || graph === undefined)
      throw new MutantError(`fault ${fault.name} names ${cfg}, which is no replayed model of ${component.name}`);
    const { constants } = parseCfg(readFileSync(join(modelFiles(context, component, model).folder, cfg), 'utf8'));
    try {
      const walked = bisimulate(graph, fault.driver, constants, {
        abstracted: component.abstracted,
        stopAtFirst: true,
      });
      edges += walked.executed;
      judgesStutters &&= graph.hasSelfLoops;
      const divergence = walked.divergences[0];
      if (divergence === undefined) continue;
      const killedBy = `${divergence.verdict} ${divergence.action}`;
      const steps = divergence.path.length;
      return { outcome: { ...base, cfg, verdict: 'killed', killedBy, steps, seconds: seconds() }, divergence };
    } catch (cause) {
      if (cause instanceof ProjectionError) throw new MutantError(`fault ${fault.name}: ${cause.message}`);
      throw cause;
    }
  }
  if (!judgesStutters) {
    const note = 'needs TLC: the graph of the embedded engine leaves out steps that change nothing';
    return { outcome: { ...base, cfg: fault.cfgs.join(', '), verdict: 'skipped', note, seconds: seconds() } };
  }
  const note = `walked ${edges} edges of ${fault.cfgs.join(', ')} without a divergence`;
  return { outcome: { ...base, cfg: fault.cfgs.join(', '), verdict: 'survived', note, seconds: seconds() } };
}
