/** Data directories on the real disk, for the commands that make and read them. Mirrors no spec module. */
import { RealDisk } from '../ports/real-disk.ts';
import { formatDataDirectory } from '../storage/data-directory.ts';
import type { ReplicaIdentity } from './local-cluster.ts';

export function formatDirectory(directory: string, identity: ReplicaIdentity): void {
  formatDataDirectory(new RealDisk(), directory, identity);
}
