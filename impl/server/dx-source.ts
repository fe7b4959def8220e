/**
 * Everything that impl/dx may know of a running server, as one read-only object; the server never imports impl/dx.
 * Mirrors no spec module. Nothing here changes the replica: the log's bytes are the same with and without a reader.
 */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import type { ScanFacts } from '../../machines/append-log.ts';
import type { ClientSessionsContext, RequestFacts, RoomFacts } from '../../machines/client-sessions.ts';
import type { GuardEvidence } from '../../machines/evidence.ts';
import type { CopyFacts } from '../../machines/superblock.ts';
import type { Prepare } from '../vsr/prepare.ts';
import type { ReplicaPort } from '../vsr/replica-port.ts';

/** A machine that runs in this process: `Vsr`, `AppendLog`, `Superblock`, `ClientSessions`. */
export interface LiveMachine {
  /** The name of machine, spec module and component alike. */
  readonly name: string;
  readonly machine: AnyStateMachine;
  readonly snapshot: AnyMachineSnapshot;
  /** Events taken since the process started. */
  readonly taken: number;
  readonly refused: number;
}

/** One event that was put to a machine, in the order in which that happened. */
export interface HistoryRecord {
  /** Counts from 1 over all machines of the process; a gap at the front means that older ones fell out of the ring. */
  readonly sequence: number;
  readonly machine: string;
  readonly event: string;
  readonly taken: boolean;
  readonly from: string;
  readonly to: string;
  /** Peer whose message it was; undefined when the event came from within. */
  readonly peer: number | undefined;
  readonly view: number;
  readonly op: number;
  readonly commit: number;
  /** Milliseconds since the epoch, wall clock. */
  readonly atMs: number;
  /** Every guard's own answer in the state before the event, with what it read. Evaluated when called. */
  guards(): readonly GuardEvidence[];
}

export interface DxIdentity {
  readonly cluster: bigint;
  readonly replica: number;
  readonly replicaCount: number;
  /** `host:port` of each replica by index. */
  readonly addresses: readonly string[];
  readonly http: string;
  /** `host:port` of the HTTP API of each replica by index, as configured; empty when it was not. */
  readonly httpAddresses: readonly string[];
  readonly version: string;
}

/** The connection to one peer, as this replica sees it. */
export interface PeerFacts {
  readonly replica: number;
  readonly address: string;
  readonly connected: boolean;
  readonly framesSent: number;
  readonly framesReceived: number;
  readonly framesDropped: number;
  /** Milliseconds since the last frame of the peer; undefined when there was none. */
  readonly silentMs: number | undefined;
}

export interface KernelFacts {
  /** The op up to which commands are applied here. */
  readonly commit: number;
  /** SHA-256 of the state after that op, hexadecimal: equal on all replicas at equal commit. */
  readonly stateHash: string;
  readonly streams: number;
}

/** What storage reported when the directory was opened, as data: records, bytes cut from a torn tail, and so on. */
export type OpenReport = Readonly<Record<string, unknown>>;

/** What this process found on its disk when it opened it, as the machines were told: it does not change afterwards. */
export interface Opened {
  /** Nothing ran on the directory before. */
  readonly firstStart: boolean;
  readonly superblockCopies: CopyFacts;
  readonly superblockCopiesRepaired: readonly number[];
  readonly log: {
    /** Event of machines/append-log.ts that opened it. */
    readonly action: string;
    readonly scan: ScanFacts;
    /** Bytes that were cut off its end, of a write that a crash had torn. */
    readonly tornBytes: number;
    readonly reason: string | undefined;
  };
  /** Of the replica, before its first event. */
  readonly snapshot: AnyMachineSnapshot;
}

/** A command that was committed and changed nothing, since a rule of the kernel refused it; the same on every replica. */
export interface KernelRefusal {
  readonly commitId: number;
  /** Place in the batch of that op, from 0. */
  readonly command: number;
  /** `Kernel.Append.OffsetMatches`. */
  readonly rule: string;
  /** What decided. */
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** A request of a session against the table as it is now: what the machine's guards ask. */
export interface SessionFacts {
  readonly machine: AnyStateMachine;
  readonly snapshot: AnyMachineSnapshot;
  readonly bounds: ClientSessionsContext;
  readonly request: RequestFacts;
  readonly room: RoomFacts;
  /** Undefined when the table does not have the session. */
  readonly session:
    | {
        readonly highest: number;
        readonly lastUsedMs: number;
        /** Request numbers whose replies are kept. */
        readonly numbers: readonly number[];
        /** The op that executed this request; undefined when its reply is not kept. */
        readonly executedInOp: number | undefined;
      }
    | undefined;
}

export interface DxSource {
  readonly identity: DxIdentity;
  readonly replica: ReplicaPort;
  machines(): readonly LiveMachine[];
  /** The newest last, at most `limit`, of one machine or of all. */
  history(machine: string | undefined, limit: number): readonly HistoryRecord[];
  /** The latest refusal of this event since the process started, also when history() has lost it. */
  lastRefusal(machine: string, event: string): HistoryRecord | undefined;
  peers(): readonly PeerFacts[];
  kernel(): KernelFacts;
  prepareAt(op: number): Prepare | undefined;
  /** @param requestNumber undefined: the next one */
  session(clientId: number, requestNumber: number | undefined): SessionFacts;
  readonly openReport: OpenReport;
  readonly opened: Opened;
  /** The newest last, since the process started, as many as are kept. */
  refusals(): readonly KernelRefusal[];
}
