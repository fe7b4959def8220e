/**
 * A port that listens, with or without TLS. With TLS, the first byte tells whether the other side speaks it: who does not is
 * told so in plain text. A handshake has its time, and those under way count against the bound. Mirrors no spec module.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { encodeFrame, FRAME_KINDS } from '../wire/frame.ts';
import { encodeGoodbye } from '../wire/hello.ts';
import type { Clock } from './clock.ts';
import type { TlsServerMaterial } from './network.ts';
import { listenError } from './network-error.ts';
import { contextOptionsOf, serverOptionsOf, TLS_FIRST_BYTE, tlsReasonOf } from './tls.ts';

/** From the connection to the end of the handshake. */
const HANDSHAKE_MS_MAX = 3_000;
const BACKLOG_CONNECTIONS_MAX = 512;

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly connectionsMax: number;
  readonly tls: TlsServerMaterial | undefined;
  readonly clock: Clock;
  /** A connection on which frames may come; with TLS, after the handshake. */
  readonly onSocket: (socket: Socket) => void;
  /** A connection that ended before that, or a fault of the listener, by its code. */
  readonly onRefused: (code: string) => void;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #secure: TlsServer | undefined;
  /** In a handshake, or silent before it. */
  readonly #waiting = new Set<Socket>();

  /** @throws TlsError TLS_MATERIAL_INVALID */
  constructor(options: ListenerOptions) {
    this.#options = options;
    const { tls } = options;
    this.#secure = tls === undefined ? undefined : this.#secureServer(tls);
    this.#server = createServer({ noDelay: true }, (socket) => {
      if (this.#secure === undefined) options.onSocket(socket);
      else this.#look(socket, this.#secure);
    });
    this.#server.maxConnections = options.connectionsMax;
  }

  /** @returns the port @throws NetworkError */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      this.#server.listen({ host, port, backlog: BACKLOG_CONNECTIONS_MAX }, () => resolve());
    });
    this.#server.on('error', () => this.#options.onRefused('LISTENER_ERROR'));
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /** For every handshake from now on; connections that are there stay as they are. @throws TlsError TLS_MATERIAL_INVALID */
  replaceTls(tls: TlsServerMaterial): void {
    this.#secure?.setSecureContext(contextOptionsOf(tls));
  }

  /** Settles when the last connection is gone: the owner of those ends them. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of [...this.#waiting]) socket.destroy();
    await closed;
  }

  #secureServer(tls: TlsServerMaterial): TlsServer {
    const server = createTlsServer(serverOptionsOf(tls), (socket) => {
      this.#options.onSocket(socket);
    });
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      this.#options.onRefused(tlsReasonOf(error));
      socket.destroy();
    });
    return server;
  }

  /** The first byte tells who speaks; no byte in time, and it is closed. */
  #look(socket: Socket, secure: TlsServer): void {
    this.#waiting.add(socket);
    const giveUp = this.#options.clock.after(HANDSHAKE_MS_MAX, () => socket.destroy());
    const done = (): void => {
      giveUp();
      this.#waiting.delete(socket);
    };
    socket.once('close', done);
    socket.on('error', () => {}); // its close says the rest
    socket.once('data', (first: Buffer) => {
      socket.pause();
      if (first[0] !== TLS_FIRST_BYTE) {
        this.#options.onRefused('TLS_SPOKEN_HERE');
        const message = 'this port speaks TLS 1.3: connect with TLS and the authority of its certificate';
        socket.end(encodeFrame(FRAME_KINDS.goodbye, encodeGoodbye({ code: 'TLS_SPOKEN_HERE', message })));
        return;
      }
      done();
      socket.off('close', done);
      socket.unshift(first);
      secure.emit('connection', socket);
    });
  }
}
