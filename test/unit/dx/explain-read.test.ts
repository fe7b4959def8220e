/**
 * Goal: why a read is answered or waits is told by the guards of the round of StartReadRound and CompleteRead.
 * Method: three replicas on simulated ports, the DX plugin in fastify, asked by inject().
 */
import fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { dxPlugin } from '../../../impl/dx/plugin.ts';
import type { AppliedRule, Explanation } from '../../../machines/explanation.ts';
import { SmallCluster } from './small-cluster.ts';

async function explain(cluster: SmallCluster, index: number, topic: string): Promise<Explanation> {
  const server = fastify();
  await server.register(dxPlugin, { source: cluster.source(index) });
  const response = await server.inject(`/v1/dx/explain/${topic}`);
  await server.close();
  expect(response.statusCode, response.body).toBe(200);
  return response.json<{ data: Explanation }>().data;
}

function ruleIn({ rules_applied }: Explanation, id: string): AppliedRule {
  const rule = rules_applied.find(({ rule_id }) => rule_id === id);
  if (rule === undefined) throw new Error(`no rule ${id}`);
  return rule;
}

function busyCluster(): SmallCluster {
  const cluster = new SmallCluster();
  cluster.submit(0);
  cluster.flush();
  cluster.deliver();
  cluster.run(10);
  return cluster;
}

describe('explain/read', () => {
  test('a read: who may answer it, what it waits for, and when a round is open', async () => {
    const cluster = busyCluster();
    const idle = await explain(cluster, 0, 'read');
    expect(idle.decided_by).toContain('Vsr.StartReadRound.ViewLogCommitted');
    expect(idle.conclusion).toContain('as soon as a quorum has confirmed that view 0 is the newest: at commit 1');
    const backup = await explain(cluster, 1, 'read');
    expect(backup.decided_by).toEqual(['Vsr.StartReadRound.IsPrimary', 'Vsr.ReceiveReadRound.SameView']);
    expect(backup.conclusion).toContain('asks replica 0, the primary of view 0');
    cluster.kill(1);
    cluster.kill(2);
    cluster.replica(0).startReadRound();
    const open = await explain(cluster, 0, 'read');
    expect(open.decided_by[0]).toBe('Vsr.CompleteRead.ReadQuorum');
    expect(ruleIn(open, 'Vsr.CompleteRead.ReadQuorum')).toMatchObject({
      evaluation: false,
      evidence: { 'context.reading.oks': [0], 'context.replicaCount': 3 },
    });
    expect(ruleIn(open, 'Vsr.StartReadRound.NoReadRound').evaluation).toBe(false);
    expect(open.conclusion).toContain('1 of the 2 that a quorum needs have confirmed view 0 (replica 0)');
    expect(open.conclusion).toContain('replicas 1 and 2 could');
    cluster.run(130);
    const waits = await explain(cluster, 0, 'read');
    expect(waits.decided_by).toEqual(['Vsr.StartReadRound.status']);
    expect(waits.conclusion).toContain('A linearizable read waits: replica 0 is in status view-change');
  });

  test('a committed read that asks for more than is known here waits, and CommitAdvances says so', async () => {
    const cluster = busyCluster();
    const early = await explain(cluster, 1, 'read?min_commit_id=5');
    expect(early.decided_by).toEqual(['Vsr.ReceiveCommit.CommitAdvances']);
    expect(ruleIn(early, 'Vsr.ReceiveCommit.CommitAdvances')).toMatchObject({
      evaluation: false, // not even a Commit of 5 could be taken: the log ends before
      evidence: { 'event.message.commit': 5, 'context.commit': 1, 'context.op': 1 },
    });
    expect(early.conclusion).toContain('asks for commit 5 waits');
    expect((await explain(cluster, 1, 'read?min_commit_id=1')).conclusion).toContain('is answered at once');
  });
});
