/**
 * The dumb twin of conformance/sim/linearizability.ts: Wing and Gong's search over every order of at most some ten operations,
 * with the sequential object written down once more, and commit ids ascending along the order.
 */
import type { HistoryEntry } from '../../../conformance/sim/client-history.ts';

interface Stream {
  readonly exists: boolean;
  /** `value/part` by offset. */
  readonly events: readonly string[];
}
type State = Readonly<Record<string, Stream>>;

interface Item {
  readonly entry: HistoryEntry;
  readonly kind: 'command' | 'read' | 'refusal' | 'loose';
  readonly commitId: number;
  readonly callUs: number;
  readonly returnUs: number;
  readonly next: (state: State) => State | undefined;
}

/** Commands of the op `commitId` may follow; its state was read; something is applied behind it. */
type Phase = 'open' | 'read' | 'behind';

export function isLinearizable(history: readonly HistoryEntry[]): boolean {
  const items = narrowed(history.flatMap(itemsOf));
  if (items.some(({ callUs, returnUs }) => callUs > returnUs)) return false;
  const seen = new Set<string>();
  return search(items, new Set(items), {}, 0, 'open', seen);
}

function search(
  items: readonly Item[],
  left: ReadonlySet<Item>,
  state: State,
  commitId: number,
  phase: Phase,
  seen: Set<string>,
): boolean {
  const mandatory = [...left].filter(({ kind }) => kind !== 'loose');
  if (mandatory.length === 0) return true;
  const key = JSON.stringify([items.map((item) => left.has(item)), state, commitId, phase]);
  if (seen.has(key)) return false;
  seen.add(key);
  const returnUs = Math.min(...mandatory.map((item) => item.returnUs));
  for (const item of left) {
    if (item.callUs > returnUs) continue;
    const place = placeOf(item, commitId, phase);
    if (place === undefined) continue;
    const next = item.next(state);
    if (next === undefined) continue;
    const rest = new Set(left);
    rest.delete(item);
    if (search(items, rest, next, place.commitId, place.phase, seen)) return true;
  }
  return false;
}

function placeOf(item: Item, commitId: number, phase: Phase): { commitId: number; phase: Phase } | undefined {
  if (item.kind === 'refusal') return { commitId, phase };
  if (item.kind === 'loose') return { commitId, phase: phase === 'open' ? 'open' : 'behind' };
  if (item.commitId < commitId) return undefined;
  if (item.kind === 'command') {
    return item.commitId === commitId && phase !== 'open' ? undefined : { commitId: item.commitId, phase: 'open' };
  }
  return item.commitId === commitId && phase === 'behind' ? undefined : { commitId: item.commitId, phase: 'read' };
}

/** Commands of one op are at one moment. */
function narrowed(items: readonly Item[]): readonly Item[] {
  return items.map((item) => {
    if (item.kind !== 'command') return item;
    const ofOp = items.filter(({ kind, commitId }) => kind === 'command' && commitId === item.commitId);
    return {
      ...item,
      callUs: Math.max(...ofOp.map(({ callUs }) => callUs)),
      returnUs: Math.min(...ofOp.map(({ returnUs }) => returnUs)),
    };
  });
}

function itemsOf(entry: HistoryEntry): readonly Item[] {
  const { outcome, callUs, returnUs = Number.POSITIVE_INFINITY, stream } = entry;
  const item = (kind: Item['kind'], next: Item['next'], fields: Partial<Item> = {}): Item => ({
    ...{ entry, kind, next, callUs, returnUs, commitId: outcome.kind === 'applied' ? outcome.commitId : 0 },
    ...fields,
  });
  const only = (holds: (of: Stream) => boolean) => (state: State) =>
    holds(streamOf(state, stream)) ? state : undefined;
  if (entry.kind === 'read') {
    const { consistency, from, limit } = entry;
    if (entry.outcome.kind === 'unknown') return [];
    const call = consistency === 'committed' ? { callUs: Number.NEGATIVE_INFINITY } : {};
    if (entry.outcome.kind === 'no-stream')
      return [
        item(
          'refusal',
          only(({ exists }) => !exists),
          call,
        ),
      ];
    const { events, nextOffset } = entry.outcome;
    const isRight = (of: Stream): boolean => {
      const page = of.events.slice(from, from + limit);
      return (
        of.exists &&
        nextOffset === from + page.length &&
        events.length === page.length &&
        events.every((event, at) => event.offset === from + at && page[at] === `${event.value}/${event.part}`)
      );
    };
    return [item('read', only(isRight), call)];
  }
  const { kind } = entry;
  const asked = kind === 'append' ? entry : { value: 0, count: 0, expectedOffset: undefined };
  const apply = (state: State): State | undefined => {
    const before = streamOf(state, stream);
    if (kind === 'create-stream')
      return before.exists ? undefined : { ...state, [stream]: { exists: true, events: [] } };
    if (!before.exists) return undefined;
    if (kind === 'delete-stream') return { ...state, [stream]: { exists: false, events: [] } };
    const { value, count, expectedOffset } = asked;
    if (expectedOffset !== undefined && expectedOffset !== before.events.length) return undefined;
    if (before.events.some((event) => event.startsWith(`${value}/`))) return undefined;
    const added = Array.from({ length: count }, (_, part) => `${value}/${part}`);
    return { ...state, [stream]: { exists: true, events: [...before.events, ...added] } };
  };
  if (outcome.kind === 'refused') {
    const { rule } = outcome;
    if (rule === 'BUSY') return [];
    if (rule === 'STREAM_EXISTS')
      return [
        item(
          'refusal',
          only(({ exists }) => exists),
        ),
      ];
    if (rule === 'STREAM_NOT_FOUND')
      return [
        item(
          'refusal',
          only(({ exists }) => !exists),
        ),
      ];
    const expected = entry.kind === 'append' ? entry.expectedOffset : undefined;
    return [
      item(
        'refusal',
        only(({ exists, events }) => exists && expected !== undefined && expected !== events.length),
      ),
    ];
  }
  if (outcome.kind === 'unknown') return [item('loose', apply, { returnUs: Number.POSITIVE_INFINITY })];
  const firstOffset =
    entry.kind === 'append' && entry.outcome.kind === 'applied' ? entry.outcome.firstOffset : undefined;
  const applied = (state: State): State | undefined =>
    firstOffset !== undefined && streamOf(state, stream).events.length !== firstOffset ? undefined : apply(state);
  return [item('command', applied)];
}

function streamOf(state: State, name: string): Stream {
  return state[name] ?? { exists: false, events: [] };
}
