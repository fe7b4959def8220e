/**
 * Goal: a request of a session, and an append with a key, is applied once and has one answer, whoever is asked and however
 * often: after a kill -9 of the primary that had taken it, and after a kill -9 of the whole cluster. Method: real processes,
 * one request at a time over the binary protocol, so that every retry is the test's own.
 */
import { afterEach, expect, it } from 'vitest';
import { parseHostPort } from '../../impl/cli/host-port.ts';
import { ServerLink } from '../../impl/client/server-link.ts';
import { RealClock } from '../../impl/ports/real-clock.ts';
import type { AnswerOf, Failure } from '../../impl/wire/answer.ts';
import type { AppendRequest, RequestBody, RequestSession } from '../../impl/wire/request.ts';
import { TestCluster } from './cluster-harness.ts';

const ANSWERED_MS_MAX = 30_000;
const ASK_MS_MAX = 3_000;
const clock = new RealClock();
/** Of this moment and this replica: ask again, here or elsewhere. */
const AGAIN: ReadonlySet<string> = new Set(['BUSY', 'NO_QUORUM', 'DRAINING', 'HALTED', 'REPLACED', 'OUTCOME_UNKNOWN']);

type Answer = { readonly applied: AnswerOf[keyof AnswerOf] } | { readonly failure: Failure };

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

/** One try on a connection of its own; undefined: the connection was lost. */
function askOnce(test: TestCluster, replica: number, body: RequestBody): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const link: ServerLink = new ServerLink({
      address: parseHostPort(test.addresses[replica] as string, 'address'),
      cluster: test.cluster,
      token: '',
      tls: undefined,
      clock,
      onOpen: () => {
        const ended = (outcome: Answer | 'lost'): void => {
          resolve(outcome === 'lost' ? undefined : outcome);
          link.close('DONE');
        };
        if (!link.send({ body, ended }, ASK_MS_MAX)) resolve(undefined);
      },
      onClosed: () => resolve(undefined),
    });
  });
}

/** Until the state has answered; begins with a replica and goes on to the next. */
function ask(test: TestCluster, first: number, body: RequestBody): Promise<Answer> {
  let tries = 0;
  return test.eventually(`${body.operation} is answered`, ANSWERED_MS_MAX, async () => {
    const answer = await askOnce(test, (first + tries++) % test.replicas.length, body);
    return answer === undefined || ('failure' in answer && AGAIN.has(answer.failure.code)) ? undefined : answer;
  });
}

async function applied<Op extends RequestBody['operation']>(
  test: TestCluster,
  first: number,
  body: RequestBody & { readonly operation: Op },
): Promise<AnswerOf[Op]> {
  const answer = await ask(test, first, body);
  if ('failure' in answer) throw new Error(`${body.operation}: ${answer.failure.code} ${answer.failure.message}`);
  return answer.applied as AnswerOf[Op];
}

function appendOf(text: string, more: Partial<AppendRequest> = {}): AppendRequest {
  const events = [{ data: Buffer.from(text), type: '', contentType: '' }];
  return { operation: 'append', stream: 'orders', expectedOffset: undefined, idempotencyKey: '', events, ...more };
}

/** Sends it, and ends the process that got it with kill -9, whether or not it was done with it. */
async function killedWhileAsked(test: TestCluster, primary: number, body: RequestBody): Promise<void> {
  const asked = askOnce(test, primary, body);
  await test.kill(primary);
  await asked;
}

async function restartAll(test: TestCluster): Promise<void> {
  await test.killAll();
  await test.startAll();
  await test.serving();
}

async function eventsOf(test: TestCluster): Promise<readonly string[]> {
  const read = { operation: 'read', stream: 'orders', from: 0, limit: 100, linearizable: true } as const;
  return (await applied(test, 0, read)).events.map(({ data }) => Buffer.from(data).toString());
}

it('A session: a retry after kill -9 of the primary, and of all, is applied once and gets the first answer', async () => {
  const test = await TestCluster.start();
  cluster = test;
  const primary = await test.primary();
  const { clientId, window } = await applied(test, primary, { operation: 'register-session' });
  expect(window).toBeGreaterThan(1);
  const session = (requestNumber: number): { session: RequestSession } => ({ session: { clientId, requestNumber } });
  const create = { operation: 'create-stream', stream: 'orders', dataClass: '', ...session(1) } as const;
  const created = await applied(test, primary, create);
  const first = appendOf('one', session(2));
  const firstAnswer = await applied(test, primary, first);

  const second = appendOf('two', session(3));
  await killedWhileAsked(test, primary, second);
  const secondAnswer = await applied(test, (primary + 1) % 3, second);
  expect(secondAnswer).toMatchObject({ firstOffset: 1, count: 1 });
  const wrongOffset = appendOf('three', { ...session(4), expectedOffset: 7 });
  const refused = await ask(test, (primary + 2) % 3, wrongOffset);
  expect(refused).toMatchObject({ failure: { outcome: 'refused', code: 'OFFSET_MISMATCH' } });
  await test.start(primary);

  for (const round of ['one replica was killed', 'all were killed']) {
    for (const replica of test.replicas) {
      const where = `replica ${replica}, after ${round}`;
      expect(await applied(test, replica, create), where).toEqual(created);
      expect(await applied(test, replica, first), where).toEqual(firstAnswer);
      expect(await applied(test, replica, second), where).toEqual(secondAnswer);
      expect(await ask(test, replica, wrongOffset), where).toEqual(refused);
    }
    expect(await eventsOf(test)).toEqual(['one', 'two']);
    if (round === 'one replica was killed') await restartAll(test);
  }
  const strange = appendOf('x', { session: { clientId: clientId + 2 ** 40, requestNumber: 1 } });
  expect(await ask(test, 0, strange)).toMatchObject({ failure: { outcome: 'refused', code: 'SESSION_UNKNOWN' } });
  const next = await applied(test, 0, { operation: 'register-session' });
  expect(next.clientId).toBeGreaterThan(clientId);
  expect(test.deaths).toEqual([]);
}, 120_000);

it('A key: a retry after kill -9 of the primary, and of all, is applied once, and the key says where', async () => {
  const test = await TestCluster.start();
  cluster = test;
  const primary = await test.primary();
  for (const stream of ['orders', 'others'])
    await applied(test, primary, { operation: 'create-stream', stream, dataClass: '' });
  const keyed = appendOf('paid', { idempotencyKey: 'payment-17' });
  await killedWhileAsked(test, primary, keyed);
  const answer = await applied(test, (primary + 1) % 3, keyed);
  await test.start(primary);
  await restartAll(test);
  const lookup = (idempotencyKey: string, replica: number) =>
    applied(test, replica, { operation: 'lookup-key', idempotencyKey });
  for (const replica of test.replicas) {
    expect(await applied(test, replica, keyed)).toEqual(answer);
    expect(await lookup('payment-17', replica)).toEqual({
      found: { stream: 'orders', ...answer },
      keptSinceCommitId: 1,
    });
    expect(await lookup('payment-18', replica)).toEqual({ found: undefined, keptSinceCommitId: 1 });
  }
  expect(await eventsOf(test)).toEqual(['paid']);
  const elsewhere = await ask(test, 0, appendOf('paid', { stream: 'others', idempotencyKey: 'payment-17' }));
  expect(elsewhere).toMatchObject({
    failure: { outcome: 'refused', code: 'IDEMPOTENCY_KEY_REUSED', evidence: { usedIn: 'orders' } },
  });
  expect(test.deaths).toEqual([]);
}, 120_000);
