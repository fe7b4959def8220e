/** Back and forth through the steps of a machine, by slider, buttons or arrow keys; at its end it follows what happens now. */
import type { Step } from './answers.ts';
import { FILTERS, type Filter, stepText } from './steps.ts';

export interface ScrubberProps {
  readonly steps: readonly Step[];
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
  /** Sequence of the step that is shown; undefined: now. */
  readonly at: number | undefined;
  readonly onMove: (sequence: number | undefined) => void;
}

const FILTER_NAMES: Readonly<Record<Filter, string>> = { changes: 'Changes', refusals: 'Refusals', all: 'All' };

export function Scrubber({ steps, filter, onFilter, at, onMove }: ScrubberProps) {
  const found = at === undefined ? -1 : steps.findIndex(({ sequence }) => sequence >= at);
  const position = found === -1 ? steps.length : found;
  const shown = steps[position];
  const move = (to: number): void => onMove(to >= steps.length ? undefined : steps[Math.max(0, to)]?.sequence);
  const text = shown === undefined ? 'Now' : stepText(shown);
  return (
    <section class="scrubber" aria-label="History">
      <div class="row">
        <fieldset class="segments">
          <legend class="unseen">Steps to show</legend>
          {FILTERS.map((one) => (
            <label key={one}>
              <input type="radio" name="filter" checked={filter === one} onChange={() => onFilter(one)} />
              <span class="segment">{FILTER_NAMES[one]}</span>
            </label>
          ))}
        </fieldset>
        <span class="soft">
          {steps.length === 0 ? 'none in the last 1,000' : `${steps.length.toLocaleString('en')} steps`}
        </span>
        <span class="steps">
          <button type="button" disabled={position === 0} aria-label="Earlier step" onClick={() => move(position - 1)}>
            ‹
          </button>
          <button
            type="button"
            disabled={shown === undefined}
            aria-label="Later step"
            onClick={() => move(position + 1)}
          >
            ›
          </button>
          <button type="button" disabled={shown === undefined} onClick={() => move(steps.length)}>
            Now
          </button>
        </span>
      </div>
      <input
        type="range"
        aria-label="Step of the history"
        aria-valuetext={text}
        min={0}
        max={steps.length}
        value={position}
        onInput={(event) => move(Number(event.currentTarget.value))}
      />
      <p class="step-text" aria-hidden="true">
        {text}
      </p>
    </section>
  );
}
