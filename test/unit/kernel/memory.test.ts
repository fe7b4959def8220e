/**
 * Goal: what a replica keeps in memory for its log does not grow with what is in it, but for a few bytes an op. Method:
 * bench/memory.ts in a process of its own, whose garbage is collected before it is looked at.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ENTRY_BYTES_MAX } from '../../e2e/endurance-memory.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Of what there are only so many of: keys, sessions with their replies, streams. */
const BOUNDED_BYTES_MAX = 1_300;
const KEY_BYTES_MAX = 200;

test('an op leaves less than its share in memory, whatever the clients do', async () => {
  const flags = ['--expose-gc', '--import', 'tsx', 'bench/memory.ts', '--ops', '60000', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: ROOT });
  const costs = stdout.trim().split('\n');
  expect(costs).toHaveLength(6);
  for (const line of costs) {
    const { client, heapBytes, bufferBytes } = JSON.parse(line);
    const isBounded = String(client).includes('at most');
    const bound = isBounded ? (client.includes('key') ? KEY_BYTES_MAX : BOUNDED_BYTES_MAX) : ENTRY_BYTES_MAX;
    expect(heapBytes + bufferBytes, client).toBeLessThan(bound);
  }
}, 120_000);
