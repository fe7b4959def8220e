/** The frame of the page: name, views, what it is about in one line, the dialog of "why?". Mirrors no spec module. */
import { ClusterPage } from './cluster-page.tsx';
import { KeyField } from './key-field.tsx';
import { LogPage } from './log-page.tsx';
import { MachinesPage } from './machines-page.tsx';
import { announced, cluster, hashOf, keyWanted, ownReplica, route, type View } from './store.ts';
import { StreamsPage } from './streams-page.tsx';
import { nextTheme, theme } from './theme.ts';
import { WhyDialog } from './why-dialog.tsx';

const NAMES: Readonly<Record<View, string>> = {
  cluster: 'Cluster',
  machines: 'Machines',
  log: 'Log',
  streams: 'Streams',
};

export function App() {
  return (
    <>
      <button type="button" class="skip" onClick={toContent}>
        Skip to the content
      </button>
      <header class="top">
        <a class="wordmark" href={hashOf('cluster')}>
          <svg viewBox="0 0 16 16" aria-hidden="true" width="20" height="20">
            <rect y="1" width="16" height="4" rx="1" />
            <rect y="6" width="16" height="4" rx="1" />
            <rect y="11" width="12" height="4" rx="1" />
          </svg>
          Lockstep
        </a>
        <nav aria-label="Views">
          <ul>
            {Object.entries(NAMES).map(([view, name]) => (
              <li key={view}>
                <a href={hashOf(view as View)} aria-current={route.value.view === view ? 'page' : undefined}>
                  {name}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <Pulse />
        <button type="button" class="quiet theme" onClick={nextTheme}>
          Theme: {theme.value}
        </button>
      </header>
      <main id="content" tabIndex={-1}>
        {keyWanted.value && <KeyField />}
        <CurrentPage />
      </main>
      <footer>
        <p>
          Everything here is read from the replicas’ own API, <code>/v1/dx</code>. Replica {ownReplica.value ?? '…'}{' '}
          serves this page.
        </p>
      </footer>
      <WhyDialog />
      <div class="unseen" role="status" aria-live="polite">
        {announced.value}
      </div>
    </>
  );
}

function CurrentPage() {
  const { view } = route.value;
  if (view === 'machines') return <MachinesPage />;
  if (view === 'log') return <LogPage />;
  if (view === 'streams') return <StreamsPage />;
  return <ClusterPage />;
}

/** The state of the cluster, on every view. */
function Pulse() {
  const { tone, primary, view, commit } = cluster.value;
  const text = primary === undefined ? 'no primary' : `replica ${primary} leads view ${view}`;
  return (
    <a class={`pulse ${tone}`} href={hashOf('cluster')}>
      <span class="dot" aria-hidden="true" />
      {text} · commit <span class="number">{commit.toLocaleString('en')}</span>
    </a>
  );
}

function toContent(): void {
  document.getElementById('content')?.focus();
}
