/**
 * The kernel as somebody would write it in an afternoon: arrays of events, copied whole, searched from the front. What
 * impl/kernel is compared with. Knows nothing of hashes, runs or persistent values.
 */
import type { Append, Command, NewEvent, ReadBarrier, RegisterSession } from '../../../impl/kernel/command.ts';
import { encodeCommand } from '../../../impl/kernel/command-codec.ts';
import type { KernelBounds } from '../../../impl/kernel/kernel-bounds.ts';
import { COMMANDS_MAX } from '../../../impl/kernel/limits.ts';
import type { SessionBounds } from '../../../impl/vsr/client-sessions.ts';

interface ModelEvent extends NewEvent {
  readonly commitId: number;
}

interface ModelStream {
  readonly name: string;
  readonly dataClass: string;
  readonly createdCommitId: number;
  readonly events: ModelEvent[];
}

/** Of a keyed append. */
interface ModelAnswer {
  readonly stream: string;
  readonly key: string;
  readonly command: string;
  readonly firstOffset: number;
  readonly count: number;
  readonly commitId: number;
  timestamp?: number;
}

interface ModelSession {
  readonly id: number;
  lastUsed: number;
  replies: { readonly number: number; readonly commitId: number; readonly result: object }[];
}

export class KernelModel {
  sessions: ModelSession[] = [];
  #newest = 0;
  /** Keys of ops from here on are all known. */
  keptSinceOp = 1;
  streams: ModelStream[] = [];
  readonly #bounds: KernelBounds;
  readonly #sessionBounds: SessionBounds;
  /** Oldest first. */
  #answers: ModelAnswer[] = [];

  constructor(bounds: KernelBounds, sessionBounds: SessionBounds) {
    this.#bounds = bounds;
    this.#sessionBounds = sessionBounds;
  }

  /** In the shape of CommandResult, with a refusal's evidence left out. @param index of the command in its batch */
  take(command: Command, op: number, index: number, timestamp: number): object {
    if (command.kind === 'ReadBarrier') return { kind: 'BarrierPassed' };
    if (command.kind === 'RegisterSession') return this.#register(op * COMMANDS_MAX + index, timestamp);
    const { session, ...plain } = command;
    if (session === undefined) return this.#execute(command, op);
    const { clientId, requestNumber } = session;
    const own = this.sessions.find(({ id }) => id === clientId);
    if (own === undefined)
      return refused(clientId > this.#newest ? 'Kernel.Session.IsRegistered' : 'Kernel.Session.IsNotEvicted');
    own.lastUsed = timestamp;
    const kept = own.replies.find(({ number }) => number === requestNumber);
    if (kept !== undefined) return { kind: 'Repeated', commitId: kept.commitId, result: kept.result };
    const highest = Math.max(0, ...own.replies.map(({ number }) => number));
    if (requestNumber <= highest - this.#sessionBounds.window) return refused('Kernel.Session.RequestIsNotStale');
    const result = this.#execute(plain, op);
    own.replies.push({ number: requestNumber, commitId: op, result });
    const newest = Math.max(highest, requestNumber);
    own.replies = own.replies.filter(({ number }) => number > newest - this.#sessionBounds.window);
    this.#makeRoom(own);
    return result;
  }

  #register(id: number, timestamp: number): object {
    const own = { id, lastUsed: timestamp, replies: [] };
    this.sessions.push(own);
    this.#newest = id;
    this.#makeRoom(own);
    return { kind: 'SessionRegistered', clientId: id };
  }

  /** Longest unused first, then lowest id; never the one that the room is for. */
  #makeRoom(spared: ModelSession): void {
    const { sessionsMax, slotsMax } = this.#sessionBounds;
    const slots = this.sessions.reduce((sum, { replies }) => sum + 1 + replies.length, 0);
    if (this.sessions.length <= sessionsMax && slots <= slotsMax) return;
    const others = this.sessions.filter((session) => session !== spared);
    const [oldest] = others.sort((a, b) => a.lastUsed - b.lastUsed || a.id - b.id);
    this.sessions = this.sessions.filter((session) => session !== oldest);
  }

  #execute(command: Exclude<Command, ReadBarrier | RegisterSession>, op: number): object {
    const stream = this.streams.find(({ name }) => name === command.stream);
    if (command.kind === 'CreateStream') {
      if (stream !== undefined) return refused('Kernel.CreateStream.NameIsFree');
      if (this.streams.length >= this.#bounds.streamsMax) return refused('Kernel.CreateStream.StreamsHaveRoom');
      const { stream: name, dataClass = '' } = command;
      this.streams.push({ name, dataClass, createdCommitId: op, events: [] });
      return { kind: 'StreamCreated' };
    }
    if (command.kind === 'Append') return this.#repeated(command) ?? this.#append(stream, command, op);
    if (stream === undefined) return refused(`Kernel.${command.kind}.StreamExists`);
    this.streams = this.streams.filter((other) => other !== stream);
    return { kind: 'StreamDeleted', nextOffset: stream.events.length };
  }

  answerTo(key: string): object | undefined {
    const answer = this.#answers.find((kept) => kept.key === key);
    if (answer === undefined) return undefined;
    const { stream, commitId, firstOffset, count } = answer;
    return { stream, commitId, firstOffset, count };
  }

  /** After the last command of an op. */
  endOp(op: number, timestamp: number): void {
    for (const answer of this.#answers) if (answer.commitId === op) answer.timestamp = timestamp;
    const expiryMs = timestamp - this.#bounds.keyRetentionMs;
    const newest = this.#answers.slice(-this.#bounds.keysMax);
    const kept = newest.filter((answer) => (answer.timestamp as number) >= expiryMs);
    for (const { commitId } of this.#answers.filter((answer) => !kept.includes(answer)))
      this.keptSinceOp = Math.max(this.keptSinceOp, commitId + 1);
    this.#answers = kept;
  }

  #repeated(command: Append): object | undefined {
    const { idempotencyKey: key } = command;
    const answer = this.#answers.find((kept) => kept.key === key);
    if (answer === undefined) return undefined;
    if (answer.command !== textOf(command)) return refused('Kernel.Append.KeyIsNotReused');
    const { firstOffset, count, commitId } = answer;
    return { kind: 'Appended', firstOffset, count, commitId, repeated: true };
  }

  #append(stream: ModelStream | undefined, command: Append, op: number): object {
    const { events, expectedOffset, idempotencyKey: key } = command;
    if (stream === undefined) return refused('Kernel.Append.StreamExists');
    const firstOffset = stream.events.length;
    if (expectedOffset !== undefined && expectedOffset !== firstOffset) return refused('Kernel.Append.OffsetMatches');
    stream.events.push(...events.map((event) => ({ ...event, commitId: op })));
    const answer = { firstOffset, count: events.length, commitId: op };
    if (key !== undefined) {
      this.#answers.push({ stream: stream.name, key, command: textOf(command), ...answer });
    }
    return { kind: 'Appended', ...answer, repeated: false };
  }
}

function textOf({ session: _, ...command }: Append): string {
  return Buffer.from(encodeCommand(command)).toString('hex');
}

function refused(rule: string): object {
  return { kind: 'Refused', rule };
}
