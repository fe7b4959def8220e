/** What the HTTP API is made of, and what its routes ask. Mirrors no spec module. */
import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from '../ports/clock.ts';
import type { Prepare } from '../vsr/prepare.ts';
import type { Failure } from '../wire/answer.ts';
import type { Guard } from './guard.ts';
import type { Metrics } from './metrics.ts';
import type { Requests } from './requests.ts';
import type { ServerLimits } from './server-limits.ts';
import type { StreamState } from './stream-state.ts';
import type { Telemetry } from './telemetry.ts';
import type { Https } from './tls-options.ts';

export interface HttpApiOptions {
  readonly requests: Requests;
  readonly state: StreamState;
  readonly prepareAt: (op: number) => Prepare | undefined;
  readonly limits: ServerLimits;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
  readonly clock: Pick<Clock, 'after'>;
  readonly logger: FastifyBaseLogger;
  /** Origins whose pages may use this API in a browser; none without it. */
  readonly allowedOrigins?: readonly string[];
  /** HTTPS; plain HTTP without it. */
  readonly https?: Https | undefined;
  readonly guard: Guard;
  readonly telemetry: Telemetry;
  /** undefined: requests can be served here now. */
  readonly notReady: () => Failure | undefined;
}
