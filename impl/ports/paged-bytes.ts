/**
 * A byte image in copy-on-write pages: the content of one simulated file, of its cache or of its medium.
 * fork() shares every page, the first write to a shared page copies it; a page that was never written is zeros.
 * Mirrors no spec module: it is the ground under simulated-node.ts.
 */
import { assert } from './assert.ts';
import { newBytes } from './byte-pool.ts';

/** Small, so that a state of a model copies little when it writes a record. */
export const PAGE_BYTES_MIN = 512;

/** Each image that may write to pages has a number of its own; a fork gives both sides new ones. 0: nobody. */
let writers = 0;

export class PagedBytes {
  readonly #pageBytes: number;
  #pages: (Uint8Array | undefined)[] = [];
  /** By page: the number of the one image that holds it alone and may write to it. */
  #writers: number[] = [];
  #writer = ++writers;
  /** Whether #pages and #writers themselves are shared with a fork: copied by the first write after it. */
  #shared = false;

  constructor(pageBytes = PAGE_BYTES_MIN) {
    assert(pageBytes >= PAGE_BYTES_MIN && pageBytes % PAGE_BYTES_MIN === 0, 'a page is made of sectors');
    this.#pageBytes = pageBytes;
  }

  fork(): PagedBytes {
    const twin = new PagedBytes(this.#pageBytes);
    twin.#pages = this.#pages;
    twin.#writers = this.#writers;
    twin.#shared = true;
    this.#shared = true;
    this.#writer = ++writers;
    return twin;
  }

  read(position: number, target: Uint8Array): void {
    assert(position >= 0, 'a position is not negative');
    const byteLength = target.length;
    for (let done = 0; done < byteLength; ) {
      const page = Math.floor((position + done) / this.#pageBytes);
      const from = (position + done) % this.#pageBytes;
      const bytes = this.#pages[page];
      if (bytes === undefined) {
        const next = Math.min(byteLength, this.#presentFrom(page + 1) * this.#pageBytes - position);
        target.fill(0, done, next);
        done = next;
        continue;
      }
      const count = Math.min(this.#pageBytes - from, byteLength - done);
      target.set(count === this.#pageBytes ? bytes : bytes.subarray(from, from + count), done);
      done += count;
    }
  }

  write(position: number, source: Uint8Array): void {
    assert(position >= 0, 'a position is not negative');
    const byteLength = source.length;
    for (let done = 0; done < byteLength; ) {
      const page = Math.floor((position + done) / this.#pageBytes);
      const from = (position + done) % this.#pageBytes;
      const count = Math.min(this.#pageBytes - from, byteLength - done);
      if (count === this.#pageBytes && this.#writers[page] !== this.#writer)
        this.#put(page, this.#pageOf(source.subarray(done, done + count)), this.#writer);
      else this.#ownPage(page).set(count === byteLength ? source : source.subarray(done, done + count), from);
      done += count;
    }
  }

  /** Takes over what another image holds there. Whole pages are shared from then on, parts of one are copied. */
  copyFrom(other: PagedBytes, position: number, byteCount: number): void {
    assert(other.#pageBytes === this.#pageBytes, 'images that share pages have pages of one size');
    const end = position + byteCount;
    for (let at = position; at < end; ) {
      const page = Math.floor(at / this.#pageBytes);
      const from = at % this.#pageBytes;
      const count = Math.min(this.#pageBytes - from, end - at);
      const bytes = other.#pages[page];
      if (count === this.#pageBytes && bytes !== undefined) {
        other.#ownMap();
        other.#writers[page] = 0;
        this.#put(page, bytes, 0);
      } else if (bytes !== undefined) this.#ownPage(page).set(bytes.subarray(from, from + count), from);
      else if (this.#pages[page] !== undefined) this.#ownPage(page).fill(0, from, from + count);
      at += count;
    }
  }

  /** Everything from sizeBytes on reads as zeros again. */
  truncate(sizeBytes: number): void {
    const kept = Math.ceil(sizeBytes / this.#pageBytes);
    if (this.#pages.length > kept) {
      this.#ownMap();
      this.#pages.length = kept;
      this.#writers.length = kept;
    }
    const from = sizeBytes % this.#pageBytes;
    if (from !== 0 && this.#pages[kept - 1] !== undefined) this.#ownPage(kept - 1).fill(0, from);
  }

  /** Position after the last byte that is not zero, 0 when there is none. */
  get contentBytes(): number {
    for (let page = this.#pages.length - 1; page >= 0; page--) {
      const last = this.#pages[page]?.findLastIndex((byte) => byte !== 0) ?? -1;
      if (last >= 0) return page * this.#pageBytes + last + 1;
    }
    return 0;
  }

  /** The first page from this one on that was written; infinite when there is none. */
  #presentFrom(page: number): number {
    for (let at = page; at < this.#pages.length; at++) if (this.#pages[at] !== undefined) return at;
    return Number.POSITIVE_INFINITY;
  }

  #ownMap(): void {
    if (!this.#shared) return;
    this.#pages = this.#pages.slice();
    this.#writers = this.#writers.slice();
    this.#shared = false;
  }

  #put(page: number, bytes: Uint8Array, writer: number): void {
    this.#ownMap();
    for (let at = this.#pages.length; at < page; at++) {
      this.#pages.push(undefined);
      this.#writers.push(0);
    }
    this.#pages[page] = bytes;
    this.#writers[page] = writer;
  }

  /** A new page with this content, or zeros. Small pages are of states that live long: they hold on to no piece of a pool. */
  #pageOf(content: Uint8Array | undefined): Uint8Array {
    if (this.#pageBytes === PAGE_BYTES_MIN) return content?.slice() ?? new Uint8Array(PAGE_BYTES_MIN);
    const page = newBytes(this.#pageBytes);
    if (content === undefined) page.fill(0);
    else page.set(content);
    return page;
  }

  #ownPage(page: number): Uint8Array {
    const present = this.#pages[page];
    if (present !== undefined && this.#writers[page] === this.#writer) return present;
    const own = this.#pageOf(present);
    this.#put(page, own, this.#writer);
    return own;
  }
}
