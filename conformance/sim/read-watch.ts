/**
 * Rounds of reads as invariant-oracle.ts judges them: what clients had been told of when each began, and what it answered. A
 * round begins with its first ReadRound frame, and within a view it ends by its answer alone. Mirrors readOwed and
 * readAnswers of specs/Vsr.tla.
 */
import type { FramePeek } from '../../impl/vsr/frame-peek.ts';
import type { ReadAnswer } from '../../machines/vsr-invariants.ts';
import type { ObservedReplica } from './observed-replica.ts';

interface Asked {
  readonly view: number;
  readonly round: number;
  readonly owed: number;
}

/** Of an observed replica, before and after a step. */
type Looked = Pick<ObservedReplica, 'status' | 'view' | 'viewBefore' | 'reading' | 'readingBefore'>;

export class ReadWatch {
  /** By replica: rounds that have begun and were not seen to end; two at most, when one ends and the next begins in a step. */
  readonly #asked: Asked[][];
  /** By replica: the last one. */
  readonly #answers: (ReadAnswer | undefined)[];

  constructor(replicaCount: number) {
    this.#asked = Array.from({ length: replicaCount }, () => []);
    this.#answers = this.#asked.map(() => undefined);
  }

  get owed(): readonly number[] {
    return this.#asked.map((asked) => asked.at(-1)?.owed ?? 0);
  }

  get answers(): readonly ReadAnswer[] {
    return this.#answers.filter((answer) => answer !== undefined);
  }

  /** @param acknowledged ops that clients had been told of */
  sent({ type, from, view, round }: FramePeek, acknowledged: number): void {
    if (type !== 'ReadRound') return;
    const asked = this.#asked[from] as Asked[];
    const last = asked.at(-1);
    if (last?.view === view && last.round >= round) return; // said again
    if (last !== undefined && last.view !== view) asked.length = 0;
    asked.push({ view, round, owed: acknowledged });
  }

  /** The answer of the round that was open when the replica was last looked at and is not any more; undefined without one. */
  answerOf(replica: number, { status, view, viewBefore, reading, readingBefore }: Looked): ReadAnswer | undefined {
    const { oks, round, commit } = readingBefore;
    if (oks.length === 0 || status !== 'normal' || view !== viewBefore) return undefined;
    if (reading.round === round && reading.oks.length > 0) return undefined;
    const asked = this.#asked[replica] as Asked[];
    const at = asked.findIndex((one) => one.view === view && one.round === round);
    if (at < 0) return undefined;
    const answer = { shown: commit, owed: (asked[at] as Asked).owed };
    asked.splice(0, at + 1);
    this.#answers[replica] = answer;
    return answer;
  }
}
