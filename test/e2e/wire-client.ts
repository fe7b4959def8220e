/** A bare TCP client for tests: sends any bytes, and tells what came back until the other side closed. */
import { connect } from 'node:net';
import { FRAME_KINDS, type FrameKind, FrameReader } from '../../impl/wire/frame.ts';
import { decodeGoodbye, type Goodbye } from '../../impl/wire/hello.ts';

export interface Conversation {
  /** Kinds of the frames that came, in order. */
  readonly kinds: readonly FrameKind[];
  /** The last frame, when the other side said why it closes. */
  readonly goodbye: Goodbye | undefined;
  /** Whether the other side closed within the time. */
  readonly closed: boolean;
}

/**
 * @param parts written one after another, each when the one before is on its way
 * @param framesWanted it ends when so many frames have come, else when the other side closes or the time is over
 */
export function converse(
  address: string,
  parts: readonly Uint8Array[],
  withinMs = 3_000,
  framesWanted = Number.POSITIVE_INFINITY,
): Promise<Conversation> {
  const [host, port] = address.split(':') as [string, string];
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), noDelay: true });
    const reader = new FrameReader();
    const kinds: FrameKind[] = [];
    let goodbye: Goodbye | undefined;
    const end = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ kinds, goodbye, closed });
    };
    const timer = setTimeout(() => end(false), withinMs);
    socket.on('data', (chunk) =>
      reader.push(chunk, (kind, payload) => {
        kinds.push(kind);
        if (kind === FRAME_KINDS.goodbye) goodbye = decodeGoodbye(payload);
        if (kinds.length === framesWanted) end(false);
      }),
    );
    socket.on('error', () => end(true));
    socket.on('close', () => end(true));
    const write = (at: number): void => {
      const part = parts[at];
      if (part !== undefined) socket.write(part, () => setTimeout(() => write(at + 1), 2));
    };
    socket.on('connect', () => write(0));
  });
}

/** Writes everything and reads nothing; settles when the other side has closed, or after withinMs with false. */
export function neverRead(address: string, parts: readonly Uint8Array[], withinMs: number): Promise<boolean> {
  const [host, port] = address.split(':') as [string, string];
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), noDelay: true });
    const end = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(closed);
    };
    const timer = setTimeout(() => end(false), withinMs);
    socket.pause();
    socket.on('error', () => end(true)); // the end of a connection that is not read shows when it is written to
    socket.on('close', () => end(true));
    const writing = setInterval(() => socket.write(Buffer.alloc(0)), 50);
    socket.once('close', () => clearInterval(writing));
    for (const part of parts) socket.write(part);
  });
}
