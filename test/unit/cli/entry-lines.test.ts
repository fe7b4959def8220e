/**
 * Goal: a byte stream becomes the same entries wherever its chunks are cut; what is no entry is refused with its line.
 * Method: every split point of a small text with multi-byte characters; each bad input once.
 */
import { describe, expect, it } from 'vitest';
import { entryLines } from '../../../impl/cli/entry-lines.ts';
import { SERVER_LIMITS } from '../../../impl/server/server-limits.ts';

async function* chunksOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

async function linesOf(chunks: readonly Uint8Array[], skipEmpty = false): Promise<readonly [number, string][]> {
  const found: [number, string][] = [];
  for await (const lines of entryLines(chunksOf(...chunks), 'here', skipEmpty))
    for (const { number, text } of lines) found.push([number, text]);
  return found;
}

describe('lines as entries', () => {
  it('are the same at every split point, with CRLF, multi-byte characters and no LF at the end', async () => {
    const bytes = new TextEncoder().encode('eins\r\nzwei é\n🙂 drei');
    for (let cut = 0; cut <= bytes.byteLength; cut++) {
      expect(await linesOf([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual([
        [1, 'eins'],
        [2, 'zwei é'],
        [3, '🙂 drei'],
      ]);
    }
  });

  it('nothing at all is no entry', async () => {
    expect(await linesOf([])).toEqual([]);
  });

  it('an empty line is refused with its number, or left out when asked', async () => {
    const bytes = new TextEncoder().encode('a\n\nb\n');
    await expect(linesOf([bytes])).rejects.toThrow(/here, line 2 is empty.*--skip-empty/);
    expect(await linesOf([bytes], true)).toEqual([
      [1, 'a'],
      [3, 'b'],
    ]);
  });

  it('bytes that are not UTF-8 are refused with their line', async () => {
    await expect(linesOf([Uint8Array.of(0x61, 0x0a, 0xc3, 0x28, 0x0a)])).rejects.toThrow(/here, line 2 is not UTF-8/);
  });

  it('a line of the largest size is taken, one byte more is refused before it is whole', async () => {
    const largest = new Uint8Array(SERVER_LIMITS.EVENT_BYTES_MAX).fill(0x61);
    const found = await linesOf([largest, Uint8Array.of(0x0a)]);
    expect(found[0]?.[1].length).toBe(SERVER_LIMITS.EVENT_BYTES_MAX);
    await expect(linesOf([largest, Uint8Array.of(0x61)])).rejects.toThrow(/line 1 is larger than an entry may be/);
  });
});
