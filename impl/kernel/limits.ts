/**
 * Bounds of commands and of the kernel's state. All replicas must have the same ones, since a refusal is part of the state
 * machine: changing one is a change of the log's meaning. Mirrors no spec module.
 */
import { assert } from '../ports/assert.ts';

/** Commands of one prepare. More makes larger batches, fewer means more fsyncs. */
export const COMMANDS_MAX = 4096;
/** Bytes of a batch's body: what a prepare takes (PREPARE_BODY_BYTES_MAX of impl/vsr). */
export const BATCH_BYTES_MAX = 1023 * 1024;
export const EVENTS_PER_APPEND_MAX = 4096;
/** Bytes of one event's data, from 1. */
export const EVENT_BYTES_MAX = 512 * 1024;
/** Characters of a stream name; all of them are one byte. */
export const STREAM_NAME_BYTES_MAX = 128;
export const DATA_CLASS_BYTES_MAX = 64;
/** UTF-8 bytes of an event's type. */
export const EVENT_TYPE_BYTES_MAX = 128;
export const CONTENT_TYPE_BYTES_MAX = 128;
export const IDEMPOTENCY_KEY_BYTES_MAX = 128;
/** Streams at once; at it a creation is refused. Each costs 1,100 bytes of memory (bench/memory.ts). */
export const STREAMS_MAX = 100_000;
/** Answers kept by idempotency key; at it the oldest goes, so a retry must come within that many keyed appends. */
export const IDEMPOTENCY_KEYS_MAX = 100_000;
/** Age at which a key is forgotten, by the timestamps of the log; one that is as old may be used for another append. */
export const IDEMPOTENCY_RETENTION_MS = 24 * 60 * 60 * 1000;
/** Keys that one op forgets for their age; the rest goes with the next ops. More would make one op slow after a pause. */
export const KEYS_EXPIRED_PER_OP_MAX = 1024;
/** Highest offset in a stream: exact in a number. */
export const OFFSET_MAX = 2 ** 48 - 1;
/** State hashes kept, newest last: how far apart two replicas may be and still compare. */
export const STATE_HASHES_MAX = 4096;
/** Events of one read, and their bytes; at either a read stops, and says where to go on. */
export const READ_EVENTS_MAX = 10_000;
export const READ_BYTES_MAX = 4 * 1024 * 1024;

assert(EVENT_BYTES_MAX + 1024 <= BATCH_BYTES_MAX, 'the largest event fits a batch');
assert(COMMANDS_MAX <= 0xffff && EVENTS_PER_APPEND_MAX <= 0xffff, 'counts are u16');
