/**
 * The page's one way to the world: questions to replicas, with the reader's key, and time. Every question ends: with an answer,
 * an error of the API, or after a bound. Mirrors no spec module.
 */
import type { Asked, Problem } from './answers.ts';

/** A replica that has not answered by then counts as silent. */
const ANSWER_MS_MAX = 3_000;
/** The server's own bound of a request, and some. */
const WRITE_MS_MAX = 15_000;

export interface Question {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as a bearer token; empty: none. */
  readonly key: string;
}

/** Of the DX API: takes the envelope off. @param base scheme and host; empty: the replica that served the page */
export async function askDx<T>(base: string, path: string, key: string): Promise<Asked<T>> {
  const asked = await ask<{ data: T; notes: readonly string[] }>(`${base}/v1/dx/${path}`, { key });
  return asked.ok ? { ok: true, value: asked.value.data, notes: asked.value.notes } : asked;
}

export async function ask<T>(url: string, question: Question): Promise<Asked<T>> {
  const { method = 'GET', body, headers = {}, key } = question;
  try {
    const answer = await fetch(url, {
      method,
      headers: {
        ...headers,
        ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(method === 'GET' ? ANSWER_MS_MAX : WRITE_MS_MAX),
    });
    const text = await answer.text();
    const json: unknown = text === '' ? undefined : JSON.parse(text);
    if (answer.ok) return { ok: true, value: json as T, notes: [] };
    return { ok: false, problem: problemOf(answer, json) };
  } catch (cause) {
    return { ok: false, problem: silence(cause) };
  }
}

/**
 * Server-sent events by fetch, which unlike EventSource can carry a key. Settles when the connection ends, however it ends.
 * @param onEvent the data of each, as it comes
 */
export async function follow(
  url: string,
  key: string,
  signal: AbortSignal,
  onEvent: (data: unknown) => void,
): Promise<Problem | undefined> {
  try {
    const answer = await fetch(url, {
      headers: key === '' ? {} : { authorization: `Bearer ${key}` },
      cache: 'no-store',
      credentials: 'omit',
      signal,
    });
    if (!answer.ok || answer.body === null) return problemOf(answer, await answer.json());
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ; ) {
      const { value, done } = await reader.read();
      if (done) return undefined;
      const pieces = (text + value).split('\n\n');
      text = pieces.pop() ?? '';
      for (const piece of pieces) {
        const data = /^id: /m.test(piece) ? /^data: (.*)$/m.exec(piece)?.[1] : undefined;
        if (data !== undefined) onEvent(JSON.parse(data));
      }
    }
  } catch (cause) {
    return silence(cause);
  }
}

function problemOf(answer: Response, json: unknown): Problem {
  const error = (json as { error?: Partial<Problem> } | undefined)?.error ?? {};
  const retry = Number(answer.headers.get('retry-after') ?? Number.NaN);
  return {
    status: answer.status,
    code: error.code ?? `HTTP_${answer.status}`,
    message: error.message ?? answer.statusText,
    rule: error.rule,
    evidence: error.evidence,
    retryAfterSeconds: Number.isFinite(retry) ? retry : undefined,
  };
}

function silence(cause: unknown): Problem {
  const late = cause instanceof DOMException && cause.name === 'TimeoutError';
  const message = late ? 'it took too long to answer' : 'it does not answer';
  return { status: undefined, code: late ? 'NO_ANSWER_IN_TIME' : 'NO_ANSWER', message };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Hours, minutes and seconds of now, in the reader's own clock and language. */
export function timeText(): string {
  return new Date().toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

export function dateTimeText(ms: number): string {
  return new Date(ms).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** A key of a request that may be sent again. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
