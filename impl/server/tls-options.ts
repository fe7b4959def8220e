/** TLS as a server is configured with it, and HTTPS over it; impl/ports has the rest. Mirrors no spec module. */
import { answerPlainText, type HttpsServer, httpsOptionsOf } from '../ports/https.ts';
import type { TlsServerMaterial } from '../ports/network.ts';
import { contextOptionsOf, tlsReasonOf } from '../ports/tls.ts';
import { failure } from './failure.ts';
import { PROBLEM_TYPE, problemOf } from './http-errors.ts';

export interface ServerTls {
  /** Reads the files; at the start, and again when asked. @throws TlsError */
  readonly load: () => TlsServerMaterial;
  /** No client comes in, over either protocol, without a certificate of the authority. */
  readonly clientCertificateRequired: boolean;
}

export class Https {
  readonly options: ReturnType<typeof httpsOptionsOf>;
  readonly #onRefused: (code: string) => void;
  #server: HttpsServer | undefined;

  /** @throws TlsError TLS_MATERIAL_INVALID */
  constructor(material: TlsServerMaterial, clientCertificateRequired: boolean, onRefused: (code: string) => void) {
    this.options = httpsOptionsOf(material, clientCertificateRequired);
    this.#onRefused = onRefused;
  }

  /** @param server the one that was made with the options */
  watch(server: unknown): void {
    this.#server = server as HttpsServer;
    answerPlainText(this.#server, plainAnswer(), () => this.#onRefused('TLS_SPOKEN_HERE'));
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException) => this.#onRefused(tlsReasonOf(error)));
  }

  /** For every handshake from now on. @throws TlsError, and nothing has changed then */
  replace(material: TlsServerMaterial): void {
    this.#server?.setSecureContext(contextOptionsOf(material));
  }
}

function plainAnswer(): string {
  const { code, message } = failure('TLS_SPOKEN_HERE', 'this port speaks HTTPS: write https:// and give the authority');
  const problem = problemOf(code, message);
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `content-type: ${PROBLEM_TYPE}; charset=utf-8`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
