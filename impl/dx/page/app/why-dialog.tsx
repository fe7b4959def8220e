/** The explanation that a replica gives: conclusion first, then the rules that decide it, then the others. Decides nothing. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Asked, Explanation } from './answers.ts';
import { askDx } from './browser.ts';
import { ProblemNote } from './problem-note.tsx';
import { RuleList } from './rule-list.tsx';
import { valueText } from './spec-text.ts';
import { apiKey, type Why, why } from './store.ts';

const TOPICS = [
  ['replica', 'its state'],
  ['commit', 'what is committed'],
  ['view-change', 'its view'],
  ['recovery', 'how it started'],
] as const;

export function WhyDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const question = why.value;
  useEffect(() => {
    if (question === undefined) dialog.current?.close();
    else if (dialog.current?.open === false) dialog.current.showModal();
  }, [question]);
  return (
    <dialog
      ref={dialog}
      class="explanation"
      aria-labelledby="why-title"
      onClose={() => {
        why.value = undefined;
      }}
    >
      {question !== undefined && <Answer key={question.path} question={question} />}
    </dialog>
  );
}

function Answer({ question }: { readonly question: Why }) {
  const { title, base, path, replica } = question;
  const asked = useSignal<Asked<Explanation> | undefined>(undefined);
  const refresh = async (): Promise<void> => {
    asked.value = await askDx<Explanation>(base, path, apiKey.value);
  };
  useEffect(() => {
    void refresh();
  }, [path, base]);
  const answer = asked.value;
  return (
    <>
      <header>
        <h2 id="why-title">Why? {title}</h2>
        <button type="button" class="quiet" onClick={() => void refresh()}>
          Ask again
        </button>
        <button
          type="button"
          class="quiet"
          onClick={() => {
            why.value = undefined;
          }}
        >
          Close
        </button>
      </header>
      <div aria-live="polite">
        {answer === undefined && <p class="soft">Asking{replica === undefined ? '' : ` replica ${replica}`} …</p>}
        {answer?.ok === false && <ProblemNote problem={answer.problem} what="No explanation." />}
        {replica !== undefined && <Topics question={question} />}
        {answer?.ok === true && <Explained explanation={answer.value} notes={answer.notes} />}
      </div>
    </>
  );
}

/** What else this replica can be asked; the questions are those of the DX API. */
function Topics({ question }: { readonly question: Why }) {
  const { base, replica, path } = question;
  return (
    <ul class="tabs topics" aria-label={`Questions to replica ${replica}`}>
      {TOPICS.map(([topic, words]) => (
        <li key={topic}>
          <button
            type="button"
            class="chip"
            aria-pressed={path === `explain/${topic}`}
            onClick={() => {
              why.value = { title: `Replica ${replica}: ${words}`, base, replica, path: `explain/${topic}` };
            }}
          >
            {words}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Explained({ explanation, notes }: { readonly explanation: Explanation; readonly notes: readonly string[] }) {
  const {
    conclusion,
    rules_applied: rules,
    decided_by: decided,
    inputs,
    missing_facts: missing,
    observed_snapshot,
  } = explanation;
  const deciding = rules.filter(({ rule_id }) => decided.includes(rule_id));
  const others = rules.filter(({ rule_id }) => !decided.includes(rule_id));
  const facts = Object.entries(inputs).filter(([, value]) => value !== null && value !== undefined);
  return (
    <>
      <p class="conclusion">{conclusion}</p>
      {[...missing.map((fact) => `Not known: ${fact}`), ...notes].map((note) => (
        <p class="note" key={note}>
          {note}
        </p>
      ))}
      {deciding.length > 0 && (
        <section>
          <h3>Decided by</h3>
          <RuleList rules={deciding} />
        </section>
      )}
      <details>
        <summary>The facts it rests on</summary>
        <dl class="values">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{valueText(value)}</dd>
            </div>
          ))}
        </dl>
      </details>
      {others.length > 0 && (
        <details>
          <summary>Also asked: {others.length}</summary>
          <RuleList rules={others} />
        </details>
      )}
      <p class="soft">
        At commit {observed_snapshot.commit_id}, snapshot <code>{observed_snapshot.snapshot_id}</code>. The rules are
        guards and invariants that TLC has checked; the values are what they read.
      </p>
    </>
  );
}
