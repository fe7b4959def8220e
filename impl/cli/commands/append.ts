/** `lockstep append`: lines become entries of a stream; each acknowledged batch prints offset, commit id and hash. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { LockstepError } from '../../ports/lockstep-error.ts';
import { CliError } from '../cli-error.ts';
import { addClientOptions, httpClientOf } from '../client-options.ts';
import { exitsWith, Output } from '../command.ts';
import { type EntryLine, entryLines } from '../entry-lines.ts';
import { fieldOf, type HttpClient, RefusedError } from '../http-client.ts';
import { session } from '../session.ts';
import { wholeNumber } from '../whole-number.ts';

/** Entries of one request: well under the server's limits, so that one batch is one command of the log. */
const BATCH_ENTRIES_MAX = 500;
/** Bytes of one request's JSON: under HTTP_BODY_BYTES_MAX also with one more entry of the largest size, escaped. */
const BATCH_JSON_BYTES_MAX = 128 * 1024;

interface AppendOptions {
  readonly create?: boolean;
  readonly expectedOffset?: number;
  readonly skipEmpty?: boolean;
  readonly text?: readonly string[];
}

export function configure(command: Command): void {
  command
    .argument('<stream>', 'name of the stream')
    .argument('[file]', 'file whose lines become entries; - or nothing reads standard input', '-')
    .option('--create', 'create the stream when there is none')
    .option('--expected-offset <n>', 'the offset that the first entry must get; refused otherwise', wholeNumber(0))
    .option('--text <entry...>', 'the entries themselves, instead of a file')
    .option('--skip-empty', 'leave empty lines out instead of refusing them');
  addClientOptions(command).action(
    exitsWith(async (stream: string, file: string, options: AppendOptions, self: Command) => {
      const out = new Output(self);
      const client = httpClientOf(self);
      if (options.create === true) await createStream(client, stream);
      const { text } = options;
      if (text !== undefined && file !== '-')
        throw new CliError('CLI_USAGE', `${file} and --text are two sources of entries: give one of them`, { file });
      const source = text !== undefined ? '--text' : file === '-' ? 'standard input' : file;
      const session = new AppendSession(client, stream, options.expectedOffset, out);
      const chunks = text === undefined ? bytesOf(file) : Readable.from([Buffer.from(`${text.join('\n')}\n`)]);
      try {
        for await (const lines of entryLines(chunks, source, options.skipEmpty === true))
          for (const batch of batchesOf(lines)) await session.append(batch);
      } catch (cause) {
        throw session.explained(readFailure(cause, file));
      }
      if (session.acknowledged === 0) {
        const message = `${source} holds no line: nothing was appended. Write at least one line`;
        throw new CliError('CLI_INPUT_INVALID', message, { source });
      }
      return undefined;
    }),
  );
}

function bytesOf(file: string): AsyncIterable<Uint8Array> {
  if (file === '-' && session.interrupted !== undefined) {
    const message = 'a session has no standard input for a command: write the entries after the name of the stream';
    throw new CliError('CLI_USAGE', message, { source: 'standard input' });
  }
  return file === '-' ? process.stdin : createReadStream(file);
}

class AppendSession {
  readonly #client: HttpClient;
  readonly #stream: string;
  readonly #out: Output;
  #expectedOffset: number | undefined;
  /** Entries acknowledged so far. */
  acknowledged = 0;
  #lastLine = 0;

  constructor(client: HttpClient, stream: string, expectedOffset: number | undefined, out: Output) {
    this.#client = client;
    this.#stream = stream;
    this.#expectedOffset = expectedOffset;
    this.#out = out;
  }

  async append(batch: readonly EntryLine[]): Promise<void> {
    const answer = await this.#client.ask({
      method: 'POST',
      path: `/v1/streams/${encodeURIComponent(this.#stream)}/events`,
      body: {
        events: batch.map(({ text }) => ({ data: text })),
        ...(this.#expectedOffset === undefined ? {} : { expectedOffset: this.#expectedOffset }),
      },
      idempotencyKey: randomUUID(),
      patient: true,
    });
    const first = fieldOf(answer, 'firstOffset');
    const last = fieldOf(answer, 'lastOffset');
    if (typeof first !== 'number' || typeof last !== 'number') {
      throw new CliError('CLI_ANSWER_INVALID', 'the answer to an append holds no offsets: check --url', {
        answer: JSON.stringify(answer).slice(0, 200),
      });
    }
    this.acknowledged += batch.length;
    this.#lastLine = batch.at(-1)?.number ?? this.#lastLine;
    if (this.#expectedOffset !== undefined) this.#expectedOffset = last + 1;
    const offsets = first === last ? `offset ${first}` : `offsets ${first}..${last}`;
    this.#out.line(`${offsets}  commit ${fieldOf(answer, 'commitId')}  hash ${fieldOf(answer, 'hash')}`);
    this.#out.value(answer);
  }

  /** The error with what is in already: a reader must be able to go on from there. */
  explained(cause: unknown): unknown {
    if (!(cause instanceof LockstepError)) return cause;
    const before =
      this.acknowledged === 0
        ? 'nothing was appended'
        : `lines up to ${this.#lastLine} are in (${this.acknowledged} entries)`;
    const Same = cause instanceof CliError ? CliError : RefusedError;
    return new Same(
      cause.code as never,
      `${cause.message}; ${before}`,
      { ...cause.evidence, stream: this.#stream, acknowledged: this.acknowledged },
      cause,
    );
  }
}

async function createStream(client: HttpClient, stream: string): Promise<void> {
  try {
    await client.ask({ method: 'POST', path: '/v1/streams', body: { name: stream }, patient: true });
  } catch (cause) {
    if (!(cause instanceof RefusedError) || cause.evidence.status !== 409) throw cause; // 409: there already
  }
}

function* batchesOf(lines: readonly EntryLine[]): Generator<readonly EntryLine[]> {
  let batch: EntryLine[] = [];
  let bytes = 0;
  for (const line of lines) {
    const size = Buffer.byteLength(JSON.stringify(line.text)) + 12;
    if (batch.length > 0 && (batch.length >= BATCH_ENTRIES_MAX || bytes + size > BATCH_JSON_BYTES_MAX)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(line);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

function readFailure(cause: unknown, file: string): unknown {
  if (!(cause instanceof Error) || !('syscall' in cause)) return cause;
  const system = 'code' in cause ? String(cause.code) : 'unknown';
  const message = `cannot read ${file} (${system}): name a readable file, or - for standard input`;
  return new CliError('CLI_FILE_UNREADABLE', message, { file, system }, cause);
}
