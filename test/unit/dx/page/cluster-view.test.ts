/**
 * Goal: the sentence at the top of the page is true of what the replicas said, and what nobody said is not made up.
 * Method: made-up answers for each situation; the sentence, the cards and the news are compared.
 */
import { describe, expect, test } from 'vitest';
import type { Asked, Replication, Status } from '../../../../impl/dx/page/app/answers.ts';
import { clusterView, type Observed } from '../../../../impl/dx/page/app/cluster-view.ts';
import { happeningsBetween } from '../../../../impl/dx/page/app/happenings.ts';

const SILENT: Asked<Status> = {
  ok: false,
  problem: { status: undefined, code: 'NO_ANSWER', message: 'it does not answer' },
};

function says(replica: number, change: Partial<Status> = {}): Observed {
  const view = change.view ?? 0;
  const value: Status = {
    replica,
    role: view % 3 === replica ? 'primary' : 'backup',
    status: 'normal',
    status_reason: null,
    view,
    log_view: view,
    primary: view % 3,
    op: 10,
    op_durable: 10,
    commit: 10,
    applied: 10,
    state_hash: 'ab'.repeat(32),
    streams: 1,
    cluster: '7',
    replica_count: 3,
    quorum: 2,
    address: '',
    http: '',
    version: '0',
    ...change,
  };
  return { replica, base: '', asked: { ok: true, value, notes: [] } };
}

const silent = (replica: number): Observed => {
  const { asked } = says(replica);
  return { replica, base: 'x', asked: SILENT, last: asked?.ok ? asked.value : undefined };
};
const unknown = (replica: number): Observed => ({ replica, base: undefined, asked: undefined });

function replicationOf(rows: readonly (readonly [connected: boolean, acknowledged: number | null])[]): Replication {
  return {
    view: 0,
    primary: 0,
    replicas: rows.map(([connected, acknowledged], replica) => ({
      replica,
      address: '',
      http: null,
      connected,
      acknowledged,
      lag: null,
    })),
  };
}

describe('the cluster as the page sees it', () => {
  test('all is well', () => {
    const view = clusterView([says(0), says(1), says(2)], undefined);
    expect(view).toMatchObject({
      tone: 'good',
      title: 'Replica 0 leads, all 3 replicas keep up',
      primary: 0,
      commit: 10,
    });
    expect(view.cells).toEqual({ first: 1, last: 10 });
  });

  test('one is silent: appends go on, and it says which', () => {
    const view = clusterView([says(0), silent(1), says(2)], undefined);
    expect(view).toMatchObject({ tone: 'wait', title: 'Replica 0 leads, with 2 of 3' });
    expect(view.detail).toBe('Replica 1 does not answer. Appends go on: 2 of 3 are enough.');
  });

  test('two are silent: the primary leads, and nothing is committed', () => {
    const view = clusterView([says(0), silent(1), silent(2)], undefined);
    expect(view).toMatchObject({ tone: 'bad', title: 'Replica 0 leads, without a quorum' });
    expect(view.detail).toContain('1 of the 2 replicas');
  });

  test('a view change', () => {
    const changing = { status: 'view-change', role: 'none', view: 1 } as const;
    const view = clusterView([silent(0), says(1, changing), says(2, changing)], undefined);
    expect(view).toMatchObject({ tone: 'wait', title: 'Choosing a primary for view 1', primary: undefined });
  });

  test('an old primary that has not heard of the new view does not lead', () => {
    const view = clusterView([says(0), says(1, { view: 1 }), says(2, { view: 1 })], undefined);
    expect(view.primary).toBe(1);
    expect(view.title).toBe('Replica 1 leads, with 2 of 3');
    expect(view.detail).toContain('Not yet with it: 0.');
  });

  test('a peer whose address nobody configured is shown as the primary knows it', () => {
    const observed = [says(0), unknown(1), unknown(2)];
    const view = clusterView(
      observed,
      replicationOf([
        [true, 10],
        [true, 8],
        [false, 7],
      ]),
    );
    expect(view.cards.map(({ role, source, op, lag }) => [role, source, op, lag])).toEqual([
      ['primary', 'itself', 10, 0],
      ['unknown', 'the primary', 8, 2],
      ['silent', 'the primary', 7, 3],
    ]);
    expect(view.title).toBe('Replica 0 leads, with 2 of 3');
  });

  test('a silent one is shown as it last was; nothing acknowledged in this view says nothing of its log', () => {
    const rows = replicationOf([
      [true, 12],
      [false, 0],
      [false, 0],
    ]);
    const { cards } = clusterView([says(0, { op: 12 }), silent(1), { replica: 2, base: 'x', asked: SILENT }], rows);
    expect(cards.map(({ source, op, lag }) => [source, op, lag])).toEqual([
      ['itself', 12, 0],
      ['itself, before', 10, 2],
      ['the primary', undefined, undefined],
    ]);
  });

  test('one that refuses to say is not silent', () => {
    const problem = { status: 429, code: 'RATE_LIMITED', message: 'too many' };
    const view = clusterView([says(0), { replica: 1, base: 'x', asked: { ok: false, problem } }, says(2)], undefined);
    expect(view.cards[1]).toMatchObject({ role: 'unknown', source: 'nobody', problem });
    expect(view.detail).not.toContain('does not answer');
  });

  test('nobody answers; a halted replica says so', () => {
    expect(clusterView([silent(0)], undefined).title).toBe('No replica answers');
    const halted = says(2, { status: 'halted', role: 'none', status_reason: 'fsync failed' });
    const view = clusterView([says(0), says(1), halted], undefined);
    expect(view.cards[2]?.role).toBe('halted');
    expect(view.detail).toContain('Replica 2 halted.');
  });
});

describe('what happened', () => {
  const texts = (before: readonly Observed[], after: readonly Observed[]): readonly string[] =>
    happeningsBetween(clusterView(before, undefined), clusterView(after, undefined)).map(({ text }) => text);

  test('nothing, when nothing changed or it is the first look', () => {
    expect(texts([says(0), says(1)], [says(0, { op: 11 }), says(1)])).toEqual([]);
    expect(texts([unknown(0)], [says(0)])).toEqual([]);
  });

  test('the primary dies, another leads, the dead one comes back', () => {
    const changing = { status: 'view-change', role: 'none', view: 1 } as const;
    const whole = [says(0), says(1), says(2)];
    const dead = [silent(0), says(1), says(2)];
    const choosing = [silent(0), says(1, changing), says(2, changing)];
    const chosen = [silent(0), says(1, { view: 1 }), says(2, { view: 1 })];
    const back = [says(0, { view: 1 }), says(1, { view: 1 }), says(2, { view: 1 })];
    expect(texts(whole, dead)).toEqual(['Replica 0 stopped answering']);
    expect(texts(dead, choosing)).toEqual([
      'Replica 1 wants view 1: it waits for a quorum',
      'Replica 2 wants view 1: it waits for a quorum',
    ]);
    expect(texts(choosing, chosen)).toEqual(['Replica 1 leads view 1', 'Replica 2 follows replica 1 in view 1']);
    expect(texts(chosen, back)).toEqual(['Replica 0 answers again: it follows replica 1 in view 1']);
  });
});
