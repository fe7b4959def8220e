/**
 * Traces by OpenTelemetry: a span for each request from its arrival to its answer, with an event where it was proposed and
 * where it was committed. Off unless a collector is configured, and the SDK is not even loaded then. Mirrors no spec module.
 */
import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import type { Clock } from '../ports/clock.ts';
import type { RequestTrace } from './request-trace.ts';

/** A stop waits no longer for a collector. */
const CLOSE_MS_MAX = 1_000;

export interface TracesConfig {
  /** Of an OTLP collector, over HTTP. */
  readonly url: string;
  /** Such as a key of the collector: a secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of requests without a parent, 0 to 100; a traced caller's requests are traced. */
  readonly samplePercent: number;
}

/** Where spans go; impl/server/trace-export.ts makes the real one. */
export interface TraceSink {
  readonly tracer: Tracer;
  /** The caller's span, from the headers of its request. */
  readonly parentOf: (headers: Readonly<Record<string, string | string[] | undefined>>) => Context;
  readonly close: () => Promise<void>;
}

export class Telemetry {
  readonly #sink: TraceSink | undefined;
  #current: RequestTrace | undefined;

  /** @param sink undefined: nothing is traced, and every call costs one comparison */
  constructor(sink?: TraceSink) {
    this.#sink = sink;
  }

  /** The request that is being taken now, for the code that it is handed to in the same turn. */
  get current(): RequestTrace | undefined {
    return this.#current;
  }

  /** A request has arrived; act takes it, and what it calls at once sees it as current. */
  receive<T>(
    protocol: 'http' | 'binary',
    operation: string,
    headers: Readonly<Record<string, string | string[] | undefined>> | undefined,
    act: (trace: RequestTrace | undefined) => T,
  ): T {
    const sink = this.#sink;
    if (sink === undefined) return act(undefined);
    const parent = headers === undefined ? ROOT_CONTEXT : sink.parentOf(headers);
    const attributes = { 'lockstep.protocol': protocol, 'lockstep.operation': operation };
    const span = sink.tracer.startSpan(`lockstep ${operation}`, { kind: SpanKind.SERVER, attributes }, parent);
    const before = this.#current;
    this.#current = traceOf(span);
    try {
      return act(this.#current);
    } finally {
      this.#current = before;
    }
  }

  /** What waits goes out, if the collector takes it in time. */
  async close(clock: Pick<Clock, 'after'>): Promise<void> {
    if (this.#sink === undefined) return;
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(CLOSE_MS_MAX, resolve);
    });
    await Promise.race([this.#sink.close(), late]);
    cancel();
  }
}

function traceOf(span: Span): RequestTrace {
  return {
    proposed(op) {
      span.addEvent('propose', { 'lockstep.op': op });
    },
    committed(op) {
      span.addEvent('commit', { 'lockstep.op': op });
      span.setAttribute('lockstep.commit_id', op);
    },
    answered(code) {
      span.setAttribute('lockstep.code', code);
      if (code !== 'ok') span.setStatus({ code: SpanStatusCode.ERROR, message: code });
      span.addEvent('answer');
      span.end();
    },
  };
}
