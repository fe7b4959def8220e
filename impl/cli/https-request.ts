/** One request over HTTPS with an authority of one's own, which Node's fetch does not take. Mirrors no spec module. */
import { Agent, request } from 'node:https';
import type { TlsMaterial } from '../ports/network.ts';
import { contextOptionsOf, tlsReasonOf } from '../ports/tls.ts';

/** An answer larger than this is no answer of ours. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

export interface TextAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly text: string;
}

export interface TextRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly timeoutMs: number;
  /** Ends the request before its time. */
  readonly interrupted?: AbortSignal | undefined;
}

/** Of the end of a request: its time, or an interruption. */
export function endOf({ timeoutMs, interrupted }: TextRequest): AbortSignal {
  const late = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)));
  return interrupted === undefined ? late : AbortSignal.any([late, interrupted]);
}

export class HttpsRequests {
  readonly #agent: Agent;

  /** @param material undefined: the authorities of the system @throws TlsError TLS_MATERIAL_INVALID */
  constructor(material: TlsMaterial | undefined) {
    const options = material === undefined ? { minVersion: 'TLSv1.3' as const } : contextOptionsOf(material);
    this.#agent = new Agent({ ...options, keepAlive: true });
  }

  /** Rejects with an error whose code is ours where TLS is the reason. */
  send(target: URL, sending: TextRequest): Promise<TextAnswer> {
    const { method, headers, body } = sending;
    return new Promise((resolve, reject) => {
      const signal = endOf(sending);
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const failed = (cause: NodeJS.ErrnoException): void => {
        if (signal.aborted) reject(signal.reason);
        else reject(Object.assign(new Error(cause.message), { code: tlsReasonOf(cause) }));
      };
      const sent = request(
        target,
        { method, headers: { ...headers, ...length }, agent: this.#agent, signal },
        (answer) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          answer.on('data', (chunk: Buffer) => {
            bytes += chunk.byteLength;
            if (bytes > ANSWER_BYTES_MAX) sent.destroy();
            chunks.push(chunk);
          });
          answer.on('error', failed);
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            resolve({ status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'] ?? null, text });
          });
        },
      );
      sent.on('error', failed);
      sent.end(body);
    });
  }
}
