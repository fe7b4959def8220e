/** A running server as impl/dx reads it (dx-source.ts): facts of its parts, nothing of its own. Mirrors no spec module. */
import { appendLogMachine } from '../../machines/append-log.ts';
import { superblockMachine } from '../../machines/superblock.ts';
import { vsrMachine } from '../../machines/vsr.ts';
import { hashText } from '../crypto/hash.ts';
import type { Clock } from '../ports/clock.ts';
import type { RealNetwork } from '../ports/real-network.ts';
import type { DataDirectory } from '../storage/data-directory.ts';
import type { PrepareLogReport } from '../vsr/prepare-log.ts';
import type { ReplicaPort, ReplicaRecord } from '../vsr/replica-port.ts';
import type { DxIdentity, DxSource, HistoryRecord, OpenReport, PeerFacts } from './dx-source.ts';
import type { History } from './history.ts';
import type { HostPort } from './server-config.ts';
import type { StreamState } from './stream-state.ts';

export interface FactParts {
  readonly identity: DxIdentity;
  readonly replica: ReplicaPort;
  readonly directory: DataDirectory;
  readonly prepareLogReport: PrepareLogReport;
  readonly network: RealNetwork;
  readonly state: StreamState;
  readonly history: History;
  readonly addresses: readonly HostPort[];
}

export function dxSourceOf(parts: FactParts): DxSource {
  const { identity, replica, directory, network, state, history } = parts;
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
    openReport: openReportOf(parts),
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
