/** An error of the API as people need it: code, what it means, what to do, and why. Mirrors no spec module. */

import { advice } from './advice.ts';
import type { Problem } from './answers.ts';
import { valueText } from './spec-text.ts';
import { WhyButton } from './why-button.tsx';

export function ProblemNote({
  problem,
  what,
  writes = false,
}: {
  readonly problem: Problem;
  readonly what: string;
  readonly writes?: boolean;
}) {
  const { code, message, evidence = {}, retryAfterSeconds } = problem;
  const path = refusalPath(problem, writes);
  const facts = Object.entries(evidence);
  return (
    <div class="problem" role="alert">
      <p>
        <strong>{what}</strong> <code>{code}</code>
      </p>
      <p>{message}</p>
      <p class="advice">
        {advice(problem, writes)}
        {retryAfterSeconds !== undefined && ` Wait ${retryAfterSeconds} s first.`}
      </p>
      {facts.length > 0 && (
        <dl class="values">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{valueText(value)}</dd>
            </div>
          ))}
        </dl>
      )}
      {path !== undefined && <WhyButton title={code} replica={undefined} path={path} />}
    </div>
  );
}

/** A command that the kernel refused is known by its place in the log; one that never got there was refused as an event. */
function refusalPath({ status = 0, rule, evidence }: Problem, writes: boolean): string | undefined {
  const commitId = evidence?.commitId;
  if (typeof commitId === 'number') {
    const command = evidence?.command;
    return `explain/refusal?commit_id=${commitId}${typeof command === 'number' ? `&command=${command}` : ''}`;
  }
  if (rule === undefined && !(writes && (status >= 500 || status === 429))) return undefined;
  return 'explain/refusal?event=ClientRequest';
}
