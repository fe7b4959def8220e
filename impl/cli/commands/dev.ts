/** `lockstep dev`: one command to look at Lockstep: a local cluster, a stream that grows, and the page in the browser. */
import type { Command } from 'commander';
import open from 'open';
import { RealClock } from '../../ports/real-clock.ts';
import { colors as pc } from '../colors.ts';
import { exitsWith, Output } from '../command.ts';
import { HttpClient } from '../http-client.ts';
import { growSample, SAMPLE_STREAM } from '../sample-stream.ts';
import { required, resolveSettings } from '../settings.ts';
import { runCluster } from './cluster.ts';

const ASK_MS_MAX = 30_000;

interface DevOptions {
  readonly data?: string;
  readonly port?: string;
  readonly replicas?: string;
  readonly open: boolean;
  readonly sample: boolean;
}

export function configure(command: Command): void {
  command
    .option('--replicas <n>', 'how many (default 3)')
    .option('--data <dir>', 'folder of the cluster, made on first use (default lockstep-data)')
    .option('--port <port>', 'HTTP of replica 0; the others follow; 0 finds free ones (default 7100)')
    .option('--no-open', 'do not open the page in a browser')
    .option('--no-sample', 'do not append to a stream')
    .addHelpText('after', '\nA replica that dies is started again. Everything else is as in `lockstep cluster`.')
    .action(
      exitsWith(async (options: DevOptions, self: Command) => {
        const { replicas, data, port } = options;
        const resolved = resolveSettings('cluster', {
          flags: { replicas, data, port },
          environment: process.env,
          file: process.env.LOCKSTEP_CONFIG,
        });
        const out = new Output(self);
        return runCluster(out, {
          folder: required('cluster', resolved, 'data'),
          replicas: required('cluster', resolved, 'replicas'),
          port: required('cluster', resolved, 'port'),
          restart: true,
          tls: false,
          serverArgs: [],
          onServing: (urls, ending) => void show(out, urls, options, ending),
        });
      }),
    );
}

async function show(out: Output, urls: readonly string[], options: DevOptions, ending: AbortSignal): Promise<void> {
  const page = `${urls[0]}/`;
  out.value({ event: 'page', url: page });
  out.line(`\nThe page: ${pc.bold(page)}`);
  if (options.open) await openPage(out, page);
  if (!options.sample) return;
  out.line(`Stream ${SAMPLE_STREAM} grows by one entry a second.`);
  await growSample(new HttpClient(urls, ASK_MS_MAX), new RealClock(), ending, ({ appended, refusal }) => {
    if (refusal !== undefined) out.note(`not appended: ${refusal}`);
    out.value({ event: 'sample', stream: SAMPLE_STREAM, appended });
    out.progress(`${SAMPLE_STREAM}: ${appended} entries appended`);
  });
}

/** A machine without a browser is no reason to stop. */
async function openPage(out: Output, page: string): Promise<void> {
  try {
    const browser = await open(page);
    browser.once('error', () => out.note(`no browser could be opened: go to ${page}`));
  } catch {
    out.note(`no browser could be opened: go to ${page}`);
  }
}
