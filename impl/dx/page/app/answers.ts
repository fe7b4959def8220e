/** What the DX API and the streams API answer, as far as the page reads it. Shapes only; mirrors no spec module. */
export type { AppliedRule, Explanation } from '../../../../machines/explanation.ts';

import type { AppliedRule } from '../../../../machines/explanation.ts';

/** What an error of the HTTP API says, or that there was no answer at all. */
export interface Problem {
  /** Undefined when nothing answered. */
  readonly status: number | undefined;
  readonly code: string;
  readonly message: string;
  readonly rule?: string | undefined;
  readonly evidence?: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

export type Asked<T> =
  | { readonly ok: true; readonly value: T; readonly notes: readonly string[] }
  | { readonly ok: false; readonly problem: Problem };

export interface Status {
  readonly replica: number;
  readonly role: 'primary' | 'backup' | 'standby' | 'none';
  readonly status: string;
  readonly status_reason: string | null;
  readonly view: number;
  readonly log_view: number;
  readonly primary: number;
  readonly op: number;
  readonly op_durable: number;
  readonly commit: number;
  readonly applied: number;
  readonly state_hash: string;
  readonly streams: number;
  readonly cluster: string;
  readonly replica_count: number;
  readonly quorum: number;
  readonly address: string;
  readonly http: string;
  readonly version: string;
}

export interface Replication {
  readonly view: number;
  readonly primary: number;
  readonly replicas: readonly ReplicationRow[];
}

export interface ReplicationRow {
  readonly replica: number;
  readonly address: string;
  readonly http: string | null;
  readonly connected: boolean;
  /** Null at any replica but the primary. */
  readonly acknowledged: number | null;
  readonly lag: number | null;
}

export interface MachineRow {
  readonly name: string;
  readonly state: string;
  readonly module: string | null;
  readonly states: number;
  readonly events: number;
  readonly guards: number;
  readonly transitions: number;
}

export interface Transition {
  readonly from: string;
  readonly event: string;
  readonly guards: readonly string[];
  readonly to: string;
  readonly actions: readonly string[];
  /** `file:line` of the TLA+ action. */
  readonly action: string | null;
  readonly action_text: string | null;
  readonly description: string;
  /** `file:line` in machines/. */
  readonly machine: string | null;
}

export interface GuardWords {
  readonly guard: string;
  readonly description: string;
  readonly text: string | null;
  readonly spec: string | null;
  readonly machine: string | null;
}

export interface Definition {
  readonly name: string;
  readonly module: string | null;
  readonly state: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly initial: string;
  readonly states: readonly string[];
  readonly transitions: readonly Transition[];
  readonly guards: readonly GuardWords[];
}

/** One event of the history. */
export interface Step {
  readonly sequence: number;
  readonly event: string;
  readonly taken: boolean;
  readonly from: string;
  readonly to: string;
  readonly peer: number | null;
  readonly view: number;
  readonly op: number;
  readonly commit_id: number;
  readonly guards: Readonly<Record<string, boolean>>;
}

export interface StepWithRules extends Step {
  readonly rules_applied: readonly AppliedRule[];
}

export interface DryRun {
  readonly machine: string;
  readonly state: string;
  readonly event: string;
  readonly can: boolean;
  readonly rules_applied: readonly AppliedRule[];
}

export interface LogEntry {
  readonly op: number;
  readonly view: number;
  readonly parent: string;
  readonly hash: string;
  readonly timestamp: number;
  readonly client: string | number;
  readonly request: number;
  readonly body_bytes: number;
  readonly durable: boolean;
  readonly committed: boolean;
}

export interface LogData {
  readonly op: number;
  readonly op_durable: number;
  readonly commit: number;
  readonly entries: readonly LogEntry[];
}

export interface StreamRow {
  readonly name: string;
  readonly dataClass: string;
  readonly nextOffset: number;
  readonly createdCommitId: number;
}

export interface StreamEvent {
  readonly offset: number;
  readonly data?: string;
  readonly dataBase64?: string;
  readonly type?: string;
  readonly contentType?: string;
  readonly timestamp: number;
  readonly commitId: number;
  readonly hash: string;
}

export interface Appended {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  readonly commitId: number;
  readonly hash: string;
}
