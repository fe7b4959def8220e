/**
 * Goal: each explanation of the DX API tells, in a situation that really happened, which rule decided and by which values.
 * Method: real processes that are frozen, killed and hurt; the situation is waited for, then asked about over HTTP. A halted
 * disk is in disk-full.test.ts, and every other topic on simulated ports in test/unit/dx/plugin.test.ts.
 */
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AppliedRule, Explanation } from '../../machines/explanation.ts';
import { buildOnce, HAS_DX, TestCluster } from './cluster-harness.ts';

const WAIT_MS = 30_000;
const PIPELINE_OPS_MAX = 100;

let cluster: TestCluster | undefined;
beforeAll(buildOnce);
afterEach(async () => {
  for (const replica of cluster?.replicas ?? []) if (cluster?.isAlive(replica)) cluster.thaw(replica);
  await cluster?.close();
  cluster = undefined;
});

async function dx<Data>(test: TestCluster, replica: number, path: string): Promise<{ data: Data; notes: string[] }> {
  const answer = await fetch(`${test.urls[replica]}/v1/dx/${path}`);
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  return (await answer.json()) as { data: Data; notes: string[] };
}

const explain = async (test: TestCluster, replica: number, topic: string): Promise<Explanation> =>
  (await dx<Explanation>(test, replica, `explain/${topic}`)).data;

function post(test: TestCluster, replica: number, path: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${test.urls[replica]}${path}`, { method: 'POST', body: JSON.stringify(body), headers });
}

function ruleOf({ rules_applied }: Explanation, id: string): AppliedRule {
  const rule = rules_applied.find(({ rule_id }) => rule_id === id);
  if (rule === undefined) throw new Error(`no ${id} among ${rules_applied.map(({ rule_id }) => rule_id).join(', ')}`);
  return rule;
}

describe.runIf(HAS_DX)('explanations of what happened to real processes', () => {
  it('a wrong offset: every replica names the rule of the kernel, with both offsets', async () => {
    cluster = await TestCluster.start();
    const test = cluster;
    await post(test, 0, '/v1/streams', { name: 's' });
    await post(test, 1, '/v1/streams/s/events', { events: [{ data: 'a' }] });
    const refused = await post(test, 2, '/v1/streams/s/events', { events: [{ data: 'b' }], expectedOffset: 7 });
    const { error } = (await refused.json()) as {
      error: { code: string; rule: string; evidence: { decidedAtCommitId: number } };
    };
    expect([refused.status, error.code, error.rule]).toEqual([409, 'OFFSET_MISMATCH', 'Kernel.Append.OffsetMatches']);
    await test.level();
    for (const replica of test.replicas) {
      const path = `refusal?commit_id=${error.evidence.decidedAtCommitId}`;
      const explanation = await explain(test, replica, path);
      expect(explanation.decided_by).toEqual(['Kernel.Append.OffsetMatches']);
      expect(ruleOf(explanation, 'Kernel.Append.OffsetMatches')).toMatchObject({
        evaluation: false,
        description: 'The first event gets the offset that the client expects.',
        evidence: { stream: 's', expectedOffset: 7, nextOffset: 1 },
      });
    }
    const { notes } = await dx(test, 0, 'explain/refusal');
    expect(notes.join()).toContain(`commit_id=${error.evidence.decidedAtCommitId}&command=0`);
  }, 60_000);

  it('a stale view: what a primary says that was frozen while the others went on is refused by SameView', async () => {
    cluster = await TestCluster.start();
    const test = cluster;
    await post(test, 0, '/v1/streams', { name: 's' });
    await test.eventually('a message of the old primary was refused', 2 * WAIT_MS, async () => {
      const old = await test.primary();
      const backup = (old + 1) % 3;
      const before = (await test.statusOf(old))?.view as number;
      test.freeze(old);
      // It lies in the socket until the old primary goes on, and then becomes a prepare of the old view.
      const late = post(test, old, '/v1/streams/s/events', { events: [{ data: 'late' }] }).catch(() => undefined);
      await test.eventually('the others have a new primary', WAIT_MS, async () => {
        const other = await test.statusOf(backup);
        return other?.status === 'normal' && other.view > before ? true : undefined;
      });
      test.thaw(old);
      await test.eventually('it follows', WAIT_MS, async () => {
        const one = await test.statusOf(old);
        return one?.status === 'normal' && one.view > before ? true : undefined;
      });
      await late;
      for (const event of ['ReceiveCommit', 'ReceivePrepare']) {
        for (const replica of test.replicas.filter((one) => one !== old)) {
          const explanation = await explain(test, replica, `refusal?event=${event}`);
          const rule = explanation.rules_applied.find(({ rule_id }) => rule_id === `Vsr.${event}.SameView`);
          if (explanation.inputs.from !== old || rule?.evaluation !== false) continue;
          expect(explanation.decided_by).toContain(`Vsr.${event}.SameView`);
          expect(rule.evidence['event.message.view']).toBeLessThan(Number(rule.evidence['context.view']));
          expect(rule.description).not.toBe('');
          expect(explanation.conclusion).toContain(`from replica ${old} was refused`);
          return true;
        }
      }
      return undefined;
    });
  }, 180_000);

  it('a torn tail: what was cut after a kill -9 is said, and by which rule', async () => {
    cluster = await TestCluster.start();
    const test = cluster;
    await post(test, 0, '/v1/streams', { name: 's' });
    await test.level();
    const replica = ((await test.primary()) + 1) % 3;
    await test.kill(replica);
    await test.start(replica);
    const whole = await test.eventually('it says how it came back', WAIT_MS, () => recovery(test, replica));
    expect(whole.decided_by).toContain('AppendLog.Reopen.FileIsWhole');
    expect(whole.conclusion).toContain('4 of 4 copies of the superblock are whole');
    expect(whole.conclusion).toContain('It came back by RestartAsBackup');
    const log = await dx<{ context: { endBytes: number } }>(test, replica, 'machines/AppendLog');
    await test.kill(replica);
    // A crash in the middle of a write leaves some of its bytes.
    const file = openSync(join(test.directoryOf(replica), 'log-000000.lockstep'), 'r+');
    writeSync(file, Buffer.alloc(37, 0xab), 0, 37, log.data.context.endBytes);
    await test.start(replica);
    const torn = await test.eventually('it says how it came back', WAIT_MS, () => recovery(test, replica));
    expect(torn.decided_by).toContain('AppendLog.ReopenCuttingTail.TailIsTorn');
    expect(ruleOf(torn, 'AppendLog.ReopenCuttingTail.TailIsTorn')).toMatchObject({
      evaluation: true,
      evidence: { 'event.scan.verdict': 'torn' },
      spec: { file: 'specs/AppendLog.tla' },
    });
    expect(torn.inputs.found).toMatchObject({ log_torn_bytes: 37 });
    expect(torn.conclusion).toContain('37 bytes were cleared');
    await test.level();
  }, 90_000);

  it('a full pipeline, no quorum, and after a restart the suffix that nobody has called committed', async () => {
    const slow = ['tick-ms=60', 'batch-commands-max=1', 'prepares-in-flight-max=1000'];
    cluster = await TestCluster.start({ serverArgs: slow.flatMap((limit) => ['--limit', limit]) });
    const test = cluster;
    const primary = await test.primary();
    await post(test, primary, '/v1/streams', { name: 's' });
    const committed = await test.level();
    const backups = test.replicas.filter((replica) => replica !== primary);
    for (const backup of backups) test.freeze(backup);
    const asked = Array.from({ length: PIPELINE_OPS_MAX + 20 }, () =>
      post(test, primary, '/v1/streams/s/events', { events: [{ data: 'x' }] }).catch(() => undefined),
    );
    const full = await test.eventually('the pipeline is full', WAIT_MS, async () => {
      const explanation = await explain(test, primary, 'replica');
      return explanation.inputs.op === committed + PIPELINE_OPS_MAX ? explanation : undefined;
    });
    expect(full.decided_by).toContain('Vsr.ClientRequest.PipelineHasRoom');
    expect(ruleOf(full, 'Vsr.ClientRequest.PipelineHasRoom')).toMatchObject({
      evaluation: false,
      evidence: {
        'context.op': committed + PIPELINE_OPS_MAX,
        'context.commit': committed,
        'context.pipelineMax': PIPELINE_OPS_MAX,
      },
      spec: { file: 'specs/Vsr.tla' },
    });
    expect(full.conclusion).toContain('its pipeline is full');

    const commit = await explain(test, primary, 'commit');
    expect(commit.inputs.commit_id).toBe(committed + 1);
    expect(commit.decided_by).toEqual(['Vsr.QuorumOp', 'Vsr.ReceivePrepareOk.NewAcknowledgement']);
    expect(ruleOf(commit, 'Vsr.QuorumOp')).toMatchObject({
      evaluation: false,
      evidence: { quorum: 2, op: committed + 1, quorumOp: committed },
    });
    expect(commit.conclusion).toContain('1 of the 2 durable copies that a quorum needs');

    await test.killAll();
    await Promise.all(asked);
    await test.start(primary);
    const found = await test.eventually('it says how it came back', WAIT_MS, () => recovery(test, primary));
    expect(found.inputs.found).toMatchObject({ op: committed + PIPELINE_OPS_MAX });
    expect(found.conclusion).toMatch(
      /^Replica \d opened its disk: .* Ops \d+ to \d+ are in it and not known committed/,
    );
    expect(found.decided_by.at(-1)).toMatch(/^Vsr\.Restart/);
    const alone = await test.eventually('it wants another view', WAIT_MS, async () => {
      const explanation = await explain(test, primary, 'view-change');
      return explanation.inputs.status === 'view-change' && explanation.decided_by[0]?.endsWith('.StartQuorum')
        ? explanation
        : undefined;
    });
    expect(alone.conclusion).toContain('1 of the 2 replicas that a quorum needs have asked for it');
    const { notes } = await dx(test, primary, 'explain/view-change');
    expect(notes.filter((note) => note.startsWith('no connection to replica'))).toHaveLength(2);
  }, 120_000);
});

async function recovery(test: TestCluster, replica: number): Promise<Explanation | undefined> {
  return await explain(test, replica, 'recovery').catch(() => undefined);
}
