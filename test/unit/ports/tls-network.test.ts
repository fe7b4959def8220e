/**
 * Goal: with TLS, frames cross between replicas that the authority has named and nobody else, each wrong certificate has its
 * code, and certificates change without the loss of a connection.
 * Method: networks in one process on free ports of the loopback, certificates made for the run; conditions with a deadline.
 */
import { connect } from 'node:net';
import { type ConnectionOptions as TlsConnectionOptions, connect as tlsConnect } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Authority,
  clientCertificate,
  type KeyPair,
  makeAuthority,
  replicaCertificate,
} from '../../../impl/ports/certificates.ts';
import type { TlsServerMaterial } from '../../../impl/ports/network.ts';
import { RealClock } from '../../../impl/ports/real-clock.ts';
import type { RealNetworkOptions } from '../../../impl/ports/real-network-options.ts';
import { tlsReasonOf } from '../../../impl/ports/tls.ts';
import { encodeFrame, FRAME_KINDS, FrameReader } from '../../../impl/wire/frame.ts';
import { decodeGoodbye, encodeHello } from '../../../impl/wire/hello.ts';
import { until } from '../../until.ts';
import { CLUSTER, freePorts, type Started, start as startPlain } from './test-networks.ts';

const DAY_MS = 86_400_000;
const HOSTS = ['localhost', '127.0.0.1'];
const clock = new RealClock();
const fresh = { fromMs: clock.wallMs(), days: 1 };
const CLIENT_HELLO = encodeFrame(
  FRAME_KINDS.hello,
  encodeHello({ role: 'client', replica: 255, replicaCount: 0, to: 255, cluster: CLUSTER }),
);

let authority: Authority;
let stranger: Authority;
const own: TlsServerMaterial[] = [];
beforeAll(async () => {
  authority = await makeAuthority('authority of the test', fresh);
  stranger = await makeAuthority('another authority', fresh);
  for (const replica of [0, 1, 2]) own.push(await material(authority, { replica }));
});

async function material(
  signer: Authority,
  { replica = 0, cluster = CLUSTER, valid = fresh }: { replica?: number; cluster?: bigint; valid?: typeof fresh },
): Promise<TlsServerMaterial> {
  const pair = await replicaCertificate(signer, { cluster, replica, hosts: HOSTS }, valid);
  return { ...pair, authority: authority.certificate };
}

function start(ports: readonly number[], replica: number, changed: Partial<RealNetworkOptions> = {}): Started {
  return startPlain(ports, replica, { tls: own[replica], ...changed });
}

/** Speaks as a client; the codes of the Goodbye that came, or of the error that ended it, or `hello`. */
function visit(
  port: number,
  options: TlsConnectionOptions | 'plain text',
  bytes: Uint8Array = CLIENT_HELLO,
): Promise<string> {
  return new Promise((resolve) => {
    const socket =
      options === 'plain text'
        ? connect({ port, host: '127.0.0.1' })
        : tlsConnect({ port, host: '127.0.0.1', ca: authority.certificate, ALPNProtocols: ['lockstep/1'], ...options });
    const reader = new FrameReader();
    socket.once(options === 'plain text' ? 'connect' : 'secureConnect', () => socket.write(bytes));
    socket.on('data', (chunk) =>
      reader.push(chunk, (kind, payload) => {
        resolve(kind === FRAME_KINDS.hello ? 'hello' : decodeGoodbye(payload).code);
        socket.destroy();
      }),
    );
    socket.on('error', (error) => resolve(tlsReasonOf(error)));
    socket.on('close', () => resolve('closed'));
  });
}

describe('RealNetwork with TLS', () => {
  it('Tls: frames of three replicas arrive, from whom they are', async () => {
    const ports = await freePorts(3);
    const nodes = ports.map((_, replica) => start(ports, replica));
    for (const { network } of nodes) await network.listen();
    await until('all connected', () => nodes.every(({ network }) => network.traffic().every((peer) => peer.connected)));
    for (const [from, { network }] of nodes.entries())
      for (const to of [0, 1, 2].filter((other) => other !== from))
        for (let count = 0; count < 200; count++) network.send(to, Buffer.from(`>${to} ${count}`));
    await until('all arrived', () => nodes.every(({ received }) => received.length === 400));
    for (const [to, { received }] of nodes.entries())
      for (const from of [0, 1, 2].filter((other) => other !== to)) {
        const texts = received.filter((text) => text.startsWith(`${from} `));
        expect(texts).toEqual(Array.from({ length: 200 }, (_, count) => `${from} >${to} ${count}`));
      }
  });

  it.each([
    ['of another authority', () => material(stranger, { replica: 1 }), 'TLS_UNKNOWN_AUTHORITY'],
    [
      'that has expired',
      () => material(authority, { replica: 1, valid: { fromMs: fresh.fromMs - 3 * DAY_MS, days: 1 } }),
      'TLS_CERTIFICATE_EXPIRED',
    ],
    [
      'that is not valid yet',
      () => material(authority, { replica: 1, valid: { fromMs: fresh.fromMs + DAY_MS, days: 1 } }),
      'TLS_CERTIFICATE_NOT_YET_VALID',
    ],
    ['of another replica', () => material(authority, { replica: 2 }), 'TLS_WRONG_REPLICA'],
    [
      'of the same replica of another cluster',
      () => material(authority, { replica: 1, cluster: 8n }),
      'TLS_WRONG_REPLICA',
    ],
    [
      'of a client',
      async () => ({
        ...(await clientCertificate(authority, { cluster: CLUSTER, name: 'ann', role: 'admin' }, fresh)),
        authority: authority.certificate,
      }),
      'TLS_WRONG_REPLICA',
    ],
  ])('Tls: a replica that dials with a certificate %s is refused, told so and counted', async (_, made, code) => {
    const ports = await freePorts(2);
    const first = start(ports, 0);
    const second = start(ports, 1, { tls: await made() });
    await first.network.listen();
    await second.network.listen();
    await until('it is told', () => second.failed.length > 0);
    expect(new Set(second.failed)).toEqual(new Set([code]));
    expect([...first.network.framesRefused.keys()]).toEqual([code]);
    expect(first.network.isConnected(1)).toBe(false);
  });

  it.each([
    ['of another authority', () => material(stranger, { replica: 0 }), 'TLS_UNKNOWN_AUTHORITY'],
    [
      'that has expired',
      () => material(authority, { valid: { fromMs: fresh.fromMs - 3 * DAY_MS, days: 1 } }),
      'TLS_CERTIFICATE_EXPIRED',
    ],
    ['of another replica', () => material(authority, { replica: 2 }), 'TLS_WRONG_REPLICA'],
  ])('Tls: a replica that is dialled and shows a certificate %s is not believed', async (_, made, code) => {
    const ports = await freePorts(2);
    const first = start(ports, 0, { tls: await made() });
    const second = start(ports, 1);
    await first.network.listen();
    await second.network.listen();
    await until('it is noticed', () => second.failed.length > 0);
    expect(second.failed[0]).toBe(code);
    expect(second.network.isConnected(0)).toBe(false);
  });

  it('Tls: plain text to a port of TLS, TLS to a port of plain text, and TLS 1.2 each have their code on both sides', async () => {
    const ports = await freePorts(2);
    const secure = start(ports, 0);
    const plain = start(ports, 1, { tls: undefined, addresses: ports.map((port) => ({ host: '127.0.0.1', port })) });
    await secure.network.listen();
    await plain.network.listen();
    expect(await visit(ports[0] as number, 'plain text')).toBe('TLS_SPOKEN_HERE');
    expect(await visit(ports[0] as number, 'plain text', Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toBe(
      'TLS_SPOKEN_HERE',
    );
    expect(await visit(ports[1] as number, {})).toBe('TLS_NOT_SPOKEN_THERE');
    expect(await visit(ports[0] as number, { maxVersion: 'TLSv1.2' })).toBe('TLS_VERSION');
    expect(plain.failed[0]).toBe('TLS_SPOKEN_HERE');
    expect(plain.network.framesRefused.get('TLS_NOT_SPOKEN_HERE')).toBe(1);
    expect(secure.network.framesRefused.get('TLS_SPOKEN_HERE')).toBeGreaterThan(2);
    expect(secure.network.framesRefused.get('TLS_VERSION')).toBe(1);
  });

  it('Tls: a client comes in with or without a certificate, unless one is required; one that is no good is never taken', async () => {
    const [port, strict] = (await freePorts(2)) as [number, number];
    await start([port], 0).network.listen();
    await start([strict], 0, { clientCertificateRequired: true }).network.listen();
    const ann = { cluster: CLUSTER, name: 'ann', role: 'read' } as const;
    const shows = ({ certificate, key }: KeyPair): TlsConnectionOptions => ({ cert: certificate, key });
    const good = shows(await clientCertificate(authority, ann, fresh));
    const old = shows(await clientCertificate(authority, ann, { fromMs: fresh.fromMs - 3 * DAY_MS, days: 1 }));
    const strange = shows(await clientCertificate(stranger, ann, fresh));
    expect(await visit(port, {})).toBe('hello');
    expect(await visit(port, good)).toBe('hello');
    expect(await visit(port, old)).toBe('TLS_CERTIFICATE_EXPIRED');
    expect(await visit(port, strange)).toBe('TLS_UNKNOWN_AUTHORITY');
    expect(await visit(port, { ca: stranger.certificate })).toBe('TLS_UNKNOWN_AUTHORITY');
    expect(await visit(port, { servername: 'elsewhere.example' })).toBe('TLS_WRONG_HOST');
    expect(await visit(strict, {})).toBe('TLS_CERTIFICATE_MISSING');
    expect(await visit(strict, good)).toBe('hello');
  });

  it('Tls: new certificates are for new connections, those that are there stay; a wrong file changes nothing', async () => {
    const ports = await freePorts(2);
    const first = start(ports, 0);
    const second = start(ports, 1);
    await first.network.listen();
    await second.network.listen();
    await until('connected', () => second.network.isConnected(0) && first.network.isConnected(1));
    const client = tlsConnect({ port: ports[0] as number, host: '127.0.0.1', ca: authority.certificate });
    let ended = false;
    client.on('close', () => {
      ended = true;
    });
    client.write(CLIENT_HELLO);
    await until('the client is in', () => first.network.clientCount === 1);

    expect(() =>
      first.network.replaceTls({ ...(own[0] as TlsServerMaterial), key: (own[1] as TlsServerMaterial).key }),
    ).toThrow(expect.objectContaining({ code: 'TLS_MATERIAL_INVALID' }));
    expect(() => first.network.replaceTls({ ...(own[0] as TlsServerMaterial), certificate: 'no PEM' })).toThrow(
      expect.objectContaining({ code: 'TLS_MATERIAL_INVALID' }),
    );
    expect(await visit(ports[0] as number, {})).toBe('hello');

    const pair = await replicaCertificate(stranger, { cluster: CLUSTER, replica: 0, hosts: HOSTS }, fresh);
    first.network.replaceTls({ ...pair, authority: stranger.certificate + authority.certificate });
    expect(await visit(ports[0] as number, {})).toBe('TLS_UNKNOWN_AUTHORITY');
    expect(await visit(ports[0] as number, { ca: stranger.certificate })).toBe('hello');
    first.network.send(1, Buffer.from('still here'));
    await until('arrived', () => second.received.includes('0 still here'));
    expect(ended).toBe(false);
    client.destroy();
  });

  it('Tls: a flood of half handshakes leaves the replicas and those who are in alone, and goes by itself', async () => {
    const ports = await freePorts(2);
    const first = start(ports, 0);
    const second = start(ports, 1);
    await first.network.listen();
    await second.network.listen();
    await until('connected', () => second.network.isConnected(0) && first.network.isConnected(1));
    let closed = 0;
    const flood = Array.from({ length: 300 }, (_, index) => {
      const socket = connect(ports[0] as number, '127.0.0.1', () =>
        socket.write(Buffer.from([0x16, 3, 1, index % 256])),
      );
      socket.resume();
      socket.on('error', () => {});
      socket.on('close', () => {
        closed++;
      });
      return socket;
    });
    for (let count = 0; count < 50; count++) {
      first.network.send(1, Buffer.from(`to 1: ${count}`));
      second.network.send(0, Buffer.from(`to 0: ${count}`));
    }
    await until('frames cross meanwhile', () => first.received.length === 50 && second.received.length === 50);
    await until('the flood is gone', () => closed === flood.length);
    expect(second.network.isConnected(0)).toBe(true);
    expect(await visit(ports[0] as number, {})).toBe('hello');
  });

  it('Tls: connections that say nothing, or stop in the handshake, leave no trace', async () => {
    const [port] = (await freePorts(1)) as [number];
    const { network } = start([port], 0);
    await network.listen();
    let closed = 0;
    for (const bytes of [Buffer.alloc(0), Buffer.from([0x16, 3, 1]), Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5])]) {
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      socket.resume();
      socket.on('error', () => {});
      socket.on('close', () => {
        closed++;
      });
    }
    await until('all are closed', () => closed === 3);
    expect(await visit(port, {})).toBe('hello');
  });
});
