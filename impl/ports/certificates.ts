/**
 * Certificates for development and for tests: an authority, and certificates that it signs for replicas and clients. ECDSA on
 * P-256, so that browsers take them too. A cluster that matters has an authority elsewhere. Mirrors no spec module.
 */
import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { type ClientIdentity, clientName, replicaName } from './tls-identity.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 24 * 60 * 60 * 1_000;
/** A clock that is behind by less than this takes a fresh certificate. */
const BEFORE_MS = 60 * 60 * 1_000;

/** Texts in PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Validity {
  readonly fromMs: number;
  readonly days: number;
}

export interface Authority extends KeyPair {
  readonly signingKey: webcrypto.CryptoKey;
}

export async function makeAuthority(name: string, { fromMs, days }: Validity): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    ...validity({ fromMs, days }),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: textOf(certificate), key: await keyText(keys.privateKey), signingKey: keys.privateKey };
}

/** The authority that was made before, from its files. */
export async function authorityOf({ certificate, key }: KeyPair): Promise<Authority> {
  const signingKey = await crypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(key), ALGORITHM, false, ['sign']);
  return { certificate, key, signingKey };
}

/** @param hosts under which clients reach it: names and addresses */
export function replicaCertificate(
  authority: Authority,
  identity: { readonly cluster: bigint; readonly replica: number; readonly hosts: readonly string[] },
  valid: Validity,
): Promise<KeyPair> {
  const { cluster, replica, hosts } = identity;
  const names = hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host }));
  const own = { type: 'url' as const, value: replicaName(cluster, replica) };
  return signed(authority, `replica ${replica} of cluster ${cluster}`, [own, ...names], valid, [
    ExtendedKeyUsage.serverAuth,
    ExtendedKeyUsage.clientAuth,
  ]);
}

export function clientCertificate(
  authority: Authority,
  { cluster, ...identity }: ClientIdentity & { readonly cluster: bigint },
  valid: Validity,
): Promise<KeyPair> {
  const own = { type: 'url' as const, value: clientName(cluster, identity) };
  return signed(authority, `client ${identity.name}`, [own], valid, [ExtendedKeyUsage.clientAuth]);
}

async function signed(
  authority: Authority,
  subject: string,
  names: ConstructorParameters<typeof SubjectAlternativeNameExtension>[0],
  valid: Validity,
  usages: ExtendedKeyUsage[],
): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const issuer = new X509Certificate(authority.certificate);
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension(usages),
    new SubjectAlternativeNameExtension(names),
    await SubjectKeyIdentifierExtension.create(keys.publicKey),
    await AuthorityKeyIdentifierExtension.create(issuer),
  ];
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${subject}`,
    issuer: issuer.subject,
    ...validity(valid),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authority.signingKey,
    extensions,
  });
  return { certificate: textOf(certificate), key: await keyText(keys.privateKey) };
}

function validity({ fromMs, days }: Validity): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(fromMs - BEFORE_MS), notAfter: new Date(fromMs + days * DAY_MS) };
}

function textOf(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

async function keyText(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}
