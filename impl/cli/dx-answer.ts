/** The DX API's answers as the command line prints them. Mirrors no spec module; the shapes are those of server.md. */

import type { Paint } from '../../machines/explanation.ts';
import { LockstepError } from '../ports/lockstep-error.ts';
import { CliError } from './cli-error.ts';
import { colors as pc } from './colors.ts';
import { fieldOf, type HttpClient, RefusedError } from './http-client.ts';

export interface DxAnswer {
  readonly snapshotId: string;
  readonly commitId: string;
  readonly data: unknown;
  readonly notes: readonly string[];
  /** The whole envelope. */
  readonly envelope: unknown;
}

/** Asks the DX API; an answer without its envelope is another server's. */
export async function askDx(
  client: HttpClient,
  path: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
): Promise<DxAnswer> {
  const envelope = await client
    .ask({ method: 'GET', path: `/v1/dx/${path}`, query, patient: false })
    .catch((cause: unknown) => {
      throw cause instanceof LockstepError ? withoutDx(cause) : cause;
    });
  return dxAnswerOf(envelope);
}

export function dxAnswerOf(envelope: unknown): DxAnswer {
  const observed = fieldOf(envelope, 'observed_at') ?? fieldOf(fieldOf(envelope, 'data'), 'observed_snapshot');
  const data = fieldOf(envelope, 'data');
  if (data === undefined) {
    throw new CliError('CLI_ANSWER_INVALID', 'the answer is not one of the DX API: check --url', {
      answer: JSON.stringify(envelope)?.slice(0, 200) ?? '',
    });
  }
  const notes = fieldOf(envelope, 'notes');
  return {
    snapshotId: String(fieldOf(observed, 'snapshot_id') ?? '?'),
    commitId: String(fieldOf(observed, 'commit_id') ?? '?'),
    data,
    notes: Array.isArray(notes) ? notes.map(String) : [],
    envelope,
  };
}

/** A value on one line: text as it is, everything else as JSON. */
export function inline(value: unknown): string {
  if (value === undefined || value === null) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A record as aligned lines, `name  value`. */
export function factLines(facts: unknown, indent = ''): string[] {
  if (typeof facts !== 'object' || facts === null) return [`${indent}${inline(facts)}`];
  const entries = Object.entries(facts);
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${indent}${name.padEnd(width)}  ${inline(value)}`);
}

/** How explanations are marked on a terminal. */
export const paint: Paint = { strong: pc.bold, dim: pc.dim, holds: pc.green, fails: pc.red };

/** Without the DX API the server knows no such path: it says 404 with the path, where the DX API names what it lacks. */
export function withoutDx(cause: LockstepError): LockstepError {
  const isPathUnknown = cause instanceof RefusedError && cause.code === 'NOT_FOUND' && 'path' in cause.evidence;
  if (!isPathUnknown) return cause;
  const message = `${String(cause.evidence.url)} has no DX API: its server was started with --no-dx. Ask another replica, or start it without that`;
  return new CliError('CLI_REFUSED', message, cause.evidence, cause);
}
