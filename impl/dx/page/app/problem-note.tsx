/** An error of the API as people need it: code, what it means, what to do, and why. Mirrors no spec module. */

import { advice } from './advice.ts';
import type { Problem } from './answers.ts';
import { valueText } from './spec-text.ts';
import { WhyButton } from './why-button.tsx';

export function ProblemNote({ problem, what }: { readonly problem: Problem; readonly what: string }) {
  const { code, message, rule, evidence = {}, retryAfterSeconds } = problem;
  const event = rule?.split('.')[1] ?? 'ClientRequest';
  const facts = Object.entries(evidence);
  return (
    <div class="problem" role="alert">
      <p>
        <strong>{what}</strong> <code>{code}</code>
      </p>
      <p>{message}</p>
      <p class="advice">
        {advice(problem)}
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
      {problem.status !== undefined && (problem.status >= 500 || problem.status === 429 || rule !== undefined) && (
        <WhyButton title={`Why ${code}?`} replica={undefined} path={`explain/refusal?event=${event}`} />
      )}
    </div>
  );
}
