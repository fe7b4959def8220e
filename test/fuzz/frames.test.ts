/**
 * Goal: whatever comes in on the ports of a replica, nothing crashes, no state moves, memory stays bounded, and others are served.
 * Method: the campaign of `make fuzz-frames`, small: three real processes, malformed bytes from a seed, and a client that behaves.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCluster } from '../e2e/cluster-harness.ts';
import { type CampaignReport, campaign } from './frame-campaign.ts';
import { malformedFor, PORTS, type Port } from './malformed-frames.ts';

const FRAMES = 20_000;
/** More than a heap that has just begun to work may grow; unbounded growth passes it at once. */
const RESIDENT_MIB_MAX = 400;
let cluster: TestCluster;
let report: CampaignReport;
beforeAll(async () => {
  cluster = await TestCluster.start();
  report = await campaign(cluster, { frames: FRAMES, seed: 20_251_121, idle: 200, slow: 20, say: () => {} });
});
afterAll(async () => cluster.close());

describe(`${FRAMES} malformed frames on every port`, () => {
  it('all of every kind were sent, and none was left without an end', () => {
    expect(report.frames).toBeGreaterThanOrEqual(FRAMES);
    for (const port of Object.keys(PORTS)) {
      const endings = report.attacks
        .filter((attack) => attack.port === port)
        .map(({ byEnding }) => Object.keys(byEnding));
      expect(endings.flat().length, port).toBeGreaterThan(0);
      expect(endings.flat(), port).not.toContain('waited for more');
      expect(endings.flat(), port).not.toContain('refused');
    }
  });

  it('while nobody else asked, not one op was added: the state of every replica is the same', () => {
    expect(report.quietAfter).toEqual(report.quietBefore);
  });

  it('a client that behaves was served meanwhile, and found what it wrote and nothing else', () => {
    expect(report.served.failures).toEqual([]);
    expect(report.served.operations).toBeGreaterThan(0);
    expect(report.servedAmongLingering.failures).toEqual([]);
    expect(report.faults).toEqual([]);
  });

  it('what was refused is counted by reason', () => {
    const reasons = Object.keys(report.refused).join('\n');
    for (const reason of [
      'BAD_CHECKSUM',
      'OVERSIZED',
      'MALFORMED',
      'UNKNOWN_KIND',
      'WIRE_NOT_LOCKSTEP',
      'FRAME_TRUNCATED',
    ]) {
      expect(reasons).toContain(reason);
    }
  });

  it('connections that only stay are closed, and memory stays bounded', () => {
    for (const { what, opened, closedByServer } of report.lingering) expect(closedByServer, what).toBe(opened);
    for (const resident of report.residentMiB) expect(resident).toBeLessThan(RESIDENT_MIB_MAX);
  });
});

it('the same seed brings the same bytes', () => {
  const target = { cluster: 7n, replicaCount: 3, replica: 0, posesAs: 2 };
  const bytesOf = (port: Port): string => {
    const source = malformedFor(port, target, 9);
    return Array.from({ length: 50 }, () => source.next().value.bytes.toString('hex')).join();
  };
  for (const port of Object.keys(PORTS) as Port[]) expect(bytesOf(port)).toBe(bytesOf(port));
});
