/** `lockstep read`: entries of a stream, from an offset on, to the end or as they come. */
import { type Command, Option } from 'commander';
import { CliError } from '../cli-error.ts';
import { addClientOptions, httpClientOf } from '../client-options.ts';
import { exitsWith, Output } from '../command.ts';
import { fieldOf, type HttpClient } from '../http-client.ts';
import { wholeNumber } from '../whole-number.ts';

/** Entries asked for at once. */
const PAGE_ENTRIES_MAX = 500;
/** Wait before the next look at the end of the stream, with --follow. */
const FOLLOW_WAIT_MS = 250;

interface ReadOptions {
  readonly from: number;
  readonly limit?: number;
  readonly follow?: boolean;
  readonly plain?: boolean;
  readonly consistency: 'linearizable' | 'committed';
}

export function configure(command: Command): void {
  command
    .argument('<stream>', 'name of the stream')
    .option('--from <n>', 'first offset', wholeNumber(0), 0)
    .option('--limit <n>', 'entries at most (default: to the end)', wholeNumber(1))
    .option('--follow', 'go on with new entries until Ctrl-C')
    .option('--plain', 'the data alone, without its offset')
    .addOption(
      new Option(
        '--consistency <level>',
        'linearizable: everything acknowledged before; committed: what this replica has',
      )
        .choices(['linearizable', 'committed'])
        .default('linearizable'),
    );
  addClientOptions(command).action(
    exitsWith(async (stream: string, options: ReadOptions, self: Command) => {
      const out = new Output(self);
      const client = httpClientOf(self);
      if (options.follow === true) process.once('SIGINT', () => process.exit(0));
      let from = options.from;
      let left = options.limit ?? Number.MAX_SAFE_INTEGER;
      let consistency = options.consistency;
      while (left > 0) {
        const page = await readPage(client, stream, from, Math.min(left, PAGE_ENTRIES_MAX), consistency);
        for (const event of page.events) {
          out.value(event);
          out.line(options.plain === true ? dataOf(event) : `${fieldOf(event, 'offset')}\t${dataOf(event)}`);
        }
        left -= page.events.length;
        from = page.nextOffset;
        if (page.events.length > 0) continue;
        if (options.follow !== true) break;
        // Only what is committed can come: waiting costs the cluster no round.
        consistency = 'committed';
        await client.pause(FOLLOW_WAIT_MS);
      }
      return undefined;
    }),
  );
}

async function readPage(
  client: HttpClient,
  stream: string,
  from: number,
  limit: number,
  consistency: string,
): Promise<{ events: readonly unknown[]; nextOffset: number }> {
  const path = `/v1/streams/${encodeURIComponent(stream)}/events`;
  const answer = await client.ask({ method: 'GET', path, query: { from, limit, consistency }, patient: true });
  const events = fieldOf(answer, 'events');
  const nextOffset = fieldOf(answer, 'nextOffset');
  if (!Array.isArray(events) || typeof nextOffset !== 'number') {
    throw new CliError('CLI_ANSWER_INVALID', 'the answer to a read holds no events: check --url', {
      answer: JSON.stringify(answer).slice(0, 200),
    });
  }
  return { events, nextOffset };
}

function dataOf(event: unknown): string {
  const data = fieldOf(event, 'data');
  return typeof data === 'string' ? data : `base64:${String(fieldOf(event, 'dataBase64'))}`;
}
