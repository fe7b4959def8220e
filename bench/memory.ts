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
import type { Command, RequestSession } from '../impl/kernel/command.ts';
import { encodeBatch, encodeCommand } from '../impl/kernel/command-codec.ts';
import { Kernel } from '../impl/kernel/kernel.ts';
import { IDEMPOTENCY_KEYS_MAX, STREAMS_MAX } from '../impl/kernel/limits.ts';
import { placeOf } from '../impl/kernel/state.ts';
import { RealDisk } from '../impl/ports/real-disk.ts';
import { formatDataDirectory, openDataDirectory } from '../impl/storage/data-directory.ts';
import { newPrepare } from '../impl/vsr/prepare.ts';
import { PrepareLog } from '../impl/vsr/prepare-log.ts';
import { SESSIONS_MAX } from '../impl/vsr/session-table.ts';

const IDENTITY = { cluster: 1n, replica: 0, replicaCount: 1 };
/** Op 2 registers sessions that soon have all the replies that they may have, op 3 those that have not for long. */
const FEW = { op: 2, sessions: 64 };
const MANY = { op: 3, sessions: 2_000 };
const OPS_PER_FSYNC = 64;
const EVENT = { data: Buffer.alloc(100, 7) };
/** Below it, what has a bound is still growing. */
const BOUNDED_OPS_MAX = Math.floor(0.9 * Math.min(IDEMPOTENCY_KEYS_MAX, STREAMS_MAX, SESSIONS_MAX));

const CLIENTS = {
  'an append in a session': (n: number): readonly Command[] => [{ ...append, session: requestOf(FEW, n) }],
  'an append and two that are refused': (): readonly Command[] => [append, refused, refused],
  'an append with a key, of at most 100,000': (n: number): readonly Command[] => [
    { ...append, idempotencyKey: `client-7/request-${n}` },
  ],
  'a reply kept, of at most 2,000,000': (n: number): readonly Command[] => [{ ...append, session: requestOf(MANY, n) }],
  'a session, of at most 100,000': (): readonly Command[] => [{ kind: 'RegisterSession' }],
  'a stream with an event, of at most 100,000': (n: number): readonly Command[] => [
    { kind: 'CreateStream', stream: `stream-${n}` },
    { ...append, stream: `stream-${n}` },
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
    for (const { sessions } of [FEW, MANY]) put(Array.from({ length: sessions }, () => ({ kind: 'RegisterSession' })));
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
function requestOf({ op, sessions }: typeof FEW, number: number): RequestSession {
  return { clientId: placeOf(op, number % sessions), requestNumber: Math.floor(number / sessions) + 1 };
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
    const ops = client.includes('at most') ? Math.min(Number(values.ops), BOUNDED_OPS_MAX) : Number(values.ops);
    const cost = await measureMemory(client, ops, values.folder);
    const figures = `${cost.heapBytes.toFixed(1)} bytes of heap and ${cost.bufferBytes.toFixed(1)} of buffers an op`;
    console.log(values.json ? JSON.stringify(cost) : `${client}: ${figures}, over ${ops} ops`);
  }
}
