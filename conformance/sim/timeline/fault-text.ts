/** A fault in words, and whom it meets: for every form of the timeline. Mirrors no spec module. */
import type { Fault, FaultKind, Link } from '../plan.ts';

/** Where a fault is: at replicas, or on links of the network. */
export interface FaultPlace {
  readonly replicas: readonly number[];
  readonly links: readonly Link[] | 'all';
}

export type FaultFamily = 'network' | 'disk' | 'clock' | 'process';

const FAMILIES: Readonly<Record<FaultKind, FaultFamily>> = {
  delay: 'network',
  loss: 'network',
  duplication: 'network',
  reordering: 'network',
  'partition-symmetric': 'network',
  'partition-asymmetric': 'network',
  'partition-partial': 'network',
  clogging: 'network',
  'gray-failure': 'network',
  'message-mutation': 'network',
  'disk-latency': 'disk',
  'disk-reordering': 'disk',
  'torn-write': 'disk',
  'lost-write': 'disk',
  'misdirected-write': 'disk',
  'latent-corruption': 'disk',
  'disk-eio': 'disk',
  'disk-full': 'disk',
  'lost-fsync': 'disk',
  'clock-skew': 'clock',
  'clock-drift': 'clock',
  'clock-jump': 'clock',
  'process-crash': 'process',
  'power-loss': 'process',
  'process-pause': 'process',
  'process-slow': 'process',
  'gone-for-good': 'process',
  'session-flood': 'network',
  'late-duplicate': 'network',
};

export function familyOf(kind: FaultKind): FaultFamily {
  return FAMILIES[kind];
}

export function placeOf(fault: Fault): FaultPlace {
  if ('cut' in fault) return { replicas: [], links: fault.cut };
  if ('links' in fault) return { replicas: [], links: fault.links };
  return { replicas: [fault.replica], links: [] };
}

/** `loss r0 -> r1, 300 of 1,000`. */
export function faultText(fault: Fault): string {
  const details = detailsOf(fault);
  return `${fault.kind} ${placeText(placeOf(fault))}${details.length === 0 ? '' : `, ${details.join(', ')}`}`;
}

function placeText({ replicas, links }: FaultPlace): string {
  if (links === 'all') return 'on all links';
  if (replicas.length > 0) return `at ${replicas.map((replica) => `r${replica}`).join(', ')}`;
  const both = links.filter(({ from, to }) => links.some((back) => back.from === to && back.to === from));
  const pairs = both.filter(({ from, to }) => from < to).map(({ from, to }) => `r${from} <-> r${to}`);
  const single = links.filter((link) => !both.includes(link)).map(({ from, to }) => `r${from} -> r${to}`);
  return [...pairs, ...single].join(', ');
}

/** Every number of the fault by its name, so that a new kind is shown without a change here. */
function detailsOf(fault: Fault): readonly string[] {
  const { kind: _kind, ...rest } = fault;
  return Object.entries(rest).flatMap(([name, value]: [string, unknown]) => {
    if (name === 'replica' || name === 'links' || name === 'cut') return [];
    if (name === 'perMille') return [`${String(value)} of 1,000`];
    if (name === 'keptPerMille') return [`${String(value)} of 1,000 kept`];
    if (name === 'atOperation') return value === 0 ? [] : [`at disk operation ${String(value)}`];
    if (name === 'torn') return value === true ? ['torn'] : [];
    if (name === 'ppm') return [`${String(value)} ppm`];
    if (name === 'extraUsMax') return [`up to ${durationText(Number(value))} more`];
    if (name === 'extraUs') return [`${durationText(Number(value))} more`];
    if (name === 'offsetUs') return [`by ${durationText(Number(value))}`];
    if (name === 'downUs') return [`down for ${durationText(Number(value))}`];
    return [`${name} ${String(value)}`];
  });
}

/** Microseconds as people read them: `640 µs`, `12.3 ms`, `1.25 s`. */
export function durationText(us: number): string {
  const size = Math.abs(us);
  if (size < 1_000) return `${us} µs`;
  if (size < 1_000_000) return `${Number((us / 1_000).toFixed(1))} ms`;
  return `${Number((us / 1_000_000).toFixed(2))} s`;
}

/** A point of the run: `1,234.567 ms`. */
export function timeText(us: number): string {
  const [whole = '', part = ''] = (us / 1_000).toFixed(3).split('.');
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${part} ms`;
}
