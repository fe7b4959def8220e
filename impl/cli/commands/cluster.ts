/** `lockstep cluster`: a local cluster in real processes, from formatting to a clean stop. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { RealClock } from '../../ports/real-clock.ts';
import { RealRandom } from '../../ports/real-random.ts';
import { type CliError, EXIT_DONE, EXIT_FAILED } from '../cli-error.ts';
import { colors as pc } from '../colors.ts';
import { exitsWith, Output } from '../command.ts';
import { formatDirectory } from '../data-directories.ts';
import { HttpClient } from '../http-client.ts';
import { LocalCluster } from '../local-cluster.ts';
import { readSecretFile } from '../secret-files.ts';
import { required, resolveSettings } from '../settings.ts';
import { clientFiles } from '../tls-files.ts';

/** Between a death and the next start of that replica, with --restart. */
const RESTART_WAIT_MS = 1_000;
/** How long a fresh cluster may take to be ready for requests before we say that it is not. */
const READY_MS_MAX = 15_000;

interface ClusterOptions {
  readonly replicas?: string;
  readonly data?: string;
  readonly port?: string;
  readonly restart?: boolean;
  readonly tls?: boolean;
  readonly dx: boolean;
  readonly config?: string;
}

export function configure(command: Command): void {
  command
    .option('--replicas <n>', 'how many (default 3)')
    .option('--data <dir>', 'folder of the cluster, made on first use (default lockstep-data)')
    .option('--port <port>', 'HTTP of replica 0; the others follow, replicas at +100; 0 finds free ones (default 7100)')
    .option('--restart', 'start a replica again when it dies')
    .option('--tls', 'TLS 1.3 everywhere, with certificates of its own in DIR/tls, made on first use')
    .option('--no-dx', 'leave the DX API out')
    .option('--config <file>', 'settings in TOML, of the cluster and of its servers')
    .addHelpText(
      'after',
      '\nEnvironment: LOCKSTEP_REPLICAS, LOCKSTEP_DATA, LOCKSTEP_PORT, LOCKSTEP_RESTART, LOCKSTEP_TLS. Flags win.',
    )
    .action(
      exitsWith(async (options: ClusterOptions, self: Command) => {
        const file = options.config ?? process.env.LOCKSTEP_CONFIG;
        const resolved = resolveSettings('cluster', {
          flags: {
            replicas: options.replicas,
            data: options.data,
            port: options.port,
            restart: options.restart,
            tls: options.tls,
          },
          environment: process.env,
          file,
        });
        const serverArgs = [...(options.dx ? [] : ['--no-dx']), ...(file === undefined ? [] : ['--config', file])];
        return runCluster(new Output(self), {
          folder: required('cluster', resolved, 'data'),
          replicas: required('cluster', resolved, 'replicas'),
          port: required('cluster', resolved, 'port'),
          restart: required('cluster', resolved, 'restart'),
          tls: required('cluster', resolved, 'tls'),
          serverArgs,
        });
      }),
    );
}

export interface RunOptions {
  readonly folder: string;
  readonly replicas: number;
  readonly port: number;
  readonly restart: boolean;
  readonly tls: boolean;
  readonly serverArgs: readonly string[];
  /** Called once, when requests are served; `ending` says when the cluster stops. */
  readonly onServing?: (urls: readonly string[], ending: AbortSignal) => void;
}

export async function runCluster(out: Output, options: RunOptions): Promise<number> {
  const clock = new RealClock();
  const ending = endingOf();
  const cluster = await LocalCluster.open(options, {
    clock,
    random: new RealRandom(),
    format: formatDirectory,
    command: [process.execPath, fileURLToPath(new URL('../run.js', import.meta.url))],
    onDeath: (replica, error) => void onDeath(replica, error),
  });
  const onDeath = async (replica: number, error: CliError): Promise<void> => {
    out.value({ event: 'died', replica, ...error.evidence });
    out.line(pc.red(error.message));
    if (options.restart) {
      out.line(`replica ${replica} starts again`);
      clock.after(RESTART_WAIT_MS, () => void startAgain(replica));
      return;
    }
    out.line(`Start it again with: ${programName()} server ${cluster.argsOf(replica).join(' ')}`);
    if (cluster.alive === 0) {
      out.line('no replica is left');
      ending.resolve(EXIT_FAILED);
    }
  };
  /** A replica that does not start any more leaves the others running: they are what there is. */
  const startAgain = async (replica: number): Promise<void> => {
    if (asked > 0) return;
    await startOne(replica).catch((cause: unknown) => {
      if (asked > 0) return;
      out.value({ event: 'not-started', replica });
      out.line(pc.red(cause instanceof Error ? cause.message : String(cause)));
      if (cluster.alive === 0) ending.reject(cause);
    });
  };
  const startOne = async (replica: number): Promise<void> => {
    const ready = await cluster.start(replica);
    out.value(ready);
    out.line(`  replica ${replica}  ${cluster.urls[replica]}  peers and clients ${ready.address}  pid ${ready.pid}`);
  };
  let asked = 0;
  const stopping = new AbortController();
  const onSignal = (): void => {
    asked += 1;
    if (asked > 1) {
      cluster.killAll();
      return;
    }
    out.note('stopping; once more kills');
    stopping.abort();
    void cluster.stop().then((clean) => ending.resolve(clean ? EXIT_DONE : EXIT_FAILED), ending.reject);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  try {
    const fresh = cluster.formatted ? ', formatted now' : '';
    out.value({ event: 'cluster', cluster: cluster.cluster, folder: options.folder, formatted: cluster.formatted });
    out.line(`cluster ${cluster.cluster} of ${options.replicas} in ${options.folder}${fresh}`);
    await Promise.all(Array.from({ length: options.replicas }, (_, replica) => startOne(replica)));
    if (asked === 0) await announce(out, cluster, options, stopping.signal);
    return await ending.promise;
  } catch (cause) {
    if (asked > 0) return await ending.promise; // the stop that was asked for ended the start
    await cluster.stop();
    throw cause;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('SIGHUP', onSignal);
  }
}

function endingOf(): {
  promise: Promise<number>;
  resolve: (exitCode: number) => void;
  reject: (cause: unknown) => void;
} {
  let resolve: (exitCode: number) => void = () => {};
  let reject: (cause: unknown) => void = () => {};
  const promise = new Promise<number>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  promise.catch(() => {}); // it is awaited later, and may fail before
  return { promise, resolve, reject };
}

/** The program as it can be typed again in this folder. */
function programName(): string {
  const path = process.argv[1] ?? 'lockstep';
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}

/** Waits until requests are served, then says how to use it. */
async function announce(out: Output, cluster: LocalCluster, options: RunOptions, ending: AbortSignal): Promise<void> {
  const { urls, tlsFolder } = cluster;
  const files = tlsFolder === undefined ? undefined : clientFiles(tlsFolder);
  const tls = files && { authority: readSecretFile(files.authority, '--tls') };
  const client = new HttpClient(urls, READY_MS_MAX, undefined, { tls });
  const isReady = await client.ask({ method: 'GET', path: '/ready', patient: true }).then(
    () => true,
    () => false,
  );
  out.value({ event: isReady ? 'serving' : 'not-serving', urls });
  const isDefault = options.port === 7100 && files === undefined;
  const trusts = files === undefined ? '' : `LOCKSTEP_AUTHORITY=${files.authority} `;
  const prefix = isDefault ? '' : `${trusts}LOCKSTEP_URL=${urls.join(',')} `;
  const program = programName();
  out.line('');
  if (isReady) out.line('It serves. In another terminal:');
  else out.line(pc.red(`It serves no requests after ${READY_MS_MAX} ms: see ${cluster.logFileOf(0)}. When it does:`));
  out.line(`  echo hello | ${prefix}${program} append greetings --create`);
  out.line(`  ${prefix}${program} read greetings`);
  out.line(`  ${prefix}${program} status`);
  out.line(`  ${prefix}${program} explain replica`);
  out.line('Ctrl-C stops it.');
  if (isReady) options.onServing?.(urls, ending);
}
