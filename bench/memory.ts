/**
 * What stays in memory of a replica for each op of its log and each entry: real log on a folder of the caller's choice, real
 * kernel, one command an op (the dearest), from the first half of the ops to the second. What has a bound of its own is
 * measured before it is reached. Run: node --expose-gc --import tsx bench/memory.ts [--ops 200000] [--folder DIR] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { GENESIS_HASH } from '../impl/crypto/hash.ts';
import type { Command } from '../impl/kernel/command.ts';
import { encodeBatch, encodeCommand } from '../impl/kernel/command-codec.ts';
import { Kernel } from '../impl/kernel/kernel.ts';
import { IDEMPOTENCY_KEYS_MAX } from '../impl/kernel/limits.ts';
import { placeOf } from '../impl/kernel/state.ts';
import { RealDisk } from '../impl/ports/real-disk.ts';
import { formatDataDirectory, openDataDirectory } from '../impl/storage/data-directory.ts';
import { newPrepare } from '../impl/vsr/prepare.ts';
import { PrepareLog } from '../impl/vsr/prepare-log.ts';

const IDENTITY = { cluster: 1n, replica: 0, replicaCount: 1 };
const SESSIONS = 64;
const SESSIONS_OP = 2;
const OPS_PER_FSYNC = 64;
const EVENT = { data: Buffer.alloc(100, 7) };
/** Below it, what the keys take is still growing. */
const KEYED_OPS_MAX = Math.floor(0.9 * IDEMPOTENCY_KEYS_MAX);

const CLIENTS = {
  'an append in a session': (n: number): readonly Command[] => [{ ...append, session: requestOf(n) }],
  'an append and two that are refused': (): readonly Command[] => [append, refused, refused],
  'an append with a key, of at most 100,000': (n: number): readonly Command[] => [
    { ...append, idempotencyKey: `client-7/request-${n}` },
  ],
} as const;
type Client = keyof typeof CLIENTS;

const append = { kind: 'Append', stream: 'bench', events: [EVENT] } as const;
const refused = { ...append, expectedOffset: 0 } as const;

export interface MemoryCost {
  readonly client: Client;
  readonly ops: number;
  /** That stay for each op: on V8's heap, and in array buffers. */
  readonly heapBytes: number;
  readonly bufferBytes: number;
}

export async function measureMemory(client: Client, ops: number, folder: string): Promise<MemoryCost> {
  const directory = mkdtempSync(join(folder, 'lockstep-memory-'));
  const disk = new RealDisk();
  formatDataDirectory(disk, join(directory, '0'), IDENTITY);
  const data = openDataDirectory(disk, join(directory, '0'), IDENTITY);
  try {
    const { prepareLog } = PrepareLog.open(data.log, IDENTITY.cluster);
    const kernel = new Kernel();
    const put = (commands: readonly Command[]): void => {
      const op = prepareLog.op + 1;
      const parent = op === 1 ? GENESIS_HASH : prepareLog.headHash;
      const body = encodeBatch(commands.map(encodeCommand));
      const { cluster } = IDENTITY;
      prepareLog.append([newPrepare({ cluster, view: 0, op, parent, timestamp: op, client: 0n, request: 1, body })]);
      if (op % OPS_PER_FSYNC === 0) prepareLog.fsync();
      kernel.apply(prepareLog.prepareAt(op) as never);
    };
    put([{ kind: 'CreateStream', stream: 'bench' }]);
    put(Array.from({ length: SESSIONS }, () => ({ kind: 'RegisterSession' })));
    const half = Math.ceil(ops / 2);
    for (let n = 0; n < half; n++) put(CLIENTS[client](n));
    const before = await rest();
    for (let n = half; n < ops; n++) put(CLIENTS[client](n));
    const after = await rest();
    const perOp = (bytes: number): number => bytes / (ops - half);
    const heapBytes = perOp(after.heapUsed - before.heapUsed);
    return { client, ops, heapBytes, bufferBytes: perOp(after.external - before.external) };
  } finally {
    data.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Sessions take turns. */
function requestOf(number: number): { readonly clientId: number; readonly requestNumber: number } {
  return { clientId: placeOf(SESSIONS_OP, number % SESSIONS), requestNumber: Math.floor(number / SESSIONS) + 1 };
}

/** Compressed records are given up when the event loop turns, and then by the garbage collector. */
async function rest(): Promise<NodeJS.MemoryUsage> {
  if (globalThis.gc === undefined) throw new Error('run it with --expose-gc');
  for (let time = 0; time < 4; time++) {
    globalThis.gc();
    await new Promise((turned) => setImmediate(turned));
  }
  return process.memoryUsage();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: {
      ops: { type: 'string', default: '200000' },
      folder: { type: 'string', default: tmpdir() },
      json: { type: 'boolean', default: false },
    },
  });
  for (const client of Object.keys(CLIENTS) as Client[]) {
    const ops = client.includes('key') ? Math.min(Number(values.ops), KEYED_OPS_MAX) : Number(values.ops);
    const cost = await measureMemory(client, ops, values.folder);
    const figures = `${cost.heapBytes.toFixed(1)} bytes of heap and ${cost.bufferBytes.toFixed(1)} of buffers an op`;
    console.log(values.json ? JSON.stringify(cost) : `${client}: ${figures}, over ${ops} ops`);
  }
}
