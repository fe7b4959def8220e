/** One file of a simulated disk as plain arrays: what the clever one with shared pages and ranges of the cache is held to. */

interface Waiting {
  readonly position: number;
  readonly bytes: readonly number[];
  /** By byte: whether it is still on its way. */
  readonly waits: boolean[];
}

export class DiskTwin {
  cache: number[];
  medium: number[];
  forgotten: Waiting[] = [];
  unsynced: Waiting[] = [];

  constructor(sizeBytes: number) {
    this.cache = new Array<number>(sizeBytes).fill(0);
    this.medium = new Array<number>(sizeBytes).fill(0);
  }

  fork(): DiskTwin {
    return Object.assign(new DiskTwin(0), structuredClone({ ...this }));
  }

  write(position: number, bytes: readonly number[]): void {
    this.show(position, bytes);
    this.unsynced.push({ position, bytes, waits: bytes.map(() => true) });
  }

  /** As a lost write. */
  show(position: number, bytes: readonly number[]): void {
    for (const [at, byte] of bytes.entries()) this.cache[position + at] = byte;
  }

  sync(): void {
    for (const write of this.unsynced) land(this.medium, write, write.bytes.length);
    for (const { position, bytes } of this.unsynced)
      for (const lost of this.forgotten)
        for (let at = 0; at < lost.waits.length; at++)
          if (lost.position + at >= position && lost.position + at < position + bytes.length) lost.waits[at] = false;
    this.unsynced = [];
  }

  forget(): void {
    this.forgotten.push(...this.unsynced);
    this.unsynced = [];
  }

  damage(position: number, bytes: readonly number[]): void {
    for (const content of [this.cache, this.medium])
      for (const [at, byte] of bytes.entries()) content[position + at] = byte;
  }

  get waitingBytes(): number {
    return this.#waiting.reduce((sum, { waits }) => sum + waits.filter((waits) => waits).length, 0);
  }

  crash(keepBytes: number): void {
    let left = keepBytes;
    for (const write of this.#waiting) left -= land(this.medium, write, left);
    this.cache = [...this.medium];
    this.forgotten = [];
    this.unsynced = [];
  }

  get #waiting(): readonly Waiting[] {
    return [...this.forgotten, ...this.unsynced];
  }
}

/** Puts up to so many bytes of the write where they belong; returns how many. */
function land(medium: number[], { position, bytes, waits }: Waiting, bytesMax: number): number {
  let landed = 0;
  for (const [at, byte] of bytes.entries()) {
    if (!waits[at] || landed >= bytesMax) continue;
    medium[position + at] = byte;
    landed++;
  }
  return landed;
}
