/**
 * The first frame of each side of a connection: who speaks, which versions of the protocol, which cluster. And Goodbye, the
 * last one, when one side closes for a reason that the other can act on. Mirrors no spec module; docs/protocol.md is the page.
 *   Hello:   4 bytes "LKST" | u16 minVersion | u16 maxVersion | u8 role | u8 replica | u8 replicaCount | u8 to | u64 cluster
 *            | u16 length of token | token
 *   Goodbye: u8 length of code | code | message, UTF-8
 * What both speak from then on is the lower of the two maxVersions. A later version may add fields to the end of a Hello;
 * this one skips them when the range says that there may be some.
 */
import { readWideU64 } from '../ports/little-endian.ts';
import { ByteReader, ByteWriter, malformed } from './bytes.ts';
import { WireError } from './wire-error.ts';

/** Raised with every change that an older version would misread. */
export const PROTOCOL_VERSION = 1;
/** The oldest version that this one still speaks. */
export const PROTOCOL_VERSION_MIN = 1;
const MAGIC = 'LKST';
const MAGIC_BYTES = 4;
/** `replica` or `to` of a side that is no replica, or does not mind which it reached. */
export const ANY_REPLICA = 255;
/** A client that does not know the cluster yet. */
export const ANY_CLUSTER = 0n;
/** Bytes of the token in UTF-8: a JWT of a large identity provider has some 2 KiB. At it: WIRE_MALFORMED. */
export const TOKEN_BYTES_MAX = 4 * 1024;
/** Bytes of the largest Hello, with room for the fields of later versions: nobody unknown makes us hold more. */
export const HELLO_BYTES_MAX = TOKEN_BYTES_MAX + 256;
const ROLES = ['peer', 'client'] as const;
export type HelloRole = (typeof ROLES)[number];

export interface Hello {
  /** The versions that the speaker can speak; absent: those of this release. */
  readonly minVersion?: number;
  readonly maxVersion?: number;
  /** Of the speaker. A server answers a client's Hello with role 'peer'. */
  readonly role: HelloRole;
  readonly replica: number;
  readonly replicaCount: number;
  readonly to: number;
  readonly cluster: bigint;
  /** Who the client is: an API key or a JWT; between replicas that share a secret, a challenge. Empty: none. Never in a log. */
  readonly token?: string;
}

export function encodeHello(hello: Hello): Buffer {
  const { minVersion = PROTOCOL_VERSION_MIN, maxVersion = PROTOCOL_VERSION, token = '' } = hello;
  if (Buffer.byteLength(token) > TOKEN_BYTES_MAX) throw malformed('token', `is longer than ${TOKEN_BYTES_MAX} bytes`);
  const writer = new ByteWriter()
    .raw(Buffer.from(MAGIC, 'latin1'))
    .u16(minVersion)
    .u16(maxVersion)
    .u8(ROLES.indexOf(hello.role))
    .u8(hello.replica)
    .u8(hello.replicaCount)
    .u8(hello.to)
    .raw(u64Of(hello.cluster))
    .text(token);
  return Buffer.from(writer.done());
}

/** @throws WireError WIRE_NOT_LOCKSTEP, WIRE_WRONG_VERSION or WIRE_MALFORMED. Who may talk to whom is the caller's to judge. */
export function decodeHello(payload: Buffer): Required<Hello> {
  const reader = new ByteReader(payload);
  if (payload.byteLength < MAGIC_BYTES + 4 || !isMagic(reader.raw(MAGIC_BYTES, 'magic'))) {
    throw new WireError('WIRE_NOT_LOCKSTEP', 'the first frame is no Hello of Lockstep');
  }
  const minVersion = reader.u16('minVersion');
  const maxVersion = reader.u16('maxVersion');
  versionOf(minVersion, maxVersion);
  const role = ROLES[reader.u8('role')];
  if (role === undefined) throw malformed('role', 'is unknown');
  const replica = reader.u8('replica');
  const replicaCount = reader.u8('replicaCount');
  const to = reader.u8('to');
  const cluster = readWideU64(reader.raw(8, 'cluster'), 0);
  const token = reader.text('token');
  if (Buffer.byteLength(token) > TOKEN_BYTES_MAX) throw malformed('token', `is longer than ${TOKEN_BYTES_MAX} bytes`);
  if (maxVersion <= PROTOCOL_VERSION) reader.end();
  return { minVersion, maxVersion, role, replica, replicaCount, to, cluster, token };
}

/** The version that both sides speak. @throws WireError WIRE_WRONG_VERSION when there is none */
export function versionOf(minVersion: number, maxVersion: number): number {
  if (minVersion > maxVersion) throw malformed('minVersion', `${minVersion} is above maxVersion ${maxVersion}`);
  const version = Math.min(maxVersion, PROTOCOL_VERSION);
  if (version >= Math.max(minVersion, PROTOCOL_VERSION_MIN)) return version;
  const message =
    `the other side speaks versions ${minVersion} to ${maxVersion} of the protocol, this one ${PROTOCOL_VERSION_MIN} to ` +
    `${PROTOCOL_VERSION}: use the release that is older on both`;
  const evidence = { minVersion, maxVersion, ourMinVersion: PROTOCOL_VERSION_MIN, ourMaxVersion: PROTOCOL_VERSION };
  throw new WireError('WIRE_WRONG_VERSION', message, evidence);
}

function isMagic(bytes: Uint8Array): boolean {
  return Buffer.from(bytes).toString('latin1') === MAGIC;
}

function u64Of(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
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
