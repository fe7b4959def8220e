/**
 * Goal: with a cluster secret only a replica that proves it is taken for one: not a stranger, not one with another secret or
 * none, not who repeats or reflects what a replica said; each has its code, and nobody who is in notices.
 * Method: networks in one process on free ports of the loopback, and impostors on raw sockets; conditions with a deadline.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { PeerSecrets } from '../../../impl/ports/peer-secrets.ts';
import type { RealNetworkOptions } from '../../../impl/ports/real-network-options.ts';
import { SimulatedClock } from '../../../impl/ports/simulated-clock.ts';
import { encodeFrame, FRAME_KINDS, type FrameKind, FrameReader } from '../../../impl/wire/frame.ts';
import { decodeGoodbye, decodeHello, encodeHello } from '../../../impl/wire/hello.ts';
import { until } from '../../until.ts';
import { CLUSTER, freePorts, HOST, type Started, start as startOpen } from './test-networks.ts';

const OLD = 'the-secret-of-the-cluster-0123456789';
const NEW = 'the-secret-that-comes-next-0123456789';
const CHALLENGE = Buffer.alloc(32, 9).toString('base64url');
const secretsOf = (...lines: string[]): PeerSecrets => PeerSecrets.parse(lines.join('\n'), 'a file');

const listeners: Server[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(listeners.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

function start(at: readonly number[], replica: number, changed: Partial<RealNetworkOptions> = {}): Started {
  return startOpen(at, replica, { secrets: secretsOf(OLD), ...changed });
}

interface Heard {
  readonly kind: FrameKind;
  readonly payload: Buffer;
}

/** One end of a connection, as an impostor has it. */
class Impostor {
  readonly heard: Heard[] = [];
  readonly #socket: Socket;
  closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    sockets.push(socket);
    const reader = new FrameReader();
    socket.on('data', (chunk: Buffer) => reader.push(chunk, (kind, payload) => this.heard.push({ kind, payload })));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static dial(port: number): Impostor {
    return new Impostor(connect(port, HOST));
  }

  /** Takes every connection that comes to a port. */
  static async listen(port: number, onVisit: (impostor: Impostor) => void): Promise<void> {
    const server = createServer((socket) => onVisit(new Impostor(socket)));
    listeners.push(server);
    await new Promise<void>((resolve) => server.listen(port, HOST, resolve));
  }

  say(kind: FrameKind, payload: Uint8Array): void {
    this.#socket.write(encodeFrame(kind, payload));
  }

  hello(replica: number, to: number, token: string, replicaCount = 2): void {
    this.say(FRAME_KINDS.hello, encodeHello({ role: 'peer', replica, replicaCount, to, cluster: CLUSTER, token }));
  }

  async next(kind: FrameKind): Promise<Buffer> {
    await until(`a frame of kind ${kind}`, () => this.heard.some((frame) => frame.kind === kind));
    return this.heard.find((frame) => frame.kind === kind)?.payload as Buffer;
  }

  async challenge(): Promise<string> {
    return decodeHello(await this.next(FRAME_KINDS.hello)).token;
  }

  async refusal(): Promise<string> {
    return decodeGoodbye(await this.next(FRAME_KINDS.goodbye)).code;
  }

  get proofs(): number {
    return this.heard.filter(({ kind }) => kind === FRAME_KINDS.peerProof).length;
  }
}

describe('Replicas that share a secret', () => {
  it('are taken for each other, and frames cross', async () => {
    const at = await freePorts(3);
    const nodes = at.map((_, replica) => start(at, replica));
    for (const { network } of nodes) await network.listen();
    await until('all connected', () => nodes.every(({ network }) => network.traffic().every((peer) => peer.connected)));
    for (const [from, { network }] of nodes.entries())
      for (const to of [0, 1, 2].filter((other) => other !== from))
        for (let count = 0; count < 100; count++) network.send(to, Buffer.from(`>${to} ${count}`));
    await until('all arrived', () => nodes.every(({ received }) => received.length === 200));
    expect(nodes.flatMap(({ network }) => [...network.framesRefused])).toEqual([]);
  });

  it('stay when the time of those who prove nothing is over', async () => {
    const at = await freePorts(2);
    const clock = new SimulatedClock();
    const first = start(at, 0, { clock });
    const second = start(at, 1);
    await first.network.listen();
    await second.network.listen();
    await until('connected', () => first.network.isConnected(1) && second.network.isConnected(0));
    for (let round = 0; round < 8; round++) {
      clock.advance(500);
      second.network.send(0, Buffer.from(`round ${round}`));
      await until('it is still heard', () => first.received.includes(`1 round ${round}`));
    }
    expect([...first.network.framesRefused]).toEqual([]);
  });

  it.each([
    ['another secret', OLD, NEW, 'PEER_PROOF_WRONG'],
    ['none, where one is set', OLD, undefined, 'PEER_PROOF_MISSING'],
    ['one, where none is set', undefined, OLD, 'PEER_PROOF_UNWANTED'],
  ])('do not take one that has %s: it is told why and counted, and the others go on', async (_, ours, theirs, code) => {
    const at = await freePorts(3);
    const [first, second] = [0, 1].map((replica) =>
      start(at, replica, { secrets: ours === undefined ? undefined : secretsOf(ours) }),
    ) as [ReturnType<typeof start>, ReturnType<typeof start>];
    const wrong = start(at, 2, { secrets: theirs === undefined ? undefined : secretsOf(theirs) });
    for (const { network } of [first, second, wrong]) await network.listen();
    await until('it is told by both, more than once', () => wrong.failed.length >= 6);
    expect(new Set(wrong.failed)).toEqual(new Set([code]));
    for (const { network } of [first, second]) {
      expect([...network.framesRefused.keys()]).toEqual([code]);
      expect(network.isConnected(2)).toBe(false);
    }
    await until('the two are connected', () => first.network.isConnected(1) && second.network.isConnected(0));
    second.network.send(0, Buffer.from('meanwhile'));
    await until('arrived', () => first.received.includes('1 meanwhile'));
  });

  it('change it without a moment apart: the next one is known everywhere before it is used', async () => {
    const at = await freePorts(2);
    const steps = [[OLD], [OLD, NEW], [NEW, OLD], [NEW]];
    for (const [step, mine] of steps.entries())
      for (const theirs of steps.slice(Math.max(0, step - 1), step + 2)) {
        const pair = [mine, theirs].map((lines, replica) => start(at, replica, { secrets: secretsOf(...lines) }));
        for (const { network } of pair) await network.listen();
        await until(`${step} is connected`, () =>
          pair.every(({ network }, replica) => network.isConnected(1 - replica)),
        );
        await Promise.all(pair.map(({ network }) => network.close()));
      }
  });

  it('a new one is for new connections, and those that are there stay', async () => {
    const at = await freePorts(2);
    const [first, second] = at.map((_, replica) => start(at, replica)) as [
      ReturnType<typeof start>,
      ReturnType<typeof start>,
    ];
    await first.network.listen();
    await second.network.listen();
    await until('connected', () => first.network.isConnected(1) && second.network.isConnected(0));
    first.network.replaceSecrets(secretsOf(NEW));
    first.network.send(1, Buffer.from('still here'));
    await until('arrived', () => second.received.includes('0 still here'));
    await second.network.close();
    const late = start(at, 1);
    await late.network.listen();
    await until('the old one is refused', () => late.failed.includes('PEER_PROOF_WRONG'));
    late.network.replaceSecrets(secretsOf(NEW));
    await until('the new one is not', () => late.network.isConnected(0));
  });
});

describe('Who has no secret and speaks as a replica', () => {
  const said: readonly (readonly [string, (impostor: Impostor) => void, string])[] = [
    ['no challenge', (one) => one.hello(1, 0, ''), 'PEER_PROOF_MISSING'],
    ['a challenge that is none', (one) => one.hello(1, 0, 'lsk_0123456789ab'), 'WIRE_MALFORMED'],
    [
      'a message of the protocol at once',
      (one) => one.say(FRAME_KINDS.replica, Buffer.alloc(64)),
      'PEER_PROOF_MISSING',
    ],
    ['Hello once more', (one) => one.hello(1, 0, CHALLENGE), 'PEER_PROOF_MISSING'],
    ['a proof of zeros', (one) => one.say(FRAME_KINDS.peerProof, Buffer.alloc(32)), 'PEER_PROOF_WRONG'],
    ['half a proof', (one) => one.say(FRAME_KINDS.peerProof, Buffer.alloc(16)), 'WIRE_MALFORMED'],
    ['more than a Hello has', (one) => one.say(FRAME_KINDS.peerProof, Buffer.alloc(5_000)), 'WIRE_FRAME_OVERSIZED'],
  ];

  it.each(said)('says %s: refused, counted, and it has seen no proof to guess with', async (_, say, code) => {
    const at = await freePorts(2);
    const { network, received } = start(at, 0);
    await network.listen();
    const impostor = Impostor.dial(at[0] as number);
    if (!_.includes('challenge')) {
      impostor.hello(1, 0, CHALLENGE);
      await impostor.challenge();
    }
    say(impostor);
    expect(await impostor.refusal()).toBe(code);
    expect(impostor.proofs).toBe(0);
    expect([...network.framesRefused]).toEqual([[code, 1]]);
    expect([network.isConnected(1), received]).toEqual([false, []]);
  });

  it('says nothing more after its Hello: its time is over 3 s after it came', async () => {
    const at = await freePorts(2);
    const clock = new SimulatedClock();
    const { network } = start(at, 0, { clock });
    await network.listen();
    const impostor = Impostor.dial(at[0] as number);
    impostor.hello(1, 0, CHALLENGE);
    await impostor.challenge();
    clock.advance(2_900);
    impostor.say(FRAME_KINDS.ping, Buffer.alloc(0));
    await impostor.next(FRAME_KINDS.pong);
    expect(impostor.closed).toBe(false);
    clock.advance(400);
    await until('it is closed', () => impostor.closed);
    expect([...network.framesRefused]).toEqual([['PEER_PROOF_MISSING', 1]]);
  });

  it('does not take the place of the replica that is connected', async () => {
    const at = await freePorts(2);
    const first = start(at, 0);
    const second = start(at, 1);
    await first.network.listen();
    await second.network.listen();
    await until('connected', () => first.network.isConnected(1) && second.network.isConnected(0));
    const impostor = Impostor.dial(at[0] as number);
    impostor.hello(1, 0, CHALLENGE);
    await impostor.challenge();
    impostor.say(FRAME_KINDS.peerProof, Buffer.alloc(32));
    await impostor.refusal();
    second.network.send(0, Buffer.from('the real one'));
    await until('arrived', () => first.received.includes('1 the real one'));
    expect(second.failed).toEqual([]);
  });

  it('repeats what a replica said on another connection: the challenge is another one', async () => {
    const [real, between] = (await freePorts(2)) as [number, number];
    const first = start([real, 1], 0);
    await first.network.listen();
    // All that the replica of index 1 says passes through here, and is kept.
    const kept: Buffer[] = [];
    const relay = createServer((socket) => {
      const onward = connect(real, HOST);
      sockets.push(socket, onward);
      for (const end of [socket, onward]) end.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        kept.push(chunk);
        onward.write(chunk);
      });
      onward.on('data', (chunk: Buffer) => socket.write(chunk));
    });
    listeners.push(relay);
    await new Promise<void>((resolve) => relay.listen(between, HOST, resolve));
    const [own] = (await freePorts(1)) as [number];
    const second = start([between, own], 1);
    await second.network.listen();
    await until('connected through it', () => first.network.isConnected(1) && second.network.isConnected(0));
    const frames: Heard[] = [];
    new FrameReader().push(Buffer.concat(kept), (kind, payload) => frames.push({ kind, payload }));
    expect(frames.slice(0, 2).map(({ kind }) => kind)).toEqual([FRAME_KINDS.hello, FRAME_KINDS.peerProof]);
    const impostor = Impostor.dial(real);
    for (const { kind, payload } of frames.slice(0, 2)) impostor.say(kind, payload);
    expect(await impostor.refusal()).toBe('PEER_PROOF_WRONG');
    expect(impostor.proofs).toBe(0);
  });

  it("reflects a replica's own challenge and proof to it: a proof of one side is none of the other", async () => {
    const at = await freePorts(2);
    await Impostor.listen(at[0] as number, (impostor) => {
      void (async () => {
        impostor.hello(0, 1, await impostor.challenge());
        impostor.say(FRAME_KINDS.peerProof, await impostor.next(FRAME_KINDS.peerProof));
      })();
    });
    const { network, failed } = start(at, 1);
    await network.listen();
    await until('it is refused', () => failed.length > 1);
    expect(new Set(failed)).toEqual(new Set(['PEER_PROOF_WRONG']));
    expect(network.isConnected(0)).toBe(false);
  });

  it('has a replica that dials it prove what another connection asks: a proof names both replicas', async () => {
    const at = await freePorts(3);
    const outcomes: string[] = [];
    await Impostor.listen(at[0] as number, (impostor) => {
      void (async () => {
        // As replica 2 at the port of replica 1, with the challenge that replica 1 has just sent here.
        const theirs = await impostor.challenge();
        const visit = Impostor.dial(at[1] as number);
        visit.hello(2, 1, theirs, 3);
        impostor.hello(0, 1, await visit.challenge(), 3);
        visit.say(FRAME_KINDS.peerProof, await impostor.next(FRAME_KINDS.peerProof));
        outcomes.push(await visit.refusal());
      })();
    });
    const { network } = start(at, 1);
    await network.listen();
    await until('it is refused', () => outcomes.length > 0);
    expect(outcomes[0]).toBe('PEER_PROOF_WRONG');
    expect([network.isConnected(0), network.isConnected(2)]).toEqual([false, false]);
  });
});

describe('Without a secret', () => {
  it('what strangers call their reasons fills neither metrics nor logs', async () => {
    const at = await freePorts(2);
    let visits = 0;
    await Impostor.listen(at[0] as number, (impostor) => {
      visits++;
      const code = visits % 2 === 0 ? `WIRE_MADE_UP_${visits}` : `WIRE_{evil="${visits}"}`;
      impostor.say(FRAME_KINDS.goodbye, Buffer.concat([Buffer.of(code.length), Buffer.from(code)]));
    });
    const clock = new SimulatedClock();
    const { network, failed } = start(at, 1, { secrets: undefined, clock });
    await network.listen();
    while (visits < 160) {
      const before = failed.length;
      clock.advance(1_600);
      await until('one more visit', () => failed.length > before);
    }
    expect(failed.filter((reason) => reason === 'GOODBYE').length).toBeGreaterThan(70);
    expect(network.framesRefused.size).toBe(65);
    expect(network.framesRefused.get('OTHER')).toBeGreaterThan(10);
  });
});
