/**
 * The Network port on TCP: one listener for peers and clients, told apart by their Hello; one connection for each pair of
 * replicas, dialled by the one of higher index, again and again with capped backoff. Frames gather until flush().
 * A frame that cannot leave is dropped and counted: the protocol lives with loss. Mirrors `messages` of Vsr.tla.
 * With TLS, a replica is believed to be the one that its certificate names, with a cluster secret only one that proves it.
 */
import { type Socket, connect as tcpConnect } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { ProofSide } from '../crypto/peer-proof.ts';
import { FRAME_BYTES_MAX, FRAME_KINDS, type FrameKind } from '../wire/frame.ts';
import { ANY_REPLICA, HELLO_BYTES_MAX, type Hello } from '../wire/hello.ts';
import { assert } from './assert.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import {
  certificateRefusal,
  checkCluster,
  goodbyeCode,
  helloOf,
  helloTo,
  type Refusal,
  type Self,
  wrongReplica,
} from './introduction.ts';
import { Listener } from './listener.ts';
import type { Network, TlsServerMaterial } from './network.ts';
import { type HandshakeStep, PeerHandshake } from './peer-handshake.ts';
import { type PeerLink, type PeerTraffic, peerLink, redialWaitMs, trafficOf } from './peer-link.ts';
import type { PeerSecrets } from './peer-secrets.ts';
import type { NetworkAddress, RealNetworkOptions } from './real-network-options.ts';
import { RefusalCounts } from './refusal-counts.ts';
import { dialTls, provedBy, secureContextOf, tlsReasonOf } from './tls.ts';
import { replicaName } from './tls-identity.ts';

/** A connection attempt, and the wait for a Hello and, between replicas that share a secret, for the proof after it. */
const CONNECT_MS_MAX = 2_000;
const HELLO_MS_MAX = 3_000;
/** How often silence and missing Hellos are looked for. */
const WATCH_MS = 250;
/** A peer heartbeats many times a second; this long in silence and its connection is dead. */
const PEER_PING_MS = 1_000;
const PEER_SILENT_MS_MAX = 3_000;
const CLIENT_PING_MS = 15_000;
const CLIENT_SILENT_MS_MAX = 45_000;
/** Bytes that wait for one peer: some 100 prepares of the largest size would not fit, and need not: they are sent again. */
const PEER_QUEUE_BYTES_MAX = 32 * 1024 * 1024;
/** A client that does not read its answers is closed at this many bytes. */
const CLIENT_QUEUE_BYTES_MAX = 16 * 1024 * 1024;
/** Connections of peers beside clients': one each way for each, twice over while one replaces another. */
const PEER_CONNECTIONS_SPARE = 64;
/** Connections without a Hello: no more than these at all, and of more than those the oldest go, a moment after they came. */
const STRANGERS_MAX = 1_024;
const STRANGERS_KEPT_MAX = 256;
/** Frames of a client that wait for its admission, each as small as a Hello. */
const HELD_FRAMES_MAX = 16;

type HeldFrame = readonly [FrameKind, Buffer];

export class RealNetwork implements Network {
  readonly #options: RealNetworkOptions;
  readonly #self: Self;
  readonly #listener: Listener;
  #dialContext: SecureContext | undefined;
  #secrets: PeerSecrets | undefined;
  readonly #peers: PeerLink[];
  /** Connections that have not said Hello, with the time at which they are given up. */
  readonly #unknown = new Map<Connection, number>();
  /** Those among them that we dialled. */
  readonly #dialled = new Map<Connection, PeerLink>();
  readonly #clients = new Set<Connection>();
  /** Clients of whom it is not known yet who they are, with the frames that they sent meanwhile. */
  readonly #admitting = new Map<Connection, HeldFrame[]>();
  readonly #peerOf = new Map<Connection, PeerLink>();
  /** Of replicas that have not proved who they are. */
  readonly #handshakes = new Map<Connection, PeerHandshake>();
  #pending: Connection[] = [];
  readonly #refusals = new RefusalCounts();
  #stopWatch: (() => void) | undefined;
  #closed = false;
  #accepting = true;

  constructor(options: RealNetworkOptions) {
    assert(options.replica < options.addresses.length, 'a replica is one of the addresses');
    this.#options = options;
    const { cluster, replica, addresses } = options;
    this.#self = { cluster, replica, replicaCount: addresses.length };
    const { host, port } = addresses[replica] as NetworkAddress;
    this.#secrets = options.secrets;
    this.#dialContext = options.tls === undefined ? undefined : secureContextOf(options.tls);
    this.#listener = new Listener({
      host,
      port,
      connectionsMax: options.clientConnectionsMax + PEER_CONNECTIONS_SPARE + STRANGERS_MAX,
      tls: options.tls,
      clock: options.clock,
      onSocket: (socket) => this.#accept(socket),
      onRefused: (code) => this.#refusals.add(code),
    });
    this.#peers = addresses.map((_, index) => peerLink(index));
  }

  /** Listens, then dials the peers. @returns the port that is listened on @throws NetworkError */
  async listen(): Promise<number> {
    const port = await this.#listener.listen();
    this.#stopWatch = this.#options.clock.startTicks(WATCH_MS, () => this.#watch());
    for (const peer of this.#peers) if (peer.index < this.#options.replica) this.#dial(peer);
    return port;
  }

  /** For every connection from now on; those that are there stay. @throws TlsError, and nothing has changed then */
  replaceTls(tls: TlsServerMaterial): void {
    assert(this.#dialContext !== undefined, 'a network without TLS has none to replace');
    this.#dialContext = secureContextOf(tls);
    this.#listener.replaceTls(tls);
  }

  /** For every connection from now on; those that are there stay. */
  replaceSecrets(secrets: PeerSecrets): void {
    assert(this.#secrets !== undefined, 'a network without a secret has none to replace');
    this.#secrets = secrets;
  }

  /** A message of the protocol. Gathers it for flush(); drops it when the peer is away or its queue is full. */
  send(to: number, frame: Uint8Array): void {
    this.sendToPeer(to, FRAME_KINDS.replica, frame);
  }

  /** False when the frame is dropped. */
  sendToPeer(to: number, kind: FrameKind, payload: Uint8Array): boolean {
    assert(to !== this.#options.replica, 'a replica does not send to itself');
    const peer = this.#peers[to];
    assert(peer !== undefined, 'a peer is one of the addresses');
    if (peer.connection?.send(kind, payload) === true) return true;
    peer.dropped++;
    return false;
  }

  isConnected(peer: number): boolean {
    return this.#peers[peer]?.connection !== undefined;
  }

  /** One write for each connection that has something gathered. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const pending = this.#pending;
    this.#pending = [];
    for (const connection of pending) connection.flush();
  }

  get framesRefused(): ReadonlyMap<string, number> {
    return this.#refusals.all;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  traffic(): readonly PeerTraffic[] {
    const nowMs = this.#options.clock.monotonicMs();
    const others = this.#peers.filter((peer) => peer.index !== this.#options.replica);
    return others.map((peer) => trafficOf(peer, nowMs));
  }

  /** No new client comes in; those that are there, and the peers, stay. */
  stopAccepting(): void {
    this.#accepting = false;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWatch?.();
    for (const peer of this.#peers) {
      peer.cancelRedial?.();
      peer.dialling?.destroy();
    }
    const stopped = this.#listener.close();
    for (const connection of [...this.#clients, ...this.#admitting.keys(), ...this.#peerOf.keys()])
      connection.end('CLOSED');
    for (const connection of [...this.#unknown.keys()]) connection.destroy();
    await stopped;
  }

  #accept(socket: Socket): void {
    const connection = this.#connectionOf(socket, CLIENT_QUEUE_BYTES_MAX, (_, kind, payload) => {
      const handshake = this.#handshakes.get(connection);
      if (handshake === undefined) this.#introduced(connection, kind, payload);
      else this.#proved(connection, handshake, kind, payload);
    });
    connection.proved = provedBy(socket);
    this.#unknown.set(connection, this.#options.clock.monotonicMs() + HELLO_MS_MAX);
  }

  #dial(peer: PeerLink): void {
    const address = this.#options.addresses[peer.index] as NetworkAddress;
    const context = this.#dialContext;
    const uriName = replicaName(this.#options.cluster, peer.index);
    const socket =
      context === undefined ? tcpConnect({ ...address, noDelay: true }) : dialTls(address, { context, uriName });
    peer.dialling = socket;
    const giveUp = this.#options.clock.after(CONNECT_MS_MAX, () => socket.destroy());
    socket.once('error', (error) => this.#options.onDialFailed?.(peer.index, tlsReasonOf(error)));
    socket.once('close', () => {
      giveUp();
      if (peer.dialling !== socket) return;
      peer.dialling = undefined;
      this.#redial(peer);
    });
    socket.once(context === undefined ? 'connect' : 'secureConnect', () => {
      giveUp();
      socket.removeAllListeners('close');
      peer.dialling = undefined;
      const connection = this.#connectionOf(socket, PEER_QUEUE_BYTES_MAX, (_, kind, payload) => {
        this.#welcomed(connection, peer, kind, payload);
      });
      this.#unknown.set(connection, this.#options.clock.monotonicMs() + HELLO_MS_MAX);
      this.#dialled.set(connection, peer);
      const handshake = this.#handshakeOf(connection, 'dialler', peer.index);
      connection.send(FRAME_KINDS.hello, helloTo(peer.index, this.#self, handshake.challenge));
    });
  }

  #redial(peer: PeerLink): void {
    if (this.#closed || peer.connection !== undefined || peer.dialling !== undefined) return;
    if (peer.index > this.#options.replica || peer.cancelRedial !== undefined) return;
    const waitMs = redialWaitMs(peer.attempts++, this.#options.random);
    peer.cancelRedial = this.#options.clock.after(waitMs, () => {
      peer.cancelRedial = undefined;
      if (!this.#closed && peer.connection === undefined) this.#dial(peer);
    });
  }

  #connectionOf(socket: Socket, sendQueueBytesMax: number, onFrame: ConnectionOptions['onFrame']): Connection {
    return new Connection(socket, {
      sendQueueBytesMax,
      frameBytesFirst: HELLO_BYTES_MAX,
      nowMs: () => this.#options.clock.monotonicMs(),
      onFrame: (connection, kind, payload) => {
        const peer = this.#peerOf.get(connection);
        if (peer !== undefined) this.#options.onPeerFrame(peer.index, kind, payload);
        else if (this.#clients.has(connection)) this.#options.onClientFrame(connection, kind, payload);
        else {
          const held = this.#admitting.get(connection);
          if (held === undefined) onFrame(connection, kind, payload);
          else this.#hold(connection, kind, payload, held);
        }
      },
      onClosed: (connection, reason) => this.#lost(connection, reason),
      onPending: (connection) => {
        if (this.#pending.push(connection) === 1) this.#options.onPending();
      },
    });
  }

  #handshakeOf(connection: Connection, side: ProofSide, other: number): PeerHandshake {
    const handshake = new PeerHandshake(side, this.#self, other, this.#secrets, this.#options.random);
    this.#handshakes.set(connection, handshake);
    return handshake;
  }

  /** The first frame of a connection that we accepted. */
  #introduced(connection: Connection, kind: FrameKind, payload: Buffer): void {
    const hello = helloOf(kind, payload);
    checkCluster(hello, this.#self);
    const { tls, clientCertificateRequired = false } = this.#options;
    const refusal =
      tls === undefined
        ? undefined
        : certificateRefusal(connection.proved, hello, this.#self, clientCertificateRequired);
    if (refusal !== undefined) {
      this.#refuse(connection, refusal.code, refusal.message);
      return;
    }
    if (hello.role === 'client') {
      this.#unknown.delete(connection);
      this.#introduceClient(connection, hello);
      return;
    }
    const { replica, replicaCount } = this.#self;
    if (hello.replica >= replicaCount || hello.replica === replica || hello.to !== replica)
      throw wrongReplica(hello, this.#self);
    const handshake = this.#handshakeOf(connection, 'acceptor', hello.replica);
    const step = handshake.takeHello(hello);
    connection.send(FRAME_KINDS.hello, helloTo(hello.replica, this.#self, handshake.challenge));
    this.#advance(connection, handshake, step);
  }

  #introduceClient(connection: Connection, hello: Hello): void {
    if (!this.#accepting) {
      this.#refuse(connection, 'DRAINING', 'this replica is stopping: use another one');
    } else if (this.#clients.size + this.#admitting.size >= this.#options.clientConnectionsMax) {
      this.#refuse(connection, 'TOO_MANY_CONNECTIONS', 'too many clients: use another replica, or try later');
    } else {
      const refusal = this.#options.admitClient?.(connection, hello);
      if (refusal instanceof Promise) {
        this.#admitting.set(connection, []);
        void refusal.then((answer) => this.#admit(connection, answer));
      } else this.#admit(connection, refusal);
    }
  }

  /** The client is let in, or told why not; then what it sent meanwhile is taken. */
  #admit(connection: Connection, refusal: Refusal | undefined): void {
    const held = this.#admitting.get(connection) ?? [];
    this.#admitting.delete(connection);
    if (!connection.open) return;
    if (refusal !== undefined) {
      this.#refuse(connection, refusal.code, refusal.message);
      return;
    }
    connection.raiseFrameBound(this.#options.clientFrameBytesMax);
    this.#clients.add(connection);
    connection.send(FRAME_KINDS.hello, helloTo(ANY_REPLICA, this.#self));
    for (const [kind, payload] of held) connection.takeAgain(kind, payload);
  }

  #hold(connection: Connection, kind: FrameKind, payload: Buffer, held: HeldFrame[]): void {
    if (held.length < HELD_FRAMES_MAX) held.push([kind, payload]);
    else this.#refuse(connection, 'BUSY', 'wait for the Hello of the server before you send requests');
  }

  /** The answers to our Hello. */
  #welcomed(connection: Connection, peer: PeerLink, kind: FrameKind, payload: Buffer): void {
    const handshake = this.#handshakes.get(connection) as PeerHandshake;
    if (handshake.isProving || kind === FRAME_KINDS.goodbye) this.#proved(connection, handshake, kind, payload);
    else {
      const hello = helloOf(kind, payload);
      checkCluster(hello, this.#self);
      if (hello.role !== 'peer' || hello.replica !== peer.index) throw wrongReplica(hello, this.#self);
      this.#advance(connection, handshake, handshake.takeHello(hello));
    }
  }

  #proved(connection: Connection, handshake: PeerHandshake, kind: FrameKind, payload: Buffer): void {
    if (kind === FRAME_KINDS.goodbye) connection.close(goodbyeCode(payload));
    else this.#advance(connection, handshake, handshake.takeProof(kind, payload));
  }

  /** Sends what is owed, and takes the other side for the replica that it says to be once it may be believed. */
  #advance(connection: Connection, handshake: PeerHandshake, { proof, isDone }: HandshakeStep): void {
    if (proof !== undefined) connection.send(FRAME_KINDS.peerProof, proof);
    if (!isDone) return;
    this.#handshakes.delete(connection);
    this.#unknown.delete(connection);
    connection.raiseFrameBound(FRAME_BYTES_MAX);
    const peer = this.#peers[handshake.other] as PeerLink;
    if (this.#dialled.delete(connection)) peer.attempts = 0;
    this.#bind(peer, connection);
  }

  /** The newest connection of a peer is the one: an older one may be half-open. */
  #bind(peer: PeerLink, connection: Connection): void {
    const older = peer.connection;
    peer.connection = undefined;
    if (older !== undefined) older.close('REPLACED');
    peer.connection = connection;
    this.#peerOf.set(connection, peer);
    this.#options.onPeerChange(peer.index, true, 'CONNECTED');
  }

  #lost(connection: Connection, reason: string): void {
    this.#refusals.ended(reason);
    this.#unknown.delete(connection);
    this.#admitting.delete(connection);
    this.#handshakes.delete(connection);
    if (this.#clients.delete(connection)) this.#options.onClientClosed(connection);
    const dialled = this.#dialled.get(connection);
    this.#dialled.delete(connection);
    if (dialled !== undefined) {
      if (!this.#closed) this.#options.onDialFailed?.(dialled.index, reason);
      this.#redial(dialled);
    }
    const peer = this.#peerOf.get(connection);
    this.#peerOf.delete(connection);
    if (peer === undefined) return;
    peer.sentBefore += connection.framesSent;
    peer.receivedBefore += connection.framesReceived;
    if (peer.connection !== connection) return;
    peer.connection = undefined;
    this.#options.onPeerChange(peer.index, false, reason);
    this.#redial(peer);
  }

  #watch(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [connection, giveUpMs] of this.#unknown) {
      const isTooMany = this.#unknown.size > STRANGERS_KEPT_MAX && !this.#dialled.has(connection);
      if (nowMs < giveUpMs - (isTooMany ? HELLO_MS_MAX - WATCH_MS : 0)) continue;
      connection.close(this.#handshakes.get(connection)?.isProving ? 'PEER_PROOF_MISSING' : 'HELLO_MISSING');
    }
    for (const connection of this.#peerOf.keys()) connection.tick(PEER_PING_MS, PEER_SILENT_MS_MAX);
    for (const connection of this.#clients) connection.tick(CLIENT_PING_MS, CLIENT_SILENT_MS_MAX);
  }

  #refuse(connection: Connection, code: string, message: string): void {
    this.#refusals.refused(code);
    connection.refuse(code, message);
  }
}
