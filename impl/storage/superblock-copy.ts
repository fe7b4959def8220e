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
import { crc32, crc32WithZeros, HASH_BYTES, hashText, sha256Text } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { newBytes } from '../ports/byte-pool.ts';
import { readU32, readU64, readWideU64, writeU32, writeU64, writeWideU64 } from '../ports/little-endian.ts';

export const SECTOR_BYTES = 4096;
export const COPY_COUNT = 4;
export const SUPERBLOCK_FILE_BYTES = SECTOR_BYTES * COPY_COUNT;
export const SUPERBLOCK_VERSION = 1;

const MAGIC = Uint8Array.from('LOCKSTSB', (letter) => letter.charCodeAt(0));
const VERSION_AT = 8;
const PLACE_AT = 12;
const PARENT_AT = 64;
const HASH_AT = 96;
const FIELDS_BYTES = 128;
const CRC_AT = SECTOR_BYTES - 4;
const PADDING = Buffer.alloc(CRC_AT - FIELDS_BYTES);
/** Nearly all of a sector is padding, and its part of the crc is always the same. */
const crcBehindPadding = crc32WithZeros(PADDING.length);

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
type Unhashed = Omit<SuperblockState, 'hash'>;
export type SuperblockValues = Pick<SuperblockState, 'view' | 'logView' | 'commit'>;

/** The state of a freshly formatted directory. */
export function firstState(identity: SuperblockIdentity): SuperblockState {
  const zeros = hashText(new Uint8Array(HASH_BYTES));
  const { cluster, replica, replicaCount } = identity;
  return hashed({ cluster, replica, replicaCount, sequence: 0, view: 0, logView: 0, commit: 0, parent: zeros });
}

/** Superblock!Update: the next state, one sequence on, with the hash of this one as its parent. */
export function childOf(state: SuperblockState, { view, logView, commit }: SuperblockValues): SuperblockState {
  const { cluster, replica, replicaCount, hash: parent } = state;
  return hashed({ cluster, replica, replicaCount, sequence: state.sequence + 1, view, logView, commit, parent });
}

/** @param place which of the four copies this is, 0..3 */
export function encodeCopy(state: SuperblockState, place: number): Uint8Array {
  return encodeCopies(state, [place])[0] as Uint8Array;
}

/** The copies of these places, which differ in nothing else. */
export function encodeCopies(state: SuperblockState, places: readonly number[]): readonly Uint8Array[] {
  writeFields(state);
  TEXT.write(state.hash, HASH_AT, HASH_BYTES, 'hex');
  return places.map((place) => {
    assert(place >= 0 && place < COPY_COUNT, 'a copy has one of four places');
    writeU32(FIELDS, PLACE_AT, place);
    const sector = newBytes(SECTOR_BYTES);
    sector.set(FIELDS);
    sector.set(PADDING, FIELDS_BYTES);
    writeU32(sector, CRC_AT, crcBehindPadding(crc32(FIELDS)));
    return sector;
  });
}

/** Never throws, whatever the bytes: every fault comes back as data. */
export function decodeCopy(sector: Uint8Array): DecodedCopy {
  if (sector.length !== SECTOR_BYTES) return broken('cut', 0, `${SECTOR_BYTES} bytes`, `${sector.length}`);
  for (let letter = 0; letter < MAGIC.length; letter++)
    if (sector[letter] !== MAGIC[letter])
      return broken('magic', letter, hex(MAGIC), hex(sector.subarray(0, MAGIC.length)));
  FIELDS.set(sector.subarray(0, FIELDS_BYTES));
  const isPadded = PADDING.compare(sector, FIELDS_BYTES, CRC_AT) === 0;
  const crc = isPadded ? crcBehindPadding(crc32(FIELDS)) : crc32(sector.subarray(0, CRC_AT));
  const crcStored = readU32(sector, CRC_AT);
  if (crcStored !== crc) return broken('crc', CRC_AT, hexWord(crc), hexWord(crcStored));
  const version = readU32(sector, VERSION_AT);
  if (version > SUPERBLOCK_VERSION) return { kind: 'newer', version };
  if (version !== SUPERBLOCK_VERSION) return broken('field', VERSION_AT, `version ${SUPERBLOCK_VERSION}`, `${version}`);
  const place = readU32(sector, PLACE_AT);
  if (place >= COPY_COUNT) return broken('field', PLACE_AT, `copy 0..${COPY_COUNT - 1}`, `${place}`);
  for (const [at, name] of WIDE_FIELDS)
    if (readU64(sector, at) > Number.MAX_SAFE_INTEGER)
      return broken('field', at, `${name} up to 2^53-1`, `${readWideU64(sector, at)}`);
  const state = readFields();
  const hash = hashOfFields();
  if (hash !== state.hash) return broken('hash', HASH_AT, hash, state.hash);
  if (!isPadded) {
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
  FIELDS.set(sector.subarray(0, FIELDS_BYTES));
  return readFields();
}

/** The fields of one copy, on their way in or out. */
const FIELDS = new Uint8Array(FIELDS_BYTES);
/** The same bytes: a Buffer reads and writes hexadecimal without an array for each hash. */
const TEXT = Buffer.from(FIELDS.buffer);
/** What the hash covers of them once the version stands where the place does: hashed at once it takes a third of the time. */
const HASHED = FIELDS.subarray(PLACE_AT, HASH_AT);

function readFields(): SuperblockState {
  return {
    cluster: readWideU64(FIELDS, 16),
    replica: readU32(FIELDS, 24),
    replicaCount: readU32(FIELDS, 28),
    sequence: readU64(FIELDS, 32),
    view: readU64(FIELDS, 40),
    logView: readU64(FIELDS, 48),
    commit: readU64(FIELDS, 56),
    parent: TEXT.toString('hex', PARENT_AT, PARENT_AT + HASH_BYTES),
    hash: TEXT.toString('hex', HASH_AT, HASH_AT + HASH_BYTES),
  };
}

/** Everything but place, hash and crc. */
function writeFields(state: Unhashed): void {
  FIELDS.set(MAGIC);
  writeU32(FIELDS, VERSION_AT, SUPERBLOCK_VERSION);
  writeWideU64(FIELDS, 16, state.cluster);
  writeU32(FIELDS, 24, state.replica);
  writeU32(FIELDS, 28, state.replicaCount);
  writeU64(FIELDS, 32, state.sequence);
  writeU64(FIELDS, 40, state.view);
  writeU64(FIELDS, 48, state.logView);
  writeU64(FIELDS, 56, state.commit);
  TEXT.write(state.parent, PARENT_AT, HASH_BYTES, 'hex');
}

/** Puts the version where the place stands: who encodes sets the place after it. */
function hashOfFields(): string {
  writeU32(FIELDS, PLACE_AT, readU32(FIELDS, VERSION_AT));
  return sha256Text(HASHED);
}

/** Field by field, not by a spread: the runtime makes those, ten times slower. */
function hashed(state: Unhashed): SuperblockState {
  writeFields(state);
  const { cluster, replica, replicaCount, sequence, view, logView, commit, parent } = state;
  return { cluster, replica, replicaCount, sequence, view, logView, commit, parent, hash: hashOfFields() };
}

function broken(what: CopyFault['what'], position: number, expected: string, actual: string): DecodedCopy {
  return { kind: 'broken', fault: { what, position, expected, actual } };
}

const hex = hashText;

function hexWord(word: number): string {
  return word.toString(16).padStart(8, '0');
}
