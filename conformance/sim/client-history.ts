/**
 * What the clients of a run saw: calls and returns with their virtual times, for the linearizability check. Mirrors no spec
 * module.
 */

/** One operation; times in virtual microseconds. An operation without an outcome has returnUs undefined. */
interface Call {
  /** Number in the run, from 0. */
  readonly operation: number;
  readonly client: number;
  readonly callUs: number;
  readonly returnUs: number | undefined;
  readonly stream: string;
}

export type HistoryEntry = Call &
  (
    | {
        readonly kind: 'append';
        /** Unique; each of its events carries it with a number: (value, 0..count-1). */
        readonly value: number;
        readonly count: number;
        /** The offset that the first event had to get. */
        readonly expectedOffset: number | undefined;
        /** applied: firstOffset; refused: known not applied; unknown: may be, at any time after callUs, once. */
        readonly outcome:
          | { readonly kind: 'applied'; readonly firstOffset: number; readonly commitId: number }
          | { readonly kind: 'refused'; readonly rule: string }
          | { readonly kind: 'unknown' };
      }
    | {
        readonly kind: 'read';
        /** 'committed' reads may be stale, but never show what is not committed, and say their commit id. */
        readonly consistency: 'linearizable' | 'committed';
        readonly from: number;
        readonly limit: number;
        readonly outcome:
          | {
              readonly kind: 'applied';
              readonly events: readonly { readonly offset: number; readonly value: number; readonly part: number }[];
              readonly nextOffset: number;
              readonly commitId: number;
            }
          | { readonly kind: 'no-stream' }
          | { readonly kind: 'unknown' };
      }
    | {
        readonly kind: 'create-stream' | 'delete-stream';
        readonly outcome:
          | { readonly kind: 'applied'; readonly commitId: number }
          | { readonly kind: 'refused'; readonly rule: string }
          | { readonly kind: 'unknown' };
      }
  );
