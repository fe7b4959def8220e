/** `lockstep bench`: a closed loop of durable replicated appends over the binary protocol, and what it measured. */
import { type Command, Option } from 'commander';
import { type LoadFigures, runLoad } from '../../client/index.ts';
import { RealClock } from '../../ports/real-clock.ts';
import { SERVER_LIMITS } from '../../server/server-limits.ts';
import { EXIT_DONE, EXIT_FAILED } from '../cli-error.ts';
import { accessOf, addAccessOptions } from '../client-options.ts';
import { exitsWith, Output } from '../command.ts';
import { parseHostPort } from '../host-port.ts';
import { required, resolveSettings } from '../settings.ts';
import { wholeNumber } from '../whole-number.ts';

const CLIENTS_MAX = 8_192;
const SECONDS_MAX = 3_600;
const CONNECTIONS_MAX = 64;
const PROGRESS_MS = 1_000;

interface BenchOptions {
  readonly addresses?: string;
  readonly clients: number;
  readonly connections: number;
  readonly batching: boolean;
  readonly size: number;
  readonly warm: number;
  readonly seconds: number;
  readonly stream: string;
  readonly reads?: 'linearizable' | 'committed';
  readonly authority?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly config?: string;
}

export function configure(command: Command): void {
  addAccessOptions(command)
    .option(
      '--addresses <list>',
      'host:port of the replicas, commas between (default: the three of `lockstep cluster`, from 127.0.0.1:7200)',
    )
    .option('--clients <n>', 'appends in flight at all times', wholeNumber(1, CLIENTS_MAX), 64)
    .option('--connections <n>', 'connections that share them', wholeNumber(1, CONNECTIONS_MAX), 1)
    .option('--no-batching', 'each append is a request of its own; 64 of them are on their way on a connection')
    .option('--size <bytes>', 'bytes of an entry', wholeNumber(1, SERVER_LIMITS.EVENT_BYTES_MAX), 256)
    .option('--warm <s>', 'seconds before anything is counted', wholeNumber(0, SECONDS_MAX), 2)
    .option('--seconds <s>', 'seconds that count', wholeNumber(1, SECONDS_MAX), 10)
    .option('--stream <name>', 'stream that is appended to, created when there is none', 'bench')
    .addOption(
      new Option('--reads <consistency>', 'reads of one entry instead of appends').choices([
        'linearizable',
        'committed',
      ]),
    )
    .option('--config <file>', 'settings in TOML')
    .addHelpText(
      'after',
      '\nEnvironment: LOCKSTEP_ADDRESSES, LOCKSTEP_TOKEN, LOCKSTEP_AUTHORITY, LOCKSTEP_CERTIFICATE, LOCKSTEP_KEY. Flags win. Every entry stays in the log.',
    )
    .action(
      exitsWith(async (options: BenchOptions, self: Command) => {
        const out = new Output(self);
        const resolved = resolveSettings('bench', {
          flags: {
            addresses: options.addresses,
            authority: options.authority,
            certificate: options.certificate,
            key: options.key,
          },
          environment: process.env,
          file: options.config ?? process.env.LOCKSTEP_CONFIG,
        });
        const addresses = required('bench', resolved, 'addresses');
        const { token, tls } = accessOf('bench', resolved);
        const stopProgress = showProgress(out, options.warm + options.seconds);
        try {
          const figures = await runLoad({
            addresses: addresses.map((text, index) => parseHostPort(text, `addresses[${index}]`)),
            stream: options.stream,
            inFlight: options.clients,
            bytes: options.size,
            batching: options.batching,
            warmSeconds: options.warm,
            seconds: options.seconds,
            ...(options.reads === undefined ? {} : { reads: options.reads }),
            ...(token === undefined ? {} : { token }),
            ...(tls === undefined ? {} : { tls }),
            connections: Math.min(options.connections, options.clients),
          });
          out.value(figures);
          for (const line of figureLines(figures, options.reads)) out.line(line);
          return figures.operations > 0 ? EXIT_DONE : EXIT_FAILED;
        } finally {
          stopProgress();
        }
      }),
    );
}

function showProgress(out: Output, seconds: number): () => void {
  let elapsed = 0;
  const stop = new RealClock().startTicks(PROGRESS_MS, () => {
    elapsed += PROGRESS_MS / 1_000;
    out.progress(`${elapsed} of ${seconds} s`);
  });
  return () => {
    stop();
    out.clearProgress();
  };
}

function figureLines(figures: LoadFigures, reads: BenchOptions['reads']): string[] {
  const ms = (value: number): string => `${value.toFixed(2)} ms`;
  const { inFlight, bytes, operations, seconds, opsPerSecond, p50Ms, p99Ms, p999Ms, maxMs, errors } = figures;
  const lines = [
    `${Math.round(opsPerSecond)} ${reads === undefined ? 'appends' : `${reads} reads`} a second of ${bytes} bytes, ${inFlight} in flight (${operations} in ${seconds.toFixed(1)} s)`,
    `p50 ${ms(p50Ms)}  p99 ${ms(p99Ms)}  p99.9 ${ms(p999Ms)}  max ${ms(maxMs)}`,
  ];
  if (errors > 0) lines.push(`${errors} errors: ${figures.errorCodes.join(', ')}`);
  return lines;
}
