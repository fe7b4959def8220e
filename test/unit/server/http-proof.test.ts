/**
 * Goal: the proof of an event, as a real replica gives it over HTTP, convinces the verifier, over as many pages as it takes;
 * and what cannot be proved is refused with its code. Method: one real replica, the verifier that runs in browsers.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LogHead, type LogProof, verifyLogProof } from '../../../impl/crypto/log-proof.ts';
import { type OneReplica, startOneReplica } from './one-replica.ts';

interface ProofAnswer extends LogProof {
  readonly head: LogHead;
  readonly next?: number;
  readonly notes: readonly string[];
}

let replica: OneReplica;
let last: { commitId: number; hash: string };

async function post(path: string, body: unknown): Promise<{ commitId: number; hash: string }> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(replica.url + path, { method: 'POST', body: JSON.stringify(body), headers });
  expect(answer.status).toBeLessThan(300);
  return (await answer.json()) as { commitId: number; hash: string };
}

async function proof(query: string): Promise<ProofAnswer> {
  const answer = await fetch(`${replica.url}/v1/streams/proved/proof?${query}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as ProofAnswer;
}

beforeAll(async () => {
  replica = await startOneReplica();
  await post('/v1/streams', { name: 'proved' });
  await post('/v1/streams', { name: 'other' });
  await post('/v1/streams/proved/events', { events: [{ data: 'first' }, { data: 'second', type: 'greeting' }] });
  await post('/v1/streams/other/events', { events: [{ data: 'between' }] });
  const bytes = { dataBase64: Buffer.of(0, 255).toString('base64') };
  const { commitId, hash } = await post('/v1/streams/proved/events', { events: [bytes] });
  last = { commitId, hash };
});
afterAll(() => replica.close());

describe('GET /v1/streams/:name/proof', () => {
  it.each([0, 1, 2])('of event %i is verified up to the head that the last append was told', async (offset) => {
    const given = await proof(`offset=${offset}`);
    expect(verifyLogProof(given)).toEqual({ verified: true, head: last });
    expect(given.head).toEqual(last);
    expect(given.next).toBeUndefined();
    expect(given.notes.join()).toContain('not signed: there is no component Checkpoint yet');
  });

  it('in pages of one link each leads to the same head', async () => {
    let page = await proof('offset=0&limit=1');
    let verdict = verifyLogProof(page);
    for (let pages = 1; page.next !== undefined && verdict.verified; pages++) {
      expect(page.links).toHaveLength(1);
      page = await proof(`offset=0&limit=1&from=${page.next}`);
      verdict = verifyLogProof(page, verdict.head);
      expect(pages).toBeLessThan(10);
    }
    expect(verdict).toEqual({ verified: true, head: last });
  });

  it('with the event or a link changed on its way is refused', async () => {
    const given = await proof('offset=1');
    expect(verifyLogProof({ ...given, event: { ...given.event, data: 'Second' } })).toMatchObject({
      because: 'another-event',
    });
    const links = given.links.map((link) => ({ ...link, timestamp: link.timestamp + 1 }));
    expect(verifyLogProof({ ...given, links })).toMatchObject({ because: 'wrong-hash' });
  });

  it.each([
    ['proved/proof?offset=3', 404, 'OFFSET_NOT_FOUND'],
    ['absent/proof?offset=0', 404, 'STREAM_NOT_FOUND'],
    ['proved/proof', 400, 'REQUEST_INVALID'],
    ['proved/proof?offset=-1', 400, 'REQUEST_INVALID'],
    ['proved/proof?offset=9007199254740992', 400, 'REQUEST_INVALID'],
    ['proved/proof?offset=0&from=0', 400, 'REQUEST_INVALID'],
    ['proved/proof?offset=0&from=1', 404, 'NOT_FOUND'],
    ['proved/proof?offset=0&from=999', 404, 'NOT_FOUND'],
    ['proved/proof?offset=0&limit=1001', 400, 'REQUEST_INVALID'],
    ['proved/proof?offset=0&to=5', 400, 'REQUEST_INVALID'],
  ])('%s is refused', async (path, status, code) => {
    const answer = await fetch(`${replica.url}/v1/streams/${path}`);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ status, error: { code } });
  });
});
