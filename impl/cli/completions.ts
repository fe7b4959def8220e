/**
 * What may follow the words that are typed, for the shell (`lockstep completion`) and for `lockstep repl`: commands, options
 * and their choices from the same definitions that parse them; streams and machines from the replica, when one answers at
 * once. Mirrors no spec module.
 */
import { Command } from 'commander';
import { httpClientOf } from './client-options.ts';
import type { Program } from './command.ts';
import { fieldOf, type HttpClient } from './http-client.ts';

/** Whoever presses Tab waits for this, at most. */
const ASK_MS_MAX = 400;
/** Offered at once. */
const CANDIDATES_MAX = 200;

/** @param words after `lockstep`, the last one as far as it is typed (it may be empty) */
export async function completions(program: Program, words: readonly string[]): Promise<readonly string[]> {
  const typed = words.at(-1) ?? '';
  const found = await candidates(program, words.slice(0, -1), typed);
  return found.filter((candidate) => candidate.startsWith(typed)).slice(0, CANDIDATES_MAX);
}

async function candidates(program: Program, before: readonly string[], typed: string): Promise<readonly string[]> {
  const { commands } = program;
  const [name, ...words] = before;
  if (name === undefined) return [...commands.map((entry) => entry.name), 'help', '--help', '--version'];
  if (name === 'help') return words.length === 0 ? commands.map((entry) => entry.name) : [];
  const command = await commandNamed(program, name);
  if (command === undefined) return [];
  const options = command.options.filter(({ hidden }) => !hidden);
  const last = words.at(-1);
  const valued = options.find(({ required, ...option }) => required && isNamed(option, last));
  if (valued !== undefined) return valued.argChoices ?? (valued.long === '--can' ? eventsOf(words) : []);
  if (typed.startsWith('-')) return [...options.flatMap(({ long }) => long ?? []), '--help'];
  const at = argumentsIn(words, command);
  const argument = command.registeredArguments[at];
  if (argument === undefined) return command.commands.map((sub) => sub.name());
  if (argument.argChoices !== undefined) return argument.argChoices;
  if (argument.name() === 'stream') return askFor(command, words, streamNames);
  if (argument.name() === 'name' && name === 'machines') return askFor(command, words, machineNames);
  if (argument.name() === 'component') return COMPONENTS;
  return [];
}

/** Components that can be named before any replica answers. */
const COMPONENTS = ['AppendLog', 'ClientSessions', 'Superblock', 'Vsr'];

/** The event names that people ask most: all of them are in `lockstep machines NAME`. */
function eventsOf(words: readonly string[]): readonly string[] {
  return words[0] === 'Vsr' ? ['ClientRequest', 'HeartbeatTimeout', 'ReceivePrepare', 'ReceiveStartView'] : [];
}

async function commandNamed(program: Program, name: string): Promise<Command | undefined> {
  const entry = program.commands.find((one) => one.name === name);
  if (entry === undefined) return undefined;
  const command = new Command(name).exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
  (await entry.load()).configure(command, program);
  return command.option('--json');
}

function isNamed(
  { long, short }: { readonly long?: string; readonly short?: string },
  word: string | undefined,
): boolean {
  return word !== undefined && (word === long || word === short);
}

/** How many arguments the words hold, beside options and their values. */
function argumentsIn(words: readonly string[], command: Command): number {
  let count = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    const option = command.options.find((one) => isNamed(one, word));
    if (option?.required) at++;
    else if (!word.startsWith('-')) count++;
  }
  return count;
}

async function askFor(
  command: Command,
  words: readonly string[],
  ask: (client: HttpClient) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  try {
    command.parseOptions([...words, '--timeout-ms', String(ASK_MS_MAX)]);
    return await ask(httpClientOf(command));
  } catch {
    return []; // nobody answers, or the words are not whole yet: then there is nothing to offer
  }
}

async function streamNames(client: HttpClient): Promise<readonly string[]> {
  const query = { consistency: 'committed' };
  const answer = await client.ask({ method: 'GET', path: '/v1/streams', query, patient: false });
  return namesIn(fieldOf(answer, 'streams'));
}

async function machineNames(client: HttpClient): Promise<readonly string[]> {
  const answer = await client.ask({ method: 'GET', path: '/v1/dx/machines', patient: false });
  const data = fieldOf(answer, 'data');
  return namesIn(Array.isArray(data) ? data : fieldOf(data, 'machines'));
}

function namesIn(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((one) => {
    const name = fieldOf(one, 'name');
    return typeof name === 'string' ? [name] : [];
  });
}
