/**
 * TLS 1.3 and nothing older, for peers and clients: the options of both sides, who the other side is by its certificate, and
 * one stable code for each way in which it can fail. Mirrors no spec module.
 */
import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  checkServerIdentity,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type SecureContextOptions,
  TLSSocket,
  type TlsOptions,
  connect as tlsConnect,
} from 'node:tls';
import { LockstepError } from './lockstep-error.ts';
import type { TlsMaterial, TlsServerMaterial } from './network.ts';
import { uriNamesOf } from './tls-identity.ts';

/** What is spoken inside: another protocol's client, such as a browser, is refused in the handshake. */
const LOCKSTEP_ALPN = 'lockstep/1';
/** First byte of every TLS connection: a handshake record. No frame of ours starts so: it would be 22 bytes and more. */
export const TLS_FIRST_BYTE = 0x16;

export type TlsErrorCode =
  | 'TLS_CERTIFICATE_EXPIRED'
  | 'TLS_CERTIFICATE_NOT_YET_VALID'
  | 'TLS_UNKNOWN_AUTHORITY'
  | 'TLS_WRONG_HOST' // a certificate of another host than the one that was dialled
  | 'TLS_WRONG_REPLICA' // a certificate that does not name this replica of this cluster
  | 'TLS_CERTIFICATE_MISSING'
  | 'TLS_CERTIFICATE_REFUSED' // the other side refused ours, or ours refused it for another reason
  | 'TLS_SPOKEN_HERE' // plain text came to a port of TLS
  | 'TLS_NOT_SPOKEN_HERE' // TLS came to a port of plain text
  | 'TLS_NOT_SPOKEN_THERE' // the other side answered our handshake with something else
  | 'TLS_VERSION' // older than 1.3
  | 'TLS_FAILED'
  | 'TLS_MATERIAL_INVALID'; // a file that is no certificate or key, or a pair that does not match

export class TlsError extends LockstepError<TlsErrorCode> {}

/** Codes of OpenSSL and of Node, by ours. */
const REASONS: readonly (readonly [RegExp, TlsErrorCode])[] = [
  [/^CERT_HAS_EXPIRED$|CERTIFICATE_EXPIRED/, 'TLS_CERTIFICATE_EXPIRED'],
  [/^CERT_NOT_YET_VALID$/, 'TLS_CERTIFICATE_NOT_YET_VALID'],
  [
    /^(?:UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED)|UNKNOWN_CA/,
    'TLS_UNKNOWN_AUTHORITY',
  ],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'TLS_WRONG_HOST'],
  [/CERTIFICATE_REQUIRED|PEER_DID_NOT_RETURN_A_CERTIFICATE/, 'TLS_CERTIFICATE_MISSING'],
  [/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE/, 'TLS_VERSION'],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|HTTPS_PROXY_REQUEST|UNKNOWN_PROTOCOL|RECORD_LAYER|BAD_RECORD_TYPE/,
    'TLS_NOT_SPOKEN_THERE',
  ],
  [/^(?:CERT_|INVALID_|PATH_LENGTH|KEYUSAGE)|CERTIFICATE/, 'TLS_CERTIFICATE_REFUSED'],
  [/^(?:ERR_SSL_|ERR_TLS_|EPROTO$)/, 'TLS_FAILED'],
];

/** The stable code of what ended a connection; a code of the system, such as ECONNRESET, stays as it is. */
export function tlsReasonOf(error: NodeJS.ErrnoException): string {
  const code = error.code ?? 'SOCKET_ERROR';
  return REASONS.find(([pattern]) => pattern.test(code))?.[1] ?? code;
}

/** When a certificate ends, in milliseconds since the epoch. */
export function certificateEndMs(pem: string): number {
  return Date.parse(certificateOf(pem, 'the certificate').validTo);
}

/**
 * The context of either side. Certificate, key and authorities are read here, so that a wrong file is found before it is used.
 * @throws TlsError TLS_MATERIAL_INVALID; says what is wrong, never what is in the key
 */
export function secureContextOf(material: TlsMaterial): SecureContext {
  return createSecureContext(contextOptionsOf(material));
}

export function contextOptionsOf(material: TlsMaterial): SecureContextOptions {
  const { authority, certificate, key } = material;
  if ((certificate === undefined) !== (key === undefined)) {
    throw new TlsError('TLS_MATERIAL_INVALID', 'a certificate needs its key, and a key its certificate: give both', {});
  }
  const authorityRead = certificateOf(authority, 'the authority');
  if (certificate !== undefined && key !== undefined) checkPair(certificate, key);
  try {
    const own = certificate === undefined || key === undefined ? {} : { cert: certificate, key };
    // No resumption: a session would outlive the certificate that it was opened with.
    const options = {
      ca: authority,
      ...own,
      minVersion: 'TLSv1.3',
      secureOptions: constants.SSL_OP_NO_TICKET,
    } as const;
    createSecureContext(options);
    return options;
  } catch (cause) {
    throw invalid('certificate and key', authorityRead.subject, cause);
  }
}

/** What a listener of TLS takes; who has to show a certificate is decided when the other side has said what it is. */
export function serverOptionsOf(material: TlsServerMaterial): TlsOptions {
  return {
    ...contextOptionsOf(material),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: [LOCKSTEP_ALPN],
    handshakeTimeout: 3_000,
  };
}

export interface DialTls {
  readonly context: SecureContext;
  /** The name that the other side's certificate must have instead of its host's: a replica's. */
  readonly uriName?: string;
  /** The host that the certificate is of, where it is not the one that is dialled. */
  readonly serverName?: string;
}

/** A TLS connection that is being made; emits secureConnect, or error with a code for tlsReasonOf(). */
export function dialTls({ host, port }: { readonly host: string; readonly port: number }, tls: DialTls): TLSSocket {
  const { context, uriName, serverName } = tls;
  const name = serverName ?? host;
  const isAddress = /^[0-9.]+$|:/.test(name);
  return tlsConnect({
    host,
    port,
    secureContext: context,
    ALPNProtocols: [LOCKSTEP_ALPN],
    ...(isAddress ? {} : { servername: name }),
    ...(uriName === undefined
      ? serverName === undefined
        ? {}
        : { checkServerIdentity: (_: string, shown: PeerCertificate) => checkServerIdentity(serverName, shown) }
      : { checkServerIdentity: (_: string, shown: PeerCertificate) => checkUriName(uriName, shown.subjectaltname) }),
  });
}

/** What the other side of an accepted connection has proved: its names, or why its certificate is not believed. */
export type Proved =
  | { readonly by: 'nothing' }
  | { readonly by: 'certificate'; readonly uriNames: readonly string[] }
  | { readonly by: 'refused'; readonly code: string };

export function provedBy(socket: Socket): Proved {
  if (!(socket instanceof TLSSocket)) return { by: 'nothing' };
  const shown = socket.getPeerCertificate();
  if (Object.keys(shown).length === 0) return { by: 'nothing' };
  if (socket.authorized) return { by: 'certificate', uriNames: uriNamesOf(shown.subjectaltname) };
  // Node's types say Error; it is the code of OpenSSL.
  const code: unknown = socket.authorizationError;
  return { by: 'refused', code: tlsReasonOf({ name: 'Error', message: '', code: String(code) }) };
}

function checkUriName(wanted: string, subjectAltName: string | undefined): Error | undefined {
  const names = uriNamesOf(subjectAltName);
  if (names.includes(wanted)) return undefined;
  const message = `the certificate there is of ${names.join(', ') || 'no replica'}, not of ${wanted}: check the addresses and the certificates`;
  return new TlsError('TLS_WRONG_REPLICA', message, { expected: wanted, actual: names.join(', ') });
}

function checkPair(certificate: string, key: string): void {
  const own = certificateOf(certificate, 'the certificate');
  let matches: boolean;
  try {
    matches = own.checkPrivateKey(createPrivateKey(key));
  } catch {
    // The cause is left out on purpose: nothing of a key may reach a log.
    throw new TlsError(
      'TLS_MATERIAL_INVALID',
      'the key is no private key in PEM: give the file that was made with the certificate',
      {},
    );
  }
  if (matches) return;
  const message = `the key does not belong to the certificate of ${own.subject}: give the pair that was made together`;
  throw new TlsError('TLS_MATERIAL_INVALID', message, { subject: own.subject });
}

function certificateOf(pem: string, what: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw invalid(what, '', cause);
  }
}

function invalid(what: string, subject: string, cause: unknown): TlsError {
  const message = `${what} cannot be read: it has to be PEM, beginning with -----BEGIN`;
  return new TlsError('TLS_MATERIAL_INVALID', message, { what, subject }, cause);
}
