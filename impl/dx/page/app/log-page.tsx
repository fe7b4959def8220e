/**
 * The end of the log as a chain, verified here: every hash is computed again by @noble from what the replica sent. The reader may
 * change an entry in this page, to see what a changed log looks like. Decides nothing; mirrors no spec module.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Asked, LogData } from './answers.ts';
import { askDx, dateTimeText, pause } from './browser.ts';
import { type Checked, checkedChain, type Verdict } from './chain-check.ts';
import { ProblemNote } from './problem-note.tsx';
import { announced, apiKey, baseOf, cluster, hashOf, ownReplica, replicaOf, route } from './store.ts';
import { WhyButton } from './why-button.tsx';

const LOOK_MS = 1_000;
/** Entries shown and verified at once. */
const ENTRIES_SHOWN = 12;

interface Bodies {
  readonly op: number;
  readonly entries: readonly { readonly op: number; readonly body: string }[];
}

interface Read {
  readonly log: LogData;
  readonly bodies: ReadonlyMap<number, string>;
}

export function LogPage() {
  const replica = replicaOf(route.value) ?? ownReplica.value ?? 0;
  return <Log key={replica} replica={replica} />;
}

function Log({ replica }: { readonly replica: number }) {
  const read = useSignal<Read | undefined>(undefined);
  const refused = useSignal<Asked<never> | undefined>(undefined);
  const bodiesRefused = useSignal<string | undefined>(undefined);
  /** The first op shown; undefined: the newest. */
  const from = useSignal<number | undefined>(undefined);
  const tampered = useSignal<number | undefined>(undefined);
  const base = baseOf(replica);
  useEffect(() => {
    if (base === undefined) return;
    let isOpen = true;
    const look = async (): Promise<void> => {
      while (isOpen) {
        const range = `limit=${ENTRIES_SHOWN}${from.value === undefined ? '' : `&from=${from.value}`}`;
        const log = await askDx<LogData>(base, `log?${range}`, apiKey.value);
        if (!isOpen) return;
        if (!log.ok) refused.value = log;
        else if (isNews(read.value?.log, log.value)) {
          refused.value = undefined;
          const first = log.value.entries[0]?.op ?? 1;
          const asked = await askDx<Bodies>(base, `log/bodies?from=${first}&limit=${ENTRIES_SHOWN}`, apiKey.value);
          bodiesRefused.value = asked.ok ? undefined : asked.problem.message;
          read.value = {
            log: log.value,
            bodies: new Map(asked.ok ? asked.value.entries.map(({ op, body }) => [op, body]) : []),
          };
        }
        await pause(LOOK_MS);
      }
    };
    void look();
    return () => {
      isOpen = false;
    };
  }, [base]);

  const { log, bodies } = read.value ?? { log: undefined, bodies: new Map<number, string>() };
  const checked = checkedChain(log?.entries ?? [], tamperedBodies(bodies, tampered.value));
  const first = log?.entries[0]?.op ?? 1;
  const last = log?.entries.at(-1)?.op ?? 0;
  const show = (op: number | undefined): void => {
    from.value = op === undefined || op + ENTRIES_SHOWN > (log?.op ?? 0) ? undefined : Math.max(1, op);
    tampered.value = undefined;
  };
  const tamper = (op: number | undefined): void => {
    tampered.value = op;
    announced.value =
      op === undefined
        ? 'The entry is as it was: the chain is whole.'
        : `Entry ${op} is changed: the chain breaks there.`;
  };
  return (
    <>
      <section>
        <h1>The log at replica {replica}</h1>
        <ul class="tabs choices" aria-label="Replicas">
          {cluster.value.cards.map((card) => (
            <li key={card.replica}>
              <a
                href={hashOf('log', '', { replica: String(card.replica) })}
                aria-current={card.replica === replica ? 'true' : undefined}
              >
                replica {card.replica}
              </a>
            </li>
          ))}
        </ul>
        <p class="soft">
          Each entry carries the hash of itself and of everything before it. This page computes every hash again, in
          your browser.
        </p>
      </section>
      {base === undefined && (
        <p class="note">
          The HTTP address of replica {replica} is not configured here (--http-addresses): open the page at that
          replica.
        </p>
      )}
      {refused.value?.ok === false && (
        <ProblemNote problem={refused.value.problem} what={`Replica ${replica} does not show its log.`} />
      )}
      {bodiesRefused.value !== undefined && (
        <p class="note">Only the links are compared, since the bodies are not given: {bodiesRefused.value}</p>
      )}
      {log !== undefined && (
        <section aria-labelledby="chain">
          <h2 id="chain" class="unseen">
            Entries
          </h2>
          <Summary checked={checked} total={log.op} />
          <div class="row chain-tools">
            <button type="button" disabled={first <= 1} onClick={() => show(first - ENTRIES_SHOWN)}>
              Older
            </button>
            <button type="button" disabled={last >= log.op} onClick={() => show(first + ENTRIES_SHOWN)}>
              Newer
            </button>
            {tampered.value === undefined ? (
              <button
                type="button"
                disabled={bodies.size === 0}
                onClick={() => tamper(checked[Math.floor(checked.length / 2)]?.entry.op)}
              >
                Change a bit in one entry
              </button>
            ) : (
              <button type="button" onClick={() => tamper(undefined)}>
                Undo the change
              </button>
            )}
            {tampered.value !== undefined && (
              <span class="soft">Changed in this page only; the replica’s log is untouched.</span>
            )}
          </div>
          <ol class="chain">
            {[...checked].reverse().map((one) => (
              <li key={one.entry.op} class={TONES[one.verdict]}>
                <Entry checked={one} replica={replica} />
              </li>
            ))}
          </ol>
        </section>
      )}
    </>
  );
}

const TONES: Readonly<Record<Verdict, string>> = {
  whole: 'good',
  unread: 'plain',
  changed: 'bad',
  cut: 'bad',
  'after a break': 'bad',
};
const WORDS: Readonly<Record<Verdict, string>> = {
  whole: 'hash holds',
  unread: 'link holds',
  changed: 'not what its hash was made of',
  cut: 'does not continue the entry before',
  'after a break': 'continues what is broken',
};

function Summary({ checked, total }: { readonly checked: readonly Checked[]; readonly total: number }) {
  const bad = checked.find(({ verdict }) => TONES[verdict] === 'bad');
  const range = `${checked[0]?.entry.op ?? 0} to ${checked.at(-1)?.entry.op ?? 0} of ${total.toLocaleString('en')}`;
  if (checked.length === 0) return <p>The log is empty: append something, and it appears here.</p>;
  if (bad === undefined)
    return (
      <p class="chain-summary good">
        <span aria-hidden="true">✓</span> The chain is whole: {checked.length} hashes computed again here, entries{' '}
        {range}.
      </p>
    );
  return (
    <p class="chain-summary bad">
      <span aria-hidden="true">✗</span> The chain breaks at entry {bad.entry.op}: it{' '}
      {bad.verdict === 'changed' ? 'is ' : ''}
      {WORDS[bad.verdict]}. Nothing from there on is proved by the newest hash.
    </p>
  );
}

function Entry({ checked, replica }: { readonly checked: Checked; readonly replica: number }) {
  const { entry, verdict, computed } = checked;
  const { op, view, hash, parent, timestamp, body_bytes: bytes, committed, durable } = entry;
  return (
    <>
      <span class="link" aria-hidden="true" />
      <div class="entry">
        <p class="entry-head">
          <strong>{op.toLocaleString('en')}</strong>
          <span class="soft">view {view}</span>
          <span class="soft">{bytes.toLocaleString('en')} bytes</span>
          <time class="soft">{dateTimeText(timestamp)}</time>
          {committed ? null : (
            <>
              <span class="badge wait">{durable ? 'on disk, not committed' : 'not on disk yet'}</span>
              <WhyButton
                title={`Entry ${op} is not committed`}
                replica={replica}
                path={`explain/commit?commit_id=${op}`}
              />
            </>
          )}
          <span class={`verdict ${TONES[verdict]}`}>
            <span aria-hidden="true">{TONES[verdict] === 'bad' ? '✗' : '✓'}</span> {WORDS[verdict]}
          </span>
        </p>
        <p class="hashes">
          <code>{hash}</code>
          <span class="soft">
            after <code>{/^0+$/.test(parent) ? 'nothing: this is the first entry' : `${parent.slice(0, 16)}…`}</code>
          </span>
        </p>
        {verdict === 'changed' && (
          <p class="hash soft">
            computed here <code>{computed}</code>
          </p>
        )}
      </div>
    </>
  );
}

function isNews(before: LogData | undefined, now: LogData): boolean {
  return before === undefined || JSON.stringify(before) !== JSON.stringify(now);
}

/** One bit of the body, or one more byte when it has none. */
function tamperedBodies(bodies: ReadonlyMap<number, string>, op: number | undefined): ReadonlyMap<number, string> {
  const body = op === undefined ? undefined : bodies.get(op);
  if (op === undefined || body === undefined) return bodies;
  const bytes = atob(body);
  const last = bytes.charCodeAt(bytes.length - 1) ^ 1;
  return new Map([...bodies, [op, btoa(bytes === '' ? '\0' : bytes.slice(0, -1) + String.fromCharCode(last))]]);
}
