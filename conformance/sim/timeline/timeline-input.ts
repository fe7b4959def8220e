/** What every timeline is made of: a run's plan, what it came to, and its events in order. Mirrors no spec module. */
import type { Explain } from '../../component.ts';
import type { Scenario } from '../plan.ts';
import type { RunResult } from '../run-result.ts';
import type { SimEvent } from '../sim-event.ts';

export interface TimelineInput {
  readonly scenario: Scenario;
  readonly result: RunResult;
  /** In order, of the whole run: its replicas begin freshly formatted. */
  readonly events: readonly SimEvent[];
  /** From `vsrExplanation.load()` (drivers/vsr-explained.ts); the page has no explanations without it. */
  readonly explain?: Explain | undefined;
}
