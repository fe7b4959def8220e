/**
 * `messages` of specs/Vsr.tla from real frames: every distinct frame decoded once by the real codec, and sets of them that
 * many states of a model share. A part of the driver vsr.ts; translates, decides nothing.
 */

import { hashText } from '../../impl/crypto/hash.ts';
import { decodeMessage } from '../../impl/vsr/codec.ts';
import type { Prepare } from '../../impl/vsr/prepare.ts';
import { ACTIONS_OF, factsOf, type SpecMessage } from '../../impl/vsr/replica-messages.ts';
import type { VsrAction } from '../../machines/vsr-context.ts';
import type { MessageView } from '../../machines/vsr-invariants.ts';
import { type TlaValue, tlaInteger, tlaRecord, tlaString } from '../values/tla-value.ts';

/** One action at one replica: an event of the driver. What JSON shows of it names it among all events of a model. */
export class VsrStep {
  readonly type: VsrAction;
  readonly replica: number;
  /** TLA+ text of the message that it takes. */
  readonly message?: string;
  readonly #sent: SentMessage | undefined;

  constructor(type: VsrAction, replica: number, sent?: SentMessage) {
    this.type = type;
    this.replica = replica;
    if (sent !== undefined) this.message = sent.value.text;
    this.#sent = sent;
  }

  /** The frame behind `message`; undefined for a step that came out of a file. */
  static sentOf(step: VsrStep): SentMessage | undefined {
    return #sent in step ? step.#sent : undefined;
  }
}

/** A frame that was sent at least once. */
export interface SentMessage {
  readonly frame: Uint8Array;
  readonly message: SpecMessage;
  readonly view: MessageView;
  readonly value: TlaValue;
  /** Every action that could take it, at every replica. */
  readonly steps: readonly VsrStep[];
}

/** Values of entries by hash: "values are unique, so the value is the hash" (HashOf in the spec). */
export class EntryValues {
  readonly #values = new Map<string, number>([[hashText(new Uint8Array(32)), 0]]);

  learn(entry: Prepare): void {
    this.#values.set(hashText(entry.hash), entry.request);
  }

  /** -1 for a hash that no entry of this model has. */
  of(hash: string): number {
    return this.#values.get(hash) ?? -1;
  }

  entry(entry: Prepare): TlaValue {
    this.learn(entry);
    return tlaRecord({
      view: tlaInteger(entry.view),
      value: tlaInteger(entry.request),
      parent: tlaInteger(this.of(hashText(entry.parent))),
    });
  }
}

export class SentMessages {
  readonly #byFrame = new Map<string, SentMessage>();
  readonly #byText = new Map<string, SentMessage>();
  readonly #values: EntryValues;
  readonly #cluster: bigint;
  readonly #replicaCount: number;

  constructor(values: EntryValues, cluster: bigint, replicaCount: number) {
    this.#values = values;
    this.#cluster = cluster;
    this.#replicaCount = replicaCount;
  }

  /** The one object of this frame. RequestPrepare is outside the spec and never sent by a single action. */
  of(frame: Uint8Array): SentMessage {
    const key = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString('latin1');
    let sent = this.#byFrame.get(key);
    if (sent === undefined) {
      const message = decodeMessage(frame, this.#cluster, this.#replicaCount);
      if (message.type === 'RequestPrepare') throw new Error('a RequestPrepare is no message of the spec');
      sent = this.#decoded(frame, message);
      this.#byFrame.set(key, sent);
      this.#byText.set(sent.value.text, sent);
    }
    return sent;
  }

  byText(text: string): SentMessage | undefined {
    return this.#byText.get(text);
  }

  #decoded(frame: Uint8Array, message: SpecMessage): SentMessage {
    const steps: VsrStep[] = [];
    const sent: SentMessage = {
      frame,
      message,
      view: { ...factsOf(message), type: message.type },
      value: this.#valueOf(message),
      steps,
    };
    for (let replica = 0; replica < this.#replicaCount; replica++)
      for (const action of ACTIONS_OF[message.type]) steps.push(new VsrStep(action, replica, sent));
    return sent;
  }

  #valueOf(message: SpecMessage): TlaValue {
    const fields: Record<string, TlaValue> = {};
    for (const [name, value] of Object.entries(message) as [string, unknown][]) {
      if (name === 'entry') fields.entry = this.#values.entry(value as Prepare);
      else if (value instanceof Uint8Array) fields[name] = tlaInteger(this.#values.of(hashText(value)));
      else if (typeof value === 'number') fields[name] = tlaInteger(value);
      else fields[name] = tlaString(String(value));
    }
    return tlaRecord(fields);
  }
}

/** An immutable set of messages; adding gives the same object for the same addition. */
export class MessageSet {
  static readonly empty = new MessageSet([]);
  readonly messages: readonly SentMessage[];
  readonly value: TlaValue;
  readonly steps: readonly VsrStep[];
  readonly views: readonly MessageView[];
  readonly #larger = new Map<SentMessage, MessageSet>();

  /** @param messages sorted by text, without duplicates */
  private constructor(messages: readonly SentMessage[]) {
    this.messages = messages;
    const members = messages.map(({ value }) => value);
    this.value = { kind: 'set', text: `{${members.map(({ text }) => text).join(', ')}}`, members };
    this.steps = messages.flatMap(({ steps }) => steps);
    this.views = messages.map(({ view }) => view);
  }

  with(sent: SentMessage): MessageSet {
    if (this.messages.includes(sent)) return this;
    let larger = this.#larger.get(sent);
    if (larger === undefined) {
      larger = new MessageSet([...this.messages, sent].sort((a, b) => (a.value.text < b.value.text ? -1 : 1)));
      this.#larger.set(sent, larger);
    }
    return larger;
  }
}
