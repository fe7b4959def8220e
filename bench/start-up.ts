/** How long a replica with a long log takes from its start until it listens: chain and CRC of every record, and the state. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import getPort from 'get-port';
import { encodeBatch, encodeCommand } from '../impl/kernel/command-codec.ts';
import { RealDisk } from '../impl/ports/real-disk.ts';
import { formatDataDirectory, openDataDirectory } from '../impl/storage/data-directory.ts';
import { newPrepare, type Prepare } from '../impl/vsr/prepare.ts';
import { PrepareLog } from '../impl/vsr/prepare-log.ts';
import { stop } from './child.ts';

const IDENTITY = { cluster: 7n, replica: 0, replicaCount: 3 };
/** What a primary under load puts in one prepare. */
const COMMANDS_PER_PREPARE = 64;
const PREPARES_PER_FSYNC = 64;
const LISTENS_MS_MAX = 300_000;

export interface StartUp {
  readonly logBytes: number;
  readonly entries: number;
  readonly ms: number;
}

/** @param logBytes of entries, 256 bytes each by default and of random data, so that compression changes nothing */
export async function measureStartUp(
  root: string,
  folder: string,
  logBytes: number,
  entryBytes: number,
): Promise<StartUp> {
  const directory = join(folder, 'start-up');
  const entries = writeLog(directory, logBytes, entryBytes);
  const ports = await Promise.all(
    Array.from({ length: IDENTITY.replicaCount + 1 }, () => getPort({ host: '127.0.0.1' })),
  );
  const [http, ...replicas] = ports.map((port) => `127.0.0.1:${port}`);
  const flags = [
    '--addresses',
    replicas.join(','),
    '--http',
    http as string,
    '--json',
    '--log-level',
    'error',
    directory,
  ];
  const started = performance.now();
  const child = spawn(join(root, 'bin', 'lockstep'), ['server', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await new Promise<void>((listens, fail) => {
      const late = setTimeout(
        () => fail(new Error(`the replica does not listen after ${LISTENS_MS_MAX} ms`)),
        LISTENS_MS_MAX,
      );
      child.once('exit', (code) => {
        clearTimeout(late);
        fail(new Error(`lockstep server ended with ${code}`));
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        if ((JSON.parse(line) as { readonly event?: string }).event !== 'ready') return;
        clearTimeout(late);
        listens();
      });
    });
    return { logBytes, entries, ms: performance.now() - started };
  } finally {
    await stop(child);
  }
}

/** A data directory whose log is committed up to its end. @returns how many entries it has */
function writeLog(directory: string, logBytes: number, entryBytes: number): number {
  const disk = new RealDisk();
  formatDataDirectory(disk, directory, IDENTITY);
  const data = openDataDirectory(disk, directory, IDENTITY);
  const { prepareLog } = PrepareLog.open(data.log, IDENTITY.cluster);
  const create = encodeCommand({ kind: 'CreateStream', stream: 'bench' });
  prepareLog.append([nextPrepare(prepareLog, encodeBatch([create]))]);
  const prepares = Math.ceil(logBytes / (entryBytes * COMMANDS_PER_PREPARE));
  for (let count = 1; count <= prepares; count++) {
    const commands = Array.from({ length: COMMANDS_PER_PREPARE }, () =>
      encodeCommand({ kind: 'Append', stream: 'bench', events: [{ data: randomBytes(entryBytes) }] }),
    );
    prepareLog.append([nextPrepare(prepareLog, encodeBatch(commands))]);
    if (count % PREPARES_PER_FSYNC === 0) prepareLog.fsync();
  }
  prepareLog.fsync();
  data.superblock.update({ view: 0, logView: 0, commit: prepareLog.op });
  data.close();
  return prepares * COMMANDS_PER_PREPARE;
}

function nextPrepare(log: PrepareLog, body: Uint8Array): Prepare {
  const { cluster } = IDENTITY;
  const op = log.op + 1;
  return newPrepare({ cluster, view: 0, op, parent: log.headHash, timestamp: op, client: 1n, request: op, body });
}
