/**
 * Goal: what the DX API is asked wrongly is refused with its code, and in the form of every other error.
 * Method: the plugin in fastify over a replica on simulated ports, each case once.
 */
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dxPlugin } from '../../../impl/dx/plugin.ts';
import { SmallCluster } from './small-cluster.ts';

let server: FastifyInstance;
beforeAll(async () => {
  server = fastify();
  await server.register(dxPlugin, { source: new SmallCluster().source(0) });
});
afterAll(() => server.close());

test.each([
  ['machines/Nope', 404, 'NOT_FOUND'],
  ['explain/refusal?sequence=999999', 404, 'NOT_FOUND'],
  ['explain/refusal?event=Nope', 404, 'NOT_FOUND'],
  ['explain/refusal?event=ReceivePrepare&commit_id=1', 404, 'NOT_FOUND'],
  ['explain/refusal?command=-1', 400, 'REQUEST_INVALID'],
  ['explain/replica?commit_id=1', 400, 'REQUEST_INVALID'],
  ['status?x=1', 400, 'REQUEST_INVALID'],
  ['machines/Vsr/history/x', 400, 'REQUEST_INVALID'],
  ['machines/Vsr/history/9007199254740993', 400, 'REQUEST_INVALID'],
  ['machines/Vsr/history?limit=1.5', 400, 'REQUEST_INVALID'],
  ['machines/Vsr/history?limit=1&limit=2', 400, 'REQUEST_INVALID'],
  ['machines/..%2F..%2Fetc', 400, 'REQUEST_INVALID'],
  ['explain/commit?commit_id=0', 400, 'REQUEST_INVALID'],
  ['explain/commit?commit_id=x', 400, 'REQUEST_INVALID'],
  ['log?from=0', 400, 'REQUEST_INVALID'],
  ['machines/Vsr/can', 400, 'REQUEST_INVALID'],
  ['machines/Vsr/can?event=Nope', 404, 'NOT_FOUND'],
  ['machines/Vsr/can?event=ReceivePrepare&__proto__.x=1', 400, 'REQUEST_INVALID'],
  ['machines/Vsr/can?event=ReceivePrepare&message=1&message.view=1', 400, 'REQUEST_INVALID'],
  ['machines/Vsr/history?limit=0', 400, 'REQUEST_INVALID'],
  ['machines/Vsr?format=dot', 400, 'REQUEST_INVALID'],
])('%s', async (path, status, code) => {
  const response = await server.inject(`/v1/dx/${path}`);
  expect(response.statusCode).toBe(status);
  expect(response.json()).toMatchObject({ error: { code } });
  expect(response.headers['content-type']).toContain('application/problem+json');
});
