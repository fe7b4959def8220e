/**
 * Every bound of the server in one place, each with its unit and what happens at it. Mirrors no spec module.
 * The same limits guard the HTTP API and the binary protocol.
 */
import { assert } from '../ports/assert.ts';

export interface ServerLimits {
  /** Period of the replica's clock. Timeouts of impl/vsr/timers.ts count in these. */
  readonly TICK_MS: number;
  /** Bytes of one prepare's body; more commands wait for the next prepare. Larger costs latency, smaller costs fsyncs. */
  readonly BATCH_BYTES_MAX: number;
  readonly BATCH_COMMANDS_MAX: number;
  /** Prepares on their way at once; more commands gather into larger batches meanwhile. At most the replica's pipeline. */
  readonly PREPARES_IN_FLIGHT_MAX: number;
  /** Requests that wait for an answer, from all clients and peers together; at it a client gets 429 busy. */
  readonly REQUESTS_IN_FLIGHT_MAX: number;
  /** Bytes of the commands that wait; at it a client gets 429 busy. */
  readonly REQUEST_BYTES_IN_FLIGHT_MAX: number;
  /** A request without a deadline of its own gets this one; a longer one is cut to it. At it: 503 or 504. */
  readonly REQUEST_DEADLINE_MS_MAX: number;
  /** How long a committed read waits for the op that it asks for; at it READ_TOO_NEW. */
  readonly COMMIT_WAIT_MS_MAX: number;
  /** Bytes of an HTTP body; at it 413. */
  readonly HTTP_BODY_BYTES_MAX: number;
  readonly EVENTS_PER_APPEND_MAX: number;
  readonly EVENT_BYTES_MAX: number;
  /** Bytes of all events of one append: it is one command, and a command fits one prepare. */
  readonly APPEND_BYTES_MAX: number;
  readonly READ_EVENTS_MAX: number;
  /** A read stops before the event that would pass this; at least one event is answered. */
  readonly READ_BYTES_MAX: number;
  readonly STREAMS_LISTED_MAX: number;
  readonly CLIENT_CONNECTIONS_MAX: number;
  /** Requests of one connection that wait for an answer; at it a client gets BUSY. */
  readonly CLIENT_REQUESTS_IN_FLIGHT_MAX: number;
  readonly HTTP_CONNECTIONS_MAX: number;
  /** Readers that follow a stream over HTTP; at it 429 busy. Each may hold READ_BYTES_MAX. */
  readonly HTTP_FOLLOWERS_MAX: number;
  /** A reader that follows hears something at least this often, so that nobody between takes the line for dead. */
  readonly FOLLOW_HEARTBEAT_MS_MAX: number;
  /** After this it is told to come again: so that readers spread anew over replicas. */
  readonly FOLLOW_MS_MAX: number;
  /** One that takes nothing for this long is cut. */
  readonly FOLLOW_STALL_MS_MAX: number;
  /** How long stop() waits for what is in flight; then it closes all the same and those clients see 'unknown'. */
  readonly DRAIN_MS_MAX: number;
  /** Machine transitions kept for the DX history, over all machines. */
  readonly HISTORY_RECORDS_MAX: number;
}

export const SERVER_LIMITS: ServerLimits = {
  TICK_MS: 10,
  BATCH_BYTES_MAX: 256 * 1024,
  BATCH_COMMANDS_MAX: 1_024,
  PREPARES_IN_FLIGHT_MAX: 8,
  REQUESTS_IN_FLIGHT_MAX: 8_192,
  REQUEST_BYTES_IN_FLIGHT_MAX: 64 * 1024 * 1024,
  REQUEST_DEADLINE_MS_MAX: 10_000,
  COMMIT_WAIT_MS_MAX: 1_000,
  HTTP_BODY_BYTES_MAX: 1024 * 1024,
  EVENTS_PER_APPEND_MAX: 1_000,
  EVENT_BYTES_MAX: 128 * 1024,
  APPEND_BYTES_MAX: 512 * 1024,
  READ_EVENTS_MAX: 1_000,
  READ_BYTES_MAX: 1024 * 1024,
  STREAMS_LISTED_MAX: 10_000,
  CLIENT_CONNECTIONS_MAX: 1_024,
  CLIENT_REQUESTS_IN_FLIGHT_MAX: 1_024,
  HTTP_CONNECTIONS_MAX: 1_024,
  HTTP_FOLLOWERS_MAX: 256,
  FOLLOW_HEARTBEAT_MS_MAX: 15_000,
  FOLLOW_MS_MAX: 3_600_000,
  FOLLOW_STALL_MS_MAX: 10_000,
  DRAIN_MS_MAX: 5_000,
  HISTORY_RECORDS_MAX: 1_000,
};

/** The defaults with the given ones over them; each is a positive whole number. */
export function serverLimitsWith(changed: Partial<ServerLimits>): ServerLimits {
  const limits = { ...SERVER_LIMITS, ...changed };
  for (const [name, value] of Object.entries(limits)) {
    assert(Number.isSafeInteger(value) && value > 0, `limit ${name} is a positive whole number`);
  }
  assert(limits.EVENT_BYTES_MAX < limits.BATCH_BYTES_MAX, 'an event fits in a batch');
  return limits;
}
