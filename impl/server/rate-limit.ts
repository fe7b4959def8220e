/**
 * A token bucket for each caller: so many requests a second, and as many at once as the bucket holds. The table is bounded:
 * at its bound the caller that was silent longest is forgotten, which gives it a full bucket. Mirrors no spec module.
 */
import type { Failure } from '../wire/answer.ts';
import { failure } from './failure.ts';

/** Callers whose buckets are kept, some 100 bytes each. */
const CALLERS_MAX = 10_000;

export interface RateRules {
  /** 0: no limit. */
  readonly requestsPerSecond: number;
  /** Requests at once after a pause; 0: as many as in one second. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

export class RateLimit {
  readonly #perMs: number;
  readonly #burst: number;
  /** The one that was silent longest comes first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor({ requestsPerSecond, burst }: RateRules) {
    this.#perMs = requestsPerSecond / 1_000;
    this.#burst = Math.max(1, burst === 0 ? requestsPerSecond : burst);
  }

  get callers(): number {
    return this.#buckets.size;
  }

  /** One request of this caller; the failure when it came too fast. */
  take(caller: string, nowMs: number): Failure | undefined {
    if (this.#perMs === 0) return undefined;
    const bucket = this.#buckets.get(caller) ?? this.#newBucket(nowMs);
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    bucket.tokens = Math.min(this.#burst, bucket.tokens + Math.max(0, nowMs - bucket.atMs) * this.#perMs);
    bucket.atMs = nowMs;
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return undefined;
    }
    const retryAfterMs = Math.ceil((1 - bucket.tokens) / this.#perMs);
    const evidence = { perSecond: this.#perMs * 1_000, burst: this.#burst, retryAfterMs };
    return failure('RATE_LIMITED', 'this caller sends more requests than it may: wait, then send again', evidence);
  }

  #newBucket(nowMs: number): Bucket {
    if (this.#buckets.size >= CALLERS_MAX) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return { tokens: this.#burst, atMs: nowMs };
  }
}
