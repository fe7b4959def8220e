/**
 * Verifies that an event stands in the log, without trusting the server that says so: the chain of hashes from the event's op
 * up to a head is computed anew from the entries themselves, and the event is read out of its entry. Pure, with @noble only,
 * so it runs in a browser as it is. Format: impl/vsr/prepare.ts and impl/kernel/command-codec.ts, restated here on purpose;
 * test/property/crypto/log-proof.test.ts holds them equal. Mirrors no spec module.
 * What it does not prove: that the head is the cluster's (compare it with one that you trust), that the command was not
 * refused when it was applied, and which offset the event got. For those the log must be replayed.
 */
import { sha256 } from '@noble/hashes/sha2.js';

/** One entry of the log, whole: its hash covers its body. */
export interface ProofLink {
  readonly commitId: number;
  readonly view: number;
  /** Hexadecimal, as every hash here. */
  readonly parent: string;
  readonly hash: string;
  readonly timestamp: number;
  /** u64 in decimal. */
  readonly client: string;
  readonly request: number;
  readonly bodyBase64: string;
}

/** Where the event stands in its entry, and what it is. */
export interface ProvedEvent {
  readonly stream: string;
  readonly commitId: number;
  /** Command in the batch of its entry, and event in that command; both from 0. */
  readonly command: number;
  readonly index: number;
  readonly data?: string;
  readonly dataBase64?: string;
  readonly type?: string;
  readonly contentType?: string;
}

export interface LogHead {
  readonly commitId: number;
  readonly hash: string;
}

export interface LogProof {
  readonly event: ProvedEvent;
  /** By commit id without a gap; a proof over several pages goes on in the next one. */
  readonly links: readonly ProofLink[];
}

export type Refutation =
  | 'no-links'
  | 'not-its-form' // a field, or the batch, is not what this version knows
  | 'not-in-order' // the first link is not the event's, or one is missing
  | 'wrong-parent'
  | 'wrong-hash'
  | 'no-such-event' // nothing stands at that place, or an event of another stream
  | 'another-event'; // the event at that place has other data, type or content type

export type Verdict =
  | { readonly verified: true; readonly head: LogHead }
  | { readonly verified: false; readonly because: Refutation; readonly commitId: number };

/** Bytes of a link that are hashed before the body: parent, op, view, timestamp, client, request. */
const HEADER_BYTES = 64;
const HASH_BYTES = 32;
const KIND_APPEND = 3;
/** A command of a session begins with this kind, its client and its number; then it goes on as without. */
const IN_SESSION = 6;
const SESSION_NAME_BYTES = 16;
const HAS_EXPECTED_OFFSET = 1;
const HAS_KEY = 2;
/** The batch format known here, from 1. */
const BATCH_VERSION_MAX = 2;

class Refuted extends Error {
  readonly because: Refutation;

  constructor(because: Refutation) {
    super(because);
    this.because = because;
  }
}

/**
 * @param after the head of the page before; without it this is the first page, which begins with the event's entry
 * @returns the head that the links lead to: it stands for everything before it
 */
export function verifyLogProof({ event, links }: LogProof, after?: LogHead): Verdict {
  let at = after ?? { commitId: event.commitId - 1, hash: '' };
  if (links.length === 0) return { verified: false, because: 'no-links', commitId: event.commitId };
  for (const link of links) {
    try {
      verifyLink(link, at, event);
    } catch (cause) {
      const because = cause instanceof Refuted ? cause.because : 'not-its-form';
      return { verified: false, because, commitId: link.commitId };
    }
    at = { commitId: link.commitId, hash: link.hash };
  }
  return { verified: true, head: at };
}

function verifyLink(link: ProofLink, after: LogHead, event: ProvedEvent): void {
  if (link.commitId !== after.commitId + 1) throw new Refuted('not-in-order');
  if (after.hash !== '' && link.parent !== after.hash) throw new Refuted('wrong-parent');
  const body = bytesOf(link.bodyBase64);
  if (hashOfLink(link) !== link.hash) throw new Refuted('wrong-hash');
  if (link.commitId === event.commitId) verifyEvent(eventIn(body, event), event);
}

/** What the hash of this entry has to be. */
export function hashOfLink(link: ProofLink): string {
  return hexOf(sha256(hashedBytes(link, bytesOf(link.bodyBase64))));
}

/** What the hash of an entry covers; little endian. */
function hashedBytes(link: ProofLink, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + body.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set(hashBytes(link.parent), 0);
  view.setBigUint64(32, BigInt(link.commitId), true);
  view.setUint32(40, link.view, true);
  view.setBigUint64(44, BigInt(link.timestamp), true);
  view.setBigUint64(52, BigInt(link.client), true);
  view.setUint32(60, link.request, true);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

interface FoundEvent {
  readonly stream: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
}

function verifyEvent(found: FoundEvent, claimed: ProvedEvent): void {
  if (found.stream !== claimed.stream) throw new Refuted('no-such-event');
  const data = claimed.dataBase64 === undefined ? new TextEncoder().encode(claimed.data) : bytesOf(claimed.dataBase64);
  const same =
    found.type === (claimed.type ?? '') &&
    found.contentType === (claimed.contentType ?? '') &&
    found.data.byteLength === data.byteLength &&
    found.data.every((byte, index) => byte === data[index]);
  if (!same) throw new Refuted('another-event');
}

/** Reads the batch from its start: a place in the middle could lie in the data of another event. */
function eventIn(body: Uint8Array, { command, index }: ProvedEvent): FoundEvent {
  const batch = new Reader(body);
  const version = batch.u8();
  if (version < 1 || version > BATCH_VERSION_MAX) throw new Refuted('not-its-form');
  const count = batch.u16();
  if (!(command >= 0 && command < count)) throw new Refuted('no-such-event');
  for (let before = 0; before < command; before++) batch.bytes(batch.u32());
  const append = new Reader(batch.bytes(batch.u32()));
  let kind = append.u8();
  if (kind === IN_SESSION) {
    append.bytes(SESSION_NAME_BYTES);
    kind = append.u8();
  }
  if (kind !== KIND_APPEND) throw new Refuted('no-such-event');
  const stream = append.text();
  const flags = append.u8();
  if (flags > (HAS_EXPECTED_OFFSET | HAS_KEY)) throw new Refuted('not-its-form');
  if (flags & HAS_EXPECTED_OFFSET) append.bytes(8);
  if (flags & HAS_KEY) append.text();
  const events = append.u16();
  if (!(index >= 0 && index < events)) throw new Refuted('no-such-event');
  for (let before = 0; before < index; before++) append.event();
  return { stream, ...append.event() };
}

/** Throws a RangeError past the end: the bytes have not their form. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  bytes(count: number): Uint8Array {
    const start = this.#advance(count);
    return this.#bytes.subarray(start, start + count);
  }

  text(): string {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.bytes(this.u8()));
  }

  event(): Omit<FoundEvent, 'stream'> {
    const length = this.u32();
    const type = this.text();
    const contentType = this.text();
    return { type, contentType, data: this.bytes(length) };
  }

  #advance(count: number): number {
    const start = this.#at;
    if (start + count > this.#bytes.byteLength) throw new RangeError('past the end');
    this.#at = start + count;
    return start;
  }
}

function hashBytes(hex: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new Refuted('not-its-form');
  return Uint8Array.from({ length: HASH_BYTES }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
