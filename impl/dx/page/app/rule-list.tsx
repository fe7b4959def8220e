/** Rules as a machine's own guards answered them: the answer, the sentence of the spec, the values read, both places. */
import type { AppliedRule } from './answers.ts';
import { valueText } from './spec-text.ts';

export function RuleList({ rules }: { readonly rules: readonly AppliedRule[] }) {
  return (
    <ul class="rules">
      {rules.map((rule, index) => (
        <li key={index}>
          <RuleItem rule={rule} />
        </li>
      ))}
    </ul>
  );
}

function RuleItem({ rule }: { readonly rule: AppliedRule }) {
  const { rule_id: id, description, evaluation, evidence, missing = [], spec, machine } = rule;
  const isUnknown = missing.length > 0;
  const answer = isUnknown ? 'not known' : evaluation ? 'holds' : 'fails';
  const values = [
    ...Object.entries(evidence).map(([name, value]) => [name, valueText(value)] as const),
    ...missing.map((name) => [name, 'not given'] as const),
  ];
  return (
    <>
      <p class="rule">
        <span class={`verdict ${isUnknown ? 'unknown' : evaluation ? 'good' : 'bad'}`}>
          <span aria-hidden="true">{isUnknown ? '?' : evaluation ? '✓' : '✗'}</span> {answer}
        </span>{' '}
        <code>{id.split('.').slice(1).join('.') || id}</code>
      </p>
      {description !== '' && <p class="sentence">{description}</p>}
      {values.length > 0 && (
        <dl class="values">
          {values.map(([name, value]) => (
            <div key={name}>
              <dt>{name.replace(/^context\./, '')}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {spec !== undefined && (
        <details>
          <summary>
            {spec.file}:{spec.line}
          </summary>
          <pre>{spec.text.replace(/\n\s*\\\*.*\s*$/s, '').trimEnd()}</pre>
          {machine !== undefined && (
            <p class="soft">
              asked of {machine.file}:{machine.line}
            </p>
          )}
        </details>
      )}
    </>
  );
}
