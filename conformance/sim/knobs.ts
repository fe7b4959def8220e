/**
 * What can be made smaller in one event of a plan, beside leaving it out: each number with the least that it may be, each
 * choice with the plainest one. Pure. Mirrors no spec module.
 */
import { type ClientAction, type Fault, type FaultEvent, FOREVER_US, type Link, type PlanEvent } from './plan.ts';

/** A number of an event. Smaller is nearer to `floor`; below it the event would be another one. */
export interface Knob {
  /** Same for the same field of other events. */
  readonly name: string;
  readonly value: number;
  readonly floor: number;
  readonly set: (value: number) => PlanEvent;
}

/** The fields of a fault or an action that are numbers to make smaller, with the least of each. */
const FLOORS: Readonly<Record<string, number>> = {
  extraUsMax: 0,
  extraUs: 1,
  perMille: 1,
  keptPerMille: 0,
  atPerMille: 0,
  atOperation: 0,
  downUs: 1,
  offsetUs: 0,
  ppm: 0,
  count: 1,
  limit: 1,
};
/** An entry begins with its value and part: below that the bytes change nothing (sim-values.ts). */
const ENTRY_BYTES_MIN = 8;

export function knobsOf(event: PlanEvent): readonly Knob[] {
  if (event.type === 'client-crash') return [];
  if (event.type === 'operation')
    return [
      { name: 'asked', value: event.replica, floor: 0, set: (replica) => ({ ...event, replica }) },
      ...fieldKnobs(event.action, (action) => ({ ...event, action })),
    ];
  return [...lengthKnob(event), ...fieldKnobs(event.fault, (fault) => ({ ...event, fault }))];
}

/** How long it lasts; what lasts for ever has another word for it (plainer()). */
function lengthKnob(event: FaultEvent): readonly Knob[] {
  const { atUs, untilUs } = event;
  if (untilUs === undefined || untilUs === FOREVER_US) return [];
  return [{ name: 'length', value: untilUs - atUs, floor: 1, set: (value) => ({ ...event, untilUs: atUs + value }) }];
}

function fieldKnobs<T extends Fault | ClientAction>(subject: T, into: (changed: T) => PlanEvent): readonly Knob[] {
  return Object.entries(subject).flatMap(([name, value]) => {
    const floor = name === 'bytes' ? (subject.kind === 'append' ? ENTRY_BYTES_MIN : 1) : FLOORS[name];
    if (typeof value !== 'number' || floor === undefined) return [];
    return [{ name, value, floor, set: (less: number) => into({ ...subject, [name]: less }) }];
  });
}

/** The plainest value of what is no number. */
const PLAIN: Readonly<Record<string, boolean | string>> = {
  torn: false,
  writeback: 'fifo',
  keyed: false,
  expected: false,
  linearizable: false,
};

/** Each way to make one choice of the event plainer. */
export function plainer(event: PlanEvent): readonly PlanEvent[] {
  if (event.type === 'client-crash') return event.retries ? [{ ...event, retries: false }] : [];
  if (event.type === 'operation')
    return plainFields(event.action).map((action) => ({ ...event, action: action as ClientAction }));
  const plain = plainFields(event.fault).map((fault) => ({ ...event, fault: fault as Fault }));
  if (event.untilUs !== FOREVER_US) return plain;
  const { untilUs: _, ...healing } = event;
  return [healing, ...plain];
}

function plainFields(subject: Fault | ClientAction): readonly object[] {
  return Object.entries(subject).flatMap(([name, value]) => {
    const plain = PLAIN[name];
    return plain === undefined || plain === value ? [] : [{ ...subject, [name]: plain }];
  });
}

/** The links that a fault names one by one, and the event with others in their place. */
export function linksOf(
  event: PlanEvent,
): { readonly links: readonly Link[]; readonly set: (links: readonly Link[]) => PlanEvent } | undefined {
  if (event.type !== 'fault') return undefined;
  const { fault } = event;
  if ('cut' in fault) return { links: fault.cut, set: (cut) => ({ ...event, fault: { ...fault, cut } }) };
  if (!('links' in fault) || fault.links === 'all') return undefined;
  return { links: fault.links, set: (links) => ({ ...event, fault: { ...fault, links } as Fault }) };
}
