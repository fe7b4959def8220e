/**
 * A statechart as boxes and lines that stay in place; what is current, chosen or just happened is coloured. Every event is a
 * button. Mirrors no spec module: it draws what /v1/dx/machines says.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Definition, Step } from './answers.ts';
import { type Chart, type ChartLine, isMenu } from './chart-layout.ts';
import { chartFor } from './chart-source.ts';

/** A chart that is wider than its frame shrinks, but stays readable: beyond this its frame scrolls. */
const ZOOM_MIN = 0.75;
const FRAME_PADDING_PX = 26;

export interface Chosen {
  readonly from: string;
  readonly event: string;
}

export interface StatechartProps {
  readonly definition: Definition;
  readonly current: string;
  /** The step that led here: its line or event is marked. */
  readonly step: Step | undefined;
  readonly chosen: Chosen | undefined;
  /** Narrow screens: counts stand for the events. */
  readonly brief: boolean;
  readonly onChoose: (chosen: Chosen) => void;
}

export function Statechart(props: StatechartProps) {
  const { definition, brief } = props;
  const chart = useSignal<Chart | undefined>(undefined);
  useEffect(() => {
    let isCurrent = true;
    void chartFor(definition, brief).then((made) => {
      if (isCurrent) chart.value = made;
    });
    return () => {
      isCurrent = false;
    };
  }, [definition.name, definition.transitions.length, brief]);
  if (chart.value === undefined) return <p class="chart soft">Laying out the chart …</p>;
  return <LaidOut {...props} chart={chart.value} />;
}

function LaidOut(props: StatechartProps & { readonly chart: Chart }) {
  const { definition, current, step, chosen, brief, onChoose, chart } = props;
  const { name } = definition;
  const frame = useRef<HTMLElement>(null);
  const zoom = useSignal(1);
  useEffect(() => {
    const outer = frame.current;
    if (outer === null) return;
    const observer = new ResizeObserver(() => {
      zoom.value = Math.max(ZOOM_MIN, Math.min(1, (outer.clientWidth - FRAME_PADDING_PX) / chart.width));
    });
    observer.observe(outer);
    return () => observer.disconnect();
  }, [chart]);
  useEffect(() => {
    const box = frame.current?.querySelector<HTMLElement>('.state.current');
    const outer = frame.current;
    if (box == null || outer === null || outer.scrollWidth <= outer.clientWidth) return;
    outer.scrollLeft = box.offsetLeft + box.offsetWidth / 2 - outer.clientWidth / 2;
  }, [current, chart]);
  const isStep = (from: string, event: string): boolean =>
    step?.taken === true && step.from === from && step.event === event;
  const eventButton = (from: string, event: string) => (
    <button
      type="button"
      key={event}
      class={`event${isStep(from, event) ? ' stepped' : ''}`}
      aria-pressed={chosen?.from === from && chosen.event === event}
      onClick={() => onChoose({ from, event })}
    >
      {event}
    </button>
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section ref={frame} class="chart" aria-label={`Statechart of ${name}, in state ${current}`} tabIndex={0}>
      <div class="canvas" style={{ width: `${chart.width}px`, height: `${chart.height}px`, zoom: String(zoom.value) }}>
        <Lines chart={chart} step={step} current={current} />
        {chart.states.map(({ state, events, columns, left, top, width, height }) => (
          <fieldset
            key={state}
            class={`state${state === current ? ' current' : ''}${state === definition.initial ? ' initial' : ''}`}
            style={{ left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` }}
          >
            <legend>
              {state}
              {state === current && <span class="unseen"> (current)</span>}
            </legend>
            {brief ? (
              events.length > 0 && (
                <EventMenu
                  label={`${events.length} inside`}
                  name={`Events that stay in ${state}`}
                  from={state}
                  events={events}
                  chosen={chosen}
                  onChoose={onChoose}
                />
              )
            ) : (
              <div class={`events columns-${columns}`}>{events.map((event) => eventButton(state, event))}</div>
            )}
          </fieldset>
        ))}
        {chart.lines.map((line) => (
          <div
            key={`${line.from}>${line.to}`}
            class="line-label"
            style={{
              left: `${line.left}px`,
              top: `${line.top}px`,
              width: `${line.width}px`,
              height: `${line.height}px`,
            }}
          >
            {brief && isMenu(line.events) ? (
              <EventMenu
                label={`${line.events.length} ${line.events.length === 1 ? 'event' : 'events'}`}
                name={`Events from ${line.from} to ${line.to}`}
                from={line.from}
                events={line.events}
                chosen={chosen}
                onChoose={onChoose}
              />
            ) : (
              line.events.map((event) => eventButton(line.from, event))
            )}
          </div>
        ))}
      </div>
    </section>
  );
}

interface EventMenuProps {
  readonly label: string;
  readonly name: string;
  readonly from: string;
  readonly events: readonly string[];
  readonly chosen: Chosen | undefined;
  readonly onChoose: (chosen: Chosen) => void;
}

function EventMenu({ label, name, from, events, chosen, onChoose }: EventMenuProps) {
  const value = chosen?.from === from && events.includes(chosen.event) ? chosen.event : '';
  return (
    <select aria-label={name} value={value} onChange={(event) => onChoose({ from, event: event.currentTarget.value })}>
      <option value="" disabled>
        {label}
      </option>
      {events.map((event) => (
        <option key={event}>{event}</option>
      ))}
    </select>
  );
}

function Lines({
  chart,
  step,
  current,
}: {
  readonly chart: Chart;
  readonly step: Step | undefined;
  readonly current: string;
}) {
  const stateOf = ({ from, to }: ChartLine): string =>
    step?.taken === true && step.from === from && step.to === to ? 'stepped' : from === current ? 'leaving' : '';
  return (
    <svg width={chart.width} height={chart.height} viewBox={`0 0 ${chart.width} ${chart.height}`} aria-hidden="true">
      <defs>
        {['', 'stepped'].map((kind) => (
          <marker
            key={kind}
            id={`arrow${kind}`}
            class={kind}
            viewBox="0 0 8 8"
            refX="7.5"
            refY="4"
            markerWidth="9"
            markerHeight="9"
            markerUnits="userSpaceOnUse"
            orient="auto-start-reverse"
          >
            <path d="M0 0.5 8 4 0 7.5z" />
          </marker>
        ))}
      </defs>
      {chart.lines.map((line) => (
        <path
          key={`${line.from}>${line.to}`}
          class={stateOf(line)}
          d={line.path}
          marker-end={stateOf(line) === 'stepped' ? 'url(#arrowstepped)' : 'url(#arrow)'}
        />
      ))}
    </svg>
  );
}
