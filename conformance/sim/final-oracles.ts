/**
 * What is judged when a simulated run has completed: nothing acknowledged is lost, nothing is there twice, what was refused is
 * nowhere, the clients saw one linearizable object, and the disks hold what the memory says. Mirrors no spec module.
 */
import { READ_BYTES_MAX, READ_EVENTS_MAX } from '../../impl/kernel/limits.ts';
import type { HistoryEntry } from './client-history.ts';
import { readsBack } from './durability-oracle.ts';
import { checkHistory } from './linearizability.ts';
import type { Oracles } from './oracles.ts';
import { isCalm, isPrompt, judgePromptness } from './promptness-oracle.ts';
import type { Oracle } from './run-result.ts';
import type { SimNode } from './sim-node.ts';
import { partsOf } from './sim-values.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

/** One run in so many opens a disk again at its end: that costs as much as a twentieth of the run. */
const READ_BACK_OF = 4;

type Append = Extract<HistoryEntry, { readonly kind: 'append' }>;

/** @throws Violation */
export function judgeEnd(world: World, _oracles: Oracles, without: ReadonlySet<Oracle>): void {
  const { history } = world.clients;
  const up = world.nodes.filter((node) => world.mustTakePart(node) && node.isUp);
  // A disk that was made to lie may refuse to be read, loudly: one that was not has to tell.
  const honest = rotated(up, world.scenario.seed).find((node) => !node.isForgetful && !node.mayRefuse);
  if (!without.has('acknowledged') && honest !== undefined) judgeAcknowledged(honest, history);
  if (!without.has('linearizability')) {
    const problem = checkHistory(history);
    if (problem !== undefined)
      throw new Violation({ oracle: 'linearizability', rule: problem.rule, message: problem.message });
  }
  if (isPrompt(world.scenario) && isCalm(world.scenario) && !without.has('promptness')) judgePromptness(history);
  const isReadBack = world.scenario.seed % READ_BACK_OF === 0;
  if (!isReadBack || without.has('durability') || honest === undefined) return;
  const lost = readsBack(honest);
  if (lost !== undefined)
    throw new Violation({ oracle: 'durability', rule: 'the disk holds what the memory says', message: lost });
}

/** Which replica is read at the end: another one in each run. */
function rotated(nodes: readonly SimNode[], by: number): readonly SimNode[] {
  const first = nodes.length === 0 ? 0 : by % nodes.length;
  return [...nodes.slice(first), ...nodes.slice(0, first)];
}

/** Streams that were deleted in the run are left to the linearizability check: their events are rightly gone. */
function judgeAcknowledged(node: SimNode, history: readonly HistoryEntry[]): void {
  const deleted = new Set(history.filter(({ kind }) => kind === 'delete-stream').map(({ stream }) => stream));
  const byStream = new Map<string, Map<number, readonly number[]>>();
  const offsetsOf = (stream: string): Map<number, readonly number[]> => {
    let offsets = byStream.get(stream);
    offsets ??= offsetsByValue(node, stream);
    byStream.set(stream, offsets);
    return offsets;
  };
  for (const entry of history) {
    if (entry.kind !== 'append' || deleted.has(entry.stream)) continue;
    const offsets = offsetsOf(entry.stream).get(entry.value) ?? [];
    const wrong = wrongWith(entry, offsets);
    if (wrong === undefined) continue;
    throw new Violation({
      oracle: 'acknowledged',
      rule: wrong,
      message: `${wrong}: operation ${entry.operation} (value ${entry.value}, ${entry.outcome.kind}) of ${entry.stream} is at offsets [${offsets.join(', ')}]`,
    });
  }
}

function wrongWith({ outcome, count }: Append, offsets: readonly number[]): string | undefined {
  if (offsets.length > count) return 'an append is there twice';
  if (outcome.kind === 'refused') return offsets.length > 0 ? 'what was refused is there' : undefined;
  if (outcome.kind === 'unknown')
    return offsets.length > 0 && offsets.length < count ? 'an append is there in part' : undefined;
  const whole = offsets.length === count && offsets.every((offset, part) => offset === outcome.firstOffset + part);
  return whole ? undefined : 'what was acknowledged is not there';
}

function offsetsByValue(node: SimNode, stream: string): Map<number, readonly number[]> {
  const offsets = new Map<number, number[]>();
  const state = node.core?.state;
  for (let from = 0; ; ) {
    const read = state?.read({ stream, from, eventsMax: READ_EVENTS_MAX, bytesMax: READ_BYTES_MAX });
    if (read === undefined || read.events.length === 0) return offsets;
    for (const { offset, data } of read.events) {
      const { value } = partsOf(data);
      const own = offsets.get(value);
      if (own === undefined) offsets.set(value, [offset]);
      else own.push(offset);
    }
    from = read.nextOffset;
  }
}
