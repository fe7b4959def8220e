/**
 * What the page of a run draws and shows, computed here so that the page only draws: events with the place of each, states as
 * changes, guards with their words, explanations as numbers of shared lines, spans of views, faults and calls. Plain JSON.
 * Mirrors no spec module.
 */
import type { RecordedState } from '../../../../impl/server/recorder.ts';
import { NO_ENTRY_HASH, openedContext } from '../../../../machines/vsr-context.ts';
import type { SimEvent } from '../../sim-event.ts';
import { familyOf, faultText, placeOf } from '../fault-text.ts';
import { StepExplanations, type Words } from '../step-explanations.ts';
import type { TimelineInput } from '../timeline-input.ts';
import { factsText } from '../timeline-rows.ts';
import { FreeRows } from './free-rows.ts';
import { NumberedTexts } from './numbered-texts.ts';
import type { PageCall, PageData, PageEvent, PageFault, PageSpan } from './page-types.ts';

export function pageData(input: TimelineInput): PageData {
  const maker = new PageMaker(input);
  for (const event of input.events) maker.add(event);
  return maker.finish();
}

type Of<Kind extends SimEvent['kind']> = Extract<SimEvent, { kind: Kind }>;

class PageMaker {
  readonly #input: TimelineInput;
  readonly #events: PageEvent[] = [];
  readonly #spans: PageSpan[] = [];
  readonly #open: (PageSpan | undefined)[] = [];
  readonly #faults: PageFault[] = [];
  readonly #faultRows = new FreeRows();
  readonly #calls: PageCall[] = [];
  readonly #waiting = new Map<number, PageCall>();
  readonly #callRows = new FreeRows();
  readonly #sent = new Map<number, Of<'send'>>();
  /** Frames that are delivered or lost, and so are shown where they end. */
  readonly #arriving: ReadonlySet<number>;
  readonly #initial: RecordedState;
  readonly #states: RecordedState[];
  readonly #lines = new NumberedTexts<string>();
  readonly #words = new NumberedTexts<PageData['words'][number]>();
  readonly #explanations: readonly StepExplanations[];
  #healUs: number | undefined;
  #failureEvent: number | undefined;

  constructor(input: TimelineInput) {
    this.#input = input;
    this.#arriving = new Set(
      input.events.flatMap((event) => (event.kind === 'deliver' || event.kind === 'drop' ? [event.frame] : [])),
    );
    const { explain, scenario, events } = input;
    const words = new Map<string, ReadonlyMap<string, Words>>();
    const replicas = Array.from({ length: scenario.replicaCount }, (_, replica) => replica);
    this.#explanations =
      explain === undefined
        ? []
        : replicas.map((replica) => new StepExplanations(explain, replica, scenario.replicaCount, words));
    this.#initial = initialState(scenario.replicaCount);
    this.#states = replicas.map(() => this.#initial);
    const startUs = events[0]?.atUs ?? 0;
    for (const replica of replicas) this.#lane(replica, startUs, 0, 'normal');
  }

  add(event: SimEvent): void {
    switch (event.kind) {
      case 'send':
        this.#sent.set(event.frame, event);
        if (!this.#arriving.has(event.frame)) this.#undelivered(event);
        break;
      case 'deliver':
      case 'drop':
        this.#message(event);
        break;
      case 'machine':
        this.#machine(event);
        break;
      case 'down':
        this.#push(
          event,
          `r${event.replica} down: ${event.why}${event.reason === undefined ? '' : ` (${event.reason})`}`,
          {
            replica: event.replica,
          },
        );
        this.#lane(event.replica, event.atUs, this.#open[event.replica]?.view ?? 0, 'down');
        break;
      case 'up': {
        const { replica, state } = event;
        const explanation = this.#explanations[replica]?.opened(state);
        this.#push(event, `r${replica} up in view ${state.view}: op ${state.op}, commit ${state.commit}`, {
          replica,
          changes: this.#changesOf(replica, state),
          ...this.#linesOf(explanation),
        });
        this.#lane(replica, event.atUs, state.view, state.status);
        break;
      }
      case 'fault':
      case 'fault-end':
        this.#fault(event);
        break;
      case 'call':
        this.#call(event);
        break;
      case 'return':
        this.#return(event);
        break;
      case 'client-crash':
        this.#push(event, `client ${event.client} crashes`, { client: event.client });
        break;
      case 'commit': {
        const facts = [['hash', event.hash] as const, ['state hash', event.stateHash] as const];
        this.#push(event, `r${event.replica} commits op ${event.op}`, { replica: event.replica, facts });
        break;
      }
      case 'heal':
        this.#healUs = event.atUs;
        this.#push(event, 'heal: all faults have ended, everything must complete');
        break;
      case 'failure':
        this.#failureEvent = this.#push(event, `failure: ${event.oracle}: ${event.message}`);
        break;
    }
  }

  finish(): PageData {
    const { scenario, events, explain } = this.#input;
    const endUs = Math.max(events.at(-1)?.atUs ?? 0, 1);
    for (const span of [...this.#open, ...this.#faults, ...this.#calls])
      if (span?.untilUs === Number.POSITIVE_INFINITY) span.untilUs = endUs;
    return {
      replicaCount: scenario.replicaCount,
      initial: this.#initial,
      startUs: events[0]?.atUs ?? 0,
      endUs,
      healUs: this.#healUs,
      failureEvent: this.#failureEvent,
      events: this.#events,
      spans: this.#spans,
      faults: this.#faults,
      calls: this.#calls,
      lines: this.#lines.values,
      words: this.#words.values,
      isExplained: explain !== undefined,
    };
  }

  #push(event: Exclude<SimEvent, Of<'send'>>, text: string, more: Partial<PageEvent> = {}): number {
    const { step, atUs: us, kind } = event;
    return this.#events.push({ step, us, kind, text, ...more }) - 1;
  }

  #message(event: Of<'deliver'> | Of<'drop'>): void {
    const { frame, from, to, message } = event;
    const sent = this.#sent.get(frame);
    this.#sent.delete(frame);
    const lost = event.kind === 'drop' ? `, lost: ${event.why}` : '';
    this.#push(event, `r${from} -> r${to} ${message}${factsText(sent?.facts)}${lost}`, {
      replica: to,
      from,
      ...(sent === undefined ? {} : { sentUs: sent.atUs, sentStep: sent.step }),
      ...(event.kind === 'drop' ? { why: event.why } : {}),
      facts: factRows({ frame, ...sent?.facts }),
    });
  }

  #undelivered({ step, atUs: us, frame, from, to, message, facts }: Of<'send'>): void {
    const text = `r${from} -> r${to} ${message}${factsText(facts)}, never arrived`;
    const where = { replica: to, from, sentUs: us, sentStep: step };
    this.#events.push({ step, us, kind: 'undelivered', text, ...where, facts: factRows({ frame, ...facts }) });
  }

  #machine(event: Of<'machine'>): void {
    const { replica, type, taken, guards, message, state, atUs } = event;
    const explanations = this.#explanations[replica];
    const words = explanations?.wordsOf(event);
    const refusing = guards.filter(({ holds }) => !holds).map(({ guard }) => guard);
    const before = this.#open[replica];
    const moved = before?.view !== state.view || before.status !== state.status;
    const change = taken && moved ? `, now view ${state.view} ${state.status}` : '';
    const text = `r${replica} ${type} ${taken ? 'taken' : `refused: ${refusing.join(', ')}`}${change}`;
    this.#push(event, text, {
      replica,
      taken,
      guards: guards.map(({ guard: name, holds, facts, missing }) => {
        const said = words?.get(name);
        const number = said === undefined ? {} : { words: this.#wordsOf(`${type} ${name}`, said) };
        return { name, holds, facts, ...(missing.length > 0 ? { missing } : {}), ...number };
      }),
      ...this.#linesOf(explanations?.after(event)),
      changes: this.#changesOf(replica, state),
      ...(message === undefined ? {} : { facts: factRows(message) }),
    });
    if (moved) this.#lane(replica, atUs, state.view, state.status);
  }

  #wordsOf(key: string, { description, spec, machine }: Words): number {
    const places = [
      ...(spec === undefined ? [] : [`${spec.file}:${spec.line}  ${spec.text.split('\n')[0]}`]),
      ...(machine === undefined ? [] : [`${machine.file}:${machine.line}`]),
    ];
    return this.#words.of(key, () => ({ text: description, places }));
  }

  #linesOf(lines: readonly string[] | undefined): Pick<PageEvent, 'lines'> {
    return lines === undefined ? {} : { lines: lines.map((line) => this.#lines.of(line, () => line)) };
  }

  #changesOf(replica: number, state: RecordedState): Partial<RecordedState> {
    const before = this.#states[replica] ?? this.#initial;
    this.#states[replica] = state;
    const isOther = (name: string): boolean => {
      const [a, b] = [before[name as keyof RecordedState], state[name as keyof RecordedState]];
      return a !== b && (typeof a !== 'object' || JSON.stringify(a) !== JSON.stringify(b));
    };
    return Object.fromEntries(Object.entries(state).filter(([name]) => isOther(name)));
  }

  #lane(replica: number, fromUs: number, view: number, status: string): void {
    const open = this.#open[replica];
    if (open !== undefined) open.untilUs = fromUs;
    const span = { replica, fromUs, untilUs: Number.POSITIVE_INFINITY, view, status };
    if (open !== undefined && open.fromUs === fromUs) this.#spans.splice(this.#spans.lastIndexOf(open), 1);
    this.#spans.push(span);
    this.#open[replica] = span;
  }

  #fault(event: Of<'fault'> | Of<'fault-end'>): void {
    const { fault, atUs } = event;
    const text = faultText(fault);
    const { replicas, links } = placeOf(fault);
    const [replica] = replicas;
    const place = { family: familyOf(fault.kind), ...(replica === undefined ? {} : { replica }) };
    if (event.kind === 'fault-end') {
      this.#push(event, `end of ${text}`, place);
      const open = this.#faults.findLast((each) => each.text === text);
      if (open !== undefined) open.untilUs = atUs;
      return;
    }
    const untilUs = Math.max(event.untilUs, atUs);
    this.#faults.push({
      event: this.#push(event, `fault: ${text}`, { ...place, untilUs }),
      fromUs: atUs,
      untilUs,
      text,
      family: place.family,
      replicas,
      links: links === 'all' ? links : links.map(({ from, to }) => [from, to] as const),
      row: this.#faultRows.take(atUs, untilUs),
    });
  }

  #call(event: Of<'call'>): void {
    const { client, operation, replica, what, atUs } = event;
    const text = `client ${client} calls #${operation} at r${replica}: ${what}`;
    const untilUs = Number.POSITIVE_INFINITY;
    const row = this.#callRows.take(atUs, untilUs);
    const call = { event: this.#push(event, text, { client }), client, fromUs: atUs, untilUs, text, outcome: '', row };
    this.#calls.push(call);
    this.#waiting.set(operation, call);
  }

  #return(event: Of<'return'>): void {
    const { client, operation, outcome, atUs } = event;
    this.#push(event, `client ${client} gets #${operation}: ${outcome}`, { client });
    const call = this.#waiting.get(operation);
    if (call === undefined) return;
    call.untilUs = atUs;
    call.outcome = outcome;
    this.#callRows.end(call.row, atUs);
    this.#waiting.delete(operation);
  }
}

function initialState(replicaCount: number): RecordedState {
  const durable = { view: 0, logView: 0, commit: 0, op: 0, headHash: NO_ENTRY_HASH };
  const {
    replica: _replica,
    replicaCount: _count,
    pipelineMax: _max,
    ...state
  } = openedContext({
    replica: 0,
    replicaCount,
    pipelineMax: 0,
    durable,
  });
  return { status: 'normal', ...state };
}

function factRows(facts: object): readonly (readonly [string, string])[] {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]: [string, unknown]) => [name, typeof value === 'string' ? value : JSON.stringify(value)] as const,
    );
}
