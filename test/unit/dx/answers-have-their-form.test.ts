/**
 * Goal: what the HTTP and DX APIs answer has the form that the OpenAPI document gives it, field by field: the schemas of
 * answers describe, they do not shape. Method: every GET route of a real replica is asked; Ajv judges by the document itself.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dxPlugin } from '../../../impl/dx/plugin.ts';
import { type OneReplica, startOneReplica } from '../server/one-replica.ts';

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema: object }>> }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

let replica: OneReplica;
let document: Document;
let ajv: Ajv2020;
beforeAll(async () => {
  replica = await startOneReplica({}, dxPlugin);
  document = (await (await fetch(`${replica.url}/openapi.json`)).json()) as Document;
  ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(document, 'openapi');
  const headers = { 'content-type': 'application/json' };
  const post = (path: string, body: unknown, more = {}): Promise<Response> =>
    fetch(replica.url + path, { method: 'POST', body: JSON.stringify(body), headers: { ...headers, ...more } });
  await post('/v1/streams', { name: 'a', dataClass: 'tests' });
  await post('/v1/streams/a/events', { events: [{ data: 'x', type: 't' }, { dataBase64: '/w==' }] }, KEY);
  await post('/v1/streams/a/events', { events: [{ data: 'y' }], expectedOffset: 9 });
});
afterAll(() => replica.close());

const KEY = { 'idempotency-key': 'once' };
/** Address, path in the document, status. */
const asked: readonly (readonly [string, string, number])[] = [
  ['/health', '/health', 200],
  ['/ready', '/ready', 200],
  ['/v1/streams', '/v1/streams', 200],
  ['/v1/streams/a/events', '/v1/streams/{name}/events', 200],
  ['/v1/streams/b/events', '/v1/streams/{name}/events', 404],
  ['/v1/streams/a/events?limit=0', '/v1/streams/{name}/events', 400],
  ['/v1/streams/a/proof?offset=1', '/v1/streams/{name}/proof', 200],
  ['/v1/idempotency/once', '/v1/idempotency/{key}', 200],
  ['/v1/idempotency/never', '/v1/idempotency/{key}', 200],
  ['/v1/dx/status', '/v1/dx/status', 200],
  ['/v1/dx/log', '/v1/dx/log', 200],
  ['/v1/dx/log/bodies', '/v1/dx/log/bodies', 200],
  ['/v1/dx/mvcc', '/v1/dx/mvcc', 200],
  ['/v1/dx/snapshots', '/v1/dx/snapshots', 200],
  ['/v1/dx/checkpoints', '/v1/dx/checkpoints', 200],
  ['/v1/dx/indexes', '/v1/dx/indexes', 200],
  ['/v1/dx/replication', '/v1/dx/replication', 200],
  ['/v1/dx/machines', '/v1/dx/machines', 200],
  ['/v1/dx/machines/Vsr', '/v1/dx/machines/{name}', 200],
  ['/v1/dx/machines/AppendLog', '/v1/dx/machines/{name}', 200],
  ['/v1/dx/machines/Nope', '/v1/dx/machines/{name}', 404],
  ['/v1/dx/machines/Vsr/history', '/v1/dx/machines/{name}/history', 200],
  ['/v1/dx/machines/Vsr/history/1', '/v1/dx/machines/{name}/history/{sequence}', 200],
  ['/v1/dx/machines/Vsr/can?event=ClientRequest', '/v1/dx/machines/{name}/can', 200],
  ['/v1/dx/explain/replica', '/v1/dx/explain/replica', 200],
  ['/v1/dx/explain/commit', '/v1/dx/explain/commit', 200],
  ['/v1/dx/explain/read', '/v1/dx/explain/read', 200],
  ['/v1/dx/explain/read?min_commit_id=99', '/v1/dx/explain/read', 200],
  ['/v1/dx/explain/refusal', '/v1/dx/explain/refusal', 200],
  ['/v1/dx/explain/refusal?commit_id=3', '/v1/dx/explain/refusal', 200],
  ['/v1/dx/explain/recovery', '/v1/dx/explain/recovery', 200],
  ['/v1/dx/explain/session?client_id=1', '/v1/dx/explain/session', 200],
  ['/v1/dx/explain/view-change', '/v1/dx/explain/view-change', 200],
];

function errorsOf(path: string, status: number, mediaType: string, value: unknown): unknown {
  const escaped = path.replaceAll('~', '~0').replaceAll('/', '~1');
  const media = mediaType.replaceAll('/', '~1');
  const validate = ajv.getSchema(`openapi#/paths/${escaped}/get/responses/${status}/content/${media}/schema`);
  if (validate === undefined) throw new Error(`the document has no ${mediaType} of ${path} at ${status}`);
  return validate(value) === true ? [] : validate.errors;
}

describe('the answer has the form that the document gives', () => {
  it.each(asked)('%s', async (address, path, status) => {
    const answer = await fetch(replica.url + address);
    expect(answer.status).toBe(status);
    const mediaType = status < 300 ? 'application/json' : 'application/problem+json';
    expect(answer.headers.get('content-type')).toContain(mediaType);
    const value: unknown = await answer.json();
    expect(errorsOf(path, status, mediaType, value)).toEqual([]);
  });

  it('an answer with a field more, or one less, is seen', async () => {
    const status = (await (await fetch(`${replica.url}/v1/dx/status`)).json()) as { data: object };
    const more = { ...status, data: { ...status.data, more: 1 } };
    expect(errorsOf('/v1/dx/status', 200, 'application/json', more)).not.toEqual([]);
    const { data: _data, ...less } = status;
    expect(errorsOf('/v1/dx/status', 200, 'application/json', less)).not.toEqual([]);
  });

  it('every GET of the document is among the asked', () => {
    const elsewhere = ['/', '/page/{file}', '/metrics', '/openapi.json'];
    const gets = Object.entries(document.paths).flatMap(([path, { get }]) => (get === undefined ? [] : [path]));
    expect(gets.filter((path) => !elsewhere.includes(path) && !asked.some(([, one]) => one === path))).toEqual([]);
  });
});

describe('determinism', () => {
  it('equal observed_at means equal bytes, for every DX path', async () => {
    for (const [address] of asked.filter(([path, , status]) => path.startsWith('/v1/dx/') && status === 200)) {
      const [first, second] = await Promise.all([fetch(replica.url + address), fetch(replica.url + address)]);
      const bodies = [await first.text(), await second.text()] as const;
      const [a, b] = bodies.map((body) => (JSON.parse(body) as { observed_at: unknown }).observed_at);
      expect(a).toEqual(b);
      expect(bodies[1], address).toBe(bodies[0]);
    }
  });
});
