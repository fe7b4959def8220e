/**
 * The end of a run, or any part of it, as a Mermaid sequence diagram for an issue or a page of documentation: replicas and
 * the clients that appear, a line a row of the timeline, quiet steps left out. Bounded, since Mermaid refuses what is too long
 * and nobody reads it. Mirrors no spec module.
 */
import { timeText } from './fault-text.ts';
import type { TimelineInput } from './timeline-input.ts';
import { type TimelineRow, timelineRows } from './timeline-rows.ts';

/** Rows by default: what fits on two screens. */
export const MERMAID_ROWS_DEFAULT = 60;
/** More arrows than this and Mermaid refuses the diagram (maxEdges). */
export const MERMAID_ROWS_MAX = 400;
/** Longer and Mermaid refuses it (maxTextSize is 50,000). */
export const MERMAID_CHARACTERS_MAX = 45_000;
/** Characters of one row's text; what is cut ends in three dots. */
const ROW_CHARACTERS_MAX = 160;

export interface MermaidOptions {
  /** Rows, counted from the end of what is selected. */
  readonly rows?: number | undefined;
  /** Only these steps. */
  readonly fromStep?: number | undefined;
  readonly toStep?: number | undefined;
}

/** Ends with a line break. */
export function mermaidTimeline({ scenario, result, events }: TimelineInput, options: MermaidOptions = {}): string {
  const { rows: wanted = MERMAID_ROWS_DEFAULT, fromStep = 0, toStep = Number.POSITIVE_INFINITY } = options;
  const { replicaCount } = scenario;
  const told = timelineRows(events, replicaCount).filter(
    ({ step, isQuiet, kind }) => !isQuiet && kind !== 'failure' && step >= fromStep && step <= toStep,
  );
  const last = told.slice(-Math.max(0, Math.min(wanted, MERMAID_ROWS_MAX)));
  const { failure } = result;
  const across = `r0,r${replicaCount - 1}`;
  const end =
    failure === undefined || failure.step > toStep
      ? []
      : [
          `Note over ${across}: FAILURE after step ${failure.step}: ${plain(`${failure.oracle}, ${failure.rule}: ${failure.message}`)}`,
        ];
  let lines = last.map((row) => [...lineOf(row, across)]);
  const length = (): number => [...lines.flat(), ...end].reduce((sum, line) => sum + line.length + 3, 0);
  while (length() > MERMAID_CHARACTERS_MAX) lines = lines.slice(Math.ceil(lines.length / 10));
  const shown = last.slice(last.length - lines.length);
  const clients = new Set(shown.flatMap(({ client }) => (client === undefined ? [] : [client])));
  const [first] = shown;
  const left = told.length - shown.length;
  const head = [
    ...[...clients].sort((a, b) => a - b).map((client) => `actor c${client} as client ${client}`),
    ...Array.from({ length: replicaCount }, (_, replica) => `participant r${replica}`),
    ...(first === undefined
      ? []
      : [
          `Note over ${across}: seed ${scenario.seed}, from step ${first.step}, ${timeText(first.atUs)}${left > 0 ? `, ${left} earlier rows left out` : ''}`,
        ]),
    ...(first?.lanes ?? []).map(
      ({ view, status, isDown }, replica) => `Note over r${replica}: ${isDown ? 'down' : `view ${view} ${status}`}`,
    ),
  ];
  return `sequenceDiagram\n${[...head, ...lines.flat(), ...end].map((line) => `  ${line}\n`).join('')}`;
}

function* lineOf({ kind, from, at, client, text }: TimelineRow, across: string): Generator<string> {
  const said = plain(text);
  if (kind === 'message') yield `r${from}->>r${at}: ${said}`;
  else if (kind === 'dropped') yield `r${from}-xr${at}: ${said}`;
  else if (kind === 'call') yield `c${client}->>r${at}: ${said}`;
  else if (kind === 'return' && at !== undefined) yield `r${at}-->>c${client}: ${said}`;
  else if (client !== undefined) yield `Note over c${client}: ${said}`;
  else yield `Note over ${at === undefined ? across : `r${at}`}: ${said}`;
}

/** Mermaid reads some characters wherever they stand; its own codes stand for them. */
function plain(text: string): string {
  const short = text.length > ROW_CHARACTERS_MAX ? `${text.slice(0, ROW_CHARACTERS_MAX - 3)}...` : text;
  return short
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029\s]+/gu, ' ')
    .replace(/[#;<>&"%{}\\`]/g, (character) => `#${character.charCodeAt(0)};`)
    .trim();
}
