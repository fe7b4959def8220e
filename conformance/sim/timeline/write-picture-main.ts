/**
 * Entry of `make sim-picture`: docs/pictures/simulated-run.png, the page of a run that fails: a broken implementation chooses
 * the longest log in a view change (canary E6), and the run is shrunk to what that needs. Needs Chromium.
 */

import { vsrExplanation } from '../../drivers/vsr-explained.ts';
import { screenshot } from '../../report/screenshot.ts';
import { makeScenario } from '../make-plan.ts';
import { runScenario } from '../run.ts';
import { shrinkBundle } from '../shrink.ts';
import type { SimEvent } from '../sim-event.ts';
import { htmlTimeline } from './html-timeline.ts';

const PICTURE = 'docs/pictures/simulated-run.png';
const CANARY = 'Vsr.longest-log';
/** The first that shows it may be another one tomorrow: plans change. */
const SEEDS_MAX = 4_000;
const SIZE_PX = [1440, 900] as const;

for (let seed = 1; ; seed++) {
  if (seed > SEEDS_MAX) throw new Error(`no seed up to ${SEEDS_MAX} fails with canary ${CANARY}`);
  const whole = makeScenario(seed, { canary: CANARY });
  const { failure } = runScenario(whole);
  if (failure === undefined) continue;
  const { scenario } = shrinkBundle(runScenario, { scenario: whole, failure });
  const events: SimEvent[] = [];
  const result = runScenario(scenario, { onEvent: (event) => events.push(event) });
  const html = htmlTimeline({ scenario, result, events, explain: await vsrExplanation.load() });
  screenshot(html, PICTURE, SIZE_PX, `step=${result.failure?.step ?? 0}`);
  process.stdout.write(`${PICTURE}\n`);
  break;
}
