/** `lockstep explain TOPIC`: why a replica is in the state it is in, by the rules of the spec that its machine evaluated. */
import { Argument, type Command } from 'commander';
import { type Explanation, explanationText } from '../../../machines/explanation.ts';
import { CliError } from '../cli-error.ts';
import { addClientOptions, httpClientOf } from '../client-options.ts';
import { colors as pc } from '../colors.ts';
import { exitsWith, Output } from '../command.ts';
import { askDx, paint } from '../dx-answer.ts';
import { wholeNumber } from '../whole-number.ts';

interface Facts {
  readonly commitId?: number;
  readonly minCommitId?: number;
  readonly event?: string;
  readonly sequence?: number;
  readonly clientId?: number;
  readonly requestNumber?: number;
}

/** Each topic, and the facts that it takes as options. */
const TOPICS: Readonly<Record<string, readonly (keyof Facts)[]>> = {
  replica: [],
  commit: ['commitId'],
  read: ['minCommitId'],
  refusal: ['event', 'sequence', 'commitId'],
  recovery: [],
  'view-change': [],
  session: ['clientId', 'requestNumber'],
};

const FACTS: readonly { readonly name: keyof Facts; readonly flag: string; readonly query: string }[] = [
  { name: 'commitId', flag: '--commit-id', query: 'commit_id' },
  { name: 'minCommitId', flag: '--min-commit-id', query: 'min_commit_id' },
  { name: 'event', flag: '--event', query: 'event' },
  { name: 'sequence', flag: '--sequence', query: 'sequence' },
  { name: 'clientId', flag: '--client-id', query: 'client_id' },
  { name: 'requestNumber', flag: '--request-number', query: 'request_number' },
];

export function configure(command: Command): void {
  command
    .addArgument(new Argument('<topic>', 'what to explain').choices(Object.keys(TOPICS)))
    .option(
      '--commit-id <n>',
      'topic commit: which one (default: the first that is not committed); topic refusal: of the kernel, in that op',
      wholeNumber(1),
    )
    .option(
      '--min-commit-id <n>',
      'topic read: what a committed read asks for (default: a linearizable read)',
      wholeNumber(1),
    )
    .option('--event <name>', 'topic refusal: which event, such as ReceivePrepare (default: ClientRequest)')
    .option('--sequence <n>', 'topic refusal: the number that `machines NAME --history` shows', wholeNumber(1))
    .option('--client-id <n>', 'topic session: which one', wholeNumber(1))
    .option('--request-number <n>', 'topic session: which request (default: the next one)', wholeNumber(1))
    .option('--all', 'every rule with its values, not only those that decide');
  addClientOptions(command).action(
    exitsWith(async (topic: string, options: Facts & { readonly all?: boolean }, self: Command) => {
      const out = new Output(self);
      const answer = await askDx(httpClientOf(self), `explain/${topic}`, queryOf(topic, options));
      out.value(answer.envelope);
      for (const line of explanationText(explanationOf(answer.data), paint, options.all ?? false)) out.line(line);
      if (answer.notes.length > 0) out.line('');
      for (const note of answer.notes) out.line(pc.dim(`note: ${note}`));
      return undefined;
    }),
  );
}

function queryOf(topic: string, facts: Facts): Record<string, string | number | undefined> {
  const taken = TOPICS[topic] ?? [];
  const stranger = FACTS.find(({ name }) => facts[name] !== undefined && !taken.includes(name));
  if (stranger !== undefined) {
    const flags = FACTS.filter(({ name }) => taken.includes(name)).map(({ flag }) => flag);
    const message = `topic ${topic} takes ${flags.length === 0 ? 'no option of its own' : flags.join(' and ')}, not ${stranger.flag}`;
    throw new CliError('CLI_USAGE', message, { topic, option: stranger.flag });
  }
  return Object.fromEntries(FACTS.map(({ name, query }) => [query, facts[name]]));
}

/** What a server of this version answers; anything else is another's. */
function explanationOf(data: unknown): Explanation {
  const { conclusion, rules_applied, decided_by, missing_facts } = data as Partial<Explanation>;
  const isOurs = typeof conclusion === 'string' && [rules_applied, decided_by, missing_facts].every(Array.isArray);
  if (!isOurs)
    throw new CliError('CLI_ANSWER_INVALID', 'the answer is no explanation: is the server of another version?', {
      answer: JSON.stringify(data)?.slice(0, 200) ?? '',
    });
  return data as Explanation;
}
