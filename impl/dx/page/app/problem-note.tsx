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
  const { code, message, rule, evidence = {}, retryAfterSeconds } = problem;
  const event = rule?.split('.')[1] ?? 'ClientRequest';
  const hasRule = writes && ((problem.status ?? 0) >= 500 || problem.status === 429);
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
      {(hasRule || rule !== undefined) && (
        <WhyButton title={`Why ${code}?`} replica={undefined} path={`explain/refusal?event=${event}`} />
      )}
    </div>
  );
}
