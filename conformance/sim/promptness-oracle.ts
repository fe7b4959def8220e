/**
 * Promptness: where nothing hinders, nothing may wait for a retry. A replica that leaves a message out is made good for by the
 * next retry, so no other oracle sees it. Asked in the scenarios that are `prompt` (scenarios.ts): of a calm run, how long each
 * operation took; of any, how long the cluster was between two views, and that only a primary that is gone loses its view. Bounds are far over what runs take (docs/simulation.md
 * says how to measure) and under the first retry, 100 ms. Mirrors no spec module.
 */
import { primaryOf } from '../../machines/quorum.ts';
import type { HistoryEntry } from './client-history.ts';
import type { Scenario } from './plan.ts';
import { scenarioNamed } from './scenarios.ts';
import type { SimNode } from './sim-node.ts';
import { Violation } from './violation.ts';

/** From the call of an operation to its answer, with no fault anywhere. */
export const OPERATION_US_MAX = 30_000;
/** From the first sight of a view to its primary's commit of everything that it began with. */
export const VIEW_CHANGE_US_MAX = 30_000;

/** The scenario is one of those, and its plan is as that made it: a plan may have been changed since. */
export function isPrompt({ name, plan }: Scenario): boolean {
  const { prompt, faults } = scenarioNamed(name);
  return prompt === true && plan.every((event) => event.type !== 'fault' || faults.includes(event.fault.kind));
}

/** Nothing holds a client up, and it does not hold up itself. */
export function isCalm({ workload, plan }: Scenario): boolean {
  return plan.every(({ type }) => type !== 'fault') && workload !== 'slow-reader' && workload !== 'client-crashes';
}

export class PromptnessOracle {
  readonly #replicaCount: number;
  /** Highest view that anybody is in, and since when. */
  #view = 0;
  #sinceUs = 0;
  /** Its primary is normal in it: the op that it must commit. Undefined before. */
  #opToCommit: number | undefined;
  #hasBegun = true;
  longestViewChangeUs = 0;

  constructor(replicaCount: number) {
    this.#replicaCount = replicaCount;
  }

  /** After a step of a node. @throws Violation */
  changed({ replica }: SimNode, nodes: readonly SimNode[], nowUs: number): void {
    if (replica !== undefined && replica.view > this.#view) {
      this.#judgeLeaving(replica.view, nodes);
      this.#view = replica.view;
      this.#sinceUs = nowUs;
      this.#hasBegun = false;
      this.#opToCommit = undefined;
    }
    if (this.#hasBegun) return;
    const primary = nodes[primaryOf(this.#view, this.#replicaCount)]?.replica;
    // A view whose primary is gone does not begin: that is what patience is for.
    if (primary === undefined) return;
    if (primary.view === this.#view && primary.status === 'normal') this.#opToCommit ??= primary.op;
    const tookUs = nowUs - this.#sinceUs;
    if (this.#opToCommit !== undefined && primary.commit >= this.#opToCommit) {
      this.#hasBegun = true;
      this.longestViewChangeUs = Math.max(this.longestViewChangeUs, tookUs);
      return;
    }
    if (tookUs > VIEW_CHANGE_US_MAX)
      throw new Violation({
        oracle: 'promptness',
        rule: 'a view begins promptly',
        message: `view ${this.#view} has not begun and committed what it began with ${tookUs / 1_000} ms after a replica was first in it, with nothing in its way: at most ${VIEW_CHANGE_US_MAX / 1_000} ms`,
      });
  }

  /** Every view from the last one to this one was given up: its primary must be gone. */
  #judgeLeaving(next: number, nodes: readonly SimNode[]): void {
    for (let left = this.#view; left < next; left++) {
      const leader = primaryOf(left, this.#replicaCount);
      if (nodes[leader]?.replica === undefined) continue;
      throw new Violation({
        oracle: 'promptness',
        rule: 'a primary that is there stays',
        message: `view ${left} was left for view ${next} although its primary, replica ${leader}, is up, with nothing in its way`,
      });
    }
  }
}

/** Of a run without any fault. @throws Violation */
export function judgePromptness(history: readonly HistoryEntry[]): void {
  for (const { operation, kind, callUs, returnUs, stream } of history) {
    const tookUs = returnUs === undefined ? 0 : returnUs - callUs;
    if (tookUs <= OPERATION_US_MAX) continue;
    throw new Violation({
      oracle: 'promptness',
      rule: 'an operation is prompt',
      message: `operation ${operation} (${kind} of ${stream}) took ${tookUs / 1_000} ms in a run without any fault: at most ${OPERATION_US_MAX / 1_000} ms`,
    });
  }
}
