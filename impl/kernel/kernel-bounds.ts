/** How much the state machine holds. Mirrors no spec module. */
import { IDEMPOTENCY_KEYS_MAX, IDEMPOTENCY_RETENTION_MS, STREAMS_MAX } from './limits.ts';

/** Bounds that are part of the state machine; tests have smaller ones. */
export interface KernelBounds {
  readonly streamsMax: number;
  readonly keysMax: number;
  readonly keyRetentionMs: number;
}

export const KERNEL_BOUNDS: KernelBounds = {
  streamsMax: STREAMS_MAX,
  keysMax: IDEMPOTENCY_KEYS_MAX,
  keyRetentionMs: IDEMPOTENCY_RETENTION_MS,
};
