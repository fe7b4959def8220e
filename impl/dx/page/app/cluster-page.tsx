/** The cluster at a glance: one sentence, a card for each replica, what happened. Decides nothing; mirrors no spec module. */
import type { ClusterView, ReplicaCard, Role } from './cluster-view.ts';
import { cluster, happenings, hashOf, ownReplica, type TimedHappening } from './store.ts';
import { WhyButton } from './why-button.tsx';

const ROLE_TONES: Readonly<Record<Role, string>> = {
  primary: 'accent',
  backup: 'plain',
  'changing view': 'wait',
  recovering: 'wait',
  halted: 'bad',
  silent: 'bad',
  unknown: 'plain',
};

export function ClusterPage() {
  const view = cluster.value;
  return (
    <>
      <section class={`headline ${view.tone}`} aria-labelledby="headline">
        <p class="soft">One log, the same on every replica, provably.</p>
        <h1 id="headline">{view.title}</h1>
        <p>
          {view.detail} <HeadlineWhy view={view} />
        </p>
      </section>
      <section aria-labelledby="replicas">
        <h2 id="replicas">Replicas</h2>
        <ul class="cards">
          {view.cards.map((card) => (
            <li key={card.replica}>
              <Card card={card} view={view} />
            </li>
          ))}
        </ul>
        <Legend view={view} />
      </section>
      <section aria-labelledby="happened">
        <h2 id="happened">What happened</h2>
        <Happenings />
      </section>
    </>
  );
}

function HeadlineWhy({ view }: { readonly view: ClusterView }) {
  const { primary } = view;
  if (primary !== undefined)
    return <WhyButton title={`Replica ${primary} leads view ${view.view}`} replica={primary} path="explain/replica" />;
  const asked = view.cards.find(({ status }) => status !== undefined)?.replica;
  if (asked === undefined) return null;
  return <WhyButton title="There is no primary" replica={asked} path="explain/view-change" />;
}

function Card({ card, view }: { readonly card: ReplicaCard; readonly view: ClusterView }) {
  const { replica, role, status, last, problem } = card;
  return (
    <article class={`card ${role.replace(' ', '-')}`} aria-label={`Replica ${replica}`}>
      <header>
        <h3>Replica {replica}</h3>
        <span class={`badge ${ROLE_TONES[role]}`}>{role}</span>
        <CardWhy card={card} view={view} />
      </header>
      <Cells card={card} view={view} />
      <dl class="figures">
        <Figure name="view" value={last?.view} />
        <Figure name="log view" value={last?.log_view} />
        <Figure name="op" value={card.op} />
        <Figure name="commit" value={last?.commit} />
        <Figure name="lag" value={card.lag} />
        <div>
          <dt>state</dt>
          <dd title={last?.state_hash}>
            {last === undefined ? '–' : last.commit === 0 ? 'empty' : last.state_hash.slice(0, 8)}
          </dd>
        </div>
      </dl>
      <p class="soft">{sourceText(card, problem?.code)}</p>
      {status?.status_reason != null && <p class="note">{status.status_reason}</p>}
    </article>
  );
}

/** Who leads explains itself; of a silent replica the primary tells why nothing comes from it. */
function CardWhy({ card, view }: { readonly card: ReplicaCard; readonly view: ClusterView }) {
  const { replica, role, status } = card;
  if (status !== undefined)
    return (
      <WhyButton
        title={`Replica ${replica} is ${role}`}
        replica={replica}
        path={`explain/${role === 'changing view' ? 'view-change' : 'replica'}`}
      />
    );
  const asked = view.primary ?? view.cards.find((one) => one.status !== undefined)?.replica;
  if (asked === undefined || role !== 'silent') return null;
  return (
    <WhyButton
      title={`What replica ${asked} knows while replica ${replica} is silent`}
      replica={asked}
      path={`explain/${view.primary === undefined ? 'view-change' : 'commit'}`}
    />
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: number | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value === undefined ? '–' : value.toLocaleString('en')}</dd>
    </div>
  );
}

function sourceText({ source, base, replica, problem }: ReplicaCard, code: string | undefined): string {
  if (problem?.status !== undefined) return `It answers, but refuses to say: ${problem.message}`;
  if (source === 'itself')
    return replica === ownReplica.value ? 'Says so itself. It serves this page.' : 'Says so itself.';
  if (source === 'itself, before') return 'It does not answer. This is what it last said.';
  const unknown = base === undefined ? 'Its HTTP address is not configured here (--http-addresses).' : '';
  const silent = code === undefined ? unknown : 'It does not answer.';
  return source === 'the primary' ? `${silent} This is what the primary knows of it.` : silent;
}

/** The end of the log, an entry a cell, at the same place for every replica. */
function Cells({ card, view }: { readonly card: ReplicaCard; readonly view: ClusterView }) {
  const { first, last } = view.cells;
  const { op, last: said } = card;
  const commit = said?.commit ?? 0;
  const ops = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  const label =
    op === undefined
      ? 'How far its log goes is not known'
      : `Its log goes to ${op}${said === undefined ? '' : `, committed to ${commit}`}`;
  if (ops.length === 0) return <p class="cells empty">The log is empty.</p>;
  return (
    <div class="cells" role="img" aria-label={label}>
      {ops.map((at) => (
        <span key={at} class={op === undefined || at > op ? 'missing' : at <= commit ? 'committed' : 'held'} />
      ))}
    </div>
  );
}

function Legend({ view: { cells } }: { readonly view: ClusterView }) {
  if (cells.last < cells.first) return null;
  return (
    <p class="legend soft">
      Entries {cells.first.toLocaleString('en')} to {cells.last.toLocaleString('en')}:{' '}
      <span class="cells inline" aria-hidden="true">
        <span class="committed" />
      </span>{' '}
      committed{' '}
      <span class="cells inline" aria-hidden="true">
        <span class="held" />
      </span>{' '}
      held, not known to be committed{' '}
      <span class="cells inline" aria-hidden="true">
        <span class="missing" />
      </span>{' '}
      not there
    </p>
  );
}

function Happenings() {
  if (happenings.value.length === 0)
    return (
      <p class="soft">
        Nothing yet. Stop a replica, or <code>kill -9</code> the primary, and see it here.
      </p>
    );
  return (
    <ol class="happenings">
      {happenings.value.map((happening) => (
        <li key={happening.id} class={`${happening.tone}${happening.step === undefined ? '' : ' step'}`}>
          <HappeningLine happening={happening} />
        </li>
      ))}
    </ol>
  );
}

function HappeningLine({ happening }: { readonly happening: TimedHappening }) {
  const { time, text, replica, topic, step } = happening;
  return (
    <>
      <time>{time}</time>
      <span>
        {step === undefined ? (
          text
        ) : (
          <a
            class="step-link"
            href={hashOf('machines', 'Vsr', { replica: String(replica), step: String(step.sequence) })}
          >
            {text}
          </a>
        )}{' '}
        {topic !== undefined && <WhyButton title={text} replica={replica} path={`explain/${topic}`} />}
      </span>
    </>
  );
}
