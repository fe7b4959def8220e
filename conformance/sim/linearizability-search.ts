/**
 * Looks for an order of all that happened on some streams: the steps in the order of their commit ids, and between them what
 * has none: appends, creates and deletes without an answer (each as late as can be, or never), refusals and reads that saw no
 * stream (each as soon as its state is there). Wing and Gong's rule throughout: nothing goes before what had returned when it
 * was called. What is not determined is tried and taken back. Mirrors no spec module.
 */
import type { Answered, HistoryFacts, Refusal, StreamFacts } from './linearizability-facts.ts';
import type { Step } from './linearizability-order.ts';
import {
  beginOf,
  endOf,
  type Insertion,
  type SavedStream,
  StreamSearch,
  type Wanted,
} from './linearizability-stream.ts';

/** Choices tried before a search ends without a verdict, some 20 ms: histories of runs need one for each loose operation. */
export const CHOICES_MAX = 20_000;
/** Choices taken back after which states that led nowhere are remembered: nearly all searches end before. */
const CHOICES_BEFORE_MEMORY = 32;

/** What has no commit id and was put into the order: what it asks of the steps before and behind it. */
export interface Loose {
  /** Index of the step behind it, which takes effect at callUs or later; steps.length when there is none. */
  readonly before: number;
  readonly callUs: number;
  /** Index of the step before it, which takes effect at returnUs or earlier; -1 when there is none. */
  readonly after: number;
  readonly returnUs: number;
}

/** Where a search came to its end: the furthest step, the streams as they were there first, what had waited for its state. */
export interface DeadEnd {
  readonly step: Step | undefined;
  readonly left: readonly Answered[];
  readonly streams: readonly StreamSearch[];
  readonly waiting: readonly Refusal[];
}

export type Found =
  | { readonly kind: 'order'; readonly loose: readonly Loose[] }
  | { readonly kind: 'none'; readonly at: number }
  | { readonly kind: 'undetermined' }
  | { readonly kind: 'dead-end'; readonly deadEnd: DeadEnd };

interface ChoicePoint {
  readonly at: number;
  readonly left: readonly Answered[];
  readonly active: number;
  readonly waiting: readonly Refusal[];
  readonly looseCount: number;
  readonly saved: readonly SavedStream[];
  /** Other commands of the step that could be next. */
  readonly members: readonly Answered[];
  /** What could be put in here, asked for when it comes to it. */
  insertions: readonly Insertion[] | undefined;
  next: number;
}

const NOTHING: readonly never[] = [];

export class OrderSearch {
  readonly #steps: readonly Step[];
  /** Indices of the steps of these streams, ascending. */
  readonly #order: readonly number[];
  readonly #facts: HistoryFacts;
  readonly #streams: readonly StreamSearch[];
  readonly #byIndex: (StreamSearch | undefined)[] = [];
  /** By callUs. The first `active` of them may go before what is next; those of them that had no state yet wait. */
  readonly #refusals: readonly Refusal[];
  #active = 0;
  #waiting: Refusal[] = [];
  /** Position in order, the step there, and members of it that are still to be taken. */
  #at = 0;
  #step: Step | undefined = undefined;
  #left: readonly Answered[] = NOTHING;
  #loose: Loose[] = [];
  /** What stands against the reads at hand. */
  #early: Refusal | undefined;
  readonly #points: ChoicePoint[] = [];
  #choices = 0;
  #furthest = 0;
  readonly #seen = new Set<string>();
  readonly #prefixes = new Map<string, number>();

  constructor(steps: readonly Step[], order: readonly number[], streams: readonly StreamFacts[], facts: HistoryFacts) {
    this.#steps = steps;
    this.#order = order;
    this.#facts = facts;
    this.#streams = streams.map((stream) => new StreamSearch(stream));
    for (const stream of this.#streams) this.#byIndex[stream.facts.index] = stream;
    this.#refusals = streams.flatMap(({ refusals }) => refusals).sort((a, b) => a.callUs - b.callUs);
    this.#goTo(0);
    this.#left = this.#step?.members ?? NOTHING;
  }

  /** @param deadEndAt where a search before this one came to its end: this one ends there, and shows how it looks */
  run(deadEndAt?: number): Found {
    while (true) {
      const step = this.#step;
      const goesOn = step === undefined ? this.#endHolds() : this.#takes(step);
      if (goesOn && step === undefined) return { kind: 'order', loose: this.#loose };
      if (goesOn) continue;
      if (this.#at === deadEndAt) return { kind: 'dead-end', deadEnd: this.#deadEnd() };
      if (this.#at > this.#furthest) this.#furthest = this.#at;
      this.#points.push(this.#point());
      do {
        if (!this.#tryNext()) return { kind: 'none', at: this.#furthest };
        if (++this.#choices > CHOICES_MAX) return { kind: 'undetermined' };
      } while (this.#isKnown());
    }
  }

  #goTo(at: number): void {
    this.#at = at;
    this.#step = this.#steps[this.#order[at] ?? -1];
  }

  /** Behind the last step there are only refusals. */
  #endHolds(): boolean {
    this.#settle(Number.POSITIVE_INFINITY);
    return this.#waiting.length === 0;
  }

  /** Takes the step, or one command of it, if it can be next. */
  #takes(step: Step): boolean {
    const stream = this.#byIndex[step.stream] as StreamSearch;
    this.#early = undefined;
    this.#settle(step.latestUs);
    return step.isReads ? this.#takesReads(step, stream) : this.#takesCommand(step, stream);
  }

  /** Nothing has to go before reads that are right now: what would go there leads to the same behind them. */
  #takesReads(step: Step, stream: StreamSearch): boolean {
    if (!stream.readsHold(step)) return false;
    this.#early = this.#earlyOf(step, stream);
    if (this.#early !== undefined) return false;
    this.#advance();
    return true;
  }

  /** A refusal that waits for another state of the stream, and had returned when one of these reads was called. */
  #earlyOf(step: Step, stream: StreamSearch): Refusal | undefined {
    for (const refusal of this.#waiting) if (isEarly(refusal, step, stream)) return refusal;
    for (let next = this.#active; next < this.#refusals.length; next++) {
      const refusal = this.#refusals[next] as Refusal;
      if (refusal.callUs > step.endEarliestUs) break;
      if (isEarly(refusal, step, stream)) return refusal;
    }
    return undefined;
  }

  #takesCommand(step: Step, stream: StreamSearch): boolean {
    for (const { returnUs } of this.#waiting) if (returnUs < step.earliestUs) return false;
    const taken = firstThatGoes(this.#left, stream);
    if (taken === undefined) return false;
    if (this.#left.length > 1 || stream.mayEnd || this.#waiting.length > 0) {
      this.#points.push(this.#point(this.#left.filter((member) => member !== taken && stream.canTake(member))));
    }
    this.#takeMember(taken);
    return true;
  }

  #takeMember(member: Answered): void {
    const stream = this.#byIndex[member.stream.index] as StreamSearch;
    stream.take(member, this.#facts.appends);
    if (this.#left.length === 1) this.#advance();
    else this.#left = this.#left.filter((other) => other !== member);
  }

  #advance(): void {
    this.#goTo(this.#at + 1);
    this.#left = this.#step?.members ?? NOTHING;
  }

  /** Puts every refusal that is right now, and may be next, into the order: it changes nothing, so sooner is never worse. */
  #settle(latestUs: number): void {
    for (; this.#active < this.#refusals.length; this.#active++) {
      const refusal = this.#refusals[this.#active] as Refusal;
      if (refusal.callUs > latestUs) break;
      this.#waiting.push(refusal);
    }
    if (this.#waiting.length === 0) return;
    let callUsMax = latestUs;
    for (const refusal of this.#waiting) if (!this.#isRight(refusal)) callUsMax = Math.min(callUsMax, refusal.returnUs);
    const waiting = this.#waiting;
    const isNext = (refusal: Refusal): boolean => refusal.callUs <= callUsMax && this.#isRight(refusal);
    if (!waiting.some(isNext)) return;
    this.#waiting = waiting.filter((refusal) => !isNext(refusal));
    for (const refusal of waiting) if (isNext(refusal)) this.#placed(refusal);
  }

  #isRight(refusal: Refusal): boolean {
    return (this.#byIndex[refusal.stream.index] as StreamSearch).isRight(refusal);
  }

  #placed({ callUs, returnUs }: Refusal): void {
    const step = this.#step;
    const isInside = step !== undefined && this.#left.length < step.members.length;
    const before = this.#order[this.#at] ?? this.#steps.length;
    const after = this.#order[isInside ? this.#at : this.#at - 1] ?? -1;
    this.#loose.push({ before, callUs, after, returnUs });
  }

  /** What has no commit id and may be applied now, on the streams where something waits for a change. */
  #insertions(): readonly Insertion[] {
    const step = this.#step;
    let latestUs = step?.latestUs ?? Number.POSITIVE_INFINITY;
    for (const { returnUs } of this.#waiting) latestUs = Math.min(latestUs, returnUs);
    const found: Insertion[] = [];
    for (const stream of this.#streams) {
      const isNext = stream.facts.index === step?.stream;
      if (!isNext && !this.#waiting.some((refusal) => refusal.stream === stream.facts)) continue;
      const { offsetMax, value } = this.#growthOf(stream, isNext);
      for (const insertion of stream.insertions({ latestUs, offsetMax, value })) found.push(insertion);
    }
    return found;
  }

  /** How far, and with what, appends may go on here: no further than what comes asks for, unless a refusal asks for more. */
  #growthOf(stream: StreamSearch, isNext: boolean): Pick<Wanted, 'offsetMax' | 'value'> {
    const isFree = this.#waiting.some(
      (refusal) => refusal.stream === stream.facts && refusal.needs === 'other-offset' && !stream.isRight(refusal),
    );
    const offsetMax = this.#offsetMax(stream, isFree);
    if (isFree || !isNext || this.#step?.isReads !== true) return { offsetMax, value: undefined };
    let value: number | undefined;
    let isShort = false;
    for (const { entry } of this.#left) {
      if (entry.kind !== 'read' || entry.outcome.kind !== 'applied') continue;
      const { events } = entry.outcome;
      if (!stream.agrees(entry.from, events)) return { offsetMax: 0, value };
      if (entry.from + events.length > stream.nextOffset) isShort = true;
      value = events[stream.nextOffset - entry.from]?.value ?? value;
    }
    return { offsetMax: isShort ? offsetMax : 0, value };
  }

  /** As far as this stream may grow before its next step: more is wrong, or (isFree: that is well) would be lost with it. */
  #offsetMax(stream: StreamSearch, isFree: boolean): number {
    if (isFree && stream.mayEnd) return Number.POSITIVE_INFINITY;
    let end = isFree ? Number.POSITIVE_INFINITY : 0;
    for (let at = this.#at; at < this.#order.length; at++) {
      const step = this.#steps[this.#order[at] as number] as Step;
      if (step.stream !== stream.facts.index) continue;
      const left = at === this.#at ? this.#left : step.members;
      const offsetMax = step.isReads ? endOf(left) : beginOf(left, end > 0);
      if (offsetMax !== undefined) return offsetMax;
      // Full reads: all that they show is needed, and what a later step says may be of another stream of this name.
      end = Number.POSITIVE_INFINITY;
      if (stream.mayEnd) break;
    }
    return end;
  }

  /** How things are: the way back to here, to do something else. */
  #point(members: readonly Answered[] = NOTHING): ChoicePoint {
    return {
      at: this.#at,
      left: this.#left,
      active: this.#active,
      waiting: this.#waiting.slice(),
      looseCount: this.#loose.length,
      saved: this.#streams.map((stream) => stream.save()),
      members,
      insertions: undefined,
      next: 0,
    };
  }

  /** Goes back to the last point where something else could be done, and does it. */
  #tryNext(): boolean {
    for (let point = this.#points.at(-1); point !== undefined; point = this.#points.at(-1)) {
      this.#restore(point);
      point.insertions ??= this.#insertions();
      const member = point.members[point.next];
      const insertion = point.insertions[point.next - point.members.length];
      point.next++;
      if (member !== undefined) this.#takeMember(member);
      else if (insertion !== undefined) this.#insert(insertion);
      else this.#points.pop();
      if (member !== undefined || insertion !== undefined) return true;
    }
    return false;
  }

  #restore({ at, left, active, waiting, looseCount, saved }: ChoicePoint): void {
    this.#goTo(at);
    this.#left = left;
    this.#active = active;
    this.#waiting = waiting.slice();
    this.#loose.length = looseCount;
    for (let index = 0; index < this.#streams.length; index++)
      (this.#streams[index] as StreamSearch).restore(saved[index] as SavedStream);
  }

  #insert(insertion: Insertion): void {
    insertion.stream.insert(insertion);
    const before = this.#order[this.#at] ?? this.#steps.length;
    this.#loose.push({ before, callUs: insertion.callUs, after: -1, returnUs: Number.POSITIVE_INFINITY });
  }

  /** Whether all that can follow from here was tried before: what was seen lies behind us, for choices only add. */
  #isKnown(): boolean {
    if (this.#choices < CHOICES_BEFORE_MEMORY) return false;
    let key = `${this.#at}|${this.#active}`;
    for (const { entry } of this.#left) key += `,${entry.operation}`;
    key += '|';
    for (const { entry } of this.#waiting) key += `,${entry.operation}`;
    for (const stream of this.#streams) key += `|${stream.key(this.#prefixes)}`;
    if (this.#seen.has(key)) return true;
    this.#seen.add(key);
    return false;
  }

  #deadEnd(): DeadEnd {
    const waiting = this.#early === undefined ? this.#waiting : [this.#early, ...this.#waiting];
    return { step: this.#step, left: this.#left, streams: this.#streams, waiting };
  }
}

function isEarly(refusal: Refusal, { endEarliestUs }: Step, stream: StreamSearch): boolean {
  return refusal.returnUs < endEarliestUs && refusal.stream === stream.facts && !stream.isRight(refusal);
}

function firstThatGoes(members: readonly Answered[], stream: StreamSearch): Answered | undefined {
  for (const member of members) if (stream.canTake(member)) return member;
  return undefined;
}
