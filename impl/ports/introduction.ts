/**
 * What a replica asks of a Hello and of the certificate beside it before it believes who the other side is. Pure: the
 * connection is opened and closed by real-network.ts. Mirrors no spec module.
 */
import { FRAME_KINDS, type FrameKind } from '../wire/frame.ts';
import { ANY_CLUSTER, decodeGoodbye, decodeHello, encodeHello, type Hello } from '../wire/hello.ts';
import { WireError } from '../wire/wire-error.ts';
import type { Proved } from './tls.ts';
import { replicaName } from './tls-identity.ts';

/** Who we are ourselves. */
export interface Self {
  readonly cluster: bigint;
  readonly replica: number;
  readonly replicaCount: number;
}

/** Told to the other side in a Goodbye. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** @throws WireError */
export function helloOf(kind: FrameKind, payload: Buffer): Hello {
  if (kind !== FRAME_KINDS.hello) throw new WireError('WIRE_NOT_LOCKSTEP', 'the first frame must be a Hello', { kind });
  return decodeHello(payload);
}

/** @param challenge to another replica, where a cluster secret is set; empty otherwise */
export function helloTo(to: number, { cluster, replica, replicaCount }: Self, challenge = ''): Buffer {
  return encodeHello({ role: 'peer', replica, replicaCount, to, cluster, token: challenge });
}

/** Why the other side ends the connection, in its words if they look like a code: they go to logs and metrics. */
export function goodbyeCode(payload: Buffer): string {
  const { code } = decodeGoodbye(payload);
  return /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : 'GOODBYE';
}

/** @throws WireError WIRE_WRONG_CLUSTER or WIRE_WRONG_REPLICA */
export function checkCluster(hello: Hello, self: Self): void {
  const anyCluster = hello.role === 'client' && hello.cluster === ANY_CLUSTER;
  if (!anyCluster && hello.cluster !== self.cluster) {
    const message = `this is cluster ${self.cluster}, not ${hello.cluster}: check the addresses`;
    throw new WireError('WIRE_WRONG_CLUSTER', message, { expected: self.cluster, actual: hello.cluster });
  }
  if (hello.role === 'peer' && hello.replicaCount !== self.replicaCount) throw wrongReplica(hello, self);
}

export function wrongReplica(hello: Hello, { replica, replicaCount }: Self): WireError {
  const message =
    `here is replica ${replica} of ${replicaCount}; the other side is ${hello.replica} of ${hello.replicaCount} ` +
    `and looks for ${hello.to}: give the same address list to all`;
  return new WireError('WIRE_WRONG_REPLICA', message, { replica, other: hello.replica, wanted: hello.to });
}

/** Why a certificate does not do for what the Hello says; a peer's names its replica, a client may have none unless required. */
export function certificateRefusal(
  proved: Proved,
  hello: Hello,
  { cluster }: Self,
  clientCertificateRequired: boolean,
): Refusal | undefined {
  if (proved.by === 'refused') {
    return { code: proved.code, message: 'your certificate is not believed here: docs/errors.md explains the code' };
  }
  const isPeer = hello.role === 'peer';
  if (proved.by === 'nothing') {
    if (!isPeer && !clientCertificateRequired) return undefined;
    return {
      code: 'TLS_CERTIFICATE_MISSING',
      message: 'show a certificate that the authority of this cluster has signed',
    };
  }
  const name = replicaName(cluster, hello.replica);
  if (!isPeer || proved.uriNames.includes(name)) return undefined;
  return { code: 'TLS_WRONG_REPLICA', message: `your certificate is of ${proved.uriNames.join(', ')}, not of ${name}` };
}
