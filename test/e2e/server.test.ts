/**
 * Goal: the server keeps its word to clients of the binary protocol and of HTTP, whatever comes in on its ports.
 * Method: three real processes, the real client, and bytes that no client of ours would send.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientError, LockstepClient } from '../../impl/client/index.ts';
import { encodeForwardRequest } from '../../impl/server/forward.ts';
import { encodeFrame, FRAME_KINDS } from '../../impl/wire/frame.ts';
import { ANY_REPLICA, encodeHello, type Hello } from '../../impl/wire/hello.ts';
import { encodeRequest } from '../../impl/wire/request.ts';
import { pause, TestCluster } from './cluster-harness.ts';
import { converse, neverRead } from './wire-client.ts';

const APPENDS = 600;
const FAILOVER_MS_MAX = 10_000;
let cluster: TestCluster;
const clients: LockstepClient[] = [];
beforeAll(async () => {
  cluster = await TestCluster.start();
});
afterAll(async () => {
  for (const client of clients) client.close();
  await cluster.close();
});

function clientOf(of: TestCluster, first = 0): LockstepClient {
  const parsed = of.addresses.map((address) => {
    const [host, port] = address.split(':') as [string, string];
    return { host, port: Number(port) };
  });
  const client = new LockstepClient({ addresses: [...parsed.slice(first), ...parsed.slice(0, first)] });
  clients.push(client);
  return client;
}

async function everything(client: LockstepClient, stream: string): Promise<string[]> {
  const texts: string[] = [];
  for (;;) {
    const { events } = await client.read(stream, { from: texts.length, limit: 1_000 });
    for (const { data } of events) texts.push(Buffer.from(data).toString('utf8'));
    if (events.length === 0) return texts;
  }
}

async function metric(replica: number, name: string): Promise<number> {
  const text = await (await fetch(`${cluster.urls[replica]}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}

describe('binary client', () => {
  it('many appends in flight on one connection: each gets its own offset, none is lost', async () => {
    const client = clientOf(cluster);
    await client.createStream('flight');
    const answers = await Promise.all(
      Array.from({ length: APPENDS }, (_, index) => client.append('flight', [`entry ${index}`])),
    );
    expect(new Set(answers.map(({ firstOffset }) => firstOffset)).size).toBe(APPENDS);
    const texts = await everything(client, 'flight');
    expect(texts.length).toBe(APPENDS);
    for (const [index, { firstOffset }] of answers.entries()) expect(texts[firstOffset]).toBe(`entry ${index}`);
  });

  it('an append that is acknowledged is in every linearizable read that begins afterwards, on any replica', async () => {
    const writer = clientOf(cluster);
    await writer.createStream('fresh');
    const readers = cluster.urls.map((url) => `${url}/v1/streams/fresh/events?from=`);
    for (let round = 0; round < 20; round++) {
      const { firstOffset } = await writer.append('fresh', [`round ${round}`]);
      const answers = await Promise.all(readers.map(async (url) => (await fetch(url + firstOffset)).json()));
      for (const answer of answers) expect(answer).toMatchObject({ events: [{ data: `round ${round}` }] });
    }
  });

  it('the same key again changes nothing and gets the first answer; with other events it is refused', async () => {
    const client = clientOf(cluster);
    await client.createStream('keyed');
    const first = await client.append('keyed', ['once'], { idempotencyKey: 'k' });
    await client.append('keyed', ['between']);
    expect(await client.append('keyed', ['once'], { idempotencyKey: 'k' })).toEqual(first);
    const other = client.append('keyed', ['other'], { idempotencyKey: 'k' });
    await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', outcome: 'refused' });
    expect(await everything(client, 'keyed')).toEqual(['once', 'between']);
  });

  it('expectedOffset that does not hold is refused with the actual one', async () => {
    const client = clientOf(cluster);
    await client.createStream('expected');
    await client.append('expected', ['a'], { expectedOffset: 0 });
    const refused = client.append('expected', ['b'], { expectedOffset: 0 });
    await expect(refused).rejects.toMatchObject({ code: 'OFFSET_MISMATCH', evidence: { nextOffset: 1 } });
  });

  it('tail gives every event in order, as they come', async () => {
    const client = clientOf(cluster);
    await client.createStream('tailed');
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { data } of client.tail('tailed')) if (seen.push(Buffer.from(data).toString()) === 5) return;
    })();
    for (let index = 0; index < 5; index++) await client.append('tailed', [`${index}`]);
    await reading;
    expect(seen).toEqual(['0', '1', '2', '3', '4']);
  });
});

describe('a tail', () => {
  it('a read that waits for an event is held by the server and answered with it: no reader asks again and again', async () => {
    const client = clientOf(cluster);
    await client.createStream('held');
    const name = 'lockstep_requests_total{protocol="binary",operation="read",code="ok"}';
    const reads = async (): Promise<number> => {
      const counts = await Promise.all(cluster.replicas.map((replica) => metric(replica, name)));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    const tail = client.tail('held');
    await client.append('held', ['first']);
    expect((await tail.next()).value).toMatchObject({ offset: 0 });
    const before = await reads();
    expect(before).toBeGreaterThan(0);
    const next = tail.next();
    for (let index = 0; index < 20; index++) await client.append('others', ['x']).catch(() => {});
    await client.append('held', ['second']);
    expect((await next).value).toMatchObject({ offset: 1 });
    expect((await reads()) - before).toBeLessThanOrEqual(2);
    await tail.return(undefined as never);
  });
});

describe('bytes that are no request', () => {
  const toServer: Omit<Hello, 'cluster'> = { role: 'client', replica: ANY_REPLICA, replicaCount: 0, to: ANY_REPLICA };
  const hello = (change: Partial<Hello> = {}): Buffer =>
    encodeFrame(FRAME_KINDS.hello, encodeHello({ ...toServer, cluster: cluster.cluster, ...change }));
  const request = (): Buffer =>
    encodeFrame(FRAME_KINDS.clientRequest, encodeRequest({ id: 7, deadlineMs: 0, body: { operation: 'status' } }));
  const withByte = (frame: Buffer, at: number, value: number): Buffer => {
    const changed = Buffer.from(frame);
    changed[at] = value;
    return changed;
  };
  const lengthOf = (bytes: number): Buffer => {
    const head = Buffer.alloc(9);
    head.writeUInt32LE(bytes, 0);
    return head;
  };
  const wrongVersion = (): Buffer => {
    const payload = encodeHello({ ...toServer, cluster: cluster.cluster });
    payload.writeUInt32LE((99 << 16) | 98, 4);
    return encodeFrame(FRAME_KINDS.hello, payload);
  };
  const cases: readonly (readonly [string, string, () => readonly Uint8Array[]])[] = [
    ['HTTP on the replica port', 'WIRE_FRAME_OVERSIZED', () => [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')]],
    ['zeros', 'WIRE_FRAME_TOO_SHORT', () => [Buffer.alloc(64)]],
    ['a request before any Hello', 'WIRE_NOT_LOCKSTEP', () => [request()]],
    ['a Hello of another protocol version', 'WIRE_WRONG_VERSION', () => [wrongVersion()]],
    ['a Hello of another cluster', 'WIRE_WRONG_CLUSTER', () => [hello({ cluster: 1n })]],
    [
      'a peer that is this replica',
      'WIRE_WRONG_REPLICA',
      () => [hello({ role: 'peer', replica: 0, replicaCount: 3, to: 0 })],
    ],
    ['a peer of five', 'WIRE_WRONG_REPLICA', () => [hello({ role: 'peer', replica: 1, replicaCount: 5, to: 0 })]],
    ['a flipped byte', 'WIRE_BAD_CHECKSUM', () => [hello(), withByte(request(), 12, 0xff)]],
    ['a frame over its limit', 'WIRE_FRAME_OVERSIZED', () => [hello(), lengthOf(0x7fff_ffff)]],
    ['a frame of an unknown kind', 'WIRE_UNKNOWN_KIND', () => [hello(), encodeFrame(99 as never, Buffer.alloc(4))]],
    [
      'a frame between replicas',
      'WIRE_UNKNOWN_KIND',
      () => [hello(), encodeFrame(FRAME_KINDS.replica, Buffer.alloc(64))],
    ],
    [
      'a request of random bytes',
      'WIRE_MALFORMED',
      () => [hello(), encodeFrame(FRAME_KINDS.clientRequest, Buffer.alloc(40, 0xee))],
    ],
  ];

  it.each(cases)('%s: the connection ends with %s, and it is counted', async (_, code, parts) => {
    const address = cluster.addresses[0] as string;
    const name = `lockstep_frames_refused_total{reason="${code}"}`;
    const before = await metric(0, name);
    const { goodbye, closed } = await converse(address, parts());
    expect({ code: goodbye?.code, closed }).toEqual({ code, closed: true });
    expect(goodbye?.message.length).toBeGreaterThan(10);
    expect(await metric(0, name)).toBe(before + 1);
  });

  it('a frame cut anywhere is no loss: the rest of it is awaited, and the next one is read', async () => {
    const address = cluster.addresses[0] as string;
    const whole = Buffer.concat([hello(), request(), request()]);
    for (let at = 1; at < whole.byteLength; at += 7) {
      const { kinds } = await converse(address, [whole.subarray(0, at), whole.subarray(at)], 10_000, 3);
      expect(kinds).toEqual([FRAME_KINDS.hello, FRAME_KINDS.clientResponse, FRAME_KINDS.clientResponse]);
    }
  });

  it('a stranger that poses as a peer and hands over commands that are none: each is refused, the cluster serves on', async () => {
    const primary = await cluster.primary();
    const posing = hello({ role: 'peer', replica: (primary + 1) % 3, replicaCount: 3, to: primary });
    const handed = [Buffer.alloc(0), Buffer.alloc(50, 0xee), Buffer.alloc(200_000, 3)].map((command, id) =>
      encodeFrame(FRAME_KINDS.forwardRequest, encodeForwardRequest({ process: 1, id, deadlineMs: 2_000, command })),
    );
    const cut = encodeFrame(FRAME_KINDS.forwardRequest, Buffer.alloc(3));
    // In one piece: the real replica dials again at once, and takes its place back.
    const said = Buffer.concat([posing, ...handed, cut]);
    const { kinds, goodbye } = await converse(cluster.addresses[primary] as string, [said], 10_000);
    expect(kinds[0]).toBe(FRAME_KINDS.hello);
    expect(goodbye?.code).toBe('WIRE_MALFORMED');
    const client = clientOf(cluster);
    await client.createStream('after-commands');
    await client.append('after-commands', ['still here']);
    expect(await everything(client, 'after-commands')).toEqual(['still here']);
    await cluster.level();
    expect(cluster.deaths).toEqual([]);
  });

  it('a stranger that poses as a peer and sends noise moves nothing: the cluster serves on', async () => {
    const noise = encodeFrame(FRAME_KINDS.replica, Buffer.alloc(300, 0x5a));
    const posing = hello({ role: 'peer', replica: 1, replicaCount: 3, to: 2 });
    await converse(cluster.addresses[2] as string, [posing, noise, noise], 300);
    const client = clientOf(cluster);
    await client.createStream('after-noise');
    await client.append('after-noise', ['still here']);
    expect(await everything(client, 'after-noise')).toEqual(['still here']);
    expect(cluster.deaths).toEqual([]);
  });
});

describe('the end of a primary', () => {
  /** Appends without pause until told to stop; every append is asked for until it has an answer. */
  function loadOf(client: LockstepClient, stream: string, loops: number) {
    const acknowledged: string[] = [];
    let slowestMs = 0;
    let stopping = false;
    const loop = async (number: number): Promise<void> => {
      for (let index = 0; !stopping; index++) {
        const startedMs = performance.now();
        await client.append(stream, [`${number}/${index}`]);
        slowestMs = Math.max(slowestMs, performance.now() - startedMs);
        acknowledged.push(`${number}/${index}`);
      }
    };
    const running = Promise.all(Array.from({ length: loops }, (_, number) => loop(number)));
    const stop = async (): Promise<{ acknowledged: string[]; slowestMs: number }> => {
      stopping = true;
      await running;
      return { acknowledged, slowestMs };
    };
    return { stop };
  }

  it.each([
    ['kill -9', (of: TestCluster, replica: number) => of.kill(replica)],
    ['SIGTERM', (of: TestCluster, replica: number) => of.stop(replica)],
  ] as const)(
    '%s: the client goes on by itself within a bounded wait; every entry stands exactly once',
    async (name, end) => {
      const stream = name.replaceAll(/[^A-Za-z0-9]/g, '');
      const client = clientOf(cluster);
      await client.createStream(stream);
      const load = loadOf(client, stream, 32);
      await pause(300);
      const primary = await cluster.primary();
      await end(cluster, primary);
      await pause(2_500);
      await cluster.start(primary);
      const { acknowledged, slowestMs } = await load.stop();
      const texts = await everything(client, stream);
      expect(texts.length).toBe(new Set(texts).size);
      expect(texts.toSorted()).toEqual(acknowledged.toSorted());
      expect(slowestMs).toBeLessThan(FAILOVER_MS_MAX);
      await cluster.level();
    },
  );

  it('SIGTERM: the process drains and ends with exit code 0', async () => {
    const primary = await cluster.primary();
    expect(await cluster.stop(primary)).toBe(0);
    await cluster.start(primary);
    await cluster.level();
  });
});

describe('bounds', () => {
  it('a client that does not read its answers is closed and counted; the others do not notice', async () => {
    const client = clientOf(cluster);
    await client.createStream('large');
    await client.append('large', ['x'.repeat(120_000)]);
    const primary = await cluster.primary();
    const name = 'lockstep_answers_lost_total{reason="CLIENT_TOO_SLOW"}';
    const before = await metric(primary, name);
    const read = { operation: 'read', stream: 'large', from: 0, limit: 1, linearizable: false } as const;
    const hello = {
      role: 'client',
      replica: ANY_REPLICA,
      replicaCount: 0,
      to: ANY_REPLICA,
      cluster: cluster.cluster,
    } as const;
    const requests = Array.from({ length: 400 }, (_, id) =>
      encodeFrame(FRAME_KINDS.clientRequest, encodeRequest({ id: id + 1, deadlineMs: 0, body: read })),
    );
    const parts = [encodeFrame(FRAME_KINDS.hello, encodeHello(hello)), ...requests];
    const reading = neverRead(cluster.addresses[primary] as string, parts, 5_000);
    await client.append('large', ['others go on']);
    await reading;
    expect(await metric(primary, name)).toBe(before + 1);
  });

  it('at the bound of requests in flight a client is told BUSY, sends again, and loses nothing', async () => {
    const small = await TestCluster.start({ serverArgs: ['--limit', 'requests-in-flight-max=8'] });
    try {
      const client = clientOf(small);
      await client.createStream('busy');
      const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => client.append('busy', [`${index}`])));
      expect(new Set(answers.map(({ firstOffset }) => firstOffset)).size).toBe(200);
      const text = await Promise.all(small.urls.map(async (url) => (await fetch(`${url}/metrics`)).text()));
      expect(text.join('')).toMatch(
        /lockstep_requests_total\{protocol="binary",operation="append",code="BUSY"\} [1-9]/,
      );
    } finally {
      await small.close();
    }
  });

  it('without a quorum a request is refused at its deadline as known not applied, and a client sees why', async () => {
    const lonely = await TestCluster.start();
    try {
      const client = clientOf(lonely);
      await client.createStream('lonely');
      const primary = await lonely.primary();
      await Promise.all(
        lonely.replicas.filter((replica) => replica !== primary).map((replica) => lonely.kill(replica)),
      );
      const failed = await client.append('lonely', ['nobody']).catch((cause: unknown) => cause);
      expect(failed).toBeInstanceOf(ClientError);
      expect(['NO_QUORUM', 'OUTCOME_UNKNOWN', 'CLIENT_NO_ANSWER']).toContain((failed as ClientError).code);
    } finally {
      await lonely.close();
    }
  }, 90_000);
});
