/** `lockstep streams`: the streams of a cluster; creates and deletes them. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { addClientOptions, httpClientOf } from '../client-options.ts';
import { exitsWith, Output } from '../command.ts';
import { inline } from '../dx-answer.ts';
import { fieldOf, type HttpClient } from '../http-client.ts';

interface StreamsOptions {
  readonly create?: string;
  readonly delete?: string;
}

const COLUMNS = ['name', 'dataClass', 'nextOffset', 'createdCommitId'] as const;

export function configure(command: Command): void {
  command
    .option('--create <stream>', 'make one; refused when there is one of this name')
    .option('--delete <stream>', 'delete one, with all its entries');
  addClientOptions(command).action(
    exitsWith(async (options: StreamsOptions, self: Command) => {
      const out = new Output(self);
      const client = httpClientOf(self);
      if (options.create !== undefined && options.delete !== undefined)
        throw new CliError('CLI_USAGE', '--create and --delete are two commands: give one at a time');
      if (options.create !== undefined)
        await change(client, out, { method: 'POST', path: '/v1/streams', body: { name: options.create } });
      else if (options.delete !== undefined)
        await change(client, out, { method: 'DELETE', path: `/v1/streams/${encodeURIComponent(options.delete)}` });
      else await list(client, out);
      return undefined;
    }),
  );
}

interface Change {
  readonly method: 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

/** Not repeated when in doubt: the second try would be refused by what the first one did. */
async function change(client: HttpClient, out: Output, request: Change): Promise<void> {
  const answer = await client.ask({ ...request, patient: false });
  out.value(answer);
  out.line(`commit ${fieldOf(answer, 'commitId')}  hash ${fieldOf(answer, 'hash')}`);
}

async function list(client: HttpClient, out: Output): Promise<void> {
  const answer = await client.ask({ method: 'GET', path: '/v1/streams', patient: true });
  const streams = fieldOf(answer, 'streams');
  const table = new Table({ head: [...COLUMNS], style: { head: [], border: [], compact: true } });
  for (const stream of Array.isArray(streams) ? streams : [])
    table.push(COLUMNS.map((name) => inline(fieldOf(stream, name))));
  out.value(answer);
  out.line(table.length === 0 ? 'no streams yet: lockstep streams --create NAME' : table.toString());
}
