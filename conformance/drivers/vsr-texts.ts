/**
 * Variables of specs/Vsr.tla as canonical TLA+ text, from real values: one text for each real object, since states of a
 * model share most of them. A part of the driver vsr.ts; translates, decides nothing.
 */
import { hashText } from '../../impl/crypto/hash.ts';
import type { Prepare } from '../../impl/vsr/prepare.ts';
import type { ChangeVote, Reading, Target } from '../../machines/vsr-context.ts';
import { type TlaValue, tlaByIndex, tlaInteger, tlaRecord, tlaSet, tlaString } from '../values/tla-value.ts';

/** Hash of an entry as text. Prepares are never changed, and many states hold the same one. */
export function hashOf(entry: Prepare): string {
  let text = hashTexts.get(entry);
  if (text === undefined) {
    text = hashText(entry.hash);
    hashTexts.set(entry, text);
  }
  return text;
}
const hashTexts = new WeakMap<Prepare, string>();

/** View of the entry with this hash, as far as it was ever written as text; -1 for none. For a fault that reads it. */
export function viewOfEntry(hash: string): number {
  return views.get(hash) ?? -1;
}
const views = new Map<string, number>();

/** A text for each key; keys are never changed. */
function remembered<Key extends object>(textOf: (key: Key) => TlaValue): (key: Key) => string {
  const texts = new WeakMap<Key, string>();
  return (key) => {
    let text = texts.get(key);
    if (text === undefined) {
      text = textOf(key).text;
      texts.set(key, text);
    }
    return text;
  };
}

export class VsrTexts {
  /** Values of entries by hash: "values are unique, so the value is the hash" (HashOf in the spec). */
  readonly #values = new Map<string, number>([[hashText(new Uint8Array(32)), 0]]);
  readonly #entries = new WeakMap<Prepare, TlaValue>();

  /** -1 for a hash that no entry of this model has. */
  valueOf(hash: string): number {
    return this.#values.get(hash) ?? -1;
  }

  entry(entry: Prepare): TlaValue {
    let value = this.#entries.get(entry);
    if (value === undefined) {
      this.#values.set(hashOf(entry), entry.request);
      views.set(hashOf(entry), entry.view);
      value = tlaRecord({
        view: tlaInteger(entry.view),
        value: tlaInteger(entry.request),
        parent: tlaInteger(this.valueOf(hashText(entry.parent))),
      });
      this.#entries.set(entry, value);
    }
    return value;
  }

  log(entries: readonly Prepare[]): string {
    return `<<${entries.map((entry) => this.entry(entry).text).join(', ')}>>`;
  }

  readonly acked = remembered((acked: readonly number[]) => tlaByIndex(acked, tlaInteger));

  readonly startVotes = remembered((votes: readonly number[]) => tlaSet(votes.map(tlaInteger)));

  readonly changeVotes = remembered((votes: readonly ChangeVote[]) =>
    tlaSet(
      votes.map(({ from, view, logView, op, hash, commit }) =>
        tlaRecord({
          type: tlaString('DoViewChange'),
          from: tlaInteger(from),
          view: tlaInteger(view),
          logView: tlaInteger(logView),
          op: tlaInteger(op),
          hash: tlaInteger(this.valueOf(hash)),
          commit: tlaInteger(commit),
        }),
      ),
    ),
  );

  readonly target = remembered(({ from, op, hash, commit, next }: Target) =>
    tlaRecord({
      from: tlaInteger(from),
      op: tlaInteger(op),
      hash: tlaInteger(this.valueOf(hash)),
      commit: tlaInteger(commit),
      next: tlaInteger(next),
    }),
  );

  readonly reading = remembered(({ round, commit, oks }: Reading) =>
    tlaRecord({ round: tlaInteger(round), commit: tlaInteger(commit), oks: tlaSet(oks.map(tlaInteger)) }),
  );
}

/** A function over 0..n-1 from the texts of its values: what tlaByIndex makes of them. */
export function byIndex(texts: readonly string[]): string {
  let joined = '';
  for (let index = 0; index < texts.length; index++)
    joined += `${index === 0 ? '' : ' @@ '}${index} :> ${texts[index]}`;
  return `(${joined})`;
}
