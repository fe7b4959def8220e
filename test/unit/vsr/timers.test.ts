/** Goal: a role's timers fire when they should and no others. Method: ticks counted by hand. */
import { describe, expect, test } from 'vitest';
import { SimulatedRandom } from '../../../impl/ports/simulated-random.ts';
import { TIMER, TIMER_NAMES, type Timer, Timers } from '../../../impl/vsr/timers.ts';

function ticksUntil(timers: Timers, timer: Timer, most = 2000): number {
  for (let tick = 1; tick <= most; tick++) if (timers.tick().includes(timer)) return tick;
  return Number.POSITIVE_INFINITY;
}

describe('Timers', () => {
  test('a stopped replica has no timers', () => {
    const timers = new Timers(new SimulatedRandom(1));
    for (let tick = 0; tick < 1000; tick++) expect(timers.tick()).toEqual([]);
    expect(() => timers.restart(TIMER.HeartbeatTimeout)).toThrow('no timer of the role stopped');
  });

  test('a primary sends its commit every 5 ticks and abdicates after 100 without a quorum', () => {
    const timers = new Timers(new SimulatedRandom(1));
    timers.become('primary');
    const fired = Array.from({ length: 100 }, () => timers.tick());
    expect(fired.flat().filter((timer) => timer === TIMER.SendCommit)).toHaveLength(20);
    expect(fired.at(-1)).toEqual([TIMER.SendCommit, TIMER.Abdicate]);
  });

  test('a backup that hears its primary does not time out; one that does not, within 80 to 120 ticks', () => {
    const timers = new Timers(new SimulatedRandom(1));
    timers.become('backup');
    for (let beat = 0; beat < 50; beat++) {
      expect(ticksUntil(timers, TIMER.HeartbeatTimeout, 79)).toBe(Number.POSITIVE_INFINITY);
      timers.restart(TIMER.HeartbeatTimeout);
    }
    const patience = Array.from({ length: 200 }, () => ticksUntil(timers, TIMER.HeartbeatTimeout));
    expect(Math.min(...patience)).toBe(80);
    expect(Math.max(...patience)).toBe(120);
  });

  test('view changes in a row double the patience up to 8 times; a view that begins resets it', () => {
    const timers = new Timers(new SimulatedRandom(1));
    const patience = Array.from({ length: 5 }, () => {
      timers.become('view-change');
      return ticksUntil(timers, TIMER.ViewChangeTimeout);
    });
    expect(patience).toEqual([100, 200, 400, 800, 800]);
    timers.become('backup');
    timers.become('view-change');
    expect(ticksUntil(timers, TIMER.ViewChangeTimeout)).toBe(100);
  });

  test('a role that begins stops the timers of the one before', () => {
    const timers = new Timers(new SimulatedRandom(1));
    timers.become('view-change');
    timers.startOnce(TIMER.RetryRequestEntry);
    timers.become('backup');
    const running = TIMER_NAMES.filter((name) => timers.isRunning(TIMER[name]));
    expect(running).toEqual(['HeartbeatTimeout']);
  });

  test('startOnce does not put off what runs; stop ends it', () => {
    const timers = new Timers(new SimulatedRandom(1));
    timers.become('primary');
    timers.startOnce(TIMER.RetryPrepare);
    for (let tick = 0; tick < 9; tick++) {
      timers.tick();
      timers.startOnce(TIMER.RetryPrepare);
    }
    expect(timers.tick()).toContain(TIMER.RetryPrepare);
    timers.stop(TIMER.RetryPrepare);
    expect(ticksUntil(timers, TIMER.RetryPrepare)).toBe(Number.POSITIVE_INFINITY);
  });

  test('a fork goes its own way', () => {
    const random = new SimulatedRandom(1);
    const timers = new Timers(random);
    timers.become('backup');
    const twin = timers.fork(random.fork());
    const left = timers.left(TIMER.HeartbeatTimeout);
    for (let tick = 0; tick < 10; tick++) twin.tick();
    expect(timers.left(TIMER.HeartbeatTimeout)).toBe(left);
    expect(twin.left(TIMER.HeartbeatTimeout)).toBe((left ?? 0) - 10);
  });
});
