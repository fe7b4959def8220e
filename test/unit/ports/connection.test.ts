/**
 * Goal: a connection that sends a frame a byte at a time does not stay for ever. Method: two real sockets, and a time that the
 * test moves.
 */
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Connection } from '../../../impl/ports/connection.ts';
import { encodeFrame, FRAME_BYTES_MAX, FRAME_KINDS } from '../../../impl/wire/frame.ts';

const open: { destroy(): unknown }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.destroy();
});

it('Connection: a frame has its time from its first byte on, however often a byte comes', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens');
  const socket = connect(address.port, '127.0.0.1');
  let nowMs = 0;
  let frames = 0;
  let closedFor: string | undefined;
  const served = await accepted;
  const connection = new Connection(served, {
    sendQueueBytesMax: 1_000,
    frameBytesFirst: FRAME_BYTES_MAX,
    nowMs: () => nowMs,
    onFrame: () => frames++,
    onClosed: (_, reason) => {
      closedFor = reason;
    },
    onPending: () => {},
  });
  open.push(socket, connection, { destroy: () => server.close() });
  const frame = encodeFrame(FRAME_KINDS.clientRequest, new Uint8Array(200));
  const arrives = async (bytes: Uint8Array): Promise<void> => {
    const got = new Promise((resolve) => served.once('data', resolve));
    socket.write(bytes);
    await got;
    connection.tick(1_000_000, 1_000_000);
  };
  // A frame in two halves, another in two halves: each has its own time.
  for (let round = 0; round < 3; round++) {
    await arrives(frame.subarray(0, 100));
    nowMs += 20_000;
    await arrives(frame.subarray(100));
    nowMs += 20_000;
  }
  expect({ frames, closedFor }).toEqual({ frames: 3, closedFor: undefined });
  for (let at = 0; at < 40 && closedFor === undefined; at++) {
    await arrives(frame.subarray(at, at + 1));
    nowMs += 1_000;
  }
  expect({ frames, closedFor, nowMs }).toEqual({ frames: 3, closedFor: 'WIRE_FRAME_TOO_SLOW', nowMs: 151_000 });
});
