/**
 * The embedded model checker, npm `tla-checker` (WebAssembly): no Java. The second opinion beside TLC, or alone without it.
 * Reads one flattened module; gives counts, failures and the same state graph. About ten times slower than TLC.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { check_spec_with_cfg, explore_init, initSync } from 'tla-checker';
import { readDot } from '../graph/read-dot.ts';
import type { StateGraph } from '../graph/state-graph.ts';
import { parseTla } from '../values/parse-tla.ts';
import { adviceFor } from './advice.ts';
import { parseCfg } from './cfg.ts';
import { EngineError, type EngineFailure, type EngineRun, type FailureKind, type ModelFiles } from './engine.ts';
import { flatten } from './flatten.ts';

/** States beyond which a second opinion beside TLC is left out rather than slow; docs/conformance.md "Run it". */
export const EMBEDDED_STATES_MAX = 20_000;
/**
 * The same where there is no TLC, and what is left out is not checked: every model of `make check` but the deep ones. At it
 * the largest takes minutes and most of a GiB.
 */
export const EMBEDDED_ALONE_STATES_MAX = 60_000;
const EMBEDDED_DEPTH_MAX = 100_000;

interface EmbeddedAnswer {
  readonly success: boolean;
  readonly error_type: string | null;
  readonly error_message: string | null;
  readonly states_explored: number;
  readonly trace: readonly string[] | null;
  readonly dot: string | null;
}

let version: string | undefined;

/** Loads the WebAssembly once; the version of the package. */
export function embeddedVersion(): string {
  if (version !== undefined) return version;
  const folder = dirname(createRequire(import.meta.url).resolve('tla-checker'));
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  initSync({ module: readFileSync(join(folder, 'tla_checker_bg.wasm')) });
  version = manifest.version;
  return version;
}

export function runEmbedded(model: ModelFiles, wantGraph: boolean, statesMax = EMBEDDED_STATES_MAX): EngineRun {
  const loaded = embeddedVersion();
  const source = flatten(model.folder, model.module);
  const cfg = readFileSync(join(model.folder, model.cfg), 'utf8');
  const parsed = parseCfg(cfg);
  const started = performance.now();
  const answer = JSON.parse(
    check_spec_with_cfg(source, cfg, '{}', statesMax, EMBEDDED_DEPTH_MAX, !parsed.checksDeadlock, wantGraph),
  ) as EmbeddedAnswer;
  const seconds = (performance.now() - started) / 1000;
  const base = { engine: 'embedded' as const, version: loaded, distinct: answer.states_explored, seconds };
  if (!answer.success) {
    return {
      ...base,
      generated: 0,
      depth: 0,
      failure: failureOf(answer, [...parsed.invariants], [...parsed.properties]),
    };
  }
  if (answer.dot === null) return { ...base, generated: 0, depth: 0 };
  const graph = withInitial(readDot(answer.dot), source, cfg);
  return { ...base, generated: graph.edges + graph.initial.length, depth: 0, graph };
}

const KINDS: Readonly<Record<string, FailureKind>> = {
  ParseError: 'parse',
  ConfigError: 'config',
  AssumeViolation: 'assume',
  InvariantViolation: 'invariant',
  LivenessViolation: 'property',
  PropertyViolation: 'property',
  Deadlock: 'deadlock',
  StateLimit: 'limit',
  StateLimitExceeded: 'limit',
};

function failureOf(answer: EmbeddedAnswer, invariants: string[], properties: string[]): EngineFailure {
  const message = answer.error_message ?? answer.error_type ?? 'no message';
  let kind: FailureKind = KINDS[answer.error_type ?? ''] ?? 'evaluation';
  if (/limit|max states/i.test(`${answer.error_type} ${message}`)) kind = 'limit';
  const index = /Invariant (\d+) violated/.exec(message)?.[1];
  const name = index !== undefined ? invariants[Number(index)] : kind === 'property' ? properties[0] : undefined;
  const trace = (answer.trace ?? [])
    .join('\n')
    .split(/^State \d+\n/m)
    .filter(Boolean)
    .map((state) => state.trimEnd());
  return { kind, ...(name === undefined ? {} : { name }), message, advice: adviceFor(kind, message, name), trace };
}

/** The dot does not mark initial states; the engine is asked for them. */
function withInitial(graph: StateGraph, source: string, cfg: string): StateGraph {
  const answer = JSON.parse(explore_init(source, cfg, '{}')) as {
    ok: boolean;
    error?: string;
    states?: readonly { display: Readonly<Record<string, string>> }[];
  };
  if (!answer.ok) throw new EngineError(`embedded engine: initial states: ${answer.error ?? 'no message'}`);
  const initial = (answer.states ?? []).map((state) => {
    const id = graph.idOf(graph.variables.map((name) => parseTla(state.display[name] ?? '').text));
    if (id === undefined) throw new EngineError('embedded engine: an initial state that is not in its own graph');
    return id;
  });
  return { ...graph, initial: [...new Set(initial)] };
}
