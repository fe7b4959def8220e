/** Small histories for the linearizability check: made by a sequential object with random intervals, then perhaps bent. */
import fc from 'fast-check';
import type { HistoryEntry } from '../../../conformance/sim/client-history.ts';

type Events = readonly { readonly value: number; readonly part: number }[];
type Streams = ReadonlyMap<string, Events>;

const KINDS = ['create-stream', 'delete-stream', 'append', 'append', 'append', 'read', 'read'] as const;

interface ScriptStep {
  readonly kind: (typeof KINDS)[number];
  readonly stream: number;
  readonly count: number;
  readonly answer: 'told' | 'lost' | 'never';
  readonly sameOp: boolean;
  readonly gapUs: number;
  readonly beforeUs: number;
  readonly afterUs: number;
  readonly expected: 'none' | 'right' | 'wrong';
  readonly from: number;
  readonly limit: number;
  /** A committed read, of the state so many ops ago; undefined: a linearizable one. */
  readonly ageOps: number | undefined;
}

const scriptStep: fc.Arbitrary<ScriptStep> = fc.record({
  kind: fc.constantFrom(...KINDS),
  stream: fc.constantFrom(0, 0, 0, 1),
  count: fc.constantFrom(1, 1, 2),
  answer: fc.constantFrom('told', 'told', 'told', 'lost', 'never'),
  sameOp: fc.constantFrom(false, false, true),
  gapUs: fc.integer({ min: 0, max: 3 }),
  beforeUs: fc.integer({ min: 0, max: 6 }),
  afterUs: fc.integer({ min: 0, max: 6 }),
  expected: fc.constantFrom('none', 'none', 'right', 'wrong'),
  from: fc.constantFrom(0, 0, 0, 1),
  limit: fc.integer({ min: 1, max: 5 }),
  ageOps: fc.constantFrom(undefined, undefined, 0, 1, 2),
});

/** What a cluster without a fault could have answered. */
export const validHistories: fc.Arbitrary<readonly HistoryEntry[]> = fc
  .array(scriptStep, { minLength: 4, maxLength: 8 })
  .map((script) => new Simulated(script).history);

class Simulated {
  readonly history: HistoryEntry[] = [];
  readonly #states: Streams[] = [new Map()];
  #nowUs = 10;
  /** Reads of the current op's state exist: nothing more goes into it. */
  #isSealed = true;

  constructor(script: readonly ScriptStep[]) {
    this.#command(this.#at('s0', 0, { beforeUs: 1, afterUs: 1 }), 'create-stream', 'told');
    for (const step of script) this.#take(step);
  }

  get #commitId(): number {
    return this.#states.length - 1;
  }

  get #state(): Streams {
    return this.#states[this.#commitId] as Streams;
  }

  #at(stream: string, gapUs: number, { beforeUs, afterUs }: { readonly beforeUs: number; readonly afterUs: number }) {
    this.#nowUs += gapUs;
    const operation = this.history.length;
    return { operation, client: 0, callUs: this.#nowUs - beforeUs, returnUs: this.#nowUs + afterUs, stream };
  }

  #take(step: ScriptStep): void {
    const { kind } = step;
    const stream = `s${step.stream}`;
    const mayJoin = step.sameOp && !this.#isSealed;
    const call = this.#at(stream, mayJoin ? 0 : step.gapUs, step);
    if (kind === 'read') {
      this.#read(step, call);
      return;
    }
    if (!mayJoin) {
      this.#states.push(this.#state);
      this.#isSealed = false;
    }
    if (kind === 'append') this.#append(step, call);
    else this.#command(call, kind, step.answer);
  }

  #command(
    call: ReturnType<Simulated['_call']>,
    kind: 'create-stream' | 'delete-stream',
    answer: ScriptStep['answer'],
  ): void {
    if (this.#commitId === 0) this.#states.push(this.#state);
    const exists = this.#state.has(call.stream);
    const isRefused = exists === (kind === 'create-stream');
    if (answer !== 'never' && !isRefused) this.#change(call.stream, kind === 'create-stream' ? [] : undefined);
    if (answer !== 'told') this.history.push({ ...call, returnUs: undefined, kind, outcome: { kind: 'unknown' } });
    else if (isRefused) {
      const rule = kind === 'create-stream' ? 'STREAM_EXISTS' : 'STREAM_NOT_FOUND';
      this.history.push({ ...call, kind, outcome: { kind: 'refused', rule } });
    } else this.history.push({ ...call, kind, outcome: { kind: 'applied', commitId: this.#commitId } });
  }

  #append(step: ScriptStep, call: ReturnType<Simulated['_call']>): void {
    const { count, expected, answer } = step;
    const events = this.#state.get(call.stream);
    const firstOffset = events?.length ?? 0;
    const value = 100 + call.operation;
    const expectedOffset = expected === 'none' ? undefined : firstOffset + (expected === 'right' ? 0 : 1);
    const fields = { ...call, kind: 'append' as const, value, count, expectedOffset };
    const isRefused = events === undefined || expected === 'wrong';
    if (answer !== 'never' && !isRefused) this.#change(call.stream, [...events, ...partsOf(value, count)]);
    let entry: Extract<HistoryEntry, { readonly kind: 'append' }>;
    if (answer !== 'told') entry = { ...fields, returnUs: undefined, outcome: { kind: 'unknown' } };
    else if (isRefused) {
      const rule = events === undefined ? 'STREAM_NOT_FOUND' : 'OFFSET_MISMATCH';
      entry = { ...fields, outcome: { kind: 'refused', rule } };
    } else entry = { ...fields, outcome: { kind: 'applied', firstOffset, commitId: this.#commitId } };
    this.history.push(entry);
  }

  #read({ from, limit, ageOps, answer }: ScriptStep, call: ReturnType<Simulated['_call']>): void {
    const commitId = Math.max(0, this.#commitId - (ageOps ?? 0));
    const consistency = ageOps === undefined ? 'linearizable' : 'committed';
    const events = this.#states[commitId]?.get(call.stream);
    const fields = { ...call, kind: 'read' as const, consistency, from, limit } as const;
    if (answer === 'never') this.history.push({ ...fields, returnUs: undefined, outcome: { kind: 'unknown' } });
    else if (events === undefined) this.history.push({ ...fields, outcome: { kind: 'no-stream' } });
    else {
      const page = events.slice(from, from + limit).map((event, at) => ({ offset: from + at, ...event }));
      const outcome = { kind: 'applied' as const, events: page, nextOffset: from + page.length, commitId };
      this.history.push({ ...fields, outcome });
    }
    this.#isSealed = true;
  }

  #change(stream: string, events: Events | undefined): void {
    const next = new Map(this.#state);
    if (events === undefined) next.delete(stream);
    else next.set(stream, events);
    this.#states[this.#commitId] = next;
  }

  /** For its type. */
  _call() {
    return this.#at('', 0, { beforeUs: 0, afterUs: 0 });
  }
}

function partsOf(value: number, count: number): Events {
  return Array.from({ length: count }, (_, part) => ({ value, part }));
}

const BENDS = [
  'swap offsets',
  'swap commit ids',
  'shift offset',
  'shift commit id',
  'shift call',
  'shift return',
  'copy a value',
  'swap values',
  'cut a read',
  'another state',
  'forget the answer',
  'say refused',
  'lose an event',
  'wait long',
] as const;

interface Bend {
  readonly how: (typeof BENDS)[number];
  readonly which: number;
  readonly other: number;
  readonly by: number;
}

const bend: fc.Arbitrary<Bend> = fc.record({
  how: fc.constantFrom(...BENDS),
  which: fc.nat({ max: 20 }),
  other: fc.nat({ max: 20 }),
  by: fc.constantFrom(-3, -2, -1, 1, 2, 3),
});

/** As validHistories, bent once to three times: most are wrong then. */
export const bentHistories: fc.Arbitrary<readonly HistoryEntry[]> = fc
  .tuple(validHistories, fc.array(bend, { minLength: 1, maxLength: 3 }))
  .map(([history, bends]) => bends.reduce(bent, history));

// biome-ignore lint/suspicious/noExplicitAny: what is bent keeps its shape, and no type would say more
type Loose = any;

function bent(history: readonly HistoryEntry[], { how, which, other, by }: Bend): readonly HistoryEntry[] {
  const copy: Loose[] = structuredClone(history) as Loose[];
  const applied = copy.filter(({ outcome }) => outcome.kind === 'applied');
  const appends = applied.filter(({ kind }) => kind === 'append');
  const reads = applied.filter(({ kind, outcome }) => kind === 'read' && outcome.events.length > 0);
  const [one, two] = [applied[which % applied.length], applied[other % applied.length]];
  const [append, append2] = [appends[which % appends.length], appends[other % appends.length]];
  const read = reads[which % reads.length];
  const events = read?.outcome.events;
  const [event, event2] = [events?.[other % events.length], events?.[(other + 1) % events.length]];
  const any = copy[which % copy.length];
  switch (how) {
    case 'swap offsets':
      if (append !== undefined) swap(append.outcome, append2.outcome, 'firstOffset');
      break;
    case 'swap commit ids':
      if (one !== undefined) swap(one.outcome, two.outcome, 'commitId');
      break;
    case 'shift offset':
      if (append !== undefined) append.outcome.firstOffset = Math.max(0, append.outcome.firstOffset + by);
      break;
    case 'shift commit id':
      if (one !== undefined) one.outcome.commitId = Math.max(1, one.outcome.commitId + by);
      break;
    case 'shift call':
      any.callUs = Math.max(0, Math.min(any.callUs + by, any.returnUs ?? any.callUs + by));
      break;
    case 'shift return':
      if (any.returnUs !== undefined) any.returnUs = Math.max(any.callUs, any.returnUs + by);
      break;
    case 'copy a value':
      if (event !== undefined) Object.assign(event, { value: event2.value, part: event2.part });
      break;
    case 'swap values':
      if (event !== undefined) {
        swap(event, event2, 'value');
        swap(event, event2, 'part');
      }
      break;
    case 'cut a read':
      if (events !== undefined) {
        events.pop();
        read.outcome.nextOffset--;
      }
      break;
    case 'another state':
      if (read !== undefined) {
        const { outcome } = reads[other % reads.length];
        read.outcome = structuredClone({ ...outcome, commitId: read.outcome.commitId });
      }
      break;
    case 'forget the answer':
      Object.assign(any, { returnUs: undefined, outcome: { kind: 'unknown' } });
      break;
    case 'say refused':
      if (append !== undefined) append.outcome = { kind: 'refused', rule: by > 0 ? 'BUSY' : 'STREAM_NOT_FOUND' };
      break;
    case 'lose an event':
      if (events !== undefined) {
        events.splice(other % events.length, 1);
        for (const [at, left] of events.entries()) left.offset = read.from + at;
        read.outcome.nextOffset--;
      }
      break;
    case 'wait long':
      if (any.returnUs !== undefined) any.returnUs += 20;
      break;
  }
  return copy as readonly HistoryEntry[];
}

function swap(a: Loose, b: Loose, field: string): void {
  [a[field], b[field]] = [b[field], a[field]];
}
