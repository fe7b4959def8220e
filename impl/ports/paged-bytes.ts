/**
 * A byte image in copy-on-write pages: the content of one simulated file, of its cache or of its medium.
 * fork() shares every page, the first write to a shared page copies it; a page that was never written is zeros.
 * Mirrors no spec module: it is the ground under simulated-disk.ts.
 */
import { assert } from './assert.ts';

/** Small, so that a state of a model copies little when it writes a record. */
const PAGE_BYTES = 512;

export class PagedBytes {
  #pages: Map<number, Uint8Array>;
  /** Pages that only this image holds. */
  #owned = new Set<number>();
  /** Whether #pages itself is shared with a fork: copied by the first write after it. */
  #shared = false;

  constructor(pages: Map<number, Uint8Array> = new Map()) {
    this.#pages = pages;
  }

  fork(): PagedBytes {
    const twin = new PagedBytes(this.#pages);
    twin.#shared = true;
    this.#shared = true;
    this.#owned = new Set();
    return twin;
  }

  read(position: number, target: Uint8Array): void {
    assert(position >= 0, 'a position is not negative');
    for (let done = 0; done < target.byteLength; ) {
      const page = Math.floor((position + done) / PAGE_BYTES);
      const from = (position + done) % PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - from, target.byteLength - done);
      const bytes = this.#pages.get(page);
      if (bytes === undefined) target.fill(0, done, done + count);
      else target.set(bytes.subarray(from, from + count), done);
      done += count;
    }
  }

  write(position: number, source: Uint8Array): void {
    assert(position >= 0, 'a position is not negative');
    for (let done = 0; done < source.byteLength; ) {
      const page = Math.floor((position + done) / PAGE_BYTES);
      const from = (position + done) % PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - from, source.byteLength - done);
      if (count === PAGE_BYTES) this.#replacePage(page, source.slice(done, done + count));
      else this.#ownPage(page).set(source.subarray(done, done + count), from);
      done += count;
    }
  }

  /** Everything from sizeBytes on reads as zeros again. */
  truncate(sizeBytes: number): void {
    this.#ownMap();
    const kept = Math.ceil(sizeBytes / PAGE_BYTES);
    for (const page of [...this.#pages.keys()]) if (page >= kept) this.#pages.delete(page);
    if (sizeBytes % PAGE_BYTES !== 0 && this.#pages.has(kept - 1))
      this.#ownPage(kept - 1).fill(0, sizeBytes % PAGE_BYTES);
  }

  #ownMap(): void {
    if (!this.#shared) return;
    this.#pages = new Map(this.#pages);
    this.#shared = false;
  }

  #replacePage(page: number, bytes: Uint8Array): void {
    this.#ownMap();
    this.#pages.set(page, bytes);
    this.#owned.add(page);
  }

  #ownPage(page: number): Uint8Array {
    const present = this.#pages.get(page);
    if (present !== undefined && this.#owned.has(page)) return present;
    this.#ownMap();
    const own = present === undefined ? new Uint8Array(PAGE_BYTES) : Uint8Array.from(present);
    this.#pages.set(page, own);
    this.#owned.add(page);
    return own;
  }
}
