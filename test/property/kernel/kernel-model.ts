/**
 * The kernel as somebody would write it in an afternoon: arrays of events, copied whole, searched from the front. What
 * impl/kernel is compared with. Knows nothing of hashes, runs or persistent values.
 */
import type { Append, Command, NewEvent } from '../../../impl/kernel/command.ts';
import { encodeCommand } from '../../../impl/kernel/command-codec.ts';
import type { KernelBounds } from '../../../impl/kernel/rules.ts';

interface ModelEvent extends NewEvent {
  readonly commitId: number;
}

interface ModelStream {
  readonly name: string;
  readonly dataClass: string;
  readonly createdCommitId: number;
  readonly events: ModelEvent[];
  answers: { key: string; command: string; firstOffset: number; count: number; commitId: number }[];
}

export class KernelModel {
  streams: ModelStream[] = [];
  readonly #bounds: KernelBounds;
  /** Every keyed answer ever given, with the stream that it was about. */
  #answered: { stream: ModelStream; key: string }[] = [];

  constructor(bounds: KernelBounds) {
    this.#bounds = bounds;
  }

  /** In the shape of CommandResult, with a refusal's evidence left out. */
  take(command: Command, op: number): object {
    if (command.kind === 'ReadBarrier') return { kind: 'BarrierPassed' };
    const stream = this.streams.find(({ name }) => name === command.stream);
    if (command.kind === 'CreateStream') {
      if (stream !== undefined) return refused('Kernel.CreateStream.NameIsFree');
      if (this.streams.length >= this.#bounds.streamsMax) return refused('Kernel.CreateStream.StreamsHaveRoom');
      const { stream: name, dataClass = '' } = command;
      this.streams.push({ name, dataClass, createdCommitId: op, events: [], answers: [] });
      return { kind: 'StreamCreated' };
    }
    if (stream === undefined) return refused(`Kernel.${command.kind}.StreamExists`);
    if (command.kind === 'Append') return this.#append(stream, command, op);
    this.streams = this.streams.filter((other) => other !== stream);
    return { kind: 'StreamDeleted', nextOffset: stream.events.length };
  }

  #append(stream: ModelStream, command: Append, op: number): object {
    const { events, expectedOffset, idempotencyKey: key } = command;
    const text = Buffer.from(encodeCommand(command)).toString('hex');
    const answer = stream.answers.find((kept) => kept.key === key);
    if (answer !== undefined) {
      if (answer.command !== text) return refused('Kernel.Append.KeyIsNotReused');
      const { firstOffset, count, commitId } = answer;
      return { kind: 'Appended', firstOffset, count, commitId, repeated: true };
    }
    const firstOffset = stream.events.length;
    if (expectedOffset !== undefined && expectedOffset !== firstOffset) return refused('Kernel.Append.OffsetMatches');
    stream.events.push(...events.map((event) => ({ ...event, commitId: op })));
    if (key !== undefined) {
      stream.answers.push({ key, command: text, firstOffset, count: events.length, commitId: op });
      this.#answered.push({ stream, key });
      this.#forgetOldest();
    }
    return { kind: 'Appended', firstOffset, count: events.length, commitId: op, repeated: false };
  }

  #forgetOldest(): void {
    if (this.#answered.length <= this.#bounds.keysMax) return;
    const oldest = this.#answered.shift();
    if (oldest !== undefined) oldest.stream.answers = oldest.stream.answers.filter(({ key }) => key !== oldest.key);
  }
}

function refused(rule: string): object {
  return { kind: 'Refused', rule };
}
