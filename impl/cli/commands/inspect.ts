/** `lockstep inspect`: what is on disk in a data directory: the superblock's copies and the log's records with their prepares. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { decodeBatch } from '../../kernel/command-codec.ts';
import { LockstepError } from '../../ports/lockstep-error.ts';
import { RealDisk } from '../../ports/real-disk.ts';
import {
  type InspectedCopy,
  type InspectedRecord,
  type InspectReport,
  inspectDataDirectory,
} from '../../storage/inspect.ts';
import { decodePrepare } from '../../vsr/prepare.ts';
import { PREPARE_RECORD_KIND, TRUNCATE_RECORD_KIND } from '../../vsr/prepare-log.ts';
import { exitsWith, Output } from '../command.ts';
import { wholeNumber } from '../whole-number.ts';

/** Hex digits of a hash in a table: enough to compare by eye. */
const HASH_DIGITS_SHOWN = 12;

interface InspectOptions {
  readonly from?: number;
  readonly limit: number;
}

export function configure(command: Command): void {
  command
    .argument('<dir>', 'the data directory of one replica')
    .option('--from <n>', 'first record (default: the last ones)', wholeNumber(0))
    .option('--limit <n>', 'records at most', wholeNumber(1), 20)
    .addHelpText('after', '\nReads only, judges nothing: see `lockstep verify`.')
    .action(
      exitsWith((directory: string, { from, limit }: InspectOptions, self: Command) => {
        const out = new Output(self);
        const report = inspectDataDirectory(new RealDisk(), directory, {
          limit,
          describe,
          ...(from === undefined ? {} : { from }),
        });
        out.value(report);
        for (const line of reportLines(report)) out.line(line);
        return undefined;
      }),
    );
}

/** What the replica wrote into a record; a payload that is no prepare says so. */
function describe(kind: number, payload: Uint8Array): Readonly<Record<string, string | number>> {
  if (kind !== PREPARE_RECORD_KIND) return kind === TRUNCATE_RECORD_KIND ? { commands: 'truncate' } : {};
  try {
    const { op, view, timestamp, client, request, body } = decodePrepare(payload);
    const commands = decodeBatch(body).map((one) => one.kind);
    const counted = [...new Set(commands)].map((name) => `${commands.filter((one) => one === name).length} ${name}`);
    return { op, view, timestamp, client: String(client), request, commands: counted.join(', ') };
  } catch (cause) {
    if (!(cause instanceof LockstepError)) throw cause;
    return { undecodable: cause.code };
  }
}

function reportLines({ directory, superblock, log }: InspectReport): string[] {
  const lines = [directory, superblock.file, ...copyTable(superblock.copies)];
  if (log === undefined) return [...lines, 'no log'];
  const torn = log.tornBytes > 0 ? `, then ${log.tornBytes} bytes that are no record` : '';
  lines.push(log.file, `${log.verdict}: ${log.records} records in ${log.bytes} bytes${torn}; head ${log.headHash}`);
  return [...lines, ...recordTable(log.listed)];
}

function copyTable(copies: readonly InspectedCopy[]): string[] {
  const head = ['copy', 'byte', 'state', 'cluster', 'replica', 'sequence', 'view', 'log view', 'commit', 'hash'];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const { copy, position, kind, state, why } of copies) {
    if (state === undefined) table.push([copy, position, why === undefined ? kind : `${kind}: ${why}`]);
    else {
      const { cluster, replica, replicaCount, sequence, view, logView, commit, hash } = state;
      const place = `${replica} of ${replicaCount}`;
      table.push([copy, position, kind, cluster, place, sequence, view, logView, commit, shortened(hash)]);
    }
  }
  return table.toString().split('\n');
}

function recordTable(records: readonly InspectedRecord[]): string[] {
  if (records.length === 0) return ['no records'];
  const head = ['record', 'byte', 'kind', 'payload', 'stored', 'hash', 'op', 'view', 'commands'];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const { offset, position, kind, payloadBytes, storedBytes, hash, payload } of records) {
    const { op = '-', view = '-', commands, undecodable } = payload ?? {};
    const what = commands ?? (undecodable === undefined ? '-' : `undecodable: ${undecodable}`);
    table.push([offset, position, kind, payloadBytes, storedBytes, shortened(hash), op, view, what]);
  }
  return table.toString().split('\n');
}

function shortened(hash: string): string {
  return hash.slice(0, HASH_DIGITS_SHOWN);
}
