/** Data directories on the real disk, for the commands that make and read them. Mirrors no spec module. */
import type { ReplicaIdentity } from './local-cluster.ts';

export function formatDirectory(directory: string, identity: ReplicaIdentity): void {
  throw new Error(`not yet: ${directory} ${identity.replica}`);
}
