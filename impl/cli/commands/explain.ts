/** `lockstep explain TOPIC`: why a replica is in the state it is in, by the rules of the spec that its machine evaluated. */
import { Argument, type Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { type Explanation, explanationText } from '../../../machines/explanation.ts';
import { CliError } from '../cli-error.ts';
import { addClientOptions, httpClientOf } from '../client-options.ts';
import { exitsWith, Output } from '../command.ts';
import { askDx, paint } from '../dx-answer.ts';

export const TOPICS = ['replica', 'commit', 'refusal', 'view-change'] as const;

export function configure(command: Command): void {
  command
    .addArgument(new Argument('<topic>', 'what to explain').choices(TOPICS))
    .option('--with <name=value>', 'what the topic asks for, such as commit_id=7; may be given again', pairs, {});
  addClientOptions(command).action(
    exitsWith(async (topic: string, options: { with: Record<string, string>; all?: boolean }, self: Command) => {
      const out = new Output(self);
      const answer = await askDx(httpClientOf(self), `explain/${topic}`, options.with);
      out.value(answer.envelope);
      for (const line of explanationText(explanationOf(answer.data), paint, options.all ?? false)) out.line(line);
      if (answer.notes.length > 0) out.line('');
      for (const note of answer.notes) out.line(pc.dim(`note: ${note}`));
      return undefined;
    }),
  );
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

function pairs(text: string, previous: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It takes name=value, such as commit_id=7.');
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}
