/**
 * Walks the whole state graph of a model with the real code: at each state every event of the alphabet is delivered, the
 * refused ones too, and what the code did is compared with the edges of the spec, in both directions.
 * One real state is kept for each state of the graph and forked for each event, so every edge is executed once.
 * Knows no component: it sees a Driver. Breadth-first, so the path of a divergence is a shortest one.
 */
import type { GuardEvaluation } from '../../machines/stepper.ts';
import type { Constants, Driver } from '../driver.ts';
import { keyOf, type StateGraph } from '../graph/state-graph.ts';
import type { BisimulationResult, Divergence, GuardCount, StateTexts, TraceStep, Verdict } from './divergence.ts';

/** Divergences kept with their paths; all are counted. More would drown the first, which is the shortest. */
const DIVERGENCES_KEPT_MAX = 5;
/** States between two calls of progress: about ten a second at the expected rate. */
const PROGRESS_STATES = 500;

export interface BisimulateOptions {
  /** Spec variables that no code variable stands for; not compared. */
  readonly abstracted?: Readonly<Record<string, string>>;
  readonly progress?: (executed: number, edges: number) => void;
  /** Stop at the first divergence (mutants). */
  readonly stopAtFirst?: boolean;
}

/** The driver leaves a variable out, or names one that the spec does not have. */
export class ProjectionError extends Error {}

export function bisimulate<S, E extends { readonly type: string }>(
  graph: StateGraph,
  driver: Driver<S, E>,
  constants: Constants,
  options: BisimulateOptions = {},
): BisimulationResult {
  return new Walk(graph, driver, options).run(constants);
}

interface Reached<S, E> {
  readonly real: S;
  readonly parent: number;
  readonly event: E | undefined;
}

class Walk<S, E extends { readonly type: string }> {
  private readonly graph: StateGraph;
  private readonly driver: Driver<S, E>;
  private readonly options: BisimulateOptions;
  /** Positions of the variables that are compared. */
  private readonly compared: readonly number[];
  private readonly names: readonly string[];
  private readonly queue: number[] = [];
  private readonly parent: Int32Array;
  private readonly event: (E | undefined)[];
  private readonly real: (S | undefined)[];
  private readonly keys: (string | undefined)[];
  private readonly guards = new Map<string, GuardCount>();
  private readonly invariants = new Map<string, { evaluations: number; failed: number }>();
  private readonly offered = new Set<string>();
  private readonly divergences: Divergence[] = [];
  private readonly counts = { executed: 0, missing: 0, extra: 0, different: 0, delivered: 0, refused: 0 };
  private stopped = false;

  constructor(graph: StateGraph, driver: Driver<S, E>, options: BisimulateOptions) {
    this.graph = graph;
    this.driver = driver;
    this.options = options;
    const abstracted = options.abstracted ?? {};
    this.compared = graph.variables.flatMap((name, index) => (name in abstracted ? [] : [index]));
    this.names = this.compared.map((index) => graph.variables[index] as string);
    const size = graph.states.length;
    this.parent = new Int32Array(size).fill(-2);
    this.event = new Array<E | undefined>(size).fill(undefined);
    this.real = new Array<S | undefined>(size).fill(undefined);
    this.keys = new Array<string | undefined>(size).fill(undefined);
    for (const name of Object.keys(driver.invariants ?? {})) this.invariants.set(name, { evaluations: 0, failed: 0 });
  }

  run(constants: Constants): BisimulationResult {
    const started = performance.now();
    this.start(constants);
    for (let head = 0; head < this.queue.length && !this.stopped; head++) {
      const id = this.queue[head] as number;
      const real = this.real[id] as S;
      this.visit(id, real);
      this.driver.dispose?.(real);
      this.real[id] = undefined;
      if (head % PROGRESS_STATES === 0) this.options.progress?.(this.counts.executed, this.graph.edges);
    }
    this.options.progress?.(this.counts.executed, this.graph.edges);
    return {
      states: this.queue.length,
      edges: this.graph.edges,
      ...this.counts,
      seconds: (performance.now() - started) / 1000,
      offered: this.offered,
      guards: this.guards,
      invariants: this.invariants,
      divergences: this.divergences,
    };
  }

  private start(constants: Constants): void {
    const initial = this.driver.initial(constants);
    const reals: readonly S[] = Array.isArray(initial) ? (initial as readonly S[]) : [initial as S];
    const first = reals[0];
    if (first === undefined) throw new ProjectionError('the driver gives no initial state');
    this.refuseUnknownVariables(this.driver.project(first));
    const byKey = new Map<string, number[]>();
    for (const id of this.graph.initial) {
      const key = this.keyOfState(id);
      byKey.set(key, [...(byKey.get(key) ?? []), id]);
    }
    const met = new Set<string>();
    for (const real of reals) {
      const texts = this.textsOf(real);
      const key = keyOf(texts);
      met.add(key);
      for (const id of byKey.get(key) ?? []) this.reach(id, { real, parent: -1, event: undefined });
      if (!byKey.has(key)) {
        const expected = this.graph.initial.map((id) => this.stateTexts(id));
        this.record(
          'initial',
          'Init',
          'the code starts in a state that Init does not allow',
          -1,
          undefined,
          expected,
          texts,
        );
      }
    }
    for (const [key, ids] of byKey) {
      if (met.has(key) || this.divergences.length > 0) continue;
      const expected = ids.map((id) => this.stateTexts(id));
      this.record(
        'initial',
        'Init',
        'Init allows a state in which the driver never starts',
        -1,
        undefined,
        expected,
        undefined,
      );
    }
  }

  private visit(id: number, real: S): void {
    const outgoing = this.graph.outgoing[id] ?? [];
    const executed = new Uint8Array(outgoing.length);
    const wrong: { event: E; texts: readonly string[] }[] = [];
    const threw = new Set<string>();
    this.evaluateInvariants(id, real);
    for (const event of this.driver.alphabet(real)) {
      this.offered.add(event.type);
      this.counts.delivered++;
      this.countGuards(real, event);
      let next: S;
      try {
        next = this.driver.step(real, event);
      } catch (cause) {
        const thrown = cause instanceof Error ? cause.message : String(cause);
        this.counts.extra++;
        threw.add(event.type);
        this.record(
          'error',
          event.type,
          `the code threw: ${thrown}`,
          id,
          event,
          this.targetsOf(id, event.type),
          undefined,
        );
        continue;
      }
      if (next === real) {
        this.counts.refused++;
        continue;
      }
      const texts = this.textsOf(next);
      const key = keyOf(texts);
      let matched = false;
      let kept = false;
      for (let index = 0; index < outgoing.length; index++) {
        const edge = outgoing[index];
        if (edge === undefined || edge.action !== event.type || this.keyOfState(edge.target) !== key) continue;
        matched = true;
        if (executed[index] === 0) {
          executed[index] = 1;
          this.counts.executed++;
        }
        if (this.parent[edge.target] === -2) {
          this.reach(edge.target, { real: next, parent: id, event });
          kept = true;
        }
      }
      const stutter = !this.graph.hasSelfLoops && key === this.keyOfState(id);
      if (!matched && !stutter) wrong.push({ event, texts });
      if (!kept) this.driver.dispose?.(next);
    }
    this.judge(id, real, outgoing, executed, wrong, threw);
  }

  /** Names each edge that was not executed and each step that the spec does not have. */
  private judge(
    id: number,
    real: S,
    outgoing: StateGraph['outgoing'][number],
    executed: Uint8Array,
    wrong: readonly { event: E; texts: readonly string[] }[],
    threw: ReadonlySet<string>,
  ): void {
    const unexecuted = outgoing.filter((_, index) => executed[index] === 0);
    const excused = new Set(threw);
    for (const { event, texts } of wrong) {
      const owed = unexecuted.filter((edge) => edge.action === event.type);
      const expected = this.targetsOf(id, event.type);
      if (owed.length > 0) {
        this.counts.different++;
        excused.add(event.type);
        this.record(
          'different',
          event.type,
          'spec and code both act, and end in different states',
          id,
          event,
          expected,
          texts,
        );
      } else {
        this.counts.extra++;
        this.record('extra', event.type, 'the code does what the spec forbids here', id, event, expected, texts);
      }
    }
    const reported = new Set<string>();
    for (const edge of unexecuted) {
      if (excused.has(edge.action)) continue;
      this.counts.missing++;
      if (reported.has(edge.action)) continue;
      reported.add(edge.action);
      const target = [this.stateTexts(edge.target)];
      const event = this.driver.alphabet(real).find((candidate) => candidate.type === edge.action);
      const why =
        event === undefined
          ? 'the alphabet has no such event here'
          : 'the code refuses, or does it for other parameters only';
      this.record('missing', edge.action, `the spec allows this step; ${why}`, id, event, target, undefined);
    }
    if (keyOf(this.textsOf(real)) !== this.keyOfState(id)) {
      this.record(
        'mutated',
        'step',
        'a step changed the state that it was given: fork before delivering',
        id,
        undefined,
        [],
        this.textsOf(real),
      );
    }
  }

  private reach(id: number, reached: Reached<S, E>): void {
    if (this.parent[id] !== -2) return;
    this.parent[id] = reached.parent;
    this.event[id] = reached.event;
    this.real[id] = reached.real;
    this.queue.push(id);
  }

  private evaluateInvariants(id: number, real: S): void {
    for (const [name, predicate] of Object.entries(this.driver.invariants ?? {})) {
      const count = this.invariants.get(name);
      if (count === undefined) continue;
      count.evaluations++;
      if (predicate(real)) continue;
      count.failed++;
      this.record(
        'invariant',
        name,
        "the machine's predicate is false in a state that the spec allows",
        id,
        undefined,
        [],
        undefined,
      );
    }
  }

  private countGuards(real: S, event: E): void {
    for (const { rule, holds } of this.driver.guards?.(real, event) ?? []) {
      let count = this.guards.get(rule);
      if (count === undefined) {
        count = { holds: 0, fails: 0 };
        this.guards.set(rule, count);
      }
      if (holds) count.holds++;
      else count.fails++;
    }
  }

  private textsOf(real: S): readonly string[] {
    const projected = this.driver.project(real);
    return this.names.map((name) => {
      const value = projected[name];
      if (value === undefined) throw new ProjectionError(`the driver does not project the spec's variable ${name}`);
      return value.text;
    });
  }

  private refuseUnknownVariables(projected: Readonly<Record<string, unknown>>): void {
    for (const name of Object.keys(projected)) {
      if (!this.graph.variables.includes(name))
        throw new ProjectionError(`the driver projects ${name}, which is no variable of the spec`);
    }
  }

  private keyOfState(id: number): string {
    let key = this.keys[id];
    if (key === undefined) {
      const texts = this.graph.states[id] as readonly string[];
      key = keyOf(this.compared.map((index) => texts[index] as string));
      this.keys[id] = key;
    }
    return key;
  }

  private stateTexts(id: number): StateTexts {
    const texts = this.graph.states[id] as readonly string[];
    return Object.fromEntries(this.graph.variables.map((name, index) => [name, texts[index] as string]));
  }

  private targetsOf(id: number, action: string): readonly StateTexts[] {
    const edges = (this.graph.outgoing[id] ?? []).filter((edge) => edge.action === action);
    return edges.map((edge) => this.stateTexts(edge.target));
  }

  private record(
    verdict: Verdict,
    action: string,
    message: string,
    id: number,
    event: E | undefined,
    expected: readonly StateTexts[],
    actual: readonly string[] | undefined,
  ): void {
    if (this.options.stopAtFirst === true) this.stopped = true;
    if (this.divergences.length >= DIVERGENCES_KEPT_MAX) return;
    const real = id >= 0 ? this.real[id] : undefined;
    const guards: readonly GuardEvaluation[] =
      real !== undefined && event !== undefined ? (this.driver.guards?.(real, event) ?? []) : [];
    const actualTexts =
      actual === undefined ? undefined : Object.fromEntries(this.names.map((name, at) => [name, actual[at] as string]));
    const label = event === undefined ? action : this.describe(event);
    this.divergences.push({
      verdict,
      action,
      message,
      path: this.pathTo(id),
      event,
      label,
      expected,
      actual: actualTexts,
      guards,
    });
  }

  private describe(event: E): string {
    return this.driver.describe?.(event) ?? event.type;
  }

  private pathTo(id: number): readonly TraceStep[] {
    const path: TraceStep[] = [];
    for (let at = id; at >= 0; at = this.parent[at] ?? -1) {
      const event = this.event[at];
      path.push({ event, label: event === undefined ? 'Init' : this.describe(event), state: this.stateTexts(at) });
    }
    return path.reverse();
  }
}
