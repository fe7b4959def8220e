/**
 * The OpenTelemetry SDK with an exporter of OTLP over HTTP; loaded only when traces are configured. Spans wait in a bounded
 * queue, and what does not fit is dropped: a collector that is away costs nothing but its spans. Mirrors no spec module.
 */
import { defaultTextMapGetter, ROOT_CONTEXT } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import type { TraceSink, TracesConfig } from './telemetry.ts';

const QUEUE_SPANS_MAX = 4_096;
const EXPORT_SPANS_MAX = 512;
const EXPORT_DELAY_MS = 1_000;
const EXPORT_MS_MAX = 5_000;

export interface TraceIdentity {
  readonly cluster: bigint;
  readonly replica: number;
  readonly version: string;
}

export function openTraceSink({ url, headers, samplePercent }: TracesConfig, identity: TraceIdentity): TraceSink {
  const exporter = new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: EXPORT_MS_MAX });
  const processor = new BatchSpanProcessor(exporter, {
    maxQueueSize: QUEUE_SPANS_MAX,
    maxExportBatchSize: EXPORT_SPANS_MAX,
    scheduledDelayMillis: EXPORT_DELAY_MS,
    exportTimeoutMillis: EXPORT_MS_MAX,
  });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'lockstep',
      'service.version': identity.version,
      'service.instance.id': `${identity.cluster}/${identity.replica}`,
      'lockstep.cluster': String(identity.cluster),
      'lockstep.replica': identity.replica,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(samplePercent / 100) }),
    spanProcessors: [processor],
  });
  const propagator = new W3CTraceContextPropagator();
  return {
    tracer: provider.getTracer('lockstep'),
    parentOf: (carried) => propagator.extract(ROOT_CONTEXT, carried, defaultTextMapGetter),
    // A collector that is away does not hold a stop up, nor fail it.
    close: () => provider.shutdown().catch(() => {}),
  };
}
