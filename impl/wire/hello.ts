/**
 * The first frame of each side of a connection: who speaks, which protocol, which cluster. And Goodbye, the last one,
 * when one side closes for a reason that the other can act on. Mirrors no spec module.
 *   Hello:   4 bytes "LKST" | u16 protocol | u8 role | u8 replica | u8 replicaCount | u8 to | u64 cluster
 *   Goodbye: u8 length of code | code | message, UTF-8
 */
import { WireError } from './wire-error.ts';

/** Raised with every change that an older version would misread. */
export const PROTOCOL_VERSION = 1;
const MAGIC = 'LKST';
const HELLO_BYTES = 18;
/** `replica` or `to` of a side that is no replica, or does not mind which it reached. */
export const ANY_REPLICA = 255;
/** A client that does not know the cluster yet. */
export const ANY_CLUSTER = 0n;
const ROLES = ['peer', 'client'] as const;
export type HelloRole = (typeof ROLES)[number];

export interface Hello {
  /** Of the speaker. A server answers a client's Hello with role 'peer'. */
  readonly role: HelloRole;
  readonly replica: number;
  readonly replicaCount: number;
  readonly to: number;
  readonly cluster: bigint;
}

export function encodeHello(hello: Hello): Buffer {
  const bytes = Buffer.alloc(HELLO_BYTES);
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUInt16LE(PROTOCOL_VERSION, 4);
  bytes[6] = ROLES.indexOf(hello.role);
  bytes[7] = hello.replica;
  bytes[8] = hello.replicaCount;
  bytes[9] = hello.to;
  bytes.writeBigUInt64LE(hello.cluster, 10);
  return bytes;
}

/** @throws WireError WIRE_NOT_LOCKSTEP, WIRE_WRONG_VERSION or WIRE_MALFORMED. Who may talk to whom is the caller's to judge. */
export function decodeHello(payload: Buffer): Hello {
  if (payload.byteLength < 6 || payload.toString('latin1', 0, 4) !== MAGIC) {
    throw new WireError('WIRE_NOT_LOCKSTEP', 'the first frame is no Hello of Lockstep');
  }
  const version = payload.readUInt16LE(4);
  if (version !== PROTOCOL_VERSION) {
    const message = `the other side speaks protocol ${version}, this one ${PROTOCOL_VERSION}: use the same release on both`;
    throw new WireError('WIRE_WRONG_VERSION', message, { expected: PROTOCOL_VERSION, actual: version });
  }
  if (payload.byteLength !== HELLO_BYTES) {
    throw new WireError('WIRE_MALFORMED', `a Hello has ${HELLO_BYTES} bytes, not ${payload.byteLength}`);
  }
  const role = ROLES[payload[6] as number];
  if (role === undefined) throw new WireError('WIRE_MALFORMED', `role ${payload[6]} of a Hello is unknown`);
  return {
    role,
    replica: payload[7] as number,
    replicaCount: payload[8] as number,
    to: payload[9] as number,
    cluster: payload.readBigUInt64LE(10),
  };
}

export interface Goodbye {
  /** A WireErrorCode or ServerErrorCode. */
  readonly code: string;
  readonly message: string;
}

export function encodeGoodbye(goodbye: Goodbye): Buffer {
  const code = Buffer.from(goodbye.code.slice(0, 64), 'latin1');
  return Buffer.concat([Buffer.of(code.byteLength), code, Buffer.from(goodbye.message.slice(0, 1_024), 'utf8')]);
}

export function decodeGoodbye(payload: Buffer): Goodbye {
  const codeEnd = 1 + (payload[0] ?? 0);
  return { code: payload.toString('latin1', 1, codeEnd), message: payload.toString('utf8', codeEnd) };
}
