/** `lockstep explain TOPIC`: why a replica is in the state it is in, by the rules of the spec that its machine evaluated. */
import { Argument, type Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { addClientOptions, httpClientOf } from '../client-options.ts';
import { exitsWith, Output } from '../command.ts';
import { askDx, factLines, inline, ruleLines } from '../dx-answer.ts';
import { fieldOf } from '../http-client.ts';

export const TOPICS = ['replica', 'commit', 'refusal', 'view-change'] as const;

export function configure(command: Command): void {
  command
    .addArgument(new Argument('<topic>', 'what to explain').choices(TOPICS))
    .option('--with <name=value>', 'what the topic asks for, such as commit_id=7; may be given again', pairs, {});
  addClientOptions(command).action(
    exitsWith(async (topic: string, options: { with: Record<string, string> }, self: Command) => {
      const out = new Output(self);
      const answer = await askDx(httpClientOf(self), `explain/${topic}`, options.with);
      out.value(answer.envelope);
      for (const line of explanationLines(answer.data)) out.line(line);
      for (const note of answer.notes) out.line(pc.dim(`note: ${note}`));
      return undefined;
    }),
  );
}

/** The conclusion first, then what it rests on. */
export function explanationLines(explanation: unknown): string[] {
  const observed = fieldOf(explanation, 'observed_snapshot');
  const rules = fieldOf(explanation, 'rules_applied');
  const lines = [
    pc.bold(inline(fieldOf(explanation, 'conclusion'))),
    pc.dim(
      `observed at snapshot ${inline(fieldOf(observed, 'snapshot_id'))}, commit ${inline(fieldOf(observed, 'commit_id'))}`,
    ),
  ];
  const inputs = fieldOf(explanation, 'inputs');
  if (typeof inputs === 'object' && inputs !== null && Object.keys(inputs).length > 0)
    lines.push('inputs', ...factLines(inputs, '  '));
  if (Array.isArray(rules) && rules.length > 0) lines.push('rules', ...rules.flatMap((rule) => ruleLines(rule)));
  return lines;
}

function pairs(text: string, previous: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It takes name=value, such as commit_id=7.');
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}
