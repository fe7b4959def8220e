/** What the page knows and what the reader has chosen, as signals; and where they live in the address. Mirrors no spec module. */
import { computed, signal } from '@preact/signals';
import type { Asked, Replication, Status } from './answers.ts';
import { clusterView, type Observed } from './cluster-view.ts';
import type { Happening } from './happenings.ts';

export const VIEWS = ['cluster', 'machines', 'log', 'streams'] as const;
export type View = (typeof VIEWS)[number];

/** Entries of the list of what happened. */
export const HAPPENINGS_KEPT_MAX = 60;

export interface Route {
  readonly view: View;
  /** What comes after the view: a machine, a stream. */
  readonly name: string;
  readonly parameters: URLSearchParams;
}

export interface TimedHappening extends Happening {
  readonly id: number;
  readonly time: string;
}

/** A question that "why?" puts; the answer is an explanation. */
export interface Why {
  readonly title: string;
  readonly base: string;
  readonly replica: number | undefined;
  /** Path of the DX API behind /v1/dx/. */
  readonly path: string;
}

export const route = signal<Route>({ view: 'cluster', name: '', parameters: new URLSearchParams() });
export const apiKey = signal('');
export const keyWanted = signal(false);
export const why = signal<Why | undefined>(undefined);
/** Where the answer of the replica that served the page is known to be; and its number, once it said it. */
export const ownReplica = signal<number | undefined>(undefined);
export const observed = signal<readonly Observed[]>([]);
export const replication = signal<Replication | undefined>(undefined);
export const happenings = signal<readonly TimedHappening[]>([]);
/** The latest thing that a screen reader is to say. */
export const announced = signal('');
export const cluster = computed(() => clusterView(observed.value, replication.value));

/** The base to ask a replica at; empty for the one that served the page. */
export function baseOf(replica: number | undefined): string | undefined {
  if (replica === undefined || replica === ownReplica.value) return '';
  return observed.value.find((one) => one.replica === replica)?.base;
}

export function statusOf(asked: Asked<Status> | undefined): Status | undefined {
  return asked?.ok ? asked.value : undefined;
}

/** `#/machines/Vsr?replica=1` */
export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [first = '', name = ''] = path.split('/');
  const view = VIEWS.find((one) => one === first);
  return {
    view: view ?? 'cluster',
    name: view === undefined ? '' : decoded(name),
    parameters: new URLSearchParams(query),
  };
}

/** The replica that the address names; undefined when it names none. */
export function replicaOf({ parameters }: Route): number | undefined {
  const given = parameters.get('replica') ?? '';
  return /^[0-9]$/.test(given) ? Number(given) : undefined;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // an address that somebody typed
  }
}

export function hashOf(view: View, name = '', parameters: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(parameters).toString();
  return `#/${view}${name === '' ? '' : `/${encodeURIComponent(name)}`}${query === '' ? '' : `?${query}`}`;
}
