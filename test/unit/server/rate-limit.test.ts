/** Goal: a caller gets its rate and its burst and no more, others are not touched, and the table stays small. Method: made-up time. */
import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../../impl/server/rate-limit.ts';

describe('RateLimit', () => {
  it('RateLimit: a burst, then the rate, then a full bucket again after a pause', () => {
    const rates = new RateLimit({ requestsPerSecond: 10, burst: 3 });
    const taken = (nowMs: number): boolean => rates.take('ann', nowMs) === undefined;
    expect([taken(0), taken(0), taken(0), taken(0)]).toEqual([true, true, true, false]);
    expect([taken(99), taken(100), taken(101)]).toEqual([false, true, false]);
    expect([taken(5_000), taken(5_000), taken(5_000), taken(5_000)]).toEqual([true, true, true, false]);
  });

  it('RateLimit: the refusal says when to come again, and then it is granted', () => {
    const rates = new RateLimit({ requestsPerSecond: 4, burst: 1 });
    expect(rates.take('ann', 0)).toBeUndefined();
    expect(rates.take('ann', 100)).toMatchObject({
      code: 'RATE_LIMITED',
      evidence: { retryAfterMs: 150, perSecond: 4 },
    });
    expect(rates.take('ann', 250)).toBeUndefined();
  });

  it('RateLimit: one caller does not take from another', () => {
    const rates = new RateLimit({ requestsPerSecond: 1, burst: 1 });
    expect(rates.take('ann', 0)).toBeUndefined();
    expect(rates.take('ann', 0)).toBeDefined();
    expect(rates.take('bob', 0)).toBeUndefined();
  });

  it('RateLimit: a clock that goes back gives nothing and takes nothing', () => {
    const rates = new RateLimit({ requestsPerSecond: 1, burst: 1 });
    expect(rates.take('ann', 10_000)).toBeUndefined();
    expect(rates.take('ann', 0)).toBeDefined();
    expect(rates.take('ann', 1_000)).toBeUndefined();
  });

  it('RateLimit: a hundred thousand callers are kept as ten thousand, the busy one among them', () => {
    const rates = new RateLimit({ requestsPerSecond: 1, burst: 1 });
    expect(rates.take('busy', 0)).toBeUndefined();
    for (let caller = 0; caller < 100_000; caller++) {
      rates.take(`caller ${caller}`, 0);
      if (caller % 5_000 === 0) expect(rates.take('busy', 0)).toBeDefined();
    }
    expect(rates.callers).toBe(10_000);
  });

  it('RateLimit: 0 a second is no limit, and keeps nobody', () => {
    const rates = new RateLimit({ requestsPerSecond: 0, burst: 0 });
    for (let count = 0; count < 1_000; count++) expect(rates.take('ann', 0)).toBeUndefined();
    expect(rates.callers).toBe(0);
  });
});
