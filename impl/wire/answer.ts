/**
 * What a server answers over the binary protocol: the result of the operation, or why there is none. Mirrors no spec module;
 * docs/protocol.md is the page of it.
 *   response: u32 id | u8 outcome (0 applied, 1 refused, 2 unknown) | fields of the operation, or of the failure
 */
import { ByteReader, ByteWriter, malformed } from './bytes.ts';
import { jsonIn, jsonOf } from './json-field.ts';
import type { AppendEvent, Operation } from './request.ts';

export interface Committed {
  /** The op in which it was committed, and the hash of that op: the chain over everything before it. */
  readonly commitId: number;
  readonly hash: Uint8Array;
}

export interface Appended extends Committed {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly count: number;
}

export interface ReadEvent extends AppendEvent {
  readonly offset: number;
  /** Milliseconds since the epoch, by the primary that took it. */
  readonly timestamp: number;
  readonly commitId: number;
  readonly hash: Uint8Array;
}

export interface ReadAnswer {
  readonly events: readonly ReadEvent[];
  /** Where the next read goes on. */
  readonly nextOffset: number;
  /** The op up to which this replica had applied everything when it read. */
  readonly commitId: number;
}

export interface StreamFacts {
  readonly name: string;
  readonly dataClass: string;
  readonly nextOffset: number;
  readonly createdCommitId: number;
}

export interface ReplicaFacts {
  readonly replica: number;
  readonly replicaCount: number;
  readonly status: string;
  readonly view: number;
  readonly op: number;
  readonly commit: number;
  readonly primary: number;
}

export interface SessionFacts extends Committed {
  /** Its place in the log: no other session ever has it. */
  readonly clientId: number;
  /** How many of its last answers the cluster keeps: request n is sent only when n - window is answered. From 1. */
  readonly window: number;
}

export interface KeyFacts {
  /** undefined: no append with this key is committed, as far as the cluster knows. */
  readonly found: (Appended & { readonly stream: string }) | undefined;
  /** Appends with a key from this op on are known: one that was not found is not committed there. */
  readonly keptSinceCommitId: number;
}

export interface Failure {
  /** refused: known not applied. unknown: applied or not, nobody can say now. */
  readonly outcome: 'refused' | 'unknown';
  readonly code: string;
  readonly message: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** The answer of each operation. */
export interface AnswerOf {
  readonly append: Appended;
  readonly read: ReadAnswer;
  readonly 'create-stream': Committed;
  readonly 'delete-stream': Committed;
  readonly 'list-streams': { readonly streams: readonly StreamFacts[]; readonly commitId: number };
  readonly status: ReplicaFacts;
  readonly 'register-session': SessionFacts;
  readonly 'lookup-key': KeyFacts;
}

const OUTCOMES = ['applied', 'refused', 'unknown'] as const;
const HASH_BYTES = 32;
/** Characters of a message; the rest is cut off. */
const MESSAGE_CHARACTERS_MAX = 10_000;

export function encodeAnswer<Op extends Operation>(id: number, operation: Op, answer: AnswerOf[Op]): Uint8Array {
  const writer = new ByteWriter().u32(id).u8(0);
  ANSWERS[operation].write(writer, answer);
  return writer.done();
}

export function encodeFailure(id: number, failure: Failure): Uint8Array {
  return new ByteWriter()
    .u32(id)
    .u8(OUTCOMES.indexOf(failure.outcome))
    .text(failure.code)
    .text(failure.message.slice(0, MESSAGE_CHARACTERS_MAX))
    .bytes(jsonOf(failure.evidence))
    .done();
}

export function responseId(payload: Uint8Array): number {
  return new ByteReader(payload).u32('id');
}

/** @throws WireError WIRE_MALFORMED */
export function decodeResponse<Op extends Operation>(
  payload: Uint8Array,
  operation: Op,
): { readonly applied: AnswerOf[Op] } | { readonly failure: Failure } {
  const reader = new ByteReader(payload);
  reader.u32('id');
  const outcome = OUTCOMES[reader.u8('outcome')];
  if (outcome === undefined) throw malformed('outcome', 'is unknown');
  if (outcome === 'applied') {
    const applied = ANSWERS[operation].read(reader);
    reader.end();
    return { applied };
  }
  const code = reader.text('code');
  const message = reader.text('message');
  const evidence = evidenceIn(reader.bytes('evidence'));
  reader.end();
  return { failure: { outcome, code, message, evidence } };
}

function evidenceIn(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const value = jsonIn(bytes, 'evidence');
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

interface AnswerCodec<Answer> {
  write(writer: ByteWriter, answer: Answer): void;
  read(reader: ByteReader): Answer;
}

const committed: AnswerCodec<Committed> = {
  write: (writer, { commitId, hash }) => writer.u64(commitId).raw(hash),
  read: (reader) => ({ commitId: reader.u64('commitId'), hash: reader.raw(HASH_BYTES, 'hash') }),
};

const appended: AnswerCodec<Appended> = {
  write: (writer, { firstOffset, count, commitId, hash }) => writer.u64(firstOffset).u32(count).u64(commitId).raw(hash),
  read: (reader) => {
    const firstOffset = reader.u64('firstOffset');
    const count = reader.u32('count');
    const lastOffset = firstOffset + count - 1;
    return { firstOffset, lastOffset, count, commitId: reader.u64('commitId'), hash: reader.raw(HASH_BYTES, 'hash') };
  },
};

const ANSWERS: { readonly [Op in Operation]: AnswerCodec<AnswerOf[Op]> } = {
  append: appended,
  'create-stream': committed,
  'delete-stream': committed,
  read: {
    write: (writer, { events, nextOffset, commitId }) => {
      writer.u64(nextOffset).u64(commitId).u32(events.length);
      for (const { offset, timestamp, commitId: op, hash, type, contentType, data } of events) {
        writer.u64(offset).u64(timestamp).u64(op).raw(hash).text(type).text(contentType).bytes(data);
      }
    },
    read: (reader) => {
      const nextOffset = reader.u64('nextOffset');
      const commitId = reader.u64('commitId');
      const events = Array.from({ length: reader.count('count', 64) }, () => ({
        offset: reader.u64('offset'),
        timestamp: reader.u64('timestamp'),
        commitId: reader.u64('commitId'),
        hash: reader.raw(HASH_BYTES, 'hash'),
        type: reader.text('type'),
        contentType: reader.text('contentType'),
        data: reader.bytes('data'),
      }));
      return { events, nextOffset, commitId };
    },
  },
  'list-streams': {
    write: (writer, { streams, commitId }) => {
      writer.u64(commitId).u32(streams.length);
      for (const { name, dataClass, nextOffset, createdCommitId } of streams) {
        writer.text(name).text(dataClass).u64(nextOffset).u64(createdCommitId);
      }
    },
    read: (reader) => {
      const commitId = reader.u64('commitId');
      const streams = Array.from({ length: reader.count('count', 20) }, () => ({
        name: reader.text('name'),
        dataClass: reader.text('dataClass'),
        nextOffset: reader.u64('nextOffset'),
        createdCommitId: reader.u64('createdCommitId'),
      }));
      return { streams, commitId };
    },
  },
  status: {
    write: (writer, facts) => {
      writer.u8(facts.replica).u8(facts.replicaCount).text(facts.status);
      writer.u64(facts.view).u64(facts.op).u64(facts.commit).u8(facts.primary);
    },
    read: (reader) => ({
      replica: reader.u8('replica'),
      replicaCount: reader.u8('replicaCount'),
      status: reader.text('status'),
      view: reader.u64('view'),
      op: reader.u64('op'),
      commit: reader.u64('commit'),
      primary: reader.u8('primary'),
    }),
  },
  'register-session': {
    write: (writer, { clientId, window, commitId, hash }) => writer.u64(clientId).u32(window).u64(commitId).raw(hash),
    read: (reader) => {
      const clientId = reader.u64('clientId');
      const window = reader.u32('window');
      if (window === 0) throw malformed('window', 'counts from 1');
      return { clientId, window, commitId: reader.u64('commitId'), hash: reader.raw(HASH_BYTES, 'hash') };
    },
  },
  'lookup-key': {
    write: (writer, { found, keptSinceCommitId }) => {
      writer.u64(keptSinceCommitId).u8(Number(found !== undefined));
      if (found === undefined) return;
      writer.text(found.stream);
      appended.write(writer, found);
    },
    read: (reader) => {
      const keptSinceCommitId = reader.u64('keptSinceCommitId');
      if (!reader.flag('found')) return { found: undefined, keptSinceCommitId };
      return { found: { stream: reader.text('stream'), ...appended.read(reader) }, keptSinceCommitId };
    },
  },
};
