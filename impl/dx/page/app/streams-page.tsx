/** Streams: list, make, append, read, follow. Every refusal says its code, what to do and why. Decides nothing. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Appended, Asked, Problem, StreamEvent, StreamRow } from './answers.ts';
import { ask, dateTimeText, follow, newKey, pause } from './browser.ts';
import { type Proved, proofOf } from './event-proof.ts';
import { ProblemNote } from './problem-note.tsx';
import { announced, apiKey, hashOf, route } from './store.ts';

const LIST_MS = 2_000;
/** Between a connection that ended and the next one. */
const FOLLOW_AGAIN_MS = 1_000;
const EVENTS_SHOWN_MAX = 50;

interface Streams {
  readonly streams: readonly StreamRow[];
  readonly commitId: number;
}

interface Events {
  readonly events: readonly StreamEvent[];
  readonly nextOffset: number;
  readonly commitId: number;
}

export function StreamsPage() {
  const { name } = route.value;
  const listed = useSignal<Asked<Streams> | undefined>(undefined);
  const list = async (): Promise<void> => {
    listed.value = await ask<Streams>('/v1/streams?consistency=committed', { key: apiKey.value });
  };
  useEffect(() => {
    let isOpen = true;
    const loop = async (): Promise<void> => {
      while (isOpen) {
        await list();
        await pause(LIST_MS);
      }
    };
    void loop();
    return () => {
      isOpen = false;
    };
  }, []);
  const answer = listed.value;
  return (
    <>
      <section>
        <h1>Streams</h1>
        <p class="soft">
          Named sequences of events in the one log. Offsets count from 0 in each; 200 to an append means a quorum has it
          on disk.
        </p>
      </section>
      {answer?.ok === false && <ProblemNote problem={answer.problem} what="The streams cannot be listed." />}
      <div class="streams">
        <section aria-labelledby="all-streams">
          <h2 id="all-streams">All streams</h2>
          {answer?.ok === true && answer.value.streams.length === 0 && (
            <p class="soft">None yet: make the first one.</p>
          )}
          <ul class="stream-list">
            {answer?.ok === true &&
              answer.value.streams.map((stream) => (
                <li key={stream.name}>
                  <a href={hashOf('streams', stream.name)} aria-current={stream.name === name ? 'true' : undefined}>
                    <span>{stream.name}</span>
                    <span class="soft">{stream.nextOffset.toLocaleString('en')} events</span>
                  </a>
                </li>
              ))}
          </ul>
          <NewStream onMade={list} />
        </section>
        {name === '' ? <p class="soft">Choose a stream to read and append.</p> : <Stream key={name} name={name} />}
      </div>
    </>
  );
}

function NewStream({ onMade }: { readonly onMade: () => Promise<void> }) {
  const name = useSignal('');
  const problem = useSignal<Problem | undefined>(undefined);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const made = await ask('/v1/streams', { method: 'POST', body: { name: name.value }, key: apiKey.value });
    problem.value = made.ok ? undefined : made.problem;
    if (!made.ok) return;
    announced.value = `The stream ${name.value} is made.`;
    location.hash = hashOf('streams', name.value);
    name.value = '';
    await onMade();
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <label for="new-stream">Name of a new stream</label>
      <div class="row">
        <input
          id="new-stream"
          value={name.value}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => {
            name.value = event.currentTarget.value;
          }}
        />
        <button type="submit">Make it</button>
      </div>
      {problem.value !== undefined && <ProblemNote problem={problem.value} what="It is not made." writes />}
    </form>
  );
}

function Stream({ name }: { readonly name: string }) {
  const path = `/v1/streams/${encodeURIComponent(name)}/events`;
  const events = useSignal<readonly StreamEvent[]>([]);
  const next = useSignal(0);
  /** The offset to begin at; undefined: the newest. */
  const from = useSignal<number | undefined>(undefined);
  const follows = useSignal(true);
  const problem = useSignal<Problem | undefined>(undefined);

  useEffect(() => {
    const end = new AbortController();
    void readOn(end.signal);
    return () => end.abort();
  }, [path, from.value, follows.value]);

  /** Reads what is there, then follows; comes back when the connection ends. */
  async function readOn(signal: AbortSignal): Promise<void> {
    let begin = events.value.length > 0 ? next.value : (from.value ?? (await newest(name, problem)));
    const add = (fresh: readonly StreamEvent[]): void => {
      if (signal.aborted || fresh.length === 0) return;
      problem.value = undefined;
      begin = next.value = (fresh.at(-1)?.offset ?? -1) + 1;
      events.value = [...events.value, ...fresh].slice(-EVENTS_SHOWN_MAX);
      announced.value = `${fresh.length === 1 ? 'One new event' : `${fresh.length} new events`} in ${name}.`;
    };
    while (!signal.aborted) {
      if (begin === undefined) begin = await newest(name, problem);
      else {
        const range = `from=${begin}&limit=${EVENTS_SHOWN_MAX}&consistency=committed`;
        const read = await ask<Events>(`${path}?${range}`, { key: apiKey.value });
        if (!signal.aborted) problem.value = read.ok ? undefined : read.problem;
        if (read.ok) {
          if (events.value.length === 0) next.value = read.value.nextOffset;
          add(read.value.events);
          if (!follows.value) return;
          const following = `${path}?from=${begin}&follow=true`;
          await follow(following, apiKey.value, signal, (event) => add([event as StreamEvent]));
        }
      }
      await pause(FOLLOW_AGAIN_MS);
    }
  }

  const restart = (offset: number | undefined): void => {
    events.value = [];
    from.value = offset;
  };
  return (
    <section aria-labelledby="stream-title">
      <h2 id="stream-title">{name}</h2>
      <Append path={path} name={name} next={next.value} />
      {problem.value !== undefined && <ProblemNote problem={problem.value} what="It cannot be read." />}
      <div class="row stream-tools">
        <label>
          <input
            type="checkbox"
            checked={follows.value}
            onChange={(event) => {
              follows.value = event.currentTarget.checked;
            }}
          />{' '}
          Follow
        </label>
        <label class="from">
          From offset{' '}
          <input
            type="number"
            min={0}
            placeholder="newest"
            onChange={(event) =>
              restart(event.currentTarget.value === '' ? undefined : Number(event.currentTarget.value))
            }
          />
        </label>
        <span class="soft">
          {events.value.length === 0
            ? 'No events here yet.'
            : `Offsets ${events.value[0]?.offset} to ${events.value.at(-1)?.offset}`}
        </span>
      </div>
      <ol class="events-list">
        {[...events.value].reverse().map((event) => (
          <li key={event.offset}>
            <EventItem event={event} path={path} />
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Where the last EVENTS_SHOWN_MAX events begin; undefined when the replica did not say. */
async function newest(name: string, problem: { value: Problem | undefined }): Promise<number | undefined> {
  const listed = await ask<Streams>('/v1/streams?consistency=committed', { key: apiKey.value });
  problem.value = listed.ok ? undefined : listed.problem;
  if (!listed.ok) return undefined;
  const stream = listed.value.streams.find((one) => one.name === name);
  return Math.max(0, (stream?.nextOffset ?? 0) - EVENTS_SHOWN_MAX);
}

function EventItem({ event, path }: { readonly event: StreamEvent; readonly path: string }) {
  const { offset, data, dataBase64, type, timestamp, commitId, hash } = event;
  return (
    <>
      <span class="offset">{offset}</span>
      <div>
        <p class="data">{data ?? `${dataBase64 ?? ''} (bytes, in base64)`}</p>
        <p class="soft">
          {type !== undefined && `${type} · `}
          {dateTimeText(timestamp)} · commit {commitId} · <code>{hash.slice(0, 12)}…</code>
        </p>
      </div>
      <Proof offset={offset} path={path.replace(/events$/, 'proof')} />
    </>
  );
}

/** Verifies that an event stands in the log: from its entry to the head, every hash computed again in the browser. */
function Proof({ offset, path }: { readonly offset: number; readonly path: string }) {
  const result = useSignal<Proved | undefined>(undefined);
  const prove = async (): Promise<void> => {
    result.value = { tone: 'plain', text: 'Verifying …' };
    result.value = await proofOf(path, offset);
    announced.value = result.value.text;
  };
  return (
    <>
      <button
        type="button"
        class="why"
        aria-label={`prove that the event at offset ${offset} is in the log`}
        onClick={() => void prove()}
      >
        prove
      </button>
      {result.value !== undefined && <p class={`proof ${result.value.tone}`}>{result.value.text}</p>}
    </>
  );
}

function Append({ path, name, next }: { readonly path: string; readonly name: string; readonly next: number }) {
  const data = useSignal('');
  const expected = useSignal('');
  const outcome = useSignal<Asked<Appended> | undefined>(undefined);
  const busy = useSignal(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    busy.value = true;
    const body = {
      events: [{ data: data.value }],
      ...(expected.value === '' ? {} : { expectedOffset: Number(expected.value) }),
    };
    outcome.value = await ask<Appended>(path, {
      method: 'POST',
      body,
      key: apiKey.value,
      headers: { 'idempotency-key': newKey() },
    });
    busy.value = false;
    if (!outcome.value.ok) return;
    announced.value = `Appended to ${name} at offset ${outcome.value.value.firstOffset}.`;
    data.value = '';
  };
  const answer = outcome.value;
  return (
    <form class="append" onSubmit={(event) => void submit(event)}>
      <label for="data">Append an event</label>
      <textarea
        id="data"
        rows={2}
        value={data.value}
        onInput={(event) => {
          data.value = event.currentTarget.value;
        }}
      />
      <div class="row">
        <label class="from">
          only at offset{' '}
          <input
            type="number"
            min={0}
            value={expected.value}
            placeholder={next === 0 ? 'any' : String(next)}
            onInput={(event) => {
              expected.value = event.currentTarget.value;
            }}
          />
        </label>
        <button type="submit" class="primary" disabled={busy.value}>
          Append
        </button>
      </div>
      {answer?.ok === true && (
        <p class="done">
          Durable on a quorum: offset {answer.value.firstOffset}, commit {answer.value.commitId},{' '}
          <code>{answer.value.hash.slice(0, 16)}…</code> <a href={hashOf('log')}>see it in the log</a>
        </p>
      )}
      {answer?.ok === false && (
        <ProblemNote problem={answer.problem} what="It is not appended, as far as is known." writes />
      )}
    </form>
  );
}
