/** A running server as impl/dx reads it (dx-source.ts): facts of its parts, nothing of its own. Mirrors no spec module. */
import { type AppendLogContext, appendLogMachine } from '../../machines/append-log.ts';
import { superblockMachine } from '../../machines/superblock.ts';
import { vsrMachine } from '../../machines/vsr.ts';
import { hashText } from '../crypto/hash.ts';
import type { Clock } from '../ports/clock.ts';
import type { RealNetwork } from '../ports/real-network.ts';
import type { DataDirectory } from '../storage/data-directory.ts';
import type { PrepareLogReport } from '../vsr/prepare-log.ts';
import type { ReplicaPort, ReplicaRecord } from '../vsr/replica-port.ts';
import type { DxIdentity, DxSource, HistoryRecord, Opened, OpenReport, PeerFacts } from './dx-source.ts';
import type { History } from './history.ts';
import type { KernelRefusals } from './kernel-refusals.ts';
import type { HostPort } from './server-config.ts';
import { sessionFactsOf } from './session-facts.ts';
import type { StreamState } from './stream-state.ts';

export interface FactParts {
  readonly identity: DxIdentity;
  readonly replica: ReplicaPort;
  readonly directory: DataDirectory;
  readonly prepareLogReport: PrepareLogReport;
  readonly network: RealNetwork;
  readonly state: StreamState;
  readonly history: History;
  readonly refusals: KernelRefusals;
  readonly addresses: readonly HostPort[];
}

export function dxSourceOf(parts: FactParts): DxSource {
  const { identity, replica, directory, network, state, history, refusals } = parts;
  return {
    identity,
    replica,
    machines: () => [
      { name: 'Vsr', machine: vsrMachine, snapshot: replica.snapshot, ...history.countsOf('Vsr') },
      {
        name: 'AppendLog',
        machine: appendLogMachine,
        snapshot: directory.log.snapshot,
        ...history.countsOf('AppendLog'),
      },
      {
        name: 'Superblock',
        machine: superblockMachine,
        snapshot: directory.superblock.snapshot,
        ...history.countsOf('Superblock'),
      },
      {
        name: 'ClientSessions',
        machine: state.sessions.rules.machine,
        snapshot: state.sessions.rules.snapshot,
        ...history.countsOf('ClientSessions'),
      },
    ],
    history: (machine, limit) => history.last(machine, limit),
    lastRefusal: (machine, event) => history.lastRefusal(machine, event),
    peers: () =>
      network.traffic().map((traffic): PeerFacts => {
        const { peer, connected, framesSent, framesReceived, framesDropped, silentMs } = traffic;
        const address = parts.addresses[peer];
        const text = address === undefined ? 'unknown' : `${address.host}:${address.port}`;
        return { replica: peer, address: text, connected, framesSent, framesReceived, framesDropped, silentMs };
      }),
    kernel: () => ({ commit: state.commit, stateHash: hashText(state.stateHash), streams: state.streamCount }),
    prepareAt: (op) => replica.prepareAt(op),
    session: (clientId, requestNumber) => sessionFactsOf(state.sessions, clientId, requestNumber),
    openReport: openReportOf(parts),
    opened: openedOf(parts),
    refusals: () => refusals.last(),
  };
}

/** What a replica tells of one event, as a record of the history. */
export function historyRecordOf(record: ReplicaRecord, clock: Clock): Omit<HistoryRecord, 'sequence'> {
  const { type, taken, statusBefore, statusAfter, from, view, op, commit } = record;
  return {
    machine: 'Vsr',
    event: type,
    taken,
    from: statusBefore,
    to: statusAfter,
    peer: from,
    view,
    op,
    commit,
    atMs: clock.wallMs(),
    guards: () => record.guards(),
  };
}

function openReportOf({ directory, prepareLogReport }: FactParts): OpenReport {
  const { firstStart, superblock, log } = directory.report;
  return {
    firstStart,
    superblockCopiesRepaired: superblock.repaired,
    logVerdict: log.verdict,
    logRecords: log.records,
    logTornBytes: log.tornBytes,
    op: prepareLogReport.op,
    opsDiscarded: prepareLogReport.opsDiscarded,
  };
}

/** Before the replica's first event: its snapshot is what it restarts from. */
function openedOf({ directory, replica }: FactParts): Opened {
  const { firstStart, superblock, log } = directory.report;
  const { action, verdict, records, endBytes, tornBytes, reason } = log;
  const { allocatedBytes } = directory.log.snapshot.context as AppendLogContext;
  return {
    firstStart,
    superblockCopies: superblock.copies.map((copy) => (copy.kind === 'whole' ? copy.state : undefined)),
    superblockCopiesRepaired: superblock.repaired,
    log: {
      action,
      scan: { verdict, records, endBytes, allocatedBytes },
      tornBytes,
      reason: reason === undefined ? undefined : `${reason.code}: ${reason.message}`,
    },
    snapshot: replica.snapshot,
  };
}
