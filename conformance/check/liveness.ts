/**
 * A liveness property that still holds when fairness is removed says nothing about fairness: it is vacuous or a safety
 * property in disguise. The specification is run again as Init /\ [][Next]_vars, once for each property.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cfg } from '../engines/cfg.ts';
import { EngineError, type ModelFiles } from '../engines/engine.ts';
import type { Tlc } from '../engines/find-tlc.ts';
import { flatten } from '../engines/flatten.ts';
import { runTlc } from '../engines/tlc.ts';

const WITHOUT_FAIRNESS = 'LockstepWithoutFairness';

/** Names of the properties that hold all the same. Safety properties ([][..]_vars, a refinement) are left out. */
export async function checkLivenessNeedsFairness(tlc: Tlc, files: ModelFiles, cfg: Cfg): Promise<readonly string[]> {
  const text = flatten(files.folder, files.module);
  const liveness = cfg.properties.filter((name) => isLiveness(text, name));
  if (liveness.length === 0) return [];
  const box = boxOf(text, cfg.specification ?? 'Spec');
  const cfgText = readFileSync(join(files.folder, files.cfg), 'utf8');
  const module = `${files.module}WithoutFairness`;
  const holds: string[] = [];
  for (const name of liveness) {
    const run = await runTlc(
      tlc,
      { ...files, module },
      {
        isBrief: true,
        overlay: {
          [`${module}.tla`]: `---- MODULE ${module} ----\nEXTENDS ${files.module}\n${WITHOUT_FAIRNESS} == ${box}\n====\n`,
          [files.cfg]: withoutFairness(cfgText, name),
        },
      },
    );
    if (run.failure === undefined) holds.push(name);
    else if (run.failure.kind !== 'property' && run.failure.kind !== 'deadlock')
      throw new EngineError(`${files.cfg}, without fairness: ${run.failure.message.slice(0, 300)}`);
  }
  return holds;
}

/** Whether the definition of a property speaks of "eventually"; what it names is followed one level down. */
function isLiveness(text: string, name: string): boolean {
  const definition = definitionOf(text, name);
  return /~>|<>|\bWF_|\bSF_/.test(definition);
}

/** The names of Init and Next in the definition of the specification. */
export function behaviourNames(text: string, specification: string): { readonly init: string; readonly next: string } {
  const box = boxOf(text, specification);
  const match = /^(\w+) .*\[\s*(\w+)\s*\]_/.exec(box);
  return { init: match?.[1] ?? 'Init', next: match?.[2] ?? 'Next' };
}

/** `Init /\ [][Next]_vars` out of the definition of the specification. */
function boxOf(text: string, specification: string): string {
  const definition = definitionOf(text, specification);
  const box = /\[\]\s*\[\s*(\w+)\s*\]_(\w+|<<[^>]*>>)/.exec(definition);
  const init = /(?:^|\/\\)\s*(\w+)\s*(?=\/\\)/.exec(definition);
  if (box === null || init === null)
    throw new EngineError(
      `${specification} must read Init /\\ [][Next]_vars /\\ Fairness, so that fairness can be removed`,
    );
  return `${init[1]} /\\ ${box[0]}`;
}

export function definitionOf(text: string, name: string): string {
  const start = new RegExp(`^${name}\\s*==`, 'm').exec(text);
  if (start === null) return '';
  const rest = text.slice(start.index + start[0].length);
  const end = /\n(?=\s*\n|[A-Za-z_]\w*(?:\([^)\n]*\))?\s*==|\\\*|=====|-----)/.exec(rest);
  return end === null ? rest : rest.slice(0, end.index);
}

function withoutFairness(cfgText: string, property: string): string {
  const kept = cfgText
    .replace(/\\\*.*$/gm, '')
    .replace(/^\s*(?:PROPERT(?:Y|IES)|INVARIANTS?|SPECIFICATION)\b[\s\S]*?(?=^\s*(?:[A-Z_]{4,})\b|(?![\s\S]))/gm, '');
  return `${kept}\nSPECIFICATION ${WITHOUT_FAIRNESS}\nPROPERTY ${property}\n`;
}
