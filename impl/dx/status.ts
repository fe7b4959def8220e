/** What `status` says of a replica, in the names of specs/Vsr.tla. Read off the source; decides nothing. */
import { quorumOf } from '../../machines/quorum.ts';
import type { DxSource } from '../server/dx-source.ts';

export function statusData(source: DxSource): unknown {
  const { identity, replica } = source;
  const { status, view, logView, op, opDurable, commit, primary } = replica;
  const { stateHash, streams, commit: applied } = source.kernel();
  const role = status !== 'normal' ? 'none' : primary === replica.replica ? 'primary' : 'backup';
  return {
    replica: replica.replica,
    role,
    status,
    status_reason: replica.statusReason,
    view,
    log_view: logView,
    primary,
    op,
    op_durable: opDurable,
    commit,
    applied,
    state_hash: stateHash,
    streams,
    cluster: identity.cluster,
    replica_count: identity.replicaCount,
    quorum: quorumOf(identity.replicaCount),
    address: identity.addresses[identity.replica],
    http: identity.http,
    version: identity.version,
    peers: source
      .peers()
      .filter((peer) => peer.replica !== identity.replica)
      .map(({ replica: index, address, connected }) => ({ replica: index, address, connected })),
    opened_with: source.openReport,
  };
}
