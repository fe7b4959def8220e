/**
 * The topic session: what a request of a session would be answered, decided by the machine's own guards. Each answer that
 * the table can give, once, on a small real table.
 */
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { explainSession } from '../../../impl/dx/explain-session.ts';
import { dxPlugin } from '../../../impl/dx/plugin.ts';
import type { SessionReply } from '../../../impl/kernel/state.ts';
import { sessionFactsOf } from '../../../impl/server/session-facts.ts';
import { ClientSessions } from '../../../impl/vsr/client-sessions.ts';
import { SmallCluster } from './small-cluster.ts';

/** Places of commands: op 1, op 2 and so on. */
const OP = 4096;
const BOUNDS = { sessionsMax: 2, slotsMax: 4, window: 2 };
const reply = (commitId: number): SessionReply => ({ commitId, result: { kind: 'StreamCreated' } });

/** Session of op 1 is evicted by that of op 5; the one of op 2 has executed 1 to 3 and keeps 2 and 3. */
function table(): ClientSessions<SessionReply> {
  let sessions = ClientSessions.empty<SessionReply>(BOUNDS);
  const apply = (op: number, step: (draft: ReturnType<typeof sessions.begin>) => void): void => {
    const draft = sessions.begin(op * 10);
    step(draft);
    sessions = draft.sealed();
  };
  apply(1, (draft) => draft.register(1 * OP));
  apply(2, (draft) => draft.register(2 * OP));
  for (const number of [1, 2, 3]) apply(2 + number, (draft) => draft.take(2 * OP, number, () => reply(2 + number)));
  apply(6, (draft) => draft.register(6 * OP));
  return sessions;
}

const explained = (clientId: number, requestNumber?: number) =>
  explainSession(sessionFactsOf(table(), clientId, requestNumber));

test('a request with a reply gets it again, and the op is named', () => {
  const { conclusion, decidedBy } = explained(2 * OP, 3);
  expect(conclusion).toContain('was executed in op 5');
  expect(decidedBy.map(({ rule_id }) => rule_id)).toEqual([
    'ClientSessions.AnswerRepeated.SessionHere',
    'ClientSessions.AnswerRepeated.ReplyKept',
  ]);
});

test('a request below the window is too old', () => {
  const { conclusion, decidedBy } = explained(2 * OP, 1);
  expect(conclusion).toContain('refused as too old: number 3 was executed since');
  expect(decidedBy.map(({ rule_id }) => rule_id)).toContain('ClientSessions.AnswerStale.BelowWindow');
});

test('a session that was evicted is gone, and the rule has its place in the spec', () => {
  const { conclusion, decidedBy, inputs } = explained(1 * OP, 1);
  expect(conclusion).toContain('the session is not among the 2 that are kept');
  const applied = decidedBy.find(({ rule_id }) => rule_id === 'ClientSessions.AnswerEvicted.PlaceApplied');
  expect(applied?.evaluation).toBe(true);
  expect(applied?.spec?.file).toBe('specs/ClientSessions.tla');
  expect(inputs.registered_at_op).toBe(1);
});

test('the next request is the one that is asked about when none is named', () => {
  const { conclusion, inputs } = explained(2 * OP);
  expect(inputs).toMatchObject({ request_number: 4, highest: 3, replies_kept: [2, 3], slots: 4 });
  expect(conclusion).toContain('goes into the log');
});

test('a reply that does not fit makes the session go that was not used for longest', () => {
  expect(explained(6 * OP, 1).conclusion).toContain('the session that was not used for longest goes');
});

test('a session that this replica has not applied cannot be judged', () => {
  const { conclusion, missing, decidedBy } = explained(9 * OP, 1);
  expect(conclusion).toContain('cannot be judged here');
  expect(missing).toHaveLength(1);
  expect(decidedBy.map(({ rule_id }) => rule_id)).toEqual(['ClientSessions.AnswerEvicted.PlaceApplied']);
});

test('the route takes a session and a number, and nothing else', async () => {
  const server = fastify();
  await server.register(dxPlugin, { source: new SmallCluster().source(0) });
  const statusOf = async (query: string): Promise<number> =>
    (await server.inject({ method: 'GET', url: `/v1/dx/explain/session${query}` })).statusCode;
  const answer = await server.inject({ method: 'GET', url: '/v1/dx/explain/session?client_id=4096&request_number=2' });
  expect(answer.statusCode, answer.body).toBe(200);
  expect(answer.json<{ data: { explanation_type: string } }>().data.explanation_type).toBe('session');
  expect([await statusOf(''), await statusOf('?client_id=0'), await statusOf('?client_id=1&event=Open')]).toEqual([
    400, 400, 400,
  ]);
  await server.close();
});
