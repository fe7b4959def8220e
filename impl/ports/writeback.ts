/**
 * In which order a disk writes back what no sync has covered, in requests of a page: what a power loss then finds done is a
 * prefix of this order. Requests for one page stay in the order of writing, for a page is not under way twice. Pure.
 * Mirrors no spec module: a part of simulated-disk.ts.
 */
import type { Random } from './random.ts';

/** What a page cache writes back at once. */
export const WRITEBACK_PAGE_BYTES = 4096;
/** Requests that are with the device at once: it chooses the next among them. */
export const IN_FLIGHT_REQUESTS_MAX = 32;
/** Oldest requests that `deadline` sorts by position. */
const DEADLINE_WINDOW_REQUESTS = 8;

/**
 * fifo: as written. random: any of those in flight. elevator: the next position of those in flight, files one after another.
 * deadline: the oldest first, sorted by position within a window.
 */
export type Writeback = 'fifo' | 'random' | 'elevator' | 'deadline';

export interface WritebackRequest {
  /** Number of the file in the order of names. */
  readonly file: number;
  readonly position: number;
}

/** @param requests as written */
export function writebackOrder<Request extends WritebackRequest>(
  requests: readonly Request[],
  writeback: Writeback,
  random: Random,
): readonly Request[] {
  if (writeback === 'fifo' || requests.length < 2) return requests;
  if (writeback === 'deadline') return pagesInOrder(requests, deadlineOrder(requests));
  const inFlight = requests.slice(0, IN_FLIGHT_REQUESTS_MAX);
  const order: Request[] = [];
  for (let next = inFlight.length; inFlight.length > 0; next++) {
    const at = writeback === 'random' ? random.below(inFlight.length) : nextOfElevator(inFlight, order.at(-1));
    order.push(...inFlight.splice(at, 1));
    const submitted = requests[next];
    if (submitted !== undefined) inFlight.push(submitted);
  }
  return pagesInOrder(requests, order);
}

function deadlineOrder<Request extends WritebackRequest>(requests: readonly Request[]): readonly Request[] {
  const order: Request[] = [];
  for (let from = 0; from < requests.length; from += DEADLINE_WINDOW_REQUESTS)
    order.push(...requests.slice(from, from + DEADLINE_WINDOW_REQUESTS).sort(byPlace));
  return order;
}

/** The nearest at or behind the last one, else the first of all. */
function nextOfElevator(inFlight: readonly WritebackRequest[], last: WritebackRequest | undefined): number {
  let first = 0;
  let ahead = -1;
  for (const [at, request] of inFlight.entries()) {
    if (byPlace(request, inFlight[first] as WritebackRequest) < 0) first = at;
    if (last === undefined || byPlace(request, last) < 0) continue;
    if (ahead < 0 || byPlace(request, inFlight[ahead] as WritebackRequest) < 0) ahead = at;
  }
  return ahead < 0 ? first : ahead;
}

function byPlace(a: WritebackRequest, b: WritebackRequest): number {
  return a.file - b.file || a.position - b.position;
}

/** The places of the order that belong to one page are taken by its requests as they were written. */
function pagesInOrder<Request extends WritebackRequest>(
  requests: readonly Request[],
  order: readonly Request[],
): readonly Request[] {
  const pages = new Map<string, Request[]>();
  for (const request of requests) {
    const waiting = pages.get(pageOf(request));
    if (waiting === undefined) pages.set(pageOf(request), [request]);
    else waiting.push(request);
  }
  const taken = new Map<string, number>();
  return order.map((request) => {
    const page = pageOf(request);
    const next = taken.get(page) ?? 0;
    taken.set(page, next + 1);
    return pages.get(page)?.[next] as Request;
  });
}

function pageOf({ file, position }: WritebackRequest): string {
  return `${file} ${Math.floor(position / WRITEBACK_PAGE_BYTES)}`;
}
