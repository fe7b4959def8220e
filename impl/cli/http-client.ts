/**
 * The HTTP API as the command line uses it, over Node's fetch: the one file of impl/cli that opens HTTP connections
 * (an exception to the rule of the ports, listed in .dependency-cruiser.cjs). Tries the replicas in turn; repeats what is
 * safe to repeat until its deadline. Mirrors no spec module.
 */
import type { Clock } from '../ports/clock.ts';
import { type Evidence, LockstepError } from '../ports/lockstep-error.ts';
import type { TlsMaterial } from '../ports/network.ts';
import { RealClock } from '../ports/real-clock.ts';
import { CliError } from './cli-error.ts';
import { endOf, HttpsRequests, type TextAnswer, type TextRequest } from './https-request.ts';

/** Wait between two rounds over the replicas: a view change takes a few of these. */
const RETRY_WAIT_MS = 200;
/** Wait between two rounds when the server said how long: at most this. */
const RETRY_AFTER_MS_MAX = 5_000;

/** One try at one replica: longer than a server lets a request wait, so that only a server that hangs meets it. */
const TRY_MS_MAX = 12_000;

/** What the server answered instead of a result: its own code and message. */
export class RefusedError extends LockstepError {}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  /** Makes a POST safe to repeat: the server applies it once. */
  readonly idempotencyKey?: string;
  /** Ask until the deadline while no server answers, it is busy, or it has no quorum. */
  readonly patient: boolean;
}

/** Who asks, and whom it believes. */
export interface Access {
  /** An API key or a JSON Web Token. */
  readonly token?: string | undefined;
  /** For https; without it the authorities of the system. */
  readonly tls?: TlsMaterial | undefined;
  /** Ends every request, and the waiting between two. */
  readonly interrupted?: AbortSignal | undefined;
}

export class HttpClient {
  readonly urls: readonly string[];
  readonly #timeoutMs: number;
  readonly #tryMs: number;
  readonly #clock: Clock;
  readonly #token: string | undefined;
  readonly #https: HttpsRequests | undefined;
  readonly #interrupted: AbortSignal | undefined;
  #preferred = 0;

  constructor(urls: readonly string[], timeoutMs: number, tryMs: number = TRY_MS_MAX, access: Access = {}) {
    this.urls = urls.map((url) => url.replace(/\/+$/, ''));
    this.#timeoutMs = timeoutMs;
    this.#tryMs = Math.min(tryMs, timeoutMs);
    this.#clock = new RealClock();
    this.#token = access.token;
    this.#interrupted = access.interrupted;
    this.#https = urls.some((url) => url.startsWith('https:')) ? new HttpsRequests(access.tls) : undefined;
  }

  /** The JSON of the first replica that answers, or the text when it is no JSON. */
  async ask(request: HttpRequest): Promise<unknown> {
    const deadline = this.#clock.monotonicMs() + this.#timeoutMs;
    for (;;) {
      let last: LockstepError | undefined;
      let silent = 0;
      let distrusted = 0;
      let waitMs = RETRY_WAIT_MS;
      // The one that answered last comes first: a replica that hangs costs one wait, not one a request.
      const first = this.#preferred;
      for (const step of this.urls.keys()) {
        const index = (first + step) % this.urls.length;
        const url = this.urls[index] as string;
        const leftMs = deadline - this.#clock.monotonicMs();
        const answer = await this.askOne(url, request, Math.min(leftMs, this.#tryMs));
        if ('value' in answer) {
          this.#preferred = index;
          return answer.value;
        }
        // A refusal says more than the silence of the next one.
        if (answer.error.code === 'CLI_UNREACHABLE') silent += 1;
        if (String(answer.error.evidence.system).startsWith('TLS_')) distrusted += 1;
        if (last === undefined || answer.error.code !== 'CLI_UNREACHABLE') last = answer.error;
        if (!answer.repeatable) throw answer.error;
        waitMs = Math.max(waitMs, Math.min(answer.retryAfterMs, RETRY_AFTER_MS_MAX));
      }
      // Waiting makes no certificate better.
      if (last !== undefined && distrusted === this.urls.length) throw this.unreachable(last);
      const over = this.#clock.monotonicMs() + waitMs >= deadline;
      if (last !== undefined && silent === this.urls.length) last = this.unreachable(last);
      if (last !== undefined && (over || !request.patient)) throw last;
      await this.pause(waitMs);
    }
  }

  /** One replica, once. */
  async askOne(url: string, request: HttpRequest, timeoutMs: number = this.#tryMs): Promise<Answer> {
    const target = new URL(url + request.path);
    for (const [name, value] of Object.entries(request.query ?? {}))
      if (value !== undefined) target.searchParams.set(name, String(value));
    const headers: Record<string, string> = {};
    if (request.body !== undefined) headers['content-type'] = 'application/json';
    if (request.idempotencyKey !== undefined) headers['idempotency-key'] = request.idempotencyKey;
    if (this.#token !== undefined) headers.authorization = `Bearer ${this.#token}`;
    let answer: TextAnswer;
    try {
      const body = request.body === undefined ? undefined : JSON.stringify(request.body);
      const sent = { method: request.method, headers, body, timeoutMs, interrupted: this.#interrupted };
      answer = await (this.#https !== undefined && target.protocol === 'https:'
        ? this.#https.send(target, sent)
        : fetched(target, sent));
    } catch (cause) {
      if (this.#interrupted?.aborted === true) return { error: interruption(), repeatable: false, retryAfterMs: 0 };
      return { error: unreachable(url, cause), repeatable: true, retryAfterMs: 0 };
    }
    const { status, text } = answer;
    const parsed = jsonOf(text);
    if (status >= 200 && status < 300) return { value: parsed ?? text };
    const retryAfterMs = Number(answer.retryAfter ?? 0) * 1000;
    const repeatable = REPEATABLE.has(status);
    return { error: refusalOf(url, status, parsed, text), repeatable, retryAfterMs };
  }

  /** The error when no replica answered; first is what the first of them did. */
  unreachable(first: LockstepError): LockstepError {
    return this.urls.length === 1 ? first : allUnreachable(this.urls, first);
  }

  /** @throws CliError CLI_INTERRUPTED */
  async pause(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(delayMs, resolve);
      this.#interrupted?.addEventListener('abort', () => {
        cancel();
        resolve();
      });
    });
    if (this.#interrupted?.aborted === true) throw interruption();
  }
}

async function fetched(target: URL, sending: TextRequest): Promise<TextAnswer> {
  const { method, headers, body } = sending;
  const answer = await fetch(target, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
    signal: endOf(sending),
  });
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), text: await answer.text() };
}

export type Answer =
  | { readonly value: unknown }
  | { readonly error: LockstepError; readonly repeatable: boolean; readonly retryAfterMs: number };

/** Busy, no quorum, unknown outcome: another try may do, and every POST of ours carries an idempotency key or may repeat. */
const REPEATABLE: ReadonlySet<number> = new Set([429, 503, 504]);

function interruption(): CliError {
  return new CliError('CLI_INTERRUPTED', 'interrupted: what was sent before may be applied, and nothing more is sent');
}

function unreachable(url: string, cause: unknown): CliError {
  const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  // The time-out of Node has a code, too, and it is a number.
  const system = timedOut ? 'TIMEOUT' : inner instanceof Error && 'code' in inner ? String(inner.code) : 'unknown';
  const what = timedOut ? 'did not answer in time' : `cannot be reached (${system})`;
  if (system.startsWith('TLS_')) {
    const advice = 'docs/errors.md explains the code; --authority names the authority of the cluster';
    return new CliError('CLI_UNREACHABLE', `the server at ${url} ${what}: ${advice}`, { url, system }, cause);
  }
  const advice = 'start one with `lockstep cluster`, or name another replica with --url or LOCKSTEP_URL';
  return new CliError('CLI_UNREACHABLE', `the server at ${url} ${what}: ${advice}`, { url, system }, cause);
}

function allUnreachable(urls: readonly string[], first: LockstepError): CliError {
  const system = first.evidence.system ?? 'unknown';
  const advice = 'start a cluster with `lockstep cluster`, or name a replica with --url or LOCKSTEP_URL';
  const message = `none of the servers ${urls.join(', ')} can be reached (${system}): ${advice}`;
  return new CliError('CLI_UNREACHABLE', message, { urls: urls.join(','), system });
}

function refusalOf(url: string, status: number, parsed: unknown, text: string): LockstepError {
  const error = fieldOf(parsed, 'error');
  const code = fieldOf(error, 'code');
  const message = fieldOf(error, 'message');
  if (typeof code !== 'string' || typeof message !== 'string') {
    const start = text.slice(0, 200).replaceAll(/\s+/g, ' ');
    const what = `${url} answered ${status} in a form that no Lockstep server uses: check --url`;
    return new CliError('CLI_ANSWER_INVALID', what, { url, status, body: start });
  }
  const said = code === 'STREAM_NOT_FOUND' ? message.replace(/: .*/, ': `lockstep append --create` makes it') : message;
  const evidence: Record<string, Evidence[string]> = { status, url };
  const rule = fieldOf(error, 'rule');
  if (typeof rule === 'string') evidence.rule = rule;
  const facts = fieldOf(error, 'evidence');
  for (const [name, value] of Object.entries(typeof facts === 'object' && facts !== null ? facts : {}))
    evidence[name] = typeof value === 'object' ? JSON.stringify(value) : (value as Evidence[string]);
  return new RefusedError(code, said, evidence);
}

export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
