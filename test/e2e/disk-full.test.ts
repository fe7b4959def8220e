/**
 * Goal: a primary whose disk is full halts and says why; the others go on, nothing acknowledged is lost, and with more space
 * it comes back by itself. Method: replica 0 lies on a small file system of its own, which needs the right to mount one.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import type { Explanation } from '../../machines/explanation.ts';
import { HAS_DX, lockstep, TestCluster } from './cluster-harness.ts';
import { Load, nothingLost, verifiedClean } from './load.ts';

/** The log grows by 16 MiB at a time: the second of these has no room. */
const SMALL = '24m';
const LARGE = '256m';

let cluster: TestCluster | undefined;
let mounted: string | undefined;
afterEach(async () => {
  await cluster?.killAll();
  if (mounted !== undefined) spawnSync('umount', [mounted]);
  mounted = undefined;
  await cluster?.close();
  cluster = undefined;
});

function mount(directory: string, options: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory]).status === 0;
}

const isRoot = process.getuid?.() === 0;

it.runIf(isRoot)(
  'Disk full: a primary without space halts and says why, the others go on, and it comes back',
  async (context) => {
    let mayMount = true;
    cluster = await TestCluster.start({
      beforeFormat: (directory, replica) => {
        if (replica !== 0) return;
        mkdirSync(directory);
        mayMount = mount(directory, `size=${SMALL}`);
        if (mayMount) mounted = directory;
      },
    });
    if (!mayMount) return context.skip('no right to mount a small file system here');
    const test = cluster;
    expect(await test.primary()).toBe(0);
    const load = await Load.start(test, { stream: 'full', clients: 4, eventsPerAppend: 4, eventBytes: 24_000 });
    await test.eventually('replica 0 halts', 60_000, async () =>
      (await test.statusOf(0))?.status === 'halted' ? true : undefined,
    );
    await load.progress(20, 30_000);
    await load.stop(); // what it wrote is read back three times

    if (HAS_DX) {
      const why = await lockstep(['explain', 'replica', '--url', test.urls[0] as string]);
      expect(why.stdout).toMatch(/halted/);
      expect(why.stdout).toMatch(/space|full|ENOSPC/i);
      const { data } = (await (await fetch(`${test.urls[0]}/v1/dx/explain/replica`)).json()) as { data: Explanation };
      expect(data.decided_by).toEqual(['Vsr.halted']);
      const [rule] = data.rules_applied;
      expect([rule?.evaluation, rule?.spec?.file]).toEqual([true, 'specs/Vsr.tla']);
      expect(String(rule?.evidence.reason)).toMatch(/^[A-Z_]+: .*space/);
    }
    expect(await test.primary()).not.toBe(0);
    expect(await test.stop(0)).toBe(0);
    expect(mount(test.directoryOf(0), `remount,size=${LARGE}`)).toBe(true);
    await test.start(0);
    const small = await Load.start(test, { stream: 'after', clients: 2, eventsPerAppend: 1 });
    await small.progress(20, 30_000);
    await small.stop();
    await nothingLost(test, small);
    await nothingLost(test, load);
    expect(load.failures).toEqual([]);
    expect(test.deaths).toEqual([]);
    await verifiedClean(test);
  },
  240_000,
);
