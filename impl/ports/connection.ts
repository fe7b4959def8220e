/**
 * One TCP connection as frames: gathered frames leave in one write per flush, incoming bytes become frames, silence is
 * noticed, and whatever the other side does ends in onClosed with a reason, never in an exception. Mirrors no spec module.
 */
import { type Socket, connect as tcpConnect } from 'node:net';
import {
  encodeFrame,
  FRAME_KINDS,
  FRAME_OVERHEAD_BYTES,
  type FrameKind,
  FrameReader,
  sealFrame,
} from '../wire/frame.ts';
import { encodeGoodbye } from '../wire/hello.ts';
import { WireError } from '../wire/wire-error.ts';
import { type DialTls, dialTls, type Proved, TLS_FIRST_BYTE, tlsReasonOf } from './tls.ts';

/** The output buffer that a connection keeps; a flush of more uses a larger one once. */
const OUTPUT_BYTES = 16 * 1024;
/** A larger buffer than this is not kept for the next flush. */
const OUTPUT_KEPT_BYTES_MAX = 1024 * 1024;
/** After our end of a connection is closed: how long the other side may take to close its own. */
const LINGER_MS_MAX = 2_000;
/** From the first byte of a frame to its last: a slower other side is closed, however often it sends a byte. */
const FRAME_MS_MAX = 30_000;
const NO_PAYLOAD = new Uint8Array(0);

export interface ConnectionOptions {
  /** Bytes that may wait to be sent, here and in the system's queue; at it send() drops. */
  readonly sendQueueBytesMax: number;
  /** Bound of an incoming frame until the other side has introduced itself. */
  readonly frameBytesFirst: number;
  readonly nowMs: () => number;
  readonly onFrame: (connection: Connection, kind: FrameKind, payload: Buffer) => void;
  /** Once, with a code: of WireError, of the system (`ECONNRESET`), or one of ours (`IDLE`, `CLOSED`, `REPLACED`). */
  readonly onClosed: (connection: Connection, reason: string) => void;
  /** The first frame since the last flush waits: the owner is to call flush(). */
  readonly onPending: (connection: Connection) => void;
}

export class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #reader: FrameReader;
  #output: Buffer = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  #outputBytes = 0;
  #closedFor: string | undefined;
  #heardMs: number;
  /** When the frame began that has not arrived whole. */
  #frameSinceMs: number | undefined;
  #pinged = false;
  /** What the other side of an accepted connection has proved by TLS. */
  proved: Proved = { by: 'nothing' };
  framesSent = 0;
  framesReceived = 0;
  framesDropped = 0;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#reader = new FrameReader(options.frameBytesFirst);
    this.#heardMs = options.nowMs();
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => this.close(tlsReasonOf(error)));
    socket.on('close', () => this.close('CLOSED'));
  }

  /** A connection that is being made: what is sent waits for it, and onClosed says when it cannot be made. */
  static dial(
    address: { readonly host: string; readonly port: number },
    options: ConnectionOptions,
    tls?: DialTls,
  ): Connection {
    const { host, port } = address;
    const socket = tls === undefined ? tcpConnect({ host, port, noDelay: true }) : dialTls({ host, port }, tls);
    return new Connection(socket, options);
  }

  get open(): boolean {
    return this.#closedFor === undefined;
  }

  /** The address of the other side, without its port. */
  get host(): string {
    return this.#socket.remoteAddress ?? '?';
  }

  get address(): string {
    return `${this.#socket.remoteAddress ?? '?'}:${this.#socket.remotePort ?? 0}`;
  }

  /** Bytes that wait, here and in the system's queue. */
  get queuedBytes(): number {
    return this.#outputBytes + this.#socket.writableLength;
  }

  get heardMs(): number {
    return this.#heardMs;
  }

  /** The other side has introduced itself: larger frames may come. */
  raiseFrameBound(boundBytes: number): void {
    this.#reader.boundBytes = boundBytes;
  }

  /** Gathers the frame for the next flush; false when it is dropped since the queue is full or the connection closed. */
  send(kind: FrameKind, payload: Uint8Array): boolean {
    const frameBytes = FRAME_OVERHEAD_BYTES + payload.byteLength;
    if (!this.open || this.queuedBytes + frameBytes > this.#options.sendQueueBytesMax) {
      this.framesDropped++;
      return false;
    }
    const start = this.#outputBytes;
    this.#makeRoom(start + frameBytes);
    this.#output.set(payload, start + FRAME_OVERHEAD_BYTES);
    sealFrame(this.#output.subarray(start, start + frameBytes), kind);
    this.#outputBytes = start + frameBytes;
    this.framesSent++;
    if (start === 0) this.#options.onPending(this);
    return true;
  }

  /** One write of the socket for everything gathered. */
  flush(): void {
    if (this.#outputBytes === 0 || !this.open) return;
    const bytes = this.#output.subarray(0, this.#outputBytes);
    this.#outputBytes = 0;
    this.#socket.write(bytes);
    // Nothing waits in the stream: the system took all of it at once and the buffer may be filled again.
    const taken = this.#socket.writableLength === 0;
    if (!taken || this.#output.byteLength > OUTPUT_KEPT_BYTES_MAX) this.#output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  }

  /** Pings a silent other side, closes for one that stays silent (a half-open connection looks just like that). */
  tick(pingAfterMs: number, closeAfterMs: number): void {
    const silentMs = this.#options.nowMs() - this.#heardMs;
    if (silentMs >= closeAfterMs) this.close('IDLE');
    if (this.#frameSinceMs !== undefined && this.#options.nowMs() - this.#frameSinceMs >= FRAME_MS_MAX) {
      this.refuse('WIRE_FRAME_TOO_SLOW', `a frame did not arrive whole within ${FRAME_MS_MAX} ms`);
    }
    if (!this.open || silentMs < pingAfterMs || this.#pinged) return;
    this.#pinged = true;
    this.send(FRAME_KINDS.ping, NO_PAYLOAD);
  }

  /** Says why, then closes. */
  refuse(code: string, message: string): void {
    if (!this.open) return;
    this.flush();
    this.#socket.end(encodeFrame(FRAME_KINDS.goodbye, encodeGoodbye({ code, message })));
    this.#linger();
    this.#finish(code);
  }

  /** Sends what is gathered and ends the connection in order. */
  end(reason: string): void {
    if (!this.open) return;
    this.flush();
    this.#socket.end();
    this.#linger();
    this.#finish(reason);
  }

  close(reason: string): void {
    if (!this.open) return;
    this.#socket.destroy();
    this.#finish(reason);
  }

  /** For a listener that closes: nothing of a connection that was ended may keep the process alive. */
  destroy(): void {
    this.close('CLOSED');
    this.#socket.destroy();
  }

  #finish(reason: string): void {
    this.#closedFor = reason;
    this.#outputBytes = 0;
    this.#options.onClosed(this, reason);
  }

  #linger(): void {
    this.#socket.setTimeout(LINGER_MS_MAX, () => this.#socket.destroy());
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#output.byteLength) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, this.#output.byteLength * 2));
    this.#output.copy(larger, 0, 0, this.#outputBytes);
    this.#output = larger;
  }

  /** A frame that was held for its owner comes now. */
  takeAgain(kind: FrameKind, payload: Buffer): void {
    if (this.open) this.#guarded(() => this.#options.onFrame(this, kind, payload), payload);
  }

  #receive(chunk: Buffer): void {
    if (!this.open) return;
    this.#heardMs = this.#options.nowMs();
    this.#pinged = false;
    const framesBefore = this.framesReceived;
    this.#guarded(() => this.#reader.push(chunk, (kind, payload) => this.#take(kind, payload)), chunk);
    if (this.#reader.heldBytes === 0) this.#frameSinceMs = undefined;
    else if (this.#frameSinceMs === undefined || this.framesReceived > framesBefore) this.#frameSinceMs = this.#heardMs;
  }

  /** What the other side did wrong ends the connection with its code. */
  #guarded(act: () => void, chunk: Buffer): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const isTls = this.framesReceived === 0 && chunk[0] === TLS_FIRST_BYTE && chunk[1] === 3;
      if (isTls) this.refuse('TLS_NOT_SPOKEN_HERE', 'this port speaks plain text: connect without TLS');
      else this.refuse(error.code, error.message);
    }
  }

  #take(kind: FrameKind, payload: Buffer): void {
    if (!this.open) return;
    this.framesReceived++;
    if (kind === FRAME_KINDS.ping) this.send(FRAME_KINDS.pong, NO_PAYLOAD);
    else if (kind !== FRAME_KINDS.pong) this.#options.onFrame(this, kind, payload);
  }
}
