/**
 * One event of a machine beside its TLA+ action: the guards with what they answered and read, either at a step of the history or
 * as a dry run in the state that is now. Mirrors no spec module; every answer is the machine's own.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { AppliedRule, Asked, Definition, DryRun, Step, StepWithRules } from './answers.ts';
import { askDx } from './browser.ts';
import { ProblemNote } from './problem-note.tsx';
import { RuleList } from './rule-list.tsx';
import { specLines } from './spec-text.ts';
import type { Chosen } from './statechart.tsx';
import { apiKey } from './store.ts';
import { WhyButton } from './why-button.tsx';

export interface EventPanelProps {
  readonly definition: Definition;
  readonly base: string;
  readonly replica: number;
  readonly chosen: Chosen;
  /** Undefined: now. */
  readonly step: Step | undefined;
}

export function EventPanel({ definition, base, replica, chosen, step }: EventPanelProps) {
  const fields = useSignal<Readonly<Record<string, string>>>({});
  const rules = useSignal<
    Asked<{ readonly rules_applied: readonly AppliedRule[]; readonly can?: boolean }> | undefined
  >(undefined);
  const { name, state, context } = definition;
  const path =
    step === undefined ? dryRunPath(name, chosen.event, fields.value) : `machines/${name}/history/${step.sequence}`;
  const now = step === undefined ? `${state} ${JSON.stringify(context)}` : '';
  useEffect(() => {
    let isCurrent = true;
    void askDx<StepWithRules | DryRun>(base, path, apiKey.value).then((asked) => {
      if (isCurrent) rules.value = asked;
    });
    return () => {
      isCurrent = false;
    };
  }, [base, path, now]);
  const transition = definition.transitions.find((one) => one.from === chosen.from && one.event === chosen.event);
  const asked = rules.value;
  const applied = asked?.ok ? asked.value.rules_applied : [];
  return (
    <section class="panel" aria-labelledby="event-title">
      <h2 id="event-title">
        {chosen.event} <Outcome step={step} applied={applied} can={asked?.ok ? asked.value.can : undefined} />
        {name === 'Vsr' && step?.taken === false && (
          <WhyButton
            title={`${chosen.event} was refused at step ${step.sequence}`}
            replica={replica}
            path={`explain/refusal?event=${chosen.event}&sequence=${step.sequence}`}
          />
        )}
      </h2>
      <p class="sentence">{transition?.description ?? 'This event belongs to another status: it is refused here.'}</p>
      {asked?.ok === false && <ProblemNote problem={asked.problem} what="The guards cannot be asked." />}
      {applied.length > 0 ? (
        <>
          <h3>
            {step === undefined ? 'Its guards, asked now' : `Its guards, as they answered at step ${step.sequence}`}
          </h3>
          <RuleList rules={applied} />
        </>
      ) : (
        asked?.ok === true && <p class="soft">It has no guard: in this status it is always taken.</p>
      )}
      {step === undefined && (
        <MissingFields
          rules={applied}
          fields={fields.value}
          onFields={(given) => {
            fields.value = given;
          }}
        />
      )}
      {transition?.action_text != null && (
        <>
          <h3>
            Its action in TLA+ <span class="soft">{transition.action}</span>
          </h3>
          <Action text={transition.action_text} place={transition.action} rules={applied} guards={transition.guards} />
          <p class="soft">The machine’s own transition: {transition.machine}</p>
        </>
      )}
    </section>
  );
}

function dryRunPath(name: string, event: string, fields: Readonly<Record<string, string>>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== '');
  return `machines/${name}/can?${new URLSearchParams([['event', event], ...given])}`;
}

function Outcome({
  step,
  applied,
  can,
}: {
  readonly step: Step | undefined;
  readonly applied: readonly AppliedRule[];
  readonly can: boolean | undefined;
}) {
  if (step !== undefined)
    return step.taken ? <span class="badge good">taken</span> : <span class="badge bad">refused</span>;
  if (can === undefined) return null;
  if (can) return <span class="badge good">would be taken now</span>;
  const first = applied.find(({ evaluation }) => !evaluation);
  const depends = (first?.missing ?? []).length > 0;
  return depends ? (
    <span class="badge wait">depends on its message</span>
  ) : (
    <span class="badge bad">would be refused now</span>
  );
}

/** A message that was never sent has no fields: the reader may make some up. */
function MissingFields({
  rules,
  fields,
  onFields,
}: {
  readonly rules: readonly AppliedRule[];
  readonly fields: Readonly<Record<string, string>>;
  readonly onFields: (given: Readonly<Record<string, string>>) => void;
}) {
  const wanted = rules.flatMap(({ missing = [] }) => missing).filter((path) => path.startsWith('event.'));
  const names = [...new Set([...Object.keys(fields), ...wanted.map((path) => path.slice('event.'.length))])];
  if (names.length === 0) return null;
  return (
    <fieldset class="fields">
      <legend>What if a message came with</legend>
      {names.map((name) => (
        <label key={name} class="field">
          <code>{name}</code>
          <input
            value={fields[name] ?? ''}
            inputMode="text"
            onInput={(event) => onFields({ ...fields, [name]: event.currentTarget.value })}
          />
        </label>
      ))}
    </fieldset>
  );
}

/** The action's text with its lines' numbers, and each guard's answer beside its line. */
function Action({
  text,
  place,
  rules,
  guards,
}: {
  readonly text: string;
  readonly place: string | null;
  readonly rules: readonly AppliedRule[];
  readonly guards: readonly string[];
}) {
  const answerOf = (guard: string | undefined): AppliedRule | undefined =>
    guard === undefined ? undefined : rules.find(({ rule_id }) => rule_id.endsWith(`.${guard}`));
  return (
    <pre class="spec">
      {specLines(text, place, guards).map(({ number, text: line, guard }) => {
        const answer = answerOf(guard);
        const isUnknown = (answer?.missing ?? []).length > 0;
        const tone = answer === undefined ? '' : isUnknown ? 'unknown' : answer.evaluation ? 'good' : 'bad';
        return (
          <span key={number} class={`spec-line ${tone}`}>
            <span class="line-number">{number}</span>
            <span class="mark">{answer === undefined ? ' ' : isUnknown ? '?' : answer.evaluation ? '✓' : '✗'}</span>
            <span>
              {line}
              {'\n'}
            </span>
          </span>
        );
      })}
    </pre>
  );
}
