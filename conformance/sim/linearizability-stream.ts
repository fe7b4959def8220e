/**
 * One stream while an order is looked for: what it holds, what can be done to it next, and the way back. The semantics are
 * those of impl/kernel/rules.ts and read.ts: offsets from 0, a create needs a free name, a stream created again is empty.
 * Mirrors no spec module.
 */
import { assert } from '../../impl/ports/assert.ts';
import type { Answered, AppendFacts, Refusal, StreamFacts } from './linearizability-facts.ts';
import type { Step } from './linearizability-order.ts';

/** What an event shows of itself, in one number: counts are u16. */
const PARTS_MAX = 0x1_0000;
/** An event that no read shows: whose it is makes no difference. */
const NEVER_SHOWN = -1;

/** Something without a commit id that may be applied now. */
export interface Insertion {
  readonly stream: StreamSearch;
  /** What is applied: an append, or one of the creates or deletes without an answer. */
  readonly what: AppendFacts | 'create' | 'delete';
  readonly callUs: number;
}

/** Events by offset, and lazily a number for each prefix of them, the same for the same events. */
interface Content {
  readonly events: number[];
  readonly ids: number[];
}

export interface SavedStream {
  readonly exists: boolean;
  readonly content: Content;
  readonly nextOffset: number;
  readonly lives: number;
  readonly created: number;
  readonly deleted: number;
  readonly trailLength: number;
}

/** What is asked of the appends that may go before the next step. */
export interface Wanted {
  readonly latestUs: number;
  /** The stream may not have grown further. */
  readonly offsetMax: number;
  /** What the reads of the next step show at the next offset; undefined: they do not show it. */
  readonly value: number | undefined;
}

export class StreamSearch {
  readonly facts: StreamFacts;
  exists = false;
  #content: Content = { events: [], ids: [] };
  /** How many streams of this name there have been. */
  #lives = 0;
  /** Creates and deletes without an answer that are applied by now: the first so many. */
  #created = 0;
  #deleted = 0;
  /** By index in facts.appends: in which life it was applied last, 0 when in none. */
  readonly #appliedIn: number[];
  /** Index and life before, of each that was applied: the way back. */
  readonly #trail: number[] = [];

  constructor(facts: StreamFacts) {
    this.facts = facts;
    this.#appliedIn = facts.appends.map(() => 0);
  }

  get nextOffset(): number {
    return this.#content.events.length;
  }

  /** A delete of which nobody knows may still be applied. */
  get mayEnd(): boolean {
    return this.#deleted < this.facts.deletedCallsUs.length;
  }

  isRight({ needs, expectedOffset }: Refusal): boolean {
    if (needs === 'stream') return this.exists;
    if (needs === 'no-stream') return !this.exists;
    return this.exists && this.nextOffset !== expectedOffset;
  }

  readsHold({ members }: Step): boolean {
    for (const { entry } of members) if (!this.#readHolds(entry)) return false;
    return true;
  }

  #readHolds(entry: Answered['entry']): boolean {
    assert(entry.kind === 'read' && entry.outcome.kind === 'applied', 'a step of reads has reads that were answered');
    const { events } = entry.outcome;
    if (!this.exists) return false;
    const end = entry.from + events.length;
    if (events.length === 0) return this.nextOffset <= entry.from;
    if (events.length < entry.limit ? this.nextOffset !== end : this.nextOffset < end) return false;
    return this.firstWrong(entry.from, events) < 0;
  }

  /** Index of the first event that is not the one at its offset, -1 without. */
  firstWrong(from: number, read: readonly { readonly value: number; readonly part: number }[]): number {
    const { events } = this.#content;
    for (let index = 0; index < read.length; index++) {
      const { value, part } = read[index] as { readonly value: number; readonly part: number };
      if (events[from + index] !== value * PARTS_MAX + part) return index;
    }
    return -1;
  }

  /** Whether these events begin with what lies from this offset on, as far as anything lies there. */
  agrees(from: number, read: Parameters<StreamSearch['firstWrong']>[1]): boolean {
    const wrong = this.firstWrong(from, read);
    return wrong < 0 || from + wrong >= this.nextOffset;
  }

  /** Value of the event at this offset; undefined when it is one that no read shows, or there is none. */
  valueAt(offset: number): number | undefined {
    const event = this.#content.events[offset] ?? NEVER_SHOWN;
    return event === NEVER_SHOWN ? undefined : Math.floor(event / PARTS_MAX);
  }

  canTake({ entry }: Answered): boolean {
    if (entry.kind === 'create-stream') return !this.exists;
    if (!this.exists || entry.kind === 'delete-stream') return this.exists;
    if (entry.kind !== 'append' || entry.outcome.kind !== 'applied') return false;
    return entry.outcome.firstOffset === this.nextOffset;
  }

  take({ entry }: Answered, appends: ReadonlyMap<number, AppendFacts>): void {
    if (entry.kind === 'append') this.#append(appends.get(entry.value) as AppendFacts);
    else if (entry.kind === 'create-stream') this.#create();
    else this.exists = false;
  }

  /** What may be applied now beside the steps, what is likely first. */
  insertions(wanted: Wanted): Insertion[] {
    const { createdCallsUs, deletedCallsUs } = this.facts;
    const found = this.exists ? this.#appendable(wanted) : [];
    const callUs = this.exists ? deletedCallsUs[this.#deleted] : createdCallsUs[this.#created];
    if (callUs !== undefined && callUs <= wanted.latestUs)
      found.push({ stream: this, what: this.exists ? 'delete' : 'create', callUs });
    return found;
  }

  #appendable({ latestUs, offsetMax, value }: Wanted): Insertion[] {
    if (this.nextOffset >= offsetMax) return [];
    const { appends, mayBeginAgain } = this.facts;
    const shownHere: Insertion[] = [];
    const others: Insertion[] = [];
    for (const append of appends) {
      const { entry, shownAt } = append;
      if (entry.callUs > latestUs) break;
      if (value !== undefined && value !== entry.value) continue;
      if (!this.#isOpen(append) || this.nextOffset + entry.count > offsetMax) continue;
      const insertion = { stream: this, what: append, callUs: entry.callUs };
      if (shownAt.includes(this.nextOffset)) shownHere.push(insertion);
      else if (shownAt.length === 0 && !others.some(({ what }) => isLike(what, append))) others.push(insertion);
    }
    // One stream, and a read shows what lies here.
    if (shownHere.length > 0 && !mayBeginAgain) return shownHere;
    for (const other of others) shownHere.push(other);
    return shownHere;
  }

  #isOpen(append: AppendFacts): boolean {
    const { expectedOffset } = append.entry;
    if (expectedOffset !== undefined && expectedOffset !== this.nextOffset) return false;
    return this.#appliedIn[append.loose] === 0;
  }

  insert({ what }: Insertion): void {
    if (what === 'create') {
      this.#create();
      this.#created++;
    } else if (what === 'delete') {
      this.exists = false;
      this.#deleted++;
    } else this.#append(what);
  }

  #create(): void {
    assert(!this.exists, 'a name is created when it is free');
    this.exists = true;
    this.#lives++;
    this.#content = { events: [], ids: [] };
  }

  #append(append: AppendFacts): void {
    assert(this.exists, 'a stream that takes an append exists');
    const { entry, loose, shownAt } = append;
    const isShown = loose < 0 || shownAt.includes(this.nextOffset);
    const { events } = this.#content;
    for (let part = 0; part < entry.count; part++) events.push(isShown ? entry.value * PARTS_MAX + part : NEVER_SHOWN);
    if (loose < 0) return;
    this.#trail.push(loose, this.#appliedIn[loose] as number);
    this.#appliedIn[loose] = this.#lives;
  }

  save(): SavedStream {
    return {
      exists: this.exists,
      content: this.#content,
      nextOffset: this.nextOffset,
      lives: this.#lives,
      created: this.#created,
      deleted: this.#deleted,
      trailLength: this.#trail.length,
    };
  }

  /** Contents only grow, and a new life has a new one: cut back, an older one is as it was. */
  restore({ exists, content, nextOffset, lives, created, deleted, trailLength }: SavedStream): void {
    this.exists = exists;
    this.#content = content;
    content.events.length = nextOffset;
    content.ids.length = Math.min(content.ids.length, nextOffset);
    this.#lives = lives;
    this.#created = created;
    this.#deleted = deleted;
    while (this.#trail.length > trailLength) {
      const life = this.#trail.pop() as number;
      this.#appliedIn[this.#trail.pop() as number] = life;
    }
  }

  /** The same for two states in which the same can happen. @param prefixes numbers for contents, shared by one search */
  key(prefixes: Map<string, number>): string {
    let key = `${this.exists ? this.#contentId(prefixes) : -1},${this.#created},${this.#deleted},`;
    for (const append of this.facts.appends) {
      key += this.#appliedIn[append.loose] === 0 ? '0' : '1';
    }
    return key;
  }

  #contentId(prefixes: Map<string, number>): number {
    const { events, ids } = this.#content;
    for (let index = ids.length; index < events.length; index++) {
      const prefix = `${ids[index - 1] ?? 0}:${events[index]}`;
      let id = prefixes.get(prefix);
      if (id === undefined) {
        id = prefixes.size + 1;
        prefixes.set(prefix, id);
      }
      ids.push(id);
    }
    return ids[events.length - 1] ?? 0;
  }
}

/** No read will show either, both do the same, and the earlier call may go wherever the later may. */
function isLike(what: Insertion['what'], append: AppendFacts): boolean {
  if (what === 'create' || what === 'delete') return false;
  const { count, expectedOffset } = what.entry;
  return count === append.entry.count && expectedOffset === append.entry.expectedOffset;
}

/** Where the stream ends if these reads are right; undefined when all are full and do not say. */
export function endOf(reads: readonly Answered[]): number | undefined {
  let end: number | undefined;
  for (const { entry } of reads) {
    if (entry.kind !== 'read' || entry.outcome.kind !== 'applied') continue;
    const { events, nextOffset } = entry.outcome;
    if (events.length < entry.limit) end = Math.min(end ?? nextOffset, nextOffset);
  }
  return end;
}

/**
 * Where the stream may end at most for these commands of one op to go on from there. When they also delete it, more is lost
 * with it: that is well when something else needs it.
 */
export function beginOf(commands: readonly Answered[], isNeeded: boolean): number {
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  let isWhole = true;
  for (const { entry } of commands) {
    if (entry.kind === 'append' && entry.outcome.kind === 'applied') {
      first = Math.min(first, entry.outcome.firstOffset);
      last = Math.max(last, entry.outcome.firstOffset);
    } else isWhole = false;
  }
  if (isWhole) return first;
  return isNeeded ? Number.POSITIVE_INFINITY : last;
}
