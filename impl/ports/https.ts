/** A server of HTTPS that answers plain HTTP with a text of its owner, instead of a closed line. Mirrors no spec module. */
import type { Server, ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { TlsServerMaterial } from './network.ts';
import { contextOptionsOf, TLS_FIRST_BYTE } from './tls.ts';

export type HttpsServer = Server;
/** From the first byte to the end of the handshake. */
const HANDSHAKE_MS_MAX = 3_000;

/** @throws TlsError TLS_MATERIAL_INVALID */
export function httpsOptionsOf(material: TlsServerMaterial, clientCertificateRequired: boolean): ServerOptions {
  return {
    ...contextOptionsOf(material),
    requestCert: true,
    rejectUnauthorized: clientCertificateRequired,
    handshakeTimeout: HANDSHAKE_MS_MAX,
  };
}

/** Looks at the first byte of each connection; who speaks plain text gets the answer and is closed. */
export function answerPlainText(server: Server, answer: string, onRefused: () => void): void {
  const handshakes = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const giveUp = (): void => {
      socket.destroy();
    };
    socket.setTimeout(HANDSHAKE_MS_MAX, giveUp);
    socket.on('error', () => {}); // its close says the rest
    socket.once('data', (first: Buffer) => {
      socket.pause();
      if (first[0] !== TLS_FIRST_BYTE) {
        onRefused();
        socket.end(answer);
        return;
      }
      socket.setTimeout(0);
      socket.off('timeout', giveUp);
      socket.unshift(first);
      for (const handshake of handshakes) handshake.call(server, socket);
    });
    socket.resume();
  });
}
