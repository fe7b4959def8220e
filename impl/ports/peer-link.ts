/** What a replica keeps of one peer: its connection, the attempts to make one, and the frames over all of them. Mirrors no spec module. */
import type { Socket } from 'node:net';
import type { Connection } from './connection.ts';
import type { Random } from './random.ts';

/** Wait before a peer is dialled again: doubles from the first to the second, each with up to half of it at random. */
const REDIAL_MS_MIN = 20;
const REDIAL_MS_MAX = 1_000;

export interface PeerLink {
  readonly index: number;
  connection: Connection | undefined;
  attempts: number;
  dialling: Socket | undefined;
  cancelRedial: (() => void) | undefined;
  /** Frames sent and received over connections that are gone, and frames that had none. */
  sentBefore: number;
  receivedBefore: number;
  dropped: number;
}

export interface PeerTraffic {
  readonly peer: number;
  readonly connected: boolean;
  readonly framesSent: number;
  readonly framesReceived: number;
  readonly framesDropped: number;
  readonly queuedBytes: number;
  readonly silentMs: number | undefined;
}

export function peerLink(index: number): PeerLink {
  return {
    index,
    connection: undefined,
    attempts: 0,
    dialling: undefined,
    cancelRedial: undefined,
    sentBefore: 0,
    receivedBefore: 0,
    dropped: 0,
  };
}

export function redialWaitMs(attempts: number, random: Random): number {
  const waitMs = Math.min(REDIAL_MS_MAX, REDIAL_MS_MIN * 2 ** Math.min(attempts, 16));
  return waitMs + random.below(Math.ceil(waitMs / 2) + 1);
}

export function trafficOf(link: PeerLink, nowMs: number): PeerTraffic {
  const { index, connection, sentBefore, receivedBefore, dropped } = link;
  return {
    peer: index,
    connected: connection !== undefined,
    framesSent: sentBefore + (connection?.framesSent ?? 0),
    framesReceived: receivedBefore + (connection?.framesReceived ?? 0),
    framesDropped: dropped,
    queuedBytes: connection?.queuedBytes ?? 0,
    silentMs: connection === undefined ? undefined : nowMs - connection.heardMs,
  };
}
