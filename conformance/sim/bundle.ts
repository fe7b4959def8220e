/**
 * A failing run as it is kept: what decides it, how it failed, the fingerprint of its history, and its last events, for who
 * reads it without the code that made it. Made here, written and read by bundle-file.ts. Mirrors no spec module.
 */
import { BundleError } from './bundle-error.ts';
import type { Origin } from './origin.ts';
import type { Scenario } from './plan.ts';
import type { RunOptions, RunResult, SimFailure } from './run-result.ts';
import { failureFault, isFailure, isScenario, scenarioFault } from './scenario-schema.ts';
import type { SimEvent } from './sim-event.ts';

/** Grows when an older Lockstep could misread what a newer one writes. */
export const BUNDLE_FORMAT = 1;
/** Last events of the run that a bundle holds: some 3 MB of JSON, 0.1 MB in the file. The run repeated gives all of them. */
export const BUNDLE_EVENTS_MAX = 4_000;

/** runScenario of run.ts, or a stand-in for it. */
export type Run = (scenario: Scenario, options?: RunOptions) => RunResult;

export interface Bundle extends Origin {
  readonly format: typeof BUNDLE_FORMAT;
  readonly scenario: Scenario;
  readonly failure: SimFailure;
  /** Of the whole history: RunResult.hash. */
  readonly hash: string;
  /** Of the whole run. */
  readonly steps: number;
  /** Events of the plan before it was shrunk; absent: the plan is as its seed made it. */
  readonly shrunkFrom?: number;
  /** The last ones, in order. */
  readonly events: readonly SimEvent[];
}

/**
 * Runs the scenario twice more: what is kept of the failure is that of a run without a listener, as whoever replays it has;
 * should listening ever change a run, the bundle has no events rather than those of another history.
 * @throws BundleError SIM_BUNDLE_DOES_NOT_FAIL
 */
export function makeBundle(run: Run, scenario: Scenario, origin: Origin, shrunkFrom?: number): Bundle {
  const { failure, hash, steps } = run(scenario);
  if (failure === undefined)
    throw new BundleError(
      'SIM_BUNDLE_DOES_NOT_FAIL',
      `The run of scenario ${scenario.name}, seed ${scenario.seed}, has no failure, so there is nothing to save.`,
      { seed: scenario.seed, scenario: scenario.name },
    );
  const last = new LastEvents(BUNDLE_EVENTS_MAX);
  const listened = run(scenario, { onEvent: (event) => last.add(event) });
  return {
    format: BUNDLE_FORMAT,
    ...origin,
    scenario,
    failure,
    hash,
    steps,
    ...(shrunkFrom === undefined ? {} : { shrunkFrom }),
    events: listened.hash === hash ? last.inOrder() : [],
  };
}

/** What `evidence: unknown` of an event may hold beside JSON becomes text or a list. */
export function bundleText(bundle: Bundle): string {
  return JSON.stringify(bundle, (_, value: unknown) => {
    if (typeof value === 'bigint') return value.toString();
    return value instanceof Set || value instanceof Map ? [...value] : value;
  });
}

/** @param where the file, for the message @throws BundleError */
export function parseBundle(text: string, where: string): Bundle {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BundleError(
      'SIM_BUNDLE_NOT_JSON',
      `${where} is a whole zstd file, but what is in it is not JSON: ${wordsOf(error)}. Check that it is a bundle that ` +
        '`lockstep sim` wrote.',
      { file: where },
      error,
    );
  }
  const fields = isRecord(value) ? value : {};
  const { format } = fields;
  if (typeof format === 'number' && format > BUNDLE_FORMAT)
    throw new BundleError(
      'SIM_BUNDLE_NEWER',
      `${where} has format ${format}, and this Lockstep reads ${BUNDLE_FORMAT}. It was ${madeBy(fields)}: use that one.`,
      { file: where, format, formatMax: BUNDLE_FORMAT },
    );
  const fault = faultOf(fields);
  if (fault !== undefined)
    throw new BundleError(
      'SIM_BUNDLE_NOT_A_BUNDLE',
      `${where} holds JSON that is no bundle: ${fault}. Check that it is one that \`lockstep sim\` wrote.`,
      { file: where, fault },
    );
  return fields as unknown as Bundle; // faultOf looked at every field
}

/** `made by version X commit Y`: with what is known of it. */
export function madeBy({ lockstep, commit, changed }: { readonly [field in keyof Origin]?: unknown }): string {
  const version = typeof lockstep === 'string' ? `version ${lockstep}` : 'an unknown version';
  if (typeof commit !== 'string') return `made by ${version}, commit unknown`;
  return `made by ${version} commit ${commit}${changed === true ? ' with changes that were not committed' : ''}`;
}

export function isSameFailure(left: SimFailure | undefined, right: SimFailure | undefined): boolean {
  return left !== undefined && right !== undefined && left.oracle === right.oracle && left.rule === right.rule;
}

const HASH = /^[0-9a-f]{64}$/;

function faultOf(fields: Readonly<Record<string, unknown>>): string | undefined {
  if (fields.format !== BUNDLE_FORMAT) return `format is not ${BUNDLE_FORMAT}`;
  for (const name of ['lockstep', 'sources', 'node'])
    if (typeof fields[name] !== 'string') return `${name} is not a text`;
  if (fields.commit !== undefined && typeof fields.commit !== 'string') return 'commit is not a text';
  if (fields.changed !== undefined && typeof fields.changed !== 'boolean') return 'changed is not true or false';
  for (const name of ['steps', 'shrunkFrom'])
    if (!isCount(fields[name]) && (name === 'steps' || fields[name] !== undefined))
      return `${name} is not a whole number`;
  if (typeof fields.hash !== 'string' || !HASH.test(fields.hash)) return 'hash is not a SHA-256';
  if (!isScenario(fields.scenario) || scenarioFault(fields.scenario) !== undefined)
    return scenarioFault(fields.scenario) ?? 'scenario is none';
  if (!isFailure(fields.failure)) return failureFault(fields.failure) ?? 'failure is none';
  if (!Array.isArray(fields.events) || fields.events.length > BUNDLE_EVENTS_MAX)
    return `events is not a list of at most ${BUNDLE_EVENTS_MAX}`;
  const stranger = fields.events.findIndex((event) => !isEvent(event));
  return stranger < 0 ? undefined : `events/${stranger} is not an event`;
}

/** Events are shown and never run: their fields beside these are taken as they are. */
function isEvent(value: unknown): value is SimEvent {
  return isRecord(value) && typeof value.kind === 'string' && isCount(value.step) && isCount(value.atUs);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The last `most` events, at a constant cost each. */
class LastEvents {
  readonly #events: SimEvent[] = [];
  readonly #most: number;
  #next = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(event: SimEvent): void {
    if (this.#events.length < this.#most) this.#events.push(event);
    else {
      this.#events[this.#next] = event;
      this.#next = (this.#next + 1) % this.#most;
    }
  }

  inOrder(): readonly SimEvent[] {
    return [...this.#events.slice(this.#next), ...this.#events.slice(0, this.#next)];
  }
}
