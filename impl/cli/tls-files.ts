/**
 * The files of `lockstep tls init`: an authority for development, a certificate for each replica, one for a client. Names
 * that `lockstep server` and `lockstep cluster --tls` find again. Mirrors no spec module.
 */
import { join } from 'node:path';
import type { Validity } from '../ports/certificates.ts';
import { CliError } from './cli-error.ts';
import { fileIsThere, writeNewSecretFile } from './secret-files.ts';

/** Long enough for a cluster on a desk, short enough that nobody forgets that it is one for development. */
const DAYS = 365;

export interface TlsFiles {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

export interface TlsIdentity {
  readonly cluster: bigint;
  readonly replicas: number;
  /** Names and addresses under which each replica is reached. */
  readonly hosts: readonly string[];
  readonly clientName: string;
  readonly clientRole: string;
}

export function replicaFiles(folder: string, replica: number): TlsFiles {
  return filesOf(folder, `replica-${replica}`);
}

export function clientFiles(folder: string): TlsFiles {
  return filesOf(folder, 'client');
}

/** All files, or none: what is there is never touched. @returns their paths */
export async function makeTlsFiles(folder: string, identity: TlsIdentity, nowMs: number): Promise<readonly string[]> {
  const { cluster, replicas, hosts, clientName, clientRole } = identity;
  // Loaded by those who make certificates only: every other command starts faster without.
  const { clientCertificate, makeAuthority, replicaCertificate } = await import('../ports/certificates.ts');
  const valid: Validity = { fromMs: nowMs, days: DAYS };
  const authority = await makeAuthority(`Lockstep development authority of cluster ${cluster}`, valid);
  const texts = new Map<string, string>([
    [filesOf(folder, 'authority').certificate, authority.certificate],
    [filesOf(folder, 'authority').key, authority.key],
  ]);
  for (let replica = 0; replica < replicas; replica++) {
    const pair = await replicaCertificate(authority, { cluster, replica, hosts }, valid);
    texts.set(replicaFiles(folder, replica).certificate, pair.certificate);
    texts.set(replicaFiles(folder, replica).key, pair.key);
  }
  const client = await clientCertificate(authority, { cluster, name: clientName, role: clientRole }, valid);
  texts.set(clientFiles(folder).certificate, client.certificate);
  texts.set(clientFiles(folder).key, client.key);
  const there = [...texts.keys()].find(fileIsThere);
  if (there !== undefined) {
    const message = `${there} is there already, and nothing is overwritten: name another folder, or move it away`;
    throw new CliError('CLI_FILE_UNWRITABLE', message, { file: there });
  }
  for (const [file, text] of texts) writeNewSecretFile(file, text);
  return [...texts.keys()];
}

function filesOf(folder: string, name: string): TlsFiles {
  return {
    authority: join(folder, 'authority.pem'),
    certificate: join(folder, `${name}.pem`),
    key: join(folder, `${name}.key`),
  };
}
