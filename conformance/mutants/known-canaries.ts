/**
 * Thirty known bugs of this field, by number: what was broken, and the component in which it can be broken here. A mutant
 * or fault names its canary; docs/canaries.md says which are caught and which wait for their component.
 */
export interface KnownCanary {
  readonly id: string;
  readonly broken: string;
  readonly component: string;
}

const canary = (id: string, component: string, broken: string): KnownCanary => ({ id, component, broken });

export const knownCanaries: readonly KnownCanary[] = [
  canary('E1', 'StateTransfer', 'a state transfer for a higher view truncates the log before the new one is there'),
  canary('E2', 'StateTransfer', 'the new view is claimed when the state is asked for, not when it has come'),
  canary('E3', 'Recovery', 'a replica without a disk forgets its promise to enter a view'),
  canary('E4', 'Recovery', 'a recovering replica takes part in a view change'),
  canary('E5', 'Recovery', 'a recovery takes old answers, or none of the primary of the highest view'),
  canary('E6', 'Vsr', 'the view change takes the longest log, not the one of the latest logView'),
  canary('E7', 'Vsr', 'the view of the last entry stands for logView'),
  canary('E8', 'Vsr', 'a StartView is taken again in a view that is already entered'),
  canary('E9', 'Vsr', 'a commit number is taken that the log does not cover'),
  canary('E10', 'ClientSessions', 'a client that restarts begins its request numbers anew'),
  canary('E11', 'ClientSessions', 'the session table changes on prepare, not on commit'),
  canary('E12', 'ClientSessions', 'a repeated registration after an eviction gives an older session'),
  canary('E13', 'Vsr', 'a PrepareOk leaves before logView is durable'),
  canary('E14', 'Vsr', 'the primary prepares before its logView is durable'),
  canary('E15', 'Vsr', 'a view is promised before it is durable'),
  canary('E16', 'LogRepair', 'a damaged entry counts as one that was never there'),
  canary('E17', 'LogRepair', 'a blank header counts as another entry'),
  canary('E18', 'LogRepair', 'entries from before logView are never given up'),
  canary('E19', 'Vsr', 'a view change cuts below the largest commit'),
  canary('E20', 'LogRepair', 'a log is cut at its first bad checksum'),
  canary('E21', 'Vsr', 'a replica acknowledges what a crash may take from it'),
  canary('E22', 'Recovery', 'recovery needs a primary, and the whole cluster has crashed'),
  canary('E23', 'Vsr (liveness under partitions)', 'a replica that hears nobody begins view change after view change'),
  canary('E24', 'Client', 'a client follows the highest view that it hears of'),
  canary('E25', 'LogRepair', 'a primary that may not begin its view does not step aside'),
  canary('E26', 'Checkpoint', 'a checkpoint advances before the view that it belongs to is durable'),
  canary('E27', 'Vsr', 'a higher view is entered without its log'),
  canary('E28', 'Reconfiguration', 'a quorum of the new configuration misses the old one'),
  canary('E29', 'AppendLog', 'a torn write at the head is read as damage'),
  canary('E30', 'Vsr', 'an entry is taken whose parent is not the head'),
];
