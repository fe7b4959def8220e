/** `lockstep machines`: the machines that run in a replica; with a name its definition, state, history or a dry run. */
import Table from 'cli-table3';
import { type Command, Option } from 'commander';
import pc from 'picocolors';
import { CliError } from '../cli-error.ts';
import { addClientOptions, httpClientOf } from '../client-options.ts';
import { exitsWith, Output } from '../command.ts';
import { askDx, factLines, inline, ruleLines } from '../dx-answer.ts';
import { fieldOf, type HttpClient } from '../http-client.ts';
import { wholeNumber } from '../whole-number.ts';

interface MachinesOptions {
  readonly can?: string;
  readonly history?: number;
  readonly format?: string;
}

export function configure(command: Command): void {
  command
    .argument('[name]', 'one machine: its states, events and guards, and where it is now')
    .option('--can <event>', 'dry run: which guards of this event hold now, which fail, and on what values')
    .option('--history <n>', 'its last transitions', wholeNumber(1))
    .addOption(
      new Option('--format <format>', 'the definition for another tool').choices(['json', 'mermaid', 'scxml']),
    );
  addClientOptions(command).action(
    exitsWith(async (name: string | undefined, options: MachinesOptions, self: Command) => {
      const out = new Output(self);
      const client = httpClientOf(self);
      const { can, history, format } = options;
      const asked = [can, history, format].filter((one) => one !== undefined).length;
      if (asked > 0 && name === undefined)
        throw new CliError(
          'CLI_USAGE',
          '--can, --history and --format need the name of a machine: lockstep machines NAME',
        );
      if (asked > 1)
        throw new CliError('CLI_USAGE', '--can, --history and --format are three questions: ask one at a time');
      if (name === undefined) await printList(client, out);
      else if (can !== undefined) await printCan(client, out, name, can);
      else if (history !== undefined) await printHistory(client, out, name, history);
      else await printDefinition(client, out, name, format);
      return undefined;
    }),
  );
}

const pathOf = (name: string): string => `machines/${encodeURIComponent(name)}`;

async function printList(client: HttpClient, out: Output): Promise<void> {
  const answer = await askDx(client, 'machines');
  out.value(answer.envelope);
  const list = Array.isArray(answer.data) ? answer.data : fieldOf(answer.data, 'machines');
  for (const line of tableLines(Array.isArray(list) ? list : [])) out.line(line);
}

async function printCan(client: HttpClient, out: Output, name: string, event: string): Promise<void> {
  const answer = await askDx(client, `${pathOf(name)}/can`, { event });
  out.value(answer.envelope);
  const rules = fieldOf(answer.data, 'rules_applied') ?? fieldOf(answer.data, 'guards');
  const rest = Object.entries(answer.data as object).filter(([key]) => key !== 'rules_applied' && key !== 'guards');
  for (const line of factLines(Object.fromEntries(rest))) out.line(line);
  if (Array.isArray(rules)) for (const line of rules.flatMap((rule) => ruleLines(rule))) out.line(line);
}

async function printHistory(client: HttpClient, out: Output, name: string, limit: number): Promise<void> {
  const answer = await askDx(client, `${pathOf(name)}/history`, { limit });
  out.value(answer.envelope);
  const list = Array.isArray(answer.data) ? answer.data : (fieldOf(answer.data, 'transitions') ?? []);
  for (const line of tableLines(Array.isArray(list) ? list : [])) out.line(line);
}

async function printDefinition(
  client: HttpClient,
  out: Output,
  name: string,
  format: string | undefined,
): Promise<void> {
  if (format === 'mermaid' || format === 'scxml') {
    const text = await client.ask({ method: 'GET', path: `/v1/dx/${pathOf(name)}`, query: { format }, patient: false });
    const inside = fieldOf(fieldOf(text, 'data'), 'text') ?? fieldOf(fieldOf(text, 'data'), format) ?? text;
    out.value(typeof text === 'string' ? { format, text } : text);
    out.line(typeof inside === 'string' ? inside.trimEnd() : inline(inside));
    return;
  }
  const answer = await askDx(client, pathOf(name), { format });
  out.value(answer.envelope);
  if (format === 'json') out.line(JSON.stringify(answer.data, null, 2));
  else for (const line of definitionLines(answer.data)) out.line(line);
}

/** Plain facts in lines, lists of records as tables under their name. */
function definitionLines(data: unknown): string[] {
  const entries = Object.entries(typeof data === 'object' && data !== null ? data : { data });
  const isList = (value: unknown): value is object[] =>
    Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'object' && item !== null);
  const facts = entries.filter(([, value]) => !isList(value));
  const lines = factLines(Object.fromEntries(facts));
  for (const [title, value] of entries) if (isList(value)) lines.push('', pc.bold(title), ...tableLines(value));
  return lines;
}

/** A table whose columns are the fields of its rows. */
function tableLines(rows: readonly unknown[]): string[] {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(typeof row === 'object' && row !== null ? row : {})))];
  if (columns.length === 0) return ['(none)'];
  const table = new Table({ head: columns, style: { head: [], border: [] } });
  for (const row of rows) table.push(columns.map((column) => inline(fieldOf(row, column))));
  return table.toString().split('\n');
}
