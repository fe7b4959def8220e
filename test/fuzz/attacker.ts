/**
 * Brings malformed bytes to one port over many connections at once, and counts how each of them ended: closed with which code,
 * answered with which status, or left waiting for more. Runs in a process of its own, so that it disturbs nobody's clock.
 */
import { connect, type Socket } from 'node:net';
import { FRAME_KINDS, FrameReader } from '../../impl/wire/frame.ts';
import { decodeGoodbye } from '../../impl/wire/hello.ts';
import { type Malformed, malformedFor, type Port, type Target } from './malformed-frames.ts';

export interface Attack {
  readonly port: Port;
  readonly host: string;
  readonly tcpPort: number;
  /** As text: it travels as JSON. */
  readonly cluster: string;
  readonly target: Omit<Target, 'cluster'>;
  readonly frames: number;
  readonly seed: number;
  readonly connections: number;
}

export interface AttackTally {
  readonly frames: number;
  readonly connections: number;
  readonly byKind: Readonly<Record<string, number>>;
  /** How connections ended, and how HTTP requests were answered. */
  readonly byEnding: Readonly<Record<string, number>>;
}

/** A connection that is not ended by the other side is ended by us, and counted as such. */
const PATIENCE_MS = 5_000;

export async function attack({
  port,
  host,
  tcpPort,
  cluster,
  target,
  frames,
  seed,
  connections,
}: Attack): Promise<AttackTally> {
  const source = malformedFor(port, { ...target, cluster: BigInt(cluster) }, seed);
  const byKind: Record<string, number> = {};
  const byEnding: Record<string, number> = {};
  let sent = 0;
  let opened = 0;
  const count = (counts: Record<string, number>, key: string, by = 1): void => {
    counts[key] = (counts[key] ?? 0) + by;
  };
  const loop = async (): Promise<void> => {
    while (sent < frames) {
      const malformed = source.next().value;
      sent += malformed.count;
      opened++;
      count(byKind, malformed.kind, malformed.count);
      for (const ending of await (port === 'http' ? bringHttp : bringFrames)(host, tcpPort, malformed))
        count(byEnding, ending);
    }
  };
  await Promise.all(Array.from({ length: connections }, loop));
  return { frames: sent, connections: opened, byKind, byEnding };
}

function bringFrames(host: string, tcpPort: number, malformed: Malformed): Promise<string[]> {
  const reader = new FrameReader();
  let goodbye: string | undefined;
  return bring(host, tcpPort, malformed, (chunk) => {
    try {
      reader.push(chunk, (kind, payload) => {
        if (kind === FRAME_KINDS.goodbye) goodbye = decodeGoodbye(payload).code;
      });
    } catch {
      goodbye = 'SPOKE_NO_FRAMES';
    }
  }).then((how) => [goodbye ?? how]);
}

function bringHttp(host: string, tcpPort: number, malformed: Malformed): Promise<string[]> {
  let text = '';
  return bring(host, tcpPort, malformed, (chunk) => {
    text += chunk.toString('latin1');
  }).then((how) => {
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => `HTTP ${status}`);
    return statuses.length > 0 ? statuses : [how];
  });
}

function bring(
  host: string,
  tcpPort: number,
  { bytes, weEnd }: Malformed,
  onData: (chunk: Buffer) => void,
): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ host, port: tcpPort, noDelay: true });
    let how = 'closed without a word';
    const patience = setTimeout(() => {
      how = 'waited for more';
      socket.resetAndDestroy();
    }, PATIENCE_MS);
    socket.on('data', onData);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (how === 'closed without a word') how = error.code === 'ECONNREFUSED' ? 'refused' : 'closed without a word';
    });
    socket.on('close', () => {
      clearTimeout(patience);
      resolve(how);
    });
    if (weEnd) socket.end(bytes);
    else socket.write(bytes);
  });
}

/** Opens connections that say the first bytes and then one at a time, or nothing more; settles when the other side has closed all, or the time is over. */
export async function linger(
  host: string,
  tcpPort: number,
  count: number,
  first: Uint8Array,
  drip: Uint8Array,
  withinMs: number,
): Promise<{ readonly opened: number; readonly closedByServer: number; readonly longestMs: number }> {
  let opened = 0;
  let closedByServer = 0;
  let longestMs = 0;
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({ host, port: tcpPort, noDelay: true });
      const startedMs = performance.now();
      let at = 0;
      const dripping = setInterval(() => {
        const byte = drip[at++];
        if (byte !== undefined && socket.writable) socket.write(Uint8Array.of(byte));
      }, 100);
      let ours = false;
      const patience = setTimeout(() => {
        ours = true;
        socket.destroy();
      }, withinMs);
      socket.on('connect', () => {
        opened++;
        socket.write(first);
      });
      socket.on('error', () => {});
      socket.on('data', () => {});
      socket.on('close', () => {
        clearInterval(dripping);
        clearTimeout(patience);
        if (!ours) closedByServer++;
        longestMs = Math.max(longestMs, performance.now() - startedMs);
        resolve();
      });
    });
  await Promise.all(Array.from({ length: count }, one));
  return { opened, closedByServer, longestMs: Math.round(longestMs) };
}
