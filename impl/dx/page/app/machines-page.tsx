/** Each machine live: its statechart, the event that just happened beside its TLA+ action, and its history. Decides nothing. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Asked, Definition, MachineRow, Step } from './answers.ts';
import { askDx, pause } from './browser.ts';
import { EventPanel } from './event-panel.tsx';
import { ProblemNote } from './problem-note.tsx';
import { Scrubber } from './scrubber.tsx';
import { valueText } from './spec-text.ts';
import { type Chosen, Statechart } from './statechart.tsx';
import { type Filter, filteredSteps, mergedSteps } from './steps.ts';
import { apiKey, baseOf, cluster, hashOf, ownReplica, replicaOf, route } from './store.ts';
import { WhyButton } from './why-button.tsx';

const LOOK_MS = 1_000;
const FIRST_STEPS_ASKED = 1_000;
const NEXT_STEPS_ASKED = 200;
/** Below it a chart shows counts in place of the names of events. */
const BRIEF_BELOW_PX = 720;

export function MachinesPage() {
  const { name: chosenName, parameters } = route.value;
  const name = chosenName === '' ? 'Vsr' : chosenName;
  const replica = replicaOf(route.value) ?? ownReplica.value ?? 0;
  return (
    <Machine
      key={`${name} ${replica}`}
      name={name}
      replica={replica}
      startAt={Number(parameters.get('step') ?? Number.NaN)}
    />
  );
}

interface MachineProps {
  readonly name: string;
  readonly replica: number;
  /** NaN: now. */
  readonly startAt: number;
}

function Machine({ name, replica, startAt }: MachineProps) {
  const machines = useSignal<Asked<readonly MachineRow[]> | undefined>(undefined);
  const definition = useSignal<Asked<Definition> | undefined>(undefined);
  const steps = useSignal<readonly Step[]>([]);
  const filter = useSignal<Filter>('changes');
  const at = useSignal<number | undefined>(Number.isNaN(startAt) ? undefined : startAt);
  const picked = useSignal<Chosen | undefined>(undefined);
  const brief = useSignal(innerWidth < BRIEF_BELOW_PX);
  const base = baseOf(replica);

  useEffect(() => {
    const resized = (): void => {
      brief.value = innerWidth < BRIEF_BELOW_PX;
    };
    addEventListener('resize', resized);
    return () => removeEventListener('resize', resized);
  }, []);
  useEffect(() => {
    if (base === undefined) return;
    let isOpen = true;
    const look = async (): Promise<void> => {
      machines.value = await askDx(base, 'machines', apiKey.value);
      for (let asked = FIRST_STEPS_ASKED; isOpen; asked = NEXT_STEPS_ASKED) {
        const [found, fresh] = await Promise.all([
          askDx<Definition>(base, `machines/${name}`, apiKey.value),
          askDx<readonly Step[]>(base, `machines/${name}/history?limit=${asked}`, apiKey.value),
        ]);
        if (!isOpen) return;
        definition.value = found;
        if (fresh.ok) steps.value = mergedSteps(steps.value, fresh.value);
        await pause(LOOK_MS);
      }
    };
    void look();
    return () => {
      isOpen = false;
    };
  }, [base, name]);

  const found = definition.value;
  const known = found?.ok ? found.value : undefined;
  const shownSteps = filteredSteps(steps.value, filter.value);
  const step = at.value === undefined ? undefined : steps.value.find(({ sequence }) => sequence === at.value);
  const latest = step ?? shownSteps.at(-1);
  const current = step === undefined ? known?.state : step.to;
  const chosen =
    picked.value ?? (latest === undefined ? firstEvent(known) : { from: latest.from, event: latest.event });
  return (
    <>
      <section class="machine-head">
        <h1>
          {name} at replica {replica} <span class="badge accent">{current ?? '…'}</span>{' '}
          {step !== undefined && <span class="soft">after step {step.sequence}</span>}{' '}
          {name === 'Vsr' && (
            <WhyButton
              title={`Replica ${replica} is ${known?.state ?? 'in its state'}`}
              replica={replica}
              path="explain/replica"
            />
          )}
        </h1>
        <Choices machines={machines.value?.ok ? machines.value.value : []} name={name} replica={replica} />
        <p class="soft">
          The machine that decides in this process, from <code>{known?.module ?? 'specs/'}</code>. Its guards are the
          conjuncts of the spec’s actions. Choose an event to see its rule.
        </p>
      </section>
      {base === undefined && (
        <p class="note">
          The HTTP address of replica {replica} is not configured here (--http-addresses): open the page at that
          replica.
        </p>
      )}
      {found?.ok === false && (
        <ProblemNote problem={found.problem} what={`Replica ${replica} does not show ${name}.`} />
      )}
      {known !== undefined && current !== undefined && (
        <div class="machine">
          <div class="left">
            {steps.value.length > 0 && (
              <Scrubber
                steps={shownSteps}
                filter={filter.value}
                onFilter={(chosenFilter) => {
                  filter.value = chosenFilter;
                }}
                at={at.value}
                onMove={(sequence) => {
                  at.value = sequence;
                  picked.value = undefined;
                }}
              />
            )}
            <Statechart
              definition={known}
              current={current}
              step={latest}
              chosen={chosen}
              brief={brief.value}
              onChoose={(choice) => {
                picked.value = choice;
              }}
            />
            <Variables context={known.context} />
          </div>
          {chosen !== undefined && (
            <EventPanel
              key={`${chosen.from} ${chosen.event}`}
              definition={known}
              base={base ?? ''}
              replica={replica}
              chosen={chosen}
              step={picked.value === undefined ? latest : undefined}
            />
          )}
        </div>
      )}
    </>
  );
}

function firstEvent(definition: Definition | undefined): Chosen | undefined {
  const first = definition?.transitions.find(({ from }) => from === definition.state) ?? definition?.transitions[0];
  return first && { from: first.from, event: first.event };
}

function Choices({
  machines,
  name,
  replica,
}: {
  readonly machines: readonly MachineRow[];
  readonly name: string;
  readonly replica: number;
}) {
  return (
    <div class="row choices">
      <ul class="tabs" aria-label="Machines">
        {machines.map((machine) => (
          <li key={machine.name}>
            <a
              href={hashOf('machines', machine.name, { replica: String(replica) })}
              aria-current={machine.name === name ? 'true' : undefined}
            >
              {machine.name} <span class="soft">{machine.state}</span>
            </a>
          </li>
        ))}
      </ul>
      <ul class="tabs" aria-label="Replicas">
        {cluster.value.cards.map((card) => (
          <li key={card.replica}>
            <a
              href={hashOf('machines', name, { replica: String(card.replica) })}
              aria-current={card.replica === replica ? 'true' : undefined}
            >
              replica {card.replica}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The variables of the spec as they are now. */
function Variables({ context }: { readonly context: Readonly<Record<string, unknown>> }) {
  return (
    <details class="variables">
      <summary>Variables, now</summary>
      <dl class="values">
        {Object.entries(context).map(([variable, value]) => (
          <div key={variable}>
            <dt>{variable}</dt>
            <dd>{valueText(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
