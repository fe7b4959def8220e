/**
 * Bounds of what replicas send each other and keep: chosen by the project, in one place, their relations asserted at load.
 * Mirrors the constants of Vsr.tla where it has them (PipelineMax); protocol.md, "Input hardening".
 */
import { assert } from '../ports/assert.ts';

/**
 * Bytes of one prepare's body, a batch of commands; with its header it fits a record (RECORD_BYTES_MAX of impl/storage).
 * More makes a batch stall the pipeline longer, less costs batches.
 */
export const PREPARE_BODY_BYTES_MAX = 1023 * 1024;
/** Highest op, commit and timestamp in ms: 48 bits are exact in a number and last 8,900 years at 1,000 ops a millisecond. */
export const OP_MAX = 2 ** 48 - 1;
export const TIMESTAMP_MS_MAX = 2 ** 48 - 1;
/** Highest number of a round of reads within one view: a million a second for 8 years. */
export const READ_ROUND_MAX = 2 ** 48 - 1;
/** Highest view and request number: they travel as u32. */
export const VIEW_MAX = 2 ** 32 - 1;
export const REQUEST_MAX = 2 ** 32 - 1;
/** Most replicas of one cluster: an index is one byte and 255 means "to nobody in particular". */
export const REPLICA_COUNT_MAX = 31;
/** Most ops that a primary holds uncommitted; at it a client is told Busy. */
export const PIPELINE_OPS_MAX = 100;
/** Client ids and cluster numbers are u64. */
export const U64_MAX = 2n ** 64n - 1n;

assert(REPLICA_COUNT_MAX < 255, 'an index and "nobody" fit one byte');
assert(Number.isSafeInteger(OP_MAX + 1), 'the op after the highest one is exact');
