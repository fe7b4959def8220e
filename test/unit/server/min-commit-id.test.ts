/**
 * Goal: with minCommitId no answer is older than what its client has seen: it waits, and is refused by its own code.
 * Method: a cluster of one over HTTP, whose bound of that wait is short.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OneReplica, startOneReplica } from './one-replica.ts';

const COMMIT_WAIT_MS_MAX = 20;
let one: OneReplica;

beforeAll(async () => {
  one = await startOneReplica({ limits: { COMMIT_WAIT_MS_MAX } });
  await send('POST', '/v1/streams', { name: 'seen' });
});
afterAll(() => one.close());

async function send(method: string, path: string, body?: object): Promise<{ status: number; json: never }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${one.url}${path}`, {
    method,
    ...(body === undefined ? {} : { headers, body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as never };
}

test.each(['/v1/streams', '/v1/streams/seen/events'])(
  '%s: an op that is not applied here is waited for, then refused',
  async (path) => {
    const { status, json } = await send('GET', `${path}?consistency=committed&minCommitId=1000`);
    expect(status).toBe(503);
    expect(json).toMatchObject({ error: { code: 'READ_TOO_NEW', evidence: { minCommitId: 1000, commitId: 1 } } });
  },
);

test.each(['/v1/streams', '/v1/streams/seen/events'])(
  '%s: an op that is applied here is no reason to wait',
  async (path) => {
    const first = await send('GET', path);
    expect(first.status).toBe(200);
    const { commitId } = first.json as { readonly commitId: number };
    expect(commitId).toBeGreaterThan(0);
    const { status, json } = await send('GET', `${path}?consistency=committed&minCommitId=${commitId}`);
    expect(status).toBe(200);
    expect((json as { readonly commitId: number }).commitId).toBeGreaterThanOrEqual(commitId);
  },
);
