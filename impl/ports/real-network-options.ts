/** What the Network port on TCP is opened with: who we are, where the others are, who may come in, and who is told what. Mirrors no spec module. */
import type { FrameKind } from '../wire/frame.ts';
import type { Hello } from '../wire/hello.ts';
import type { Clock } from './clock.ts';
import type { Connection } from './connection.ts';
import type { Refusal } from './introduction.ts';
import type { TlsServerMaterial } from './network.ts';
import type { PeerSecrets } from './peer-secrets.ts';
import type { Random } from './random.ts';

export interface NetworkAddress {
  readonly host: string;
  readonly port: number;
}

export interface RealNetworkOptions {
  readonly cluster: bigint;
  readonly replica: number;
  /** By index of the replica. */
  readonly addresses: readonly NetworkAddress[];
  readonly clientConnectionsMax: number;
  readonly clientFrameBytesMax: number;
  /** undefined: plain text. */
  readonly tls?: TlsServerMaterial | undefined;
  /** What replicas prove to each other before they are believed; undefined: nothing. */
  readonly secrets?: PeerSecrets | undefined;
  /** A client without a certificate of the authority is refused. */
  readonly clientCertificateRequired?: boolean;
  /** Why a client may not come in; undefined: it may. Until it is answered, what the client sends is held, up to a bound. */
  readonly admitClient?: (client: Connection, hello: Hello) => Refusal | undefined | Promise<Refusal | undefined>;
  readonly clock: Clock;
  readonly random: Random;
  /** A frame of a peer that is no message of the protocol, too (forwarded requests): `kind` tells. */
  readonly onPeerFrame: (from: number, kind: FrameKind, payload: Buffer) => void;
  readonly onClientFrame: (client: Connection, kind: FrameKind, payload: Buffer) => void;
  readonly onClientClosed: (client: Connection) => void;
  readonly onPeerChange: (peer: number, connected: boolean, reason: string) => void;
  /** A peer that we dialled and did not reach, or that is not who it should be; at every attempt. */
  readonly onDialFailed?: (peer: number, reason: string) => void;
  /** The first frame since the last flush waits. */
  readonly onPending: () => void;
}
