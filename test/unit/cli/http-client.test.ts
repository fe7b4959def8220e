/**
 * Goal: a refusal keeps the server's own code; what may be repeated is, with the same idempotency key; silence names the
 * server. Method: a scripted HTTP server on a free port.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpClient, RefusedError } from '../../../impl/cli/http-client.ts';

interface Scripted {
  readonly status: number;
  readonly body: unknown;
}

const open: Server[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function serverWith(answers: Scripted[]): Promise<{ url: string; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    const { status, body } = answers.shift() ?? { status: 500, body: 'the script is over' };
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const post = { method: 'POST', path: '/v1/x', body: {}, idempotencyKey: 'k', patient: true } as const;
const refusal = (code: string) => ({ error: { code, message: 'why', rule: 'Vsr.X.Y', evidence: { actual: 7 } } });

describe('the HTTP client', () => {
  it('hands on code, message, rule and evidence of a refusal', async () => {
    const { url } = await serverWith([{ status: 409, body: refusal('WRONG_OFFSET') }]);
    const error = await new HttpClient([url], 5_000).ask(post).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ code: 'WRONG_OFFSET', message: 'why' });
    expect((error as RefusedError).evidence).toMatchObject({ status: 409, rule: 'Vsr.X.Y', actual: 7, url });
  });

  it('asks again when busy, without quorum or in doubt, with the same key', async () => {
    const { url, seen } = await serverWith([
      { status: 429, body: refusal('BUSY') },
      { status: 503, body: refusal('NO_QUORUM') },
      { status: 504, body: refusal('UNKNOWN') },
      { status: 200, body: { fine: true } },
    ]);
    expect(await new HttpClient([url], 5_000).ask(post)).toEqual({ fine: true });
    expect(seen.map(({ headers }) => headers['idempotency-key'])).toEqual(['k', 'k', 'k', 'k']);
  });

  it('goes to the next replica when one is not there', async () => {
    const { url } = await serverWith([{ status: 200, body: 1 }]);
    expect(await new HttpClient(['http://127.0.0.1:1', url], 5_000).ask(post)).toBe(1);
  });

  it('says which servers are silent, within the deadline', async () => {
    const started = performance.now();
    const error = await new HttpClient(['http://127.0.0.1:1'], 600).ask(post).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'CLI_UNREACHABLE' });
    expect(String(error)).toMatch(/http:\/\/127\.0\.0\.1:1 cannot be reached.*lockstep cluster.*--url/);
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it('tells a foreign server from one of ours', async () => {
    const { url } = await serverWith([{ status: 404, body: '<html>' }]);
    const error = await new HttpClient([url], 600).ask(post).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'CLI_ANSWER_INVALID' });
  });
});
