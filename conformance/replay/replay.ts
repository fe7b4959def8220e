/**
 * Steps a saved trace on the real code and compares every variable after every step. Stops at the first difference.
 * The same function serves `lockstep replay`, the regression tests over traces/ and the random deep traces.
 */
import type { GuardEvaluation } from '../../machines/stepper.ts';
import type { StateTexts } from '../bisimulate/divergence.ts';
import type { Constants, Driver } from '../driver.ts';
import { eventToJson, type Trace } from './itf.ts';

export interface ReplayFailure {
  /** Index of the state that the code did not reach; the number of states when the refusal at the end failed. */
  readonly at: number;
  readonly message: string;
  readonly expected: StateTexts | undefined;
  readonly actual: StateTexts | undefined;
  readonly guards: readonly GuardEvaluation[];
}

export interface ReplayResult {
  readonly steps: number;
  readonly failure?: ReplayFailure;
}

export interface ReplayOptions {
  readonly abstracted?: Readonly<Record<string, string>>;
  /** Called after each step, for a person. `code` is the driver's state, valid until this returns. */
  readonly onStep?: (index: number, label: string, state: StateTexts, code: unknown) => void;
}

export function replay<S, E extends { readonly type: string }>(
  trace: Trace,
  driver: Driver<S, E>,
  constants: Constants,
  options: ReplayOptions = {},
): ReplayResult {
  const abstracted = options.abstracted ?? {};
  const names = Object.keys(trace.states[0]?.values ?? {}).filter((name) => !(name in abstracted));
  const textsOf = (state: S): StateTexts => {
    const projected = driver.project(state);
    return Object.fromEntries(names.map((name) => [name, projected[name]?.text ?? '(not projected)']));
  };
  const differs = (texts: StateTexts, wanted: StateTexts): boolean =>
    names.some((name) => texts[name] !== wanted[name]);

  const initial = driver.initial(constants);
  const candidates: readonly S[] = Array.isArray(initial) ? (initial as readonly S[]) : [initial as S];
  const first = trace.states[0]?.values ?? {};
  const start = candidates.findIndex((state) => !differs(textsOf(state), first));
  if (start < 0) {
    const actual = candidates[0] === undefined ? undefined : textsOf(candidates[0]);
    return {
      steps: 0,
      failure: { at: 0, message: 'the code does not start in the first state', expected: first, actual, guards: [] },
    };
  }
  let current = candidates[start] as S;
  options.onStep?.(0, 'Init', first, current);
  for (let at = 1; at < trace.states.length; at++) {
    const step = trace.states[at];
    if (step === undefined) break;
    const taken: Taken<S> = takeStep(driver, current, step, textsOf, differs);
    if ('failure' in taken) return { steps: at - 1, failure: { ...taken.failure, at } };
    if (taken.next !== current) driver.dispose?.(current);
    current = taken.next;
    options.onStep?.(at, step.label, step.values, current);
  }
  const steps = trace.states.length - 1;
  if (trace.refused !== undefined) {
    const event = sameEvent(driver.alphabet(current), trace.refused) ?? (trace.refused as E);
    const next = driver.step(current, event);
    if (next !== current) {
      const guards = driver.guards?.(current, event) ?? [];
      const message = `the code took ${driver.describe?.(event) ?? event.type}, which the spec forbids here`;
      return {
        steps,
        failure: { at: trace.states.length, message, expected: textsOf(current), actual: textsOf(next), guards },
      };
    }
  }
  driver.dispose?.(current);
  return { steps };
}

type Taken<S> = { readonly next: S } | { readonly failure: Omit<ReplayFailure, 'at'> };

function takeStep<S, E extends { readonly type: string }>(
  driver: Driver<S, E>,
  current: S,
  step: Trace['states'][number],
  textsOf: (state: S) => StateTexts,
  differs: (texts: StateTexts, wanted: StateTexts) => boolean,
): Taken<S> {
  const alphabet = driver.alphabet(current);
  const events =
    step.event === undefined
      ? alphabet.filter((event) => event.type === step.action)
      : [sameEvent(alphabet, step.event) ?? (step.event as E)];
  let nearest: { readonly actual: StateTexts; readonly event: E } | undefined;
  for (const event of events) {
    const next = driver.step(current, event);
    if (next === current) continue;
    const actual = textsOf(next);
    if (!differs(actual, step.values)) return { next };
    nearest ??= { actual, event };
    driver.dispose?.(next);
  }
  const event = nearest?.event ?? events[0];
  const guards = event === undefined ? [] : (driver.guards?.(current, event) ?? []);
  const refusedAll = nearest === undefined;
  const message = refusedAll ? `the code refuses ${step.label}` : `after ${step.label} the code is in another state`;
  return { failure: { message, expected: step.values, actual: nearest?.actual, guards } };
}

/** The alphabet's own event when it is the same as the saved one: it may carry what JSON does not. */
function sameEvent<E extends { readonly type: string }>(
  alphabet: readonly E[],
  saved: { readonly type: string },
): E | undefined {
  const wanted = JSON.stringify(eventToJson(saved));
  return alphabet.find((event) => event.type === saved.type && JSON.stringify(eventToJson(event)) === wanted);
}
