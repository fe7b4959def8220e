/**
 * One copy of the superblock in its sector of 4 KiB, little endian. Pure: bytes to state and back. specs/Superblock.tla
 * says "whole" of what decodes here; a test flips every bit and tears at every byte.
 *
 *     0 magic 8   8 version u32  12 copy u32    16 cluster u64   24 replica u32  28 replicaCount u32
 *    32 sequence u64  40 view u64  48 logView u64  56 commit u64  64 parent 32  96 hash 32  128 zeros  4092 crc u32
 *
 * hash = SHA-256 over version and 16..95: the state without its place, equal in all four copies, the parent of the next.
 * crc = CRC-32 over 0..4091. Magic, version and crc keep their places in every later version.
 */
import type { SuperblockState } from '../../machines/superblock.ts';
import { crc32, HASH_BYTES, hashText, sha256 } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { newBytes } from '../ports/byte-pool.ts';

export const SECTOR_BYTES = 4096;
export const COPY_COUNT = 4;
export const SUPERBLOCK_FILE_BYTES = SECTOR_BYTES * COPY_COUNT;
export const SUPERBLOCK_VERSION = 1;

const MAGIC = Uint8Array.from('LOCKSTSB', (letter) => letter.charCodeAt(0));
const HASH_AT = 96;
const FIELDS_BYTES = 128;
const CRC_AT = SECTOR_BYTES - 4;
const PADDING = Buffer.alloc(CRC_AT - FIELDS_BYTES);

/** Where and how a copy is broken. Positions are in the copy's own sector. */
export interface CopyFault {
  readonly what: 'cut' | 'magic' | 'crc' | 'hash' | 'field' | 'padding';
  readonly position: number;
  readonly expected: string;
  readonly actual: string;
}

export type DecodedCopy =
  | { readonly kind: 'whole'; readonly place: number; readonly state: SuperblockState }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'broken'; readonly fault: CopyFault };

export type SuperblockIdentity = Pick<SuperblockState, 'cluster' | 'replica' | 'replicaCount'>;
export type SuperblockValues = Pick<SuperblockState, 'view' | 'logView' | 'commit'>;

/** The state of a freshly formatted directory. */
export function firstState(identity: SuperblockIdentity): SuperblockState {
  const zeros = hashText(new Uint8Array(HASH_BYTES));
  const { cluster, replica, replicaCount } = identity;
  const place = { cluster, replica, replicaCount };
  return hashed({ ...place, sequence: 0, view: 0, logView: 0, commit: 0, parent: zeros, hash: zeros });
}

/** Superblock!Update: the next state, one sequence on, with the hash of this one as its parent. */
export function childOf(state: SuperblockState, { view, logView, commit }: SuperblockValues): SuperblockState {
  return hashed({ ...state, sequence: state.sequence + 1, view, logView, commit, parent: state.hash });
}

/** @param place which of the four copies this is, 0..3 */
export function encodeCopy(state: SuperblockState, place: number): Uint8Array {
  assert(place >= 0 && place < COPY_COUNT, 'a copy has one of four places');
  const sector = newBytes(SECTOR_BYTES).fill(0);
  const view = writeFields(sector, state);
  view.setUint32(12, place, true);
  sector.set(Buffer.from(state.hash, 'hex'), HASH_AT);
  view.setUint32(CRC_AT, crc32(sector.subarray(0, CRC_AT)), true);
  return sector;
}

/** Never throws, whatever the bytes: every fault comes back as data. */
export function decodeCopy(sector: Uint8Array): DecodedCopy {
  if (sector.length !== SECTOR_BYTES) return broken('cut', 0, `${SECTOR_BYTES} bytes`, `${sector.length}`);
  const letter = MAGIC.findIndex((expected, at) => sector[at] !== expected);
  if (letter >= 0) return broken('magic', letter, hex(MAGIC), hex(sector.subarray(0, MAGIC.length)));
  const view = new DataView(sector.buffer, sector.byteOffset, sector.length);
  const crc = crc32(sector.subarray(0, CRC_AT));
  if (view.getUint32(CRC_AT, true) !== crc)
    return broken('crc', CRC_AT, hexWord(crc), hexWord(view.getUint32(CRC_AT, true)));
  const version = view.getUint32(8, true);
  if (version > SUPERBLOCK_VERSION) return { kind: 'newer', version };
  if (version !== SUPERBLOCK_VERSION) return broken('field', 8, `version ${SUPERBLOCK_VERSION}`, `${version}`);
  const place = view.getUint32(12, true);
  if (place >= COPY_COUNT) return broken('field', 12, `copy 0..${COPY_COUNT - 1}`, `${place}`);
  const wide = WIDE_FIELDS.find(([at]) => view.getBigUint64(at, true) > Number.MAX_SAFE_INTEGER);
  if (wide !== undefined)
    return broken('field', wide[0], `${wide[1]} up to 2^53-1`, `${view.getBigUint64(wide[0], true)}`);
  const state = fieldsOf(sector);
  const hash = hashOf(sector);
  if (hash !== state.hash) return broken('hash', HASH_AT, hash, state.hash);
  if (PADDING.compare(sector, FIELDS_BYTES, CRC_AT) !== 0) {
    const used = sector.findIndex((byte, at) => at >= FIELDS_BYTES && byte !== 0);
    return broken('padding', used, '00', hex(sector.subarray(used, used + 1)));
  }
  return { kind: 'whole', place, state };
}

const WIDE_FIELDS = [
  [32, 'sequence'],
  [40, 'view'],
  [48, 'logView'],
  [56, 'commit'],
] as const;

/** The fields as they stand, believed or not: for people who look at a broken copy. */
export function fieldsOf(sector: Uint8Array): SuperblockState {
  assert(sector.length === SECTOR_BYTES, 'a copy fills its sector');
  const view = new DataView(sector.buffer, sector.byteOffset, sector.length);
  return {
    cluster: view.getBigUint64(16, true),
    replica: view.getUint32(24, true),
    replicaCount: view.getUint32(28, true),
    sequence: Number(view.getBigUint64(32, true)),
    view: Number(view.getBigUint64(40, true)),
    logView: Number(view.getBigUint64(48, true)),
    commit: Number(view.getBigUint64(56, true)),
    parent: hex(sector.subarray(64, 64 + HASH_BYTES)),
    hash: hex(sector.subarray(HASH_AT, HASH_AT + HASH_BYTES)),
  };
}

/** Everything but place, hash and crc. */
function writeFields(sector: Uint8Array, state: SuperblockState): DataView {
  const view = new DataView(sector.buffer, sector.byteOffset, sector.length);
  sector.set(MAGIC, 0);
  view.setUint32(8, SUPERBLOCK_VERSION, true);
  view.setBigUint64(16, state.cluster, true);
  view.setUint32(24, state.replica, true);
  view.setUint32(28, state.replicaCount, true);
  for (const [at, name] of WIDE_FIELDS) view.setBigUint64(at, BigInt(state[name]), true);
  sector.set(Buffer.from(state.parent, 'hex'), 64);
  return view;
}

function hashed(state: SuperblockState): SuperblockState {
  writeFields(FIELDS, state);
  return { ...state, hash: hashOf(FIELDS) };
}

/** What the hash covers, side by side: hashed at once it takes a third of the time. */
const HASHED = new Uint8Array(4 + HASH_AT - 16);

function hashOf(sector: Uint8Array): string {
  HASHED.set(sector.subarray(8, 12));
  HASHED.set(sector.subarray(16, HASH_AT), 4);
  return hashText(sha256(HASHED));
}

const FIELDS = new Uint8Array(FIELDS_BYTES);

function broken(what: CopyFault['what'], position: number, expected: string, actual: string): DecodedCopy {
  return { kind: 'broken', fault: { what, position, expected, actual } };
}

const hex = hashText;

function hexWord(word: number): string {
  return word.toString(16).padStart(8, '0');
}
