/**
 * The first replies to the last request numbers of one session (specs/ClientSessions.tla, replies): at most `window` of them,
 * all above highest - window. A number in the window without a reply was never executed: a later one overtook it. Persistent;
 * one that takes a reply copies at most `window` references. Pure.
 */
import { crc32, crc32Of } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';

export interface KeptReply<Reply> {
  readonly requestNumber: number;
  readonly reply: Reply;
  /** CRC-32 of the reply as JSON. */
  readonly digest: number;
}

/** Two sums over what is kept, 32 bits each, for the hash of the session. */
export type ReplySums = readonly [number, number];

/** Odd, so that no bit of a factor is lost. */
const MIX_A = 0x9e3779b1;
const MIX_B = 0x85ebca6b;
const U32_RANGE = 2 ** 32;

/** Of the replies that are usual; a longer one gets a buffer of its own. */
const jsonBytes = Buffer.allocUnsafeSlow(4096);
/** Most bytes of UTF-8 that a character of a string takes. */
const UTF8_BYTES_MAX = 3;

export function keptReply<Reply>(requestNumber: number, reply: Reply): KeptReply<Reply> {
  return { requestNumber, reply, digest: crc32OfText(JSON.stringify(reply)) };
}

function crc32OfText(text: string): number {
  if (text.length * UTF8_BYTES_MAX > jsonBytes.length) return crc32(Buffer.from(text));
  return crc32Of(jsonBytes, jsonBytes.write(text));
}

export class ReplyWindow<Reply> implements Iterable<KeptReply<Reply>> {
  readonly window: number;
  readonly highest: number;
  /** Replies kept. */
  readonly size: number;
  readonly sums: ReplySums;
  /** Number n stands at (n - 1) % window. */
  readonly #ring: readonly (KeptReply<Reply> | undefined)[];

  private constructor(
    window: number,
    highest: number,
    size: number,
    sums: ReplySums,
    ring: readonly (KeptReply<Reply> | undefined)[],
  ) {
    this.window = window;
    this.highest = highest;
    this.size = size;
    this.sums = sums;
    this.#ring = ring;
  }

  static empty<Reply>(window: number): ReplyWindow<Reply> {
    return new ReplyWindow<Reply>(window, 0, 0, [0, 0], []);
  }

  /** Replies more when that of this number is kept, less those that fall out of the window then: from 1 - window to 1. */
  addedBy(requestNumber: number): number {
    let added = 1;
    for (let number = this.#firstBeyond(requestNumber); number <= requestNumber; number++)
      if (this.#ring[(number - 1) % this.window] !== undefined) added--;
    return added;
  }

  /** The first number above the highest that has a place in the window of a new highest one. */
  #firstBeyond(requestNumber: number): number {
    return Math.max(this.highest, requestNumber - this.window) + 1;
  }

  at(requestNumber: number): KeptReply<Reply> | undefined {
    const kept = this.#ring[(requestNumber - 1) % this.window];
    return kept?.requestNumber === requestNumber ? kept : undefined;
  }

  /** @param added of a number in the window, or above it, that has no reply */
  with(added: KeptReply<Reply>): ReplyWindow<Reply> {
    const { requestNumber } = added;
    assert(
      requestNumber > this.highest - this.window && this.at(requestNumber) === undefined,
      'the first reply is kept',
    );
    const highest = Math.max(this.highest, requestNumber);
    const ring = this.#ring.slice();
    let [sumA, sumB] = this.sums;
    let { size } = this;
    // Whoever falls out of the window stands where a number up to the new highest belongs.
    for (let number = this.#firstBeyond(highest); number <= highest; number++) {
      const place = (number - 1) % this.window;
      const dropped = ring[place];
      while (ring.length < place) ring.push(undefined); // no holes in the array
      ring[place] = undefined;
      if (dropped === undefined) continue;
      sumA -= mixA(dropped);
      sumB -= mixB(dropped);
      size--;
    }
    ring[(requestNumber - 1) % this.window] = added;
    sumA += mixA(added);
    sumB += mixB(added);
    return new ReplyWindow(this.window, highest, size + 1, [sumA >>> 0, sumB >>> 0], ring);
  }

  /** The same with every digest and sum computed anew. */
  fromScratch(): ReplyWindow<Reply> {
    let fresh = ReplyWindow.empty<Reply>(this.window);
    for (const { requestNumber, reply } of this) fresh = fresh.with(keptReply(requestNumber, reply));
    return fresh;
  }

  /** By ascending number. */
  *[Symbol.iterator](): Iterator<KeptReply<Reply>> {
    for (let number = Math.max(1, this.highest - this.window + 1); number <= this.highest; number++) {
      const kept = this.at(number);
      if (kept !== undefined) yield kept;
    }
  }
}

function mixA({ requestNumber, digest }: KeptReply<unknown>): number {
  return Math.imul(digest ^ (requestNumber % U32_RANGE), MIX_A) >>> 0;
}

function mixB({ requestNumber, digest }: KeptReply<unknown>): number {
  return (digest + Math.imul(requestNumber % U32_RANGE, MIX_B)) >>> 0;
}
