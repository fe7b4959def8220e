/**
 * A tool for the author of a component: saves for each implementation fault the shortest trace that tells it from the code,
 * as traces/<component>/<fault>.itf.json. The code must reproduce them (`make replay`), the fault must not.
 * `node --import tsx conformance/mutants/write-fault-traces.ts AppendLog [fault whose name begins so]`
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Divergence } from '../bisimulate/divergence.ts';
import { type CheckContext, modelFiles } from '../check/check-model.ts';
import { components } from '../components/all.ts';
import { parseCfg } from '../engines/cfg.ts';
import { findTlc } from '../engines/find-tlc.ts';
import { runTlc } from '../engines/tlc.ts';
import type { StateGraph } from '../graph/state-graph.ts';
import { type Trace, traceOfDivergence, writeItf } from '../replay/itf.ts';
import { replay } from '../replay/replay.ts';
import { kebab } from '../report/save-divergence.ts';
import { runFault } from './run-fault.ts';

const [wanted, beginning = ''] = process.argv.slice(2);
const component = components.find(({ name }) => name.toLowerCase() === wanted?.toLowerCase());
const engine = findTlc(undefined);
if (component === undefined || !('found' in engine)) {
  process.stderr.write(
    `write-fault-traces: ${'missing' in engine ? engine.missing : `no component ${wanted ?? ''}`}\n`,
  );
  process.exit(2);
}
const tlc = engine.found;
const { name, models, faults, driver, abstracted } = component;
const context: CheckContext = { root: process.cwd(), tlc, embedded: false, workers: 1 };
const graphs = new Map<string, StateGraph>();
const folder = join('traces', kebab(name));
mkdirSync(folder, { recursive: true });
for (const fault of faults.filter((one) => one.name.startsWith(beginning))) {
  const path = join(folder, `${kebab(fault.name)}.itf.json`);
  const trace = await traceOf(fault);
  if (trace === undefined) {
    process.stdout.write(`${path}: NONE tells the fault from the code\n`);
    process.exitCode = 1;
    continue;
  }
  writeFileSync(path, writeItf({ ...trace, about: `caught the fault ${fault.name}: ${fault.rule}` }));
  process.stdout.write(`${path}: ${trace.states.length - 1} steps\n`);
}

async function traceOf(fault: (typeof faults)[number]): Promise<Trace | undefined> {
  if (component === undefined) return undefined;
  for (const cfg of fault.cfgs) {
    const model = models.find((one) => one.cfg === cfg);
    if (model === undefined) throw new Error(`${fault.name} names ${cfg}, which is no model of ${name}`);
    const files = modelFiles(context, component, model);
    const graph = graphs.get(cfg) ?? (await runTlc(tlc, files, { wantGraph: true })).graph;
    if (graph === undefined) throw new Error(`TLC gives no graph of ${cfg}`);
    graphs.set(cfg, graph);
    const input = { context, component, models: [], graphs, guards: new Map(), deep: false };
    const { divergence } = runFault(input, { ...fault, cfgs: [cfg] });
    if (divergence === undefined) continue;
    const { constants } = parseCfg(readFileSync(join(files.folder, cfg), 'utf8'));
    // Where the spec allows the action for other parameters only, what the fault did is a step that the code refuses.
    // Where the fault throws, the trace is the step that the spec takes there.
    const taken = traceOfDivergence(name, cfg, { ...divergence, verdict: 'missing' });
    return [traceOfDivergence(name, cfg, divergence), { ...refusal(divergence), cfg }, taken].find(
      (candidate) =>
        replay(candidate, driver, constants, { abstracted }).failure === undefined &&
        !isReproduced(() => replay(candidate, fault.driver, constants, { abstracted }).failure === undefined),
    );
  }
  return undefined;
}

/** Code that throws has not reproduced it. */
function isReproduced(attempt: () => boolean): boolean {
  try {
    return attempt();
  } catch {
    return false;
  }
}

/** The fault may have come here by a step with other parameters: any step of that name will do. */
function refusal(divergence: Divergence): Trace {
  const trace = traceOfDivergence(component?.name ?? '', '', { ...divergence, verdict: 'extra' });
  return {
    ...trace,
    states: trace.states.map((state) => ({ ...state, label: state.action ?? 'Init', event: undefined })),
  };
}
