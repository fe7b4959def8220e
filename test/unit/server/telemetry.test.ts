/**
 * Goal: a traced request arrives at a collector as a span with its parent, its way into the log and its outcome; without a
 * collector nothing is loaded; one that is away holds nothing up. Method: a collector of OTLP over HTTP in this process.
 */
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LockstepClient } from '../../../impl/client/index.ts';
import { startOneReplica } from './one-replica.ts';

interface SpanJson {
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly events: readonly { readonly name: string; readonly attributes?: SpanJson['attributes'] }[];
}

const spans: SpanJson[] = [];
const resources: SpanJson['attributes'][] = [];
const seenHeaders: (string | undefined)[] = [];
let collector: Server;
let url = '';

beforeAll(async () => {
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seenHeaders.push(request.headers['x-collector-key'] as string | undefined);
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as {
        resourceSpans: { resource: { attributes: SpanJson['attributes'] }; scopeSpans: { spans: SpanJson[] }[] }[];
      };
      for (const { resource, scopeSpans } of resourceSpans) {
        resources.push(resource.attributes);
        spans.push(...scopeSpans.flatMap((scope) => scope.spans));
      }
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(collector.address() as { port: number }).port}/v1/traces`;
});
afterAll(() => new Promise((resolve) => collector.close(resolve)));

function attributeOf(attributes: SpanJson['attributes'] | undefined, key: string): unknown {
  const found = attributes?.find((attribute) => attribute.key === key)?.value;
  return found === undefined ? undefined : Object.values(found)[0];
}

describe('traces', () => {
  it('Telemetry: each request is one span with where it was proposed, committed and answered, over both protocols', async () => {
    const one = await startOneReplica({
      traces: { url, headers: { 'x-collector-key': 'planted' }, samplePercent: 100 },
    });
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = { 'content-type': 'application/json', traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    const post = (path: string, body: unknown) =>
      fetch(one.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    expect((await post('/v1/streams', { name: 'traced' })).status).toBe(201);
    const answer = await post('/v1/streams/traced/events', { events: [{ data: 'hello' }] });
    const { commitId } = (await answer.json()) as { commitId: number };
    await post('/v1/streams/nothing/events', { events: [{ data: 'hello' }] });
    const client = new LockstepClient({ addresses: [one.server.peerAddress], timeoutMs: 5_000 });
    await client.append('traced', ['over the binary protocol']);
    client.close();
    await one.close(); // what waits goes out first

    const byHttp = spans.filter((span) => span.traceId === traceId);
    expect(byHttp.map(({ name }) => name)).toEqual(['lockstep create-stream', 'lockstep append', 'lockstep append']);
    const [, append, refused] = byHttp as [SpanJson, SpanJson, SpanJson];
    expect(append.parentSpanId).toBe('b7ad6b7169203331');
    expect(append.kind).toBe(2); // SERVER, in OTLP
    expect(append.events.map(({ name }) => name)).toEqual(['propose', 'commit', 'answer']);
    expect(Number(attributeOf(append.events[0]?.attributes, 'lockstep.op'))).toBe(commitId);
    expect(Number(attributeOf(append.attributes, 'lockstep.commit_id'))).toBe(commitId);
    expect(attributeOf(append.attributes, 'lockstep.code')).toBe('ok');
    expect([attributeOf(refused.attributes, 'lockstep.code'), refused.status.code]).toEqual(['STREAM_NOT_FOUND', 2]);

    const binary = spans.filter((span) => attributeOf(span.attributes, 'lockstep.protocol') === 'binary');
    const commands = binary.filter((span) => attributeOf(span.attributes, 'lockstep.operation') !== 'status');
    expect(commands.map(({ name }) => name)).toEqual(['lockstep register-session', 'lockstep append']);
    expect(binary.every((span) => span.parentSpanId === undefined || span.parentSpanId === '')).toBe(true);
    expect(commands[1]?.events.map(({ name }) => name)).toEqual(['propose', 'commit', 'answer']);
    expect(attributeOf(resources[0], 'service.name')).toBe('lockstep');
    expect(attributeOf(resources[0], 'service.instance.id')).toBe('7/0');
    expect(new Set(seenHeaders)).toEqual(new Set(['planted']));
  });

  it('Telemetry: 0 percent traces those requests only whose caller is traced', async () => {
    const one = await startOneReplica({ traces: { url, headers: {}, samplePercent: 0 } });
    const before = spans.length;
    const list = (headers: Record<string, string>) => fetch(`${one.url}/v1/streams`, { headers });
    await list({});
    await list({ traceparent: '00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203331-00' });
    await list({ traceparent: '00-0af7651916cd43dd8448eb211c80319e-b7ad6b7169203331-01' });
    await list({ traceparent: 'rubbish' });
    await one.close();
    expect(spans.slice(before).map((span) => span.traceId)).toEqual(['0af7651916cd43dd8448eb211c80319e']);
  });

  it('Telemetry: a collector that is away costs no request', async () => {
    const one = await startOneReplica({
      traces: { url: 'http://127.0.0.1:1/v1/traces', headers: {}, samplePercent: 100 },
    });
    for (let count = 0; count < 50; count++) expect((await fetch(`${one.url}/v1/streams`)).status).toBe(200);
    await one.close();
  });
});
