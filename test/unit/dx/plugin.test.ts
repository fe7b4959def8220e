/**
 * Goal: the DX API answers as server.md says, in real situations of a real replica.
 * Method: three replicas on simulated ports, the plugin in fastify, asked by inject(); guards are compared by name and values.
 */
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { localInvariants } from '../../../impl/dx/local-invariants.ts';
import { dxPlugin } from '../../../impl/dx/plugin.ts';
import { DiskError } from '../../../impl/ports/disk.ts';
import type { AppliedRule, Explanation } from '../../../machines/explanation.ts';
import { SmallCluster } from './small-cluster.ts';

const servers: FastifyInstance[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serverOf(cluster: SmallCluster, index: number): Promise<FastifyInstance> {
  const server = fastify();
  await server.register(dxPlugin, { source: cluster.source(index) });
  servers.push(server);
  return server;
}

interface Answer<Data> {
  readonly api_version: string;
  readonly observed_at: { readonly snapshot_id: string; readonly commit_id: number };
  readonly data: Data;
  readonly notes: readonly string[];
}

async function ask<Data>(cluster: SmallCluster, index: number, path: string): Promise<Answer<Data>> {
  const server = await serverOf(cluster, index);
  const response = await server.inject({ method: 'GET', url: `/v1/dx/${path}` });
  expect(response.statusCode, response.body).toBe(200);
  return response.json<Answer<Data>>();
}

const explain = async (cluster: SmallCluster, index: number, topic: string): Promise<Explanation> =>
  (await ask<Explanation>(cluster, index, `explain/${topic}`)).data;

function ruleIn({ rules_applied }: Explanation, id: string): AppliedRule {
  const rule = rules_applied.find(({ rule_id }) => rule_id === id);
  if (rule === undefined)
    throw new Error(`no rule ${id} among ${rules_applied.map(({ rule_id }) => rule_id).join(', ')}`);
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

describe('status and machines', () => {
  test('status says role, view, op and commit in the names of the spec', async () => {
    const cluster = busyCluster();
    const primary = await ask<object>(cluster, 0, 'status');
    expect(primary.data).toMatchObject({
      replica: 0,
      role: 'primary',
      status: 'normal',
      view: 0,
      log_view: 0,
      op: 1,
      commit: 1,
    });
    expect(primary.observed_at.commit_id).toBe(1);
    expect((await ask<object>(cluster, 1, 'status')).data).toMatchObject({ role: 'backup', primary: 0, commit: 1 });
  });

  test('log lists entries with their hashes, chained; replication says how far each replica is', async () => {
    const cluster = busyCluster();
    cluster.kill(2);
    cluster.submit(0);
    cluster.flush();
    cluster.deliver();
    const log = await ask<{ entries: { op: number; hash: string; parent: string; committed: boolean }[] }>(
      cluster,
      0,
      'log',
    );
    expect(log.data.entries).toMatchObject([
      { op: 1, parent: '0'.repeat(64), committed: true },
      { op: 2, parent: log.data.entries[0]?.hash, committed: true },
    ]);
    expect((await ask<{ entries: object[] }>(cluster, 0, 'log?from=2&limit=5')).data.entries).toHaveLength(1);
    expect((await ask<object>(cluster, 0, 'replication')).data).toMatchObject({
      primary: 0,
      replicas: [
        { replica: 0, connected: true, acknowledged: 2, lag: 0 },
        { replica: 1, connected: true, acknowledged: 2, lag: 0 },
        { replica: 2, connected: false, acknowledged: 1, lag: 1 },
      ],
    });
    expect((await ask<object>(cluster, 1, 'replication')).data).toMatchObject({
      replicas: [{ acknowledged: null }, {}, {}],
    });
  });

  test('two reads of one state give equal bytes', async () => {
    const cluster = busyCluster();
    const server = await serverOf(cluster, 0);
    for (const path of [
      'status',
      'machines',
      'machines/Vsr',
      'machines/Vsr/history',
      'explain/replica',
      'explain/commit',
    ]) {
      const [first, second] = await Promise.all([server.inject(`/v1/dx/${path}`), server.inject(`/v1/dx/${path}`)]);
      expect(second.rawPayload.equals(first.rawPayload), path).toBe(true);
    }
  });

  test('equal observed_at means equal bytes, while time passes and heartbeats go round', async () => {
    const cluster = new SmallCluster();
    const server = await serverOf(cluster, 1);
    const known = new Map<string, string>();
    let repeated = 0;
    for (let turn = 0; turn < 60; turn++) {
      if (turn % 20 === 5) cluster.submit(0);
      cluster.run(3);
      for (const path of [
        'status',
        'log',
        'replication',
        'machines',
        'machines/Vsr',
        'explain/replica',
        'explain/commit',
      ]) {
        const { body } = await server.inject(`/v1/dx/${path}`);
        const { observed_at } = JSON.parse(body) as Answer<unknown>;
        const key = `${path} ${observed_at.snapshot_id} ${observed_at.commit_id}`;
        if (known.has(key)) repeated++;
        expect(body).toBe(known.get(key) ?? body);
        known.set(key, body);
      }
    }
    expect(repeated).toBeGreaterThan(200);
    expect(known.size).toBeGreaterThan(20);
  });

  test('a machine lists each transition with its TLA+ action and both source lines', async () => {
    const { data } = await ask<{ transitions: { event: string; action: string; machine: string; guards: string[] }[] }>(
      busyCluster(),
      0,
      'machines/Vsr',
    );
    const prepare = data.transitions.find(({ event }) => event === 'ReceivePrepare');
    expect(prepare?.guards).toEqual(['IsBackup', 'SameView', 'NextInSequence', 'ParentHashMatches']);
    expect(prepare?.action).toMatch(/^specs\/Vsr\.tla:\d+$/);
    expect(prepare?.machine).toMatch(/^machines\/vsr\.ts:\d+$/);
    expect(data.transitions.every(({ action }) => action !== null)).toBe(true);
  });

  test('Mermaid and SCXML have every transition', async () => {
    const server = await serverOf(busyCluster(), 0);
    const mermaid = await server.inject('/v1/dx/machines/Vsr?format=mermaid');
    expect(mermaid.body).toContain('normal --> normal : ReceivePrepare [IsBackup and SameView and NextInSequence');
    const scxml = await server.inject('/v1/dx/machines/Vsr?format=scxml');
    expect(scxml.headers['content-type']).toContain('xml');
    expect(scxml.body).toContain('<transition event="ReceivePrepare" cond="IsBackup &amp;&amp; SameView');
  });

  test('history has each transition with its guards, the newest last', async () => {
    const { data } = await ask<{ event: string; taken: boolean; guards: object }[]>(
      busyCluster(),
      1,
      'machines/Vsr/history?limit=1000',
    );
    expect(data.find(({ event }) => event === 'ReceivePrepare')).toMatchObject({
      taken: true,
      from: 'normal',
      to: 'normal',
      peer: 0,
      op: 1,
      guards: { IsBackup: true, SameView: true, NextInSequence: true, ParentHashMatches: true },
    });
  });

  test('a dry run asks the guards, and says what the event lacks', async () => {
    const cluster = busyCluster();
    const asked = await ask<{ can: boolean; rules_applied: AppliedRule[] }>(
      cluster,
      1,
      'machines/Vsr/can?event=ReceivePrepare&message.view=0&message.op=9&message.from=0',
    );
    expect(asked.data.can).toBe(false);
    expect(asked.data.rules_applied.map(({ rule_id, evaluation }) => [rule_id, evaluation])).toEqual([
      ['Vsr.ReceivePrepare.IsBackup', true],
      ['Vsr.ReceivePrepare.SameView', true],
      ['Vsr.ReceivePrepare.NextInSequence', false],
      ['Vsr.ReceivePrepare.ParentHashMatches', false],
    ]);
    expect(asked.data.rules_applied[2]?.evidence).toEqual({ 'event.message.op': 9, 'context.op': 1 });
    expect(asked.notes.join()).toContain('message.parent=');
    expect(cluster.replica(1).op).toBe(1);
  });
});

describe('explanations of real situations', () => {
  test('every rule has words, the machine answers it, and both places are named', async () => {
    const explanation = await explain(busyCluster(), 0, 'replica');
    for (const rule of explanation.rules_applied) {
      expect(rule.description, rule.rule_id).not.toBe('');
      expect(rule.spec?.file, rule.rule_id).toBe('specs/Vsr.tla');
      expect(rule.machine?.file, rule.rule_id).toMatch(/^machines\/vsr/);
    }
    expect(explanation.decided_by).toEqual(['Vsr.ClientRequest.IsPrimary']);
  });

  test('a replica answers for the invariants that it can judge alone, by their predicates', async () => {
    const cluster = busyCluster();
    expect(ruleIn(await explain(cluster, 0, 'replica'), 'Vsr.CommitNotExceedOp')).toMatchObject({
      evaluation: true,
      evidence: { 'context.commit': 1, 'context.op': 1 },
    });
    const { machine, snapshot } = cluster.replica(0);
    const broken = { machine, snapshot: { ...snapshot, context: { ...snapshot.context, commit: 9 } } };
    const rules = localInvariants({ ...broken, haltedBy: undefined, entryAt: () => undefined });
    expect(rules.map(({ rule_id, evaluation }) => [rule_id, evaluation])).toEqual([
      ['Vsr.CommitNotExceedOp', false],
      ['Vsr.ViewMonotonic', true],
    ]);
  });

  test('no quorum: two of three replicas are killed, and the third waits with StartQuorum false', async () => {
    const cluster = busyCluster();
    cluster.kill(0);
    cluster.kill(2);
    cluster.run(130);
    const { data, notes } = await ask<Explanation>(cluster, 1, 'explain/view-change');
    expect(data.decided_by).toEqual([
      `Vsr.${cluster.replica(1).primary === 1 ? 'CastOwnChangeVote' : 'SendDoViewChange'}.StartQuorum`,
    ]);
    expect(ruleIn(data, data.decided_by[0] ?? '')).toMatchObject({
      evaluation: false,
      description: 'A quorum wants this view.',
      evidence: { 'context.startVotes': [1], 'context.replicaCount': 3 },
    });
    expect(data.conclusion).toContain('1 of the 2 replicas that a quorum needs');
    expect(notes).toEqual([
      'no connection to replica 0 at 127.0.0.1:7200',
      'no connection to replica 2 at 127.0.0.1:7202',
    ]);
  });

  test('no quorum at a primary: what is not committed names the missing acknowledgements', async () => {
    const cluster = busyCluster();
    cluster.kill(1);
    cluster.kill(2);
    cluster.submit(0);
    cluster.flush();
    const data = await explain(cluster, 0, 'commit?commit_id=2');
    expect(data.decided_by).toEqual(['Vsr.QuorumOp', 'Vsr.ReceivePrepareOk.NewAcknowledgement']);
    expect(ruleIn(data, 'Vsr.QuorumOp')).toMatchObject({
      evaluation: false,
      evidence: { acked: [2, 1, 1], quorum: 2, op: 2 },
    });
    expect(data.conclusion).toContain('No PrepareOk for it has come from replicas 1 and 2');
  });

  test('view change in progress: the replica that is to lead waits for what the logs hold', async () => {
    const cluster = busyCluster();
    cluster.kill(0);
    cluster.tick(130);
    expect([1, 2].map((index) => cluster.replica(index).status)).toEqual(['view-change', 'view-change']);
    expect((await explain(cluster, 1, 'view-change')).decided_by).toEqual(['Vsr.CastOwnChangeVote.StartQuorum']);
    cluster.deliverOnce();
    const leads = await explain(cluster, 1, 'view-change');
    expect(leads.decided_by).toEqual(['Vsr.ChooseLog.ChangeQuorum']);
    expect(ruleIn(leads, 'Vsr.ChooseLog.ChangeQuorum').evaluation).toBe(false);
    const follows = await explain(cluster, 2, 'replica');
    expect(follows.decided_by).toEqual(['Vsr.SendDoViewChange.HasNoTarget']);
    expect(follows.conclusion).toContain('waits for its StartView');
    cluster.run(20);
    expect((await explain(cluster, 1, 'view-change')).conclusion).toContain('No view change is in progress');
  });

  test('a lagging backup: the prepare after a gap is refused by NextInSequence', async () => {
    const cluster = busyCluster();
    cluster.submit(0);
    cluster.lose();
    cluster.submit(0);
    cluster.flush();
    cluster.deliverOnce();
    const data = await explain(cluster, 1, 'refusal?event=ReceivePrepare');
    expect(data.decided_by).toContain('Vsr.ReceivePrepare.NextInSequence');
    expect(ruleIn(data, 'Vsr.ReceivePrepare.NextInSequence')).toMatchObject({
      evaluation: false,
      evidence: { 'event.message.op': 3, 'context.op': 1 },
    });
    const commit = await explain(cluster, 1, 'commit?commit_id=3');
    expect(commit.missing_facts.join()).toContain('the entry of op 3');
  });

  test('halted: a sync that fails stops the replica, and it still says why', async () => {
    const cluster = busyCluster();
    cluster.disk(0).inject({ operation: 'sync', kind: 'failed' });
    cluster.submit(0);
    cluster.flush();
    expect(cluster.replica(0).status).toBe('halted');
    for (const topic of ['replica', 'refusal', 'view-change', 'commit?commit_id=2']) {
      const data = await explain(cluster, 0, topic);
      expect(data.decided_by).toEqual(['Vsr.halted']);
      expect(data.conclusion).toContain(cluster.replica(0).statusReason);
    }
    expect((await ask<object>(cluster, 0, 'status')).data).toMatchObject({ status: 'halted', role: 'none' });
  });

  test('a disk that does not read any more: the log says so, and the explanation does without', async () => {
    const cluster = busyCluster();
    const source = cluster.source(0);
    const server = fastify();
    servers.push(server);
    const prepareAt = (): never => {
      throw new DiskError('DISK_IO', 'the disk does not read', { position: 0 });
    };
    await server.register(dxPlugin, { source: { ...source, prepareAt } });
    const log = await server.inject('/v1/dx/log');
    expect(log.statusCode).toBe(500);
    expect(log.json()).toMatchObject({ error: { code: 'DISK_IO', evidence: { position: 0 } } });
    const commit = await server.inject('/v1/dx/explain/commit?commit_id=1');
    expect(commit.json<{ data: Explanation }>().data.conclusion).toContain('Op 1 is committed');
  });

  test('a client request at a backup is refused by IsPrimary', async () => {
    const cluster = busyCluster();
    expect(cluster.submit(1)).toEqual({ refusedBy: ['Vsr.ClientRequest.IsPrimary'] });
    const data = await explain(cluster, 1, 'refusal?event=ClientRequest');
    expect(data.decided_by).toEqual(['Vsr.ClientRequest.IsPrimary']);
    expect(ruleIn(data, 'Vsr.ClientRequest.IsPrimary').evidence).toEqual({
      'context.replica': 1,
      'context.replicaCount': 3,
      'context.view': 0,
    });
  });

  test('a client request at a full pipeline is refused by PipelineHasRoom', async () => {
    const cluster = busyCluster();
    cluster.kill(1);
    cluster.kill(2);
    for (let request = 0; request < 4; request++) expect(cluster.submit(0)).toHaveProperty('op');
    expect(cluster.submit(0)).toEqual({ refusedBy: ['Vsr.ClientRequest.PipelineHasRoom'] });
    const data = await explain(cluster, 0, 'refusal');
    expect(data.decided_by).toEqual(['Vsr.ClientRequest.PipelineHasRoom']);
    expect(ruleIn(data, 'Vsr.ClientRequest.PipelineHasRoom').evidence).toEqual({
      'context.op': 5,
      'context.commit': 1,
      'context.pipelineMax': 4,
    });
  });

  test('a refusal that never happened is a question to the machine, and says so', async () => {
    const { data, notes } = await ask<Explanation>(busyCluster(), 2, 'explain/refusal?event=ClientRequest');
    expect(data.conclusion).toContain('would be refused');
    expect(notes.join()).toContain('as a question');
  });
});
