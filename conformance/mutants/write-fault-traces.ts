/**
 * A tool for the author of a component: saves for each implementation fault the shortest trace that tells it from the code,
 * as traces/<component>/<fault>.itf.json. The code must reproduce them (`make replay`), the fault must not.
 * `node --import tsx conformance/mutants/write-fault-traces.ts AppendLog`
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Divergence } from '../bisimulate/divergence.ts';
import { type CheckContext, checkModel } from '../check/check-model.ts';
import { components } from '../components/all.ts';
import { parseCfg } from '../engines/cfg.ts';
import { findTlc } from '../engines/find-tlc.ts';
import type { StateGraph } from '../graph/state-graph.ts';
import { type Trace, traceOfDivergence, writeItf } from '../replay/itf.ts';
import { replay } from '../replay/replay.ts';
import { kebab } from '../report/save-divergence.ts';
import { runFault } from './run-fault.ts';

const [wanted] = process.argv.slice(2);
const component = components.find(({ name }) => name.toLowerCase() === wanted?.toLowerCase());
const tlc = findTlc(undefined);
if (component === undefined || !('found' in tlc)) {
  process.stderr.write(`write-fault-traces: ${'missing' in tlc ? tlc.missing : `no component ${wanted ?? ''}`}\n`);
  process.exit(2);
}
const context: CheckContext = { root: process.cwd(), tlc: tlc.found, embedded: false, workers: 1 };
const needed = new Set(component.faults.flatMap(({ cfgs }) => cfgs));
const graphs = new Map<string, StateGraph>();
for (const model of component.models.filter(({ cfg }) => needed.has(cfg))) {
  const { graph } = await checkModel(context, component, model);
  if (graph !== undefined) graphs.set(model.cfg, graph);
}
const folder = join('traces', kebab(component.name));
mkdirSync(folder, { recursive: true });
const input = { context, component, models: [], graphs, guards: new Map(), deep: false };
for (const fault of component.faults) {
  const { outcome, divergence } = runFault(input, fault);
  if (divergence === undefined) throw new Error(`${fault.name} is not caught: ${outcome.verdict}`);
  const { constants } = parseCfg(readFileSync(join(context.root, 'specs', outcome.cfg), 'utf8'));
  const { abstracted } = component;
  // Where the spec allows the action for other parameters only, what the fault did is a step that the code refuses.
  const trace = [traceOfDivergence(component.name, outcome.cfg, divergence), refusal(divergence)].find(
    (candidate) =>
      replay(candidate, component.driver, constants, { abstracted }).failure === undefined &&
      replay(candidate, fault.driver, constants, { abstracted }).failure !== undefined,
  );
  if (trace === undefined) throw new Error(`${fault.name}: no trace tells it from the code`);
  const path = join(folder, `${kebab(fault.name)}.itf.json`);
  writeFileSync(path, writeItf({ ...trace, cfg: outcome.cfg, about: `caught the fault ${fault.name}: ${fault.rule}` }));
  process.stdout.write(`${path}: ${trace.states.length - 1} steps\n`);
}

/** The fault may have come here by a step with other parameters: any step of that name will do. */
function refusal(divergence: Divergence): Trace {
  const trace = traceOfDivergence(component?.name ?? '', '', { ...divergence, verdict: 'extra' });
  return {
    ...trace,
    states: trace.states.map((state) => ({ ...state, label: state.action ?? 'Init', event: undefined })),
  };
}
