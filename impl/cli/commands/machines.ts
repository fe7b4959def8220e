/** `lockstep machines`: the machines that run in a replica; with a name its definition, state, history or a dry run. */
import Table from 'cli-table3';
import { type Command, Option } from 'commander';
import { ruleText } from '../../../machines/explanation.ts';
import { CliError } from '../cli-error.ts';
import { addClientOptions, httpClientOf } from '../client-options.ts';
import { colors as pc } from '../colors.ts';
import { exitsWith, Output } from '../command.ts';
import { askDx, factLines, inline, paint } from '../dx-answer.ts';
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
    .option(
      '--can <event>',
      'dry run: which guards hold now, which fail, on what values; ReceiveCommit&message.view=0 gives facts',
    )
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
  const [type = event, ...fields] = event.split(/[?&]/);
  const query = Object.fromEntries(fields.map((field) => field.split('=', 2)));
  const answer = await askDx(client, `${pathOf(name)}/can`, { ...query, event: type });
  out.value(answer.envelope);
  const rules = fieldOf(answer.data, 'rules_applied');
  const can = fieldOf(answer.data, 'can') === true;
  const state = inline(fieldOf(answer.data, 'state'));
  out.line(pc.bold(`${type} ${can ? 'would be taken' : 'would be refused'} by ${name} in state ${state}`));
  if (Array.isArray(rules)) for (const line of rules.flatMap((rule) => ruleText(rule, paint))) out.line(line);
  for (const note of answer.notes) out.line(pc.dim(`note: ${note}`));
}

async function printHistory(client: HttpClient, out: Output, name: string, limit: number): Promise<void> {
  const answer = await askDx(client, `${pathOf(name)}/history`, { limit });
  out.value(answer.envelope);
  const list = Array.isArray(answer.data) ? answer.data : [];
  const rows = list.map((record) => ({
    sequence: fieldOf(record, 'sequence'),
    event: fieldOf(record, 'event'),
    peer: fieldOf(record, 'peer'),
    outcome: outcomeText(record),
    view: fieldOf(record, 'view'),
    op: fieldOf(record, 'op'),
    commit_id: fieldOf(record, 'commit_id'),
  }));
  for (const line of tableLines(rows)) out.line(line);
}

/** Where it went, or what refused it. */
function outcomeText(record: unknown): string {
  const from = inline(fieldOf(record, 'from'));
  const to = inline(fieldOf(record, 'to'));
  if (fieldOf(record, 'taken') === true) return from === to ? `taken in ${from}` : `taken, ${from} to ${to}`;
  const guards = fieldOf(record, 'guards');
  const failed = Object.entries(typeof guards === 'object' && guards !== null ? guards : {}).filter(([, ok]) => !ok);
  return `refused by ${failed.map(([guard]) => guard).join(', ')}`;
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

/** Plain facts in lines, then a block a state: each event with its guards, and where spec and machine have it. */
function definitionLines(data: unknown): string[] {
  const { transitions, guards, context, ...facts } = data as Definition;
  const lines = [
    ...factLines({ ...facts, states: facts.states?.join(', ') }),
    '',
    pc.bold('context'),
    ...factLines(context, '  '),
  ];
  for (const state of facts.states ?? []) {
    const here = (transitions ?? []).filter(({ from }) => from === state);
    lines.push('', pc.bold(`state ${state}${state === facts.state ? '  (now)' : ''}`));
    for (const { event, guards: names, to, action, machine } of here) {
      lines.push(
        `  ${event}${to === state ? '' : ` -> ${to}`}${names.length > 0 ? pc.dim('  if ') : ''}${names.join(' and ')}`,
      );
      lines.push(pc.dim(`    ${[action, machine].filter((place) => place !== null).join('  ')}`));
    }
  }
  lines.push('', pc.bold('guards'));
  for (const { guard, description, spec, machine } of guards ?? []) {
    lines.push(`  ${guard}  ${description}`);
    lines.push(pc.dim(`    ${[spec, machine].filter((place) => place !== null).join('  ')}`));
  }
  return lines;
}

/** The part of the answer that is printed. */
interface Definition {
  readonly state?: string;
  readonly states?: readonly string[];
  readonly context?: object;
  readonly transitions?: readonly {
    readonly from: string;
    readonly event: string;
    readonly guards: readonly string[];
    readonly to: string;
    readonly action: string | null;
    readonly machine: string | null;
  }[];
  readonly guards?: readonly {
    readonly guard: string;
    readonly description: string;
    readonly spec: string | null;
    readonly machine: string | null;
  }[];
}

/** A table whose columns are the fields of its rows. */
function tableLines(rows: readonly unknown[]): string[] {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(typeof row === 'object' && row !== null ? row : {})))];
  if (columns.length === 0) return ['(none)'];
  const table = new Table({ head: columns, style: { head: [], border: [], compact: true } });
  for (const row of rows) table.push(columns.map((column) => inline(fieldOf(row, column))));
  return table.toString().split('\n');
}
