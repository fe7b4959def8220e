/**
 * A run on the terminal: time runs down, a column a replica, an arrow a message, a bar a fault, the failure at the end. Steps
 * that every tick repeats are counted, not shown. At most LINE_COLUMNS_MAX wide, so that it goes into an issue or a commit
 * message as it is. Mirrors no spec module.
 */
import { colors } from '../../report/colors.ts';
import type { Fault } from '../plan.ts';
import { familyOf, timeText } from './fault-text.ts';
import type { TimelineInput } from './timeline-input.ts';
import { type Lane, type TimelineRow, timelineRows } from './timeline-rows.ts';

export const LINE_COLUMNS_MAX = 100;
/** Bars of faults side by side; a fault beyond has its rows, and no bar. */
const FAULT_BARS_MAX = 6;
/** Columns of a lane, by number of replicas. */
const LANE_COLUMNS: Readonly<Record<number, number>> = { 3: 9, 5: 6, 7: 5 };
const STEP_COLUMNS = 6;
const TIME_COLUMNS = 12;

export interface TerminalOptions {
  /** Shows the last so many steps; everything without it. */
  readonly steps?: number | undefined;
  /** Shows what this replica sends, gets and does, and what meets the whole cluster. */
  readonly replica?: number | undefined;
}

/** Ends with a line break. */
export function terminalTimeline(input: TimelineInput, options: TerminalOptions = {}): string {
  const { scenario, result, events } = input;
  const lastStep = events.at(-1)?.step ?? 0;
  const firstStep = options.steps === undefined ? 0 : lastStep - options.steps + 1;
  const printer = new Printer(scenario.replicaCount);
  for (const line of headLines(input, firstStep)) printer.plain(line);
  printer.head();
  for (const row of timelineRows(events, scenario.replicaCount)) {
    if (row.step < firstStep) printer.pass(row);
    else if (row.kind !== 'failure' && isWanted(row, options.replica)) printer.row(row);
    else printer.pass(row);
  }
  printer.endQuiet();
  const { failure } = result;
  if (failure === undefined) printer.plain(colors.green('no failure'));
  else {
    const place = `FAILURE after step ${failure.step}, ${timeText(failure.atUs)}: ${failure.oracle}, ${failure.rule}`;
    for (const line of wrapped(visible(place), LINE_COLUMNS_MAX)) printer.plain(colors.red(colors.bold(line)));
    for (const line of wrapped(visible(failure.message), LINE_COLUMNS_MAX - 2)) printer.plain(`  ${line}`);
  }
  return `${printer.lines.join('\n')}\n`;
}

function headLines({ scenario, result, events }: TimelineInput, firstStep: number): readonly string[] {
  const { seed, name, replicaCount, workload } = scenario;
  const from = firstStep > 1 ? `, from step ${firstStep}` : '';
  const lines = [
    `seed ${seed}, ${visible(name)}, ${replicaCount} replicas, workload ${workload}: ${events.length} events, ` +
      `${result.steps} steps, ${timeText(result.virtualUs)}${from}`,
    '┃ primary  │ backup  ╎ view change  · down  ●──▶ message  ●┄┄✗ lost  ◆ new view or status  ┌│└ fault',
  ];
  return lines.flatMap((line) => wrapped(line, LINE_COLUMNS_MAX)).map((line) => colors.dim(line));
}

function isWanted(row: TimelineRow, replica: number | undefined): boolean {
  if (replica === undefined || row.kind === 'heal') return true;
  if (row.kind === 'fault' || row.kind === 'fault-end') return row.at === undefined || row.at === replica;
  return row.at === replica || row.from === replica;
}

class Printer {
  readonly lines: string[] = [];
  readonly #laneColumns: number;
  readonly #replicaCount: number;
  readonly #bars: (Fault | undefined)[] = new Array<undefined>(FAULT_BARS_MAX).fill(undefined);
  #quiet: TimelineRow[] = [];
  #last: { readonly key: string; count: number; readonly row: TimelineRow } | undefined;

  constructor(replicaCount: number) {
    this.#replicaCount = replicaCount;
    this.#laneColumns = LANE_COLUMNS[replicaCount] ?? 5;
  }

  plain(line: string): void {
    this.lines.push(line);
  }

  head(): void {
    const lanes = Array.from({ length: this.#replicaCount }, (_, replica) => `r${replica}`.padEnd(this.#laneColumns));
    const left = `${'step'.padStart(STEP_COLUMNS)} ${'time'.padStart(TIME_COLUMNS)} `;
    this.lines.push(colors.bold(`${left}${'faults'.padEnd(FAULT_BARS_MAX + 1)}${lanes.join('')} what`));
  }

  /** A row that is not shown: its faults' bars are. */
  pass(row: TimelineRow): void {
    this.#barsOf(row);
  }

  row(row: TimelineRow): void {
    if (row.isQuiet) {
      this.#quiet.push(row);
      return;
    }
    const key = `${row.kind} ${row.from} ${row.at} ${row.text}`;
    if (this.#quiet.length === 0 && this.#last?.key === key && row.fault === undefined) {
      this.#last.count++;
      this.#print(row, `${row.text} ×${this.#last.count}`, true);
      return;
    }
    this.endQuiet();
    this.#last = { key, count: 1, row };
    this.#print(row, row.text, false);
  }

  /** One line for the steps of no consequence since the last row. */
  endQuiet(): void {
    const [first] = this.#quiet;
    const last = this.#quiet.at(-1);
    if (first === undefined || last === undefined) return;
    const counts = new Map<string, number>();
    for (const { kind, text } of this.#quiet) {
      const name = `${text.split(' ')[0] ?? ''}${kind === 'message' || !text.includes('refused') ? '' : ' refused'}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const said = [...counts].map(([name, count]) => (count === 1 ? name : `${count} ${name}`)).join(', ');
    this.#quiet = [];
    this.#last = undefined;
    for (const [at, line] of wrapped(said, this.#textColumns).entries())
      this.lines.push(
        colors.dim(`${this.#left(at === 0 ? last : undefined)}${this.#barsText()} ${this.#lanesText(last)} ${line}`),
      );
  }

  #print(row: TimelineRow, text: string, replaces: boolean): void {
    const bars = this.#barsOf(row);
    const lines = wrapped(visible(text), this.#textColumns);
    if (replaces) {
      const before = this.#last === undefined ? 0 : wrapped(visible(this.#textBefore()), this.#textColumns).length;
      this.lines.splice(this.lines.length - before, before);
    }
    for (const [at, line] of lines.entries()) {
      const left = at === 0 ? `${this.#left(row)}${bars}` : `${this.#left(undefined)}${this.#barsText()}`;
      const lanes = at === 0 ? this.#lanesText(row, true) : this.#lanesText(row);
      this.lines.push(`${colors.dim(left)} ${lanes} ${paintOf(row)(line)}`);
    }
  }

  #textBefore(): string {
    const { count = 1, row } = this.#last ?? {};
    return count <= 2 ? (row?.text ?? '') : `${row?.text} ×${count - 1}`;
  }

  get #textColumns(): number {
    return LINE_COLUMNS_MAX - STEP_COLUMNS - TIME_COLUMNS - FAULT_BARS_MAX - 4 - this.#replicaCount * this.#laneColumns;
  }

  #left(row: TimelineRow | undefined): string {
    if (row === undefined) return ' '.repeat(STEP_COLUMNS + TIME_COLUMNS + 2);
    return `${String(row.step).padStart(STEP_COLUMNS)} ${timeText(row.atUs).padStart(TIME_COLUMNS)} `;
  }

  #slotOf(fault: Fault): number {
    const free = this.#bars.indexOf(undefined);
    if (free >= 0) this.#bars[free] = fault;
    return free;
  }

  #barsText(): string {
    return this.#bars.map((fault) => (fault === undefined ? ' ' : '│')).join('');
  }

  /** The bars beside this row, with a beginning or an end. */
  #barsOf({ kind, fault, isLasting }: TimelineRow): string {
    if (fault === undefined || isLasting !== true) return this.#barsText();
    const name = JSON.stringify(fault);
    const isThis = (other: Fault | undefined): boolean => JSON.stringify(other) === name;
    const slot = kind === 'fault' ? this.#slotOf(fault) : this.#bars.findIndex(isThis);
    const text = this.#barsText();
    if (kind === 'fault-end' && slot >= 0) this.#bars[slot] = undefined;
    return slot < 0 ? text : `${text.slice(0, slot)}${kind === 'fault' ? '┌' : '└'}${text.slice(slot + 1)}`;
  }

  #lanesText(row: TimelineRow, withMarks = false): string {
    const cells = row.lanes.map((lane, replica) => laneMark(lane, replica, row.lanes.length).padEnd(this.#laneColumns));
    const line = [...cells.join('')];
    if (withMarks) this.#mark(line, row);
    return line.join('');
  }

  #mark(line: string[], { kind, from, at, isViewChange }: TimelineRow): void {
    if (at === undefined) return;
    const end = at * this.#laneColumns;
    const marks = { act: '●', down: '✗', up: '▲', call: '»', return: '«', fault: '┌', 'fault-end': '└' } as const;
    if (from !== undefined && from !== at) {
      const start = from * this.#laneColumns;
      const isLost = kind === 'dropped';
      const [low, high] = start < end ? [start, end] : [end, start];
      for (let column = low + 1; column < high; column++) line[column] = isLost ? '┄' : '─';
      line[start] = '●';
      line[end] = isLost ? '✗' : start < end ? '▶' : '◀';
    } else line[end] = marks[kind as keyof typeof marks] ?? '●';
    if (isViewChange) line[end + (from !== undefined && from > at ? -1 : 1)] = '◆';
    if (isViewChange && end === 0 && from !== undefined && from > at) line[0] = '◆';
  }
}

function laneMark({ view, status, isDown }: Lane, replica: number, replicaCount: number): string {
  if (isDown) return '·';
  if (status !== 'normal') return '╎';
  return view % replicaCount === replica ? '┃' : '│';
}

function paintOf({ kind, fault, isViewChange }: TimelineRow): (text: string) => string {
  if (kind === 'dropped' || kind === 'down') return colors.red;
  if (kind === 'up' || kind === 'heal') return colors.green;
  if (fault !== undefined) return familyOf(fault.kind) === 'network' ? colors.yellow : colors.magenta;
  if (kind === 'call' || kind === 'return') return colors.cyan;
  return isViewChange ? colors.bold : (text) => text;
}

/** Control characters of a run's free text are shown, not sent to the terminal. */
function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Lines of at most so many columns, broken at spaces where there are any. */
function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    while (line.length > columns) {
      lines.push(line.slice(0, columns));
      line = line.slice(columns);
    }
  }
  return [...lines, line];
}
