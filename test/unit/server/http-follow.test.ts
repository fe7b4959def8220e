/**
 * Goal: follow=true gives every event once, in order, goes on where a reader was, and costs the server a bounded amount
 * whatever the reader does. Method: one real replica with small bounds, readers over real sockets.
 */
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../until.ts';
import { type OneReplica, startOneReplica } from './one-replica.ts';

const FOLLOWERS_MAX = 4;
const DEADLINE_MS = 10_000;
const limits = { HTTP_FOLLOWERS_MAX: FOLLOWERS_MAX, FOLLOW_HEARTBEAT_MS_MAX: 50, FOLLOW_STALL_MS_MAX: 300 };
let replica: OneReplica;
beforeAll(async () => {
  replica = await startOneReplica({ limits });
});
afterAll(() => replica.close());

async function post(path: string, body: unknown, on = replica): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(on.url + path, { method: 'POST', body: JSON.stringify(body), headers });
  if (!answer.ok) throw new Error(await answer.text());
}

async function streamOf(name: string, ...texts: readonly string[]): Promise<string> {
  await post('/v1/streams', { name });
  for (const data of texts) await post(`/v1/streams/${name}/events`, { events: [{ data }] });
  return `${replica.url}/v1/streams/${name}/events?follow=true`;
}

interface Message {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: { readonly data?: string; readonly offset?: number; readonly code?: string };
}

/** What comes until enough of it is there; then the reader goes away. */
async function messages(url: string, isEnough: (all: readonly Message[], text: string) => boolean, headers = {}) {
  const gone = new AbortController();
  const answer = await fetch(url, {
    headers,
    signal: AbortSignal.any([gone.signal, AbortSignal.timeout(DEADLINE_MS)]),
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  const decoder = new TextDecoder();
  for await (const part of answer.body as ReadableStream<Uint8Array>) {
    text += decoder.decode(part, { stream: true });
    if (isEnough(parsed(text), text)) break;
  }
  gone.abort();
  return { all: parsed(text), text };
}

function parsed(text: string): readonly Message[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .flatMap((block) => {
      const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      const data = field('data');
      return data === undefined ? [] : [{ id: field('id'), event: field('event'), data: JSON.parse(data) }];
    });
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${replica.url}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1) ?? 0,
  );
}

const nobody = (): Promise<void> => until('nobody follows', async () => (await metric('lockstep_followers')) === 0);

describe('follow=true', () => {
  it('gives what is there, then what comes; the id of each is its offset', async () => {
    const url = await streamOf('live', 'a', 'b');
    let more: Promise<void> | undefined;
    const { all, text } = await messages(url, (seen) => {
      if (seen.length === 2) more ??= post('/v1/streams/live/events', { events: [{ data: 'c' }, { data: 'd' }] });
      return seen.length === 4;
    });
    await more;
    expect(all.map(({ id, data }) => [id, data.offset, data.data])).toEqual([
      ['0', 0, 'a'],
      ['1', 1, 'b'],
      ['2', 2, 'c'],
      ['3', 3, 'd'],
    ]);
    expect(text).toMatch(/^retry: 1000\n\n/);
    await nobody();
  });

  it('goes on after Last-Event-ID, whatever from says', async () => {
    const url = await streamOf('resumed', 'a', 'b', 'c');
    const { all } = await messages(`${url}&from=0`, (seen) => seen.length === 2, { 'last-event-id': '0' });
    expect(all.map(({ id }) => id)).toEqual(['1', '2']);
  });

  it('many events over many pieces come in order, each once', async () => {
    const url = await streamOf('many');
    const events = Array.from({ length: 500 }, (_, index) => ({ data: `${index}-${'x'.repeat(900)}` }));
    await post('/v1/streams/many/events', { events });
    const { all } = await messages(`${url}&limit=7`, (seen) => seen.length >= 500);
    expect(all.map(({ data }) => data.offset)).toEqual(events.map((_, index) => index));
  });

  it('a reader that waits hears a heartbeat', async () => {
    const url = await streamOf('quiet');
    const { text } = await messages(url, (_, seen) => seen.split(': heartbeat\n\n').length > 3);
    expect(text).toContain(': heartbeat\n\n');
  });

  it('ends with its reason when the stream is deleted', async () => {
    const url = await streamOf('deleted', 'a');
    let deleting: Promise<Response> | undefined;
    const { all } = await messages(url, (seen) => {
      deleting ??= fetch(`${replica.url}/v1/streams/deleted`, { method: 'DELETE' });
      return seen.at(-1)?.event === 'end';
    });
    expect((await deleting)?.status).toBe(200);
    expect(all.at(-1)?.data.code).toBe('STREAM_NOT_FOUND');
    await nobody();
  });

  it('a reader that does not read is cut, and counted with the reason', async () => {
    const url = new URL(await streamOf('slow'));
    const events = Array.from({ length: 8 }, () => ({ data: 'x'.repeat(60_000) }));
    for (let append = 0; append < 12; append++) await post('/v1/streams/slow/events', { events });
    const before = await metric('lockstep_followers_ended_total{reason="too-slow"}');
    const socket = await silent(url);
    await until('it is cut', async () => (await metric('lockstep_followers_ended_total{reason="too-slow"}')) > before);
    socket.destroy();
    await nobody();
  });

  it('one more than the bound is told to come again', async () => {
    const url = await streamOf('crowded');
    const gone = new AbortController();
    await Promise.all(Array.from({ length: FOLLOWERS_MAX }, () => fetch(url, { signal: gone.signal })));
    const refused = await fetch(url);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await refused.json()).toMatchObject({ error: { code: 'BUSY', evidence: { maximum: FOLLOWERS_MAX } } });
    gone.abort();
    await nobody();
  });

  it('HEAD follows nothing', async () => {
    const url = await streamOf('head');
    const answer = await fetch(url, { method: 'HEAD' });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(await metric('lockstep_followers')).toBe(0);
  });

  it.each([['-1'], ['x'], ['1.5'], ['01'], ['9007199254740991'], ['9007199254740993']])(
    'Last-Event-ID %s is no offset',
    async (id) => {
      const answer = await fetch(`${replica.url}/v1/streams/live/events?follow=true`, {
        headers: { 'last-event-id': id },
      });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: { code: 'REQUEST_INVALID' } });
    },
  );

  it('of no stream is 404, as a read is', async () => {
    expect((await fetch(`${replica.url}/v1/streams/absent/events?follow=true`)).status).toBe(404);
  });
});

it('what is followed for as long as may be ends, and goes on from there', async () => {
  const short = await startOneReplica({ limits: { ...limits, FOLLOW_MS_MAX: 40 } });
  await post('/v1/streams', { name: 'short' }, short);
  await post('/v1/streams/short/events', { events: [{ data: 'a' }] }, short);
  const { all } = await messages(`${short.url}/v1/streams/short/events?follow=true`, (seen) => {
    return seen.at(-1)?.event === 'end';
  });
  expect(all.map(({ id, data }) => [id, data.code])).toEqual([
    ['0', undefined],
    [undefined, 'FOLLOW_TIME_OVER'],
  ]);
  await short.close();
});

it('a drain sends every reader away with a hint, and does not wait for them', async () => {
  const draining = await startOneReplica({ limits });
  await post('/v1/streams', { name: 'drained' }, draining);
  let closing: Promise<void> | undefined;
  const { all } = await messages(`${draining.url}/v1/streams/drained/events?follow=true`, (seen, text) => {
    if (text.startsWith('retry: ')) closing ??= draining.close();
    return seen.at(-1)?.event === 'end';
  });
  expect(all.at(-1)?.data.code).toBe('DRAINING');
  await closing;
});

/** Asks, and never takes anything of the answer. */
function silent({ hostname, port, pathname, search }: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.pause();
      socket.write(`GET ${pathname}${search} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`, () => resolve(socket));
    });
    socket.on('error', reject);
  });
}
