/**
 * One stream while an order is looked for: what it holds, what can be done to it next, and the way back. The semantics are
 * those of impl/kernel/rules.ts and read.ts: offsets from 0, a create needs a free name, a stream created again is empty.
 * Mirrors no spec module.
 */
import { assert } from '../../impl/ports/assert.ts';
import { type Answered, type AppendFacts, mayRepeat, type Refusal, type StreamFacts } from './linearizability-facts.ts';
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
  readonly appliedIn: readonly number[];
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
  #appliedIn: number[];

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

  /** Value of the event at this offset; undefined when it is one that no read shows, or there is none. */
  valueAt(offset: number): number | undefined {
    const event = this.#content.events[offset] ?? NEVER_SHOWN;
    return event === NEVER_SHOWN ? undefined : Math.floor(event / PARTS_MAX);
  }

  canTake({ entry }: Answered, appends: ReadonlyMap<number, AppendFacts>): boolean {
    if (entry.kind === 'create-stream') return !this.exists;
    if (!this.exists || entry.kind === 'delete-stream') return this.exists;
    if (entry.kind !== 'append' || entry.outcome.kind !== 'applied') return false;
    if (entry.outcome.firstOffset !== this.nextOffset) return false;
    if (entry.keyed !== true) return true;
    const { loose } = appends.get(entry.value) as AppendFacts;
    return loose < 0 || this.#appliedIn[loose] !== this.#lives;
  }

  take({ entry }: Answered, appends: ReadonlyMap<number, AppendFacts>): void {
    if (entry.kind === 'append') this.#append(appends.get(entry.value) as AppendFacts);
    else if (entry.kind === 'create-stream') this.#create();
    else this.exists = false;
  }

  /** What may be applied now beside the steps, what is likely first. Called by latestUs, next offset at most offsetMax. */
  insertions(latestUs: number, offsetMax: number): Insertion[] {
    const { createdCallsUs, deletedCallsUs } = this.facts;
    if (!this.exists) {
      const callUs = createdCallsUs[this.#created] ?? Number.POSITIVE_INFINITY;
      return callUs <= latestUs && callUs < Number.POSITIVE_INFINITY ? [{ stream: this, what: 'create', callUs }] : [];
    }
    const found = this.#appendable(latestUs, offsetMax);
    const callUs = deletedCallsUs[this.#deleted] ?? Number.POSITIVE_INFINITY;
    if (callUs <= latestUs && callUs < Number.POSITIVE_INFINITY) found.push({ stream: this, what: 'delete', callUs });
    return found;
  }

  #appendable(latestUs: number, offsetMax: number): Insertion[] {
    const { appends, mayBeginAgain } = this.facts;
    const shownHere: Insertion[] = [];
    const others: Insertion[] = [];
    for (const append of appends) {
      const { entry, shownAt } = append;
      if (entry.callUs > latestUs) break;
      if (!this.#isOpen(append) || this.nextOffset + entry.count > offsetMax) continue;
      const insertion = { stream: this, what: append, callUs: entry.callUs };
      if (shownAt.includes(this.nextOffset)) shownHere.push(insertion);
      else if (mayRepeat(append) || (shownAt.length === 0 && !others.some(({ what }) => isLike(what, append))))
        others.push(insertion);
    }
    // One stream, and a read shows what lies here.
    if (shownHere.length > 0 && !mayBeginAgain) return shownHere;
    for (const other of others) shownHere.push(other);
    return shownHere;
  }

  #isOpen(append: AppendFacts): boolean {
    const { expectedOffset } = append.entry;
    if (expectedOffset !== undefined && expectedOffset !== this.nextOffset) return false;
    const appliedIn = this.#appliedIn[append.loose] as number;
    return mayRepeat(append) ? appliedIn !== this.#lives : appliedIn === 0;
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
    const isShown = loose < 0 || shownAt.length > 0;
    const { events } = this.#content;
    for (let part = 0; part < entry.count; part++) events.push(isShown ? entry.value * PARTS_MAX + part : NEVER_SHOWN);
    if (loose >= 0) this.#appliedIn[loose] = this.#lives;
  }

  save(): SavedStream {
    return {
      exists: this.exists,
      content: this.#content,
      nextOffset: this.nextOffset,
      lives: this.#lives,
      created: this.#created,
      deleted: this.#deleted,
      appliedIn: this.#appliedIn.slice(),
    };
  }

  /** Contents only grow, and a new life has a new one: cut back, an older one is as it was. */
  restore({ exists, content, nextOffset, lives, created, deleted, appliedIn }: SavedStream): void {
    this.exists = exists;
    this.#content = content;
    content.events.length = nextOffset;
    content.ids.length = Math.min(content.ids.length, nextOffset);
    this.#lives = lives;
    this.#created = created;
    this.#deleted = deleted;
    this.#appliedIn = appliedIn.slice();
  }

  /** The same for two states in which the same can happen. @param prefixes numbers for contents, shared by one search */
  key(prefixes: Map<string, number>): string {
    let key = `${this.exists ? this.#contentId(prefixes) : -1},${this.#created},${this.#deleted},`;
    for (const append of this.facts.appends) {
      const appliedIn = this.#appliedIn[append.loose] as number;
      key += (mayRepeat(append) ? this.exists && appliedIn === this.#lives : appliedIn > 0) ? '1' : '0';
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

/** Neither is shown by a read, both do the same, and the earlier call may go wherever the later may. */
function isLike(what: Insertion['what'], { entry, shownAt }: AppendFacts): boolean {
  if (what === 'create' || what === 'delete' || mayRepeat(what)) return false;
  const { count, expectedOffset } = what.entry;
  const isHidden = what.shownAt.length === 0 && shownAt.length === 0;
  return isHidden && count === entry.count && expectedOffset === entry.expectedOffset;
}

/** Most that the next offset may be before this step if the stream does not end before it; undefined: it does not say. */
export function offsetMaxOf({ isReads }: Step, left: readonly Answered[]): number | undefined {
  let offsetMax: number | undefined;
  for (const { entry } of left) {
    const limit = isReads ? endOf(entry) : beginOf(entry);
    if (limit !== undefined) offsetMax = Math.min(offsetMax ?? Number.POSITIVE_INFINITY, limit);
    else if (!isReads) return Number.POSITIVE_INFINITY; // it ends here, or begins
  }
  return offsetMax;
}

function beginOf(entry: Answered['entry']): number | undefined {
  return entry.kind === 'append' && entry.outcome.kind === 'applied' ? entry.outcome.firstOffset : undefined;
}

/** A read that is full does not say where the stream ends. */
function endOf(entry: Answered['entry']): number | undefined {
  if (entry.kind !== 'read' || entry.outcome.kind !== 'applied') return undefined;
  return entry.outcome.events.length < entry.limit ? entry.outcome.nextOffset : undefined;
}
