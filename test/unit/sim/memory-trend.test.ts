/** Goal: whether memory grows is told by the first and the last tenth and by each worker's peak. Method: samples made up. */
import { expect, test } from 'vitest';
import { MemoryTrend } from '../../../conformance/sim/runner/memory-trend.ts';

test('the samples of a tenth are told by the largest, and each worker by its last peak', () => {
  const trend = new MemoryTrend();
  const sample = (worker: number, residentBytes: number, residentBytesPeak: number) => ({
    worker,
    residentBytes,
    residentBytesPeak,
    heapBytes: residentBytes / 2,
  });
  trend.add(0.01, sample(7, 100, 100));
  trend.add(0.09, sample(8, 140, 150));
  trend.add(0.95, sample(7, 120, 130));
  expect(trend.parts).toEqual([
    { residentBytesMax: 140, heapBytesMin: 50 },
    { residentBytesMax: 120, heapBytesMin: 60 },
  ]);
  expect(trend.peaks).toEqual([130, 150]);
});
