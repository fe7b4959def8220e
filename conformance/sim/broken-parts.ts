/**
 * What a simulated node is built with instead of the real parts: the seam between a canary (canaries.ts) and the node that
 * runs it (sim-node.ts). A node without broken parts is the real thing. Everything above the replica is broken from outside,
 * after it was opened, so production code knows nothing of it. Mirrors no spec module.
 */
import type { ReplicaCore } from '../../impl/server/replica-core.ts';
import type { AppendLogOptions } from '../../impl/storage/append-log-options.ts';
import type { SuperblockOptions } from '../../impl/storage/superblock.ts';
import type { SessionBounds } from '../../impl/vsr/client-sessions.ts';
import type { SessionOptions } from '../../impl/vsr/session-rules.ts';
import type { ReplicaFaults } from '../drivers/vsr-broken.ts';

/** Broken rules of the simulated client (sim-clients.ts), which is harness itself. */
export const CLIENT_FAULTS = [
  // Sends to the primary of the highest view that any answer or status named, and to nobody else (canary E24).
  'follows-highest-view',
  // A request whose connection was lost is neither tried again nor ended.
  'forgets-lost-request',
  // Takes its session, but not its numbers, into its next life (canary E10).
  'session-survives-crash',
] as const;
export type ClientFault = (typeof CLIENT_FAULTS)[number];

export interface BrokenNode {
  readonly replica: number;
  readonly replicaCount: number;
  /** Times that this node was opened before, in this run. */
  readonly restarts: number;
}

export interface BrokenParts {
  /** To Replica, by ReplicaCoreOptions. */
  readonly replica?: ReplicaFaults;
  /** To AppendLog, by openDataDirectory: over the node's own log options. */
  readonly log?: Pick<AppendLogOptions, 'faults' | 'machine'>;
  /** To Superblock, by openDataDirectory. */
  readonly superblock?: SuperblockOptions;
  /** Called with each core that was opened, before begin(): puts a broken method over one of its parts. Deterministic. */
  readonly opened?: (core: ReplicaCore, node: BrokenNode) => void;
  /** Of the client table of this replica, over those of the scenario. */
  readonly sessionBounds?: (replica: number) => SessionBounds | undefined;
  /** To ClientSessions, through the kernel. */
  readonly sessions?: SessionOptions;
  readonly client?: ReadonlySet<ClientFault>;
}
