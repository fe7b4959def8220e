/**
 * Who a certificate says its holder is: names of the form URI in the subject's alternative names. A replica is
 * `lockstep://CLUSTER/replica/N`, a client `lockstep://CLUSTER/client/NAME/ROLE`. Mirrors no spec module.
 */
const SCHEME = 'lockstep://';

export interface ClientIdentity {
  readonly name: string;
  readonly role: string;
}

export function replicaName(cluster: bigint, replica: number): string {
  return `${SCHEME}${cluster}/replica/${replica}`;
}

export function clientName(cluster: bigint, { name, role }: ClientIdentity): string {
  return `${SCHEME}${cluster}/client/${name}/${role}`;
}

/** @param subjectAltName as node:tls gives it: `DNS:localhost, URI:lockstep://7/replica/1`; a name with a comma comes quoted */
export function uriNamesOf(subjectAltName: string | undefined): readonly string[] {
  return (subjectAltName ?? '')
    .split(', ')
    .filter((name) => name.startsWith(`URI:${SCHEME}`))
    .map((name) => name.slice('URI:'.length));
}

/** The client that a certificate of this cluster names; undefined: it names none. */
export function clientOf(cluster: bigint, uriNames: readonly string[]): ClientIdentity | undefined {
  for (const uri of uriNames) {
    const [, of, name, role] =
      /^lockstep:\/\/([0-9]+)\/client\/([A-Za-z0-9._-]{1,64})\/([a-z,]{1,32})$/.exec(uri) ?? [];
    if (of === cluster.toString() && name !== undefined && role !== undefined) return { name, role };
  }
  return undefined;
}
