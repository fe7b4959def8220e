/**
 * Goal: frames cross real sockets between replicas, connections come back by themselves, and no bytes crash a listener.
 * Method: networks in one process on free ports of the loopback; waiting for conditions with a deadline, never for time.
 */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../impl/ports/simulated-clock.ts';
import { encodeFrame, FRAME_KINDS } from '../../../impl/wire/frame.ts';
import { encodeHello } from '../../../impl/wire/hello.ts';
import { until } from '../../until.ts';
import { freePorts, start } from './test-networks.ts';

/** Sends bytes to a port and returns everything that comes back until the other side closes. */
function talk(port: number, bytes: Uint8Array): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

describe('RealNetwork', () => {
  it('Network: frames of three replicas arrive once, in order, from whom they are', async () => {
    const ports = await freePorts(3);
    const nodes = ports.map((_, replica) => start(ports, replica));
    for (const { network } of nodes) await network.listen();
    const linked = () => nodes.every(({ network }) => network.traffic().every(({ connected }) => connected));
    await until('all connected', linked);
    for (const [from, { network }] of nodes.entries()) {
      for (const to of [0, 1, 2].filter((other) => other !== from)) {
        for (let count = 0; count < 500; count++) network.send(to, Buffer.from(`${from}>${to}:${count}`));
      }
    }
    await until('all arrived', () => nodes.every(({ received }) => received.length === 1_000));
    for (const [to, { received }] of nodes.entries()) {
      for (const from of [0, 1, 2].filter((other) => other !== to)) {
        const texts = received.filter((text) => text.startsWith(`${from} `));
        expect(texts).toEqual(Array.from({ length: 500 }, (_, count) => `${from} ${from}>${to}:${count}`));
      }
    }
  });

  it('Network: a peer that goes and comes back is dialled again; frames meanwhile are dropped and counted', async () => {
    const ports = await freePorts(2);
    const first = start(ports, 0);
    const second = start(ports, 1);
    await first.network.listen();
    await second.network.listen();
    await until('connected', () => second.network.isConnected(0));
    await first.network.close();
    await until('noticed', () => !second.network.isConnected(0));
    second.network.send(0, Buffer.from('lost'));
    expect(second.network.traffic()[0]?.framesDropped).toBe(1);
    const again = start(ports, 0);
    await again.network.listen();
    await until('connected again', () => second.network.isConnected(0));
    second.network.send(0, Buffer.from('arrives'));
    await until('arrived', () => again.received.length === 1);
    expect(again.received).toEqual(['1 arrives']);
  });

  it('Network: a full queue to a peer drops, and the frame that fits still leaves', async () => {
    const ports = await freePorts(2);
    const first = start(ports, 0);
    const second = start(ports, 1);
    await first.network.listen();
    await second.network.listen();
    await until('connected', () => second.network.isConnected(0) && first.network.isConnected(1));
    const large = Buffer.alloc(3 * 1024 * 1024);
    for (let count = 0; count < 16; count++) first.network.send(1, large);
    const dropped = first.network.traffic()[0]?.framesDropped ?? 0;
    expect(dropped).toBeGreaterThan(0);
    await until('the others arrive', () => second.received.length === 16 - dropped);
  });

  it.each([
    ['another program', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'WIRE_FRAME_OVERSIZED'],
    ['no Hello first', encodeFrame(FRAME_KINDS.clientRequest, Buffer.from('x')), 'WIRE_NOT_LOCKSTEP'],
    [
      'another cluster',
      encodeFrame(1, encodeHello({ role: 'peer', replica: 1, replicaCount: 2, to: 0, cluster: 8n })),
      'WIRE_WRONG_CLUSTER',
    ],
    [
      'another address list',
      encodeFrame(1, encodeHello({ role: 'peer', replica: 1, replicaCount: 3, to: 0, cluster: 7n })),
      'WIRE_WRONG_REPLICA',
    ],
    [
      'itself',
      encodeFrame(1, encodeHello({ role: 'peer', replica: 0, replicaCount: 2, to: 0, cluster: 7n })),
      'WIRE_WRONG_REPLICA',
    ],
    [
      'a client whose frame is too large',
      Buffer.concat([
        encodeFrame(1, encodeHello({ role: 'client', replica: 255, replicaCount: 0, to: 255, cluster: 0n })),
        encodeFrame(FRAME_KINDS.clientRequest, Buffer.alloc(2_000)),
      ]),
      'WIRE_FRAME_OVERSIZED',
    ],
  ])('Network: %s is told why, counted and closed', async (_, bytes, code) => {
    const ports = await freePorts(2);
    const { network } = start(ports, 0);
    await network.listen();
    const answer = await talk(ports[0] as number, bytes);
    expect(answer.toString('latin1')).toContain(code);
    expect(network.framesRefused.get(code)).toBe(1);
    expect(network.clientCount).toBe(0);
  });

  it('Network: a client beyond the bound is refused, and a place that gets free is given again', async () => {
    const ports = await freePorts(1);
    const { network } = start(ports, 0, { clientConnectionsMax: 1 });
    await network.listen();
    const hello = encodeFrame(1, encodeHello({ role: 'client', replica: 255, replicaCount: 0, to: 255, cluster: 7n }));
    const first = connect(ports[0] as number, '127.0.0.1', () => first.write(hello));
    await until('the first is in', () => network.clientCount === 1);
    expect((await talk(ports[0] as number, hello)).toString('latin1')).toContain('TOO_MANY_CONNECTIONS');
    first.destroy();
    await until('the place is free', () => network.clientCount === 0);
    const third = connect(ports[0] as number, '127.0.0.1', () => third.write(hello));
    await until('the third is in', () => network.clientCount === 1);
    third.destroy();
  });

  it('Network: connections that say nothing keep nobody out: the oldest of many go soon, the others in their time', async () => {
    const ports = await freePorts(1);
    const clock = new SimulatedClock();
    const { network } = start(ports, 0, { clock });
    await network.listen();
    const hello = encodeFrame(1, encodeHello({ role: 'client', replica: 255, replicaCount: 0, to: 255, cluster: 7n }));
    const silent = Array.from({ length: 270 }, () => connect(ports[0] as number, '127.0.0.1'));
    for (const socket of silent) socket.on('error', () => {});
    const client = connect(ports[0] as number, '127.0.0.1', () => client.write(hello));
    await until('the client is in, and so those before it', () => network.clientCount === 1);
    expect(network.framesRefused.get('HELLO_MISSING')).toBeUndefined();
    clock.advance(500);
    expect(network.framesRefused.get('HELLO_MISSING')).toBe(270 - 256);
    clock.advance(3_000);
    expect(network.framesRefused.get('HELLO_MISSING')).toBe(270);
    expect(network.clientCount).toBe(1);
    for (const socket of [...silent, client]) socket.resetAndDestroy();
  });

  it('Network: a port in use is a NetworkError that names it', async () => {
    const ports = await freePorts(1);
    await start(ports, 0).network.listen();
    await expect(start(ports, 0).network.listen()).rejects.toMatchObject({
      code: 'NETWORK_PORT_IN_USE',
      evidence: { port: ports[0] },
    });
  });
});
