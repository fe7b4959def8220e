/**
 * Goal: whatever comes in over HTTP that is no request of ours is refused with its stable code, the field and the reason, in
 * the form of RFC 9457, and nothing is appended. Method: one real replica, each case once; raw sockets where fetch is too tidy.
 */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repeatedKey } from '../../../impl/server/http-input.ts';
import { type OneReplica, startOneReplica } from './one-replica.ts';

let replica: OneReplica;
const events = '/v1/streams/http/events';
beforeAll(async () => {
  replica = await startOneReplica({
    allowedOrigins: ['https://app.example'],
    limits: { COMMIT_WAIT_MS_MAX: 20 },
  });
  await post('/v1/streams', '{"name":"http"}');
});
afterAll(() => replica.close());

function post(path: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(replica.url + path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

/** The problem of an answer, held to RFC 9457 and to its status. */
async function problemOf(answer: Response): Promise<{ code: string; evidence: Record<string, unknown> }> {
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  const problem = (await answer.json()) as {
    type: string;
    title: string;
    status: number;
    detail: string;
    error: { code: string; message: string; evidence: Record<string, unknown> };
  };
  expect(Object.keys(problem)).toEqual(['type', 'title', 'status', 'detail', 'error']);
  expect(problem.type).toBe(`urn:lockstep:error:${problem.error.code}`);
  expect(problem.title).toMatch(/^[A-Z][a-z ]+$/);
  expect(problem.status).toBe(answer.status);
  expect(problem.detail).toBe(problem.error.message);
  return problem.error;
}

/** Everything that comes back to these bytes. */
function raw(bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(replica.url);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.on('close', () => resolve(Buffer.concat(parts).toString('utf8')));
    socket.on('error', reject);
  });
}

const bodies: readonly (readonly [string, string, string | Uint8Array, number, string])[] = [
  ['no JSON', events, '{', 400, 'body'],
  ['nothing', events, '', 400, 'body'],
  ['no UTF-8', events, Uint8Array.of(0x7b, 0xff, 0x7d), 400, 'body'],
  ['a list', events, '[]', 400, 'body'],
  ['null', events, 'null', 400, 'body'],
  ['no events', events, '{"events":[]}', 400, 'events'],
  ['an empty event', events, '{"events":[{"data":""}]}', 400, 'events[0].data'],
  ['a number as data', events, '{"events":[{"data":1}]}', 400, 'events[0].data'],
  ['data and bytes', events, '{"events":[{"data":"a","dataBase64":"YQ=="}]}', 400, 'events[0]'],
  ['neither data nor bytes', events, '{"events":[{"type":"a"}]}', 400, 'events[0]'],
  ['half a character', events, '{"events":[{"data":"\\ud800"}]}', 400, 'events[0].data'],
  ['no base64', events, '{"events":[{"dataBase64":"%%%"}]}', 400, 'events[0].dataBase64'],
  ['an unknown field', events, '{"events":[{"data":"a"}],"expected":1}', 400, 'expected'],
  ['an unknown field of an event', events, '{"events":[{"data":"a","x":1}]}', 400, 'events[0].x'],
  ['a negative offset', events, '{"events":[{"data":"a"}],"expectedOffset":-1}', 400, 'expectedOffset'],
  [
    'an offset beyond 2^53',
    events,
    '{"events":[{"data":"a"}],"expectedOffset":9007199254740993}',
    400,
    'expectedOffset',
  ],
  ['half an offset', events, '{"events":[{"data":"a"}],"expectedOffset":0.5}', 400, 'expectedOffset'],
  ['an offset as text', events, '{"events":[{"data":"a"}],"expectedOffset":"0"}', 400, 'expectedOffset'],
  ['a key twice', events, '{"events":[{"data":"a","data":"b"}]}', 400, 'body'],
  ['a key twice, once escaped', events, '{"events":[{"data":"a","d\\u0061ta":"b"}]}', 400, 'body'],
  ['a field of the prototype', events, '{"events":[{"data":"a"}],"__proto__":{"expectedOffset":0}}', 400, '__proto__'],
  ['the constructor', events, '{"events":[{"data":"a"}],"constructor":{"prototype":{}}}', 400, 'constructor'],
  ['a thousand brackets', events, `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400, 'body'],
  ['a large event', events, JSON.stringify({ events: [{ data: 'x'.repeat(200_000) }] }), 413, 'events[0].data'],
  ['too many events', events, JSON.stringify({ events: Array(1_001).fill({ data: 'a' }) }), 413, 'events'],
  ['a long type', events, JSON.stringify({ events: [{ data: 'a', type: 'x'.repeat(129) }] }), 413, 'events[0].type'],
  [
    'a type of many bytes',
    events,
    JSON.stringify({ events: [{ data: 'a', type: 'é'.repeat(65) }] }),
    413,
    'events[0].type',
  ],
  ['a large body', events, 'x'.repeat(1_100_000), 413, 'body'],
  ['a bad name', '/v1/streams', '{"name":"a b"}', 400, 'name'],
  ['a name with a path', '/v1/streams', '{"name":"../../etc"}', 400, 'name'],
  ['a long name', '/v1/streams', JSON.stringify({ name: 'a'.repeat(129) }), 413, 'name'],
  ['a bad data class', '/v1/streams', '{"name":"a","dataClass":"A B"}', 400, 'dataClass'],
];

describe('a body', () => {
  it.each(bodies)('%s is refused with the field and the reason', async (_, path, body, status, field) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(status);
    expect((await problemOf(answer)).evidence.field).toBe(field);
    expect(await (await fetch(replica.url + events)).json()).toMatchObject({ events: [], nextOffset: 0 });
  });

  it.each([['text/plain'], ['application/x-www-form-urlencoded'], ['application/jsonx']])(
    'as %s is none',
    async (type) => {
      const answer = await post(events, '{"events":[{"data":"a"}]}', { 'content-type': type });
      expect([answer.status, (await problemOf(answer)).code]).toEqual([415, 'MEDIA_TYPE_NOT_SUPPORTED']);
    },
  );
});

const addresses: readonly (readonly [string, number])[] = [
  ['/v1/streams/..%2F..%2Fetc%2Fpasswd/events', 400],
  ['/v1/streams/%2e%2e/events', 400],
  ['/v1/streams/../events', 400],
  ['/v1/streams/a%00b/events', 400],
  ['/v1/streams/%c0%ae/events', 400],
  ['/v1/streams/%/events', 400],
  ['/v1/streams/__proto__/events', 400],
  ['/v1/streams/constructor/events', 404],
  [`/v1/streams/${'a'.repeat(129)}/events`, 400],
  [`/v1/streams/${'a'.repeat(5_000)}/events`, 400],
  ['/v1/streams//events', 400],
  ['/v2/streams', 404],
  [`${events}?from=-1`, 400],
  [`${events}?from=9007199254740992`, 400],
  [`${events}?from=1e3`, 400],
  [`${events}?from=0x10`, 400],
  [`${events}?from=1.5`, 400],
  [`${events}?from=`, 400],
  [`${events}?from=0&from=1`, 400],
  [`${events}?limit=0`, 400],
  [`${events}?limit=1001`, 400],
  [`${events}?consistency=eventual`, 400],
  [`${events}?follow=1`, 400],
  [`${events}?minCommitId=-1`, 400],
  [`${events}?form=0`, 400],
  [`${events}?__proto__=1`, 400],
  ['/health?x=1', 400],
  ['/metrics?x=1', 400],
  ['/openapi.json?x=1', 400],
  ['/v1/idempotency/%20', 400],
  [`/v1/idempotency/${'k'.repeat(129)}`, 400],
];

describe('an address', () => {
  it.each(addresses.map(([path, status]) => [path.slice(0, 60), path, status] as const))(
    '%s is refused',
    async (_, path, status) => {
      const head = `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`;
      const answer = await raw(head);
      expect(answer.split('\r\n')[0]).toContain(` ${status} `);
      expect(answer).toContain('application/problem+json');
      expect(answer).toMatch(/"code":"(?:REQUEST_INVALID|NOT_FOUND|STREAM_NOT_FOUND)"/);
    },
  );

  it('beyond the end of a stream is empty, and says where the end is', async () => {
    const answer = await fetch(`${replica.url + events}?from=9007199254740991`);
    expect([answer.status, await answer.json()]).toMatchObject([200, { events: [] }]);
  });

  it('with another method is 405 with those that are taken', async () => {
    for (const method of ['PUT', 'PATCH', 'QUERY']) {
      const answer = await fetch(`${replica.url}/v1/streams`, { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
      expect((await problemOf(answer)).code).toBe('METHOD_NOT_ALLOWED');
    }
  });
});

describe('bytes that are no request', () => {
  it.each([
    [
      'a bomb of headers',
      `GET /health HTTP/1.1\r\nhost: x\r\n${'a: b\r\n'.repeat(4_000)}\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
    [
      'one large header',
      `GET /health HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
    ['a long address', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
    ['noise', Buffer.alloc(64, 0xee), 400, 'REQUEST_INVALID'],
    ['a greeting of TLS', Buffer.from('16030100a5010000a10303', 'hex'), 400, 'REQUEST_INVALID'],
    [
      'two lengths',
      'POST /v1/streams HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}',
      400,
      'REQUEST_INVALID',
    ],
    [
      'length and chunks',
      'POST /v1/streams HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n{}',
      400,
      'REQUEST_INVALID',
    ],
  ])('%s', async (_, bytes, status, code) => {
    const answer = await raw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain('application/problem+json');
    const { error } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as { error: { code: string } };
    expect(error.code).toBe(code);
    expect((await fetch(`${replica.url}/health`)).status).toBe(200);
  });

  it('an idempotency key given twice is refused: it would be one text with a comma', async () => {
    const body = '{"events":[{"data":"a"}]}';
    const head = `POST ${events} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n`;
    const answer = await raw(`${head}idempotency-key: a\r\nidempotency-key: b\r\n\r\n${body}`);
    expect(answer).toContain('Idempotency-Key is given twice');
  });
});

describe('other origins', () => {
  const ask = (origin: string, method = 'GET'): Promise<Response> =>
    fetch(`${replica.url}/v1/streams`, { method, headers: { origin, 'access-control-request-method': 'POST' } });

  it('only those that are allowed are told so', async () => {
    const allowed = await ask('https://app.example');
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([200, 'https://app.example']);
    const preflight = await ask('https://app.example', 'OPTIONS');
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([
      204,
      'GET, HEAD, POST, DELETE',
    ]);
    expect((await ask('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    expect((await ask('https://app.example.evil')).headers.get('access-control-allow-origin')).toBeNull();
    expect((await ask('null')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('without the setting none is', async () => {
    const closed = await startOneReplica();
    const answer = await fetch(`${closed.url}/v1/streams`, { headers: { origin: 'https://app.example' } });
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    const preflight = await fetch(`${closed.url}/v1/streams`, { method: 'OPTIONS' });
    expect(preflight.status).toBe(405);
    await closed.close();
  });
});

describe('what is right goes through', () => {
  it('bytes come back as the same bytes', async () => {
    await post('/v1/streams', '{"name":"bytes"}');
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    await post('/v1/streams/bytes/events', JSON.stringify({ events: [{ dataBase64: bytes.toString('base64') }] }));
    const read = await (await fetch(`${replica.url}/v1/streams/bytes/events`)).json();
    expect(read).toMatchObject({ events: [{ dataBase64: bytes.toString('base64') }] });
  });

  it('what became of an append is known by its key', async () => {
    await post('/v1/streams', '{"name":"keyed"}');
    const appended = await post('/v1/streams/keyed/events', '{"events":[{"data":"a"}]}', { 'idempotency-key': 'a b' });
    const answer = (await appended.json()) as object;
    const found = await (await fetch(`${replica.url}/v1/idempotency/a%20b`)).json();
    expect(found).toMatchObject({ key: 'a b', found: true, append: { stream: 'keyed', ...answer } });
    const other = await post('/v1/streams/http/events', '{"events":[{"data":"b"}]}', { 'idempotency-key': 'a b' });
    expect([other.status, (await problemOf(other)).code]).toEqual([409, 'IDEMPOTENCY_KEY_REUSED']);
    const unknown = await (await fetch(`${replica.url}/v1/idempotency/never`)).json();
    expect(unknown).toMatchObject({ key: 'never', found: false });
  });
});

describe('a commit id that nobody has seen', () => {
  it.each(['committed', 'linearizable'])(
    'is refused as such by a %s read, not as a lost quorum',
    async (consistency) => {
      const answer = await fetch(`${replica.url + events}?minCommitId=9007199254740990&consistency=${consistency}`);
      expect([answer.status, (await problemOf(answer)).code]).toEqual([503, 'READ_TOO_NEW']);
    },
  );
});

describe('repeatedKey', () => {
  it.each([
    ['{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}', undefined],
    ['{"a":"\\"a\\":1,\\"a\\":2","b":"{\\"b\\":"}', undefined],
    ['{"a":{"b":1,"c":2,"b":3}}', 'b'],
    ['[{"a":1},{"x":[1,{"y":"\\\\","y":1}]}]', 'y'],
    ['{"":1,"":2}', ''],
    ['"a:b"', undefined],
  ])('of %s', (text, key) => expect(repeatedKey(text)).toBe(key));
});
