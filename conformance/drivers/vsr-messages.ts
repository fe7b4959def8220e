/**
 * `messages` of specs/Vsr.tla from real frames: every distinct frame decoded once by the real codec, and sets of them that
 * many states of a model share. A part of the driver vsr.ts; translates, decides nothing.
 */

import { hashText } from '../../impl/crypto/hash.ts';
import { decodeMessage } from '../../impl/vsr/codec.ts';
import type { Prepare } from '../../impl/vsr/prepare.ts';
import { ACTIONS_OF, factsOf, type SpecMessage } from '../../impl/vsr/replica-messages.ts';
import type { MessageFacts, VsrAction } from '../../machines/vsr-context.ts';
import type { MessageView } from '../../machines/vsr-invariants.ts';
import { type TlaValue, tlaInteger, tlaRecord, tlaString } from '../values/tla-value.ts';
import type { VsrTexts } from './vsr-texts.ts';

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
  readonly message: SpecMessage;
  readonly facts: MessageFacts;
  readonly view: MessageView;
  readonly value: TlaValue;
  /** Every action that could take it, at every replica. */
  readonly steps: readonly VsrStep[];
}

/** Whether the model lets a message for this action reach this replica at all. */
export type Reaches = (action: VsrAction, replica: number) => boolean;

export class SentMessages {
  readonly #byFrame = new Map<string, SentMessage>();
  readonly #byText = new Map<string, SentMessage>();
  readonly #texts: VsrTexts;
  readonly #cluster: bigint;
  readonly #replicaCount: number;
  readonly #reaches: Reaches;

  constructor(texts: VsrTexts, cluster: bigint, replicaCount: number, reaches: Reaches) {
    this.#reaches = reaches;
    this.#texts = texts;
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
      sent = this.#decoded(message);
      this.#byFrame.set(key, sent);
      this.#byText.set(sent.value.text, sent);
    }
    return sent;
  }

  byText(text: string): SentMessage | undefined {
    return this.#byText.get(text);
  }

  #decoded(message: SpecMessage): SentMessage {
    const facts = factsOf(message);
    const steps: VsrStep[] = [];
    const sent: SentMessage = {
      message,
      facts,
      view: { ...facts, type: message.type },
      value: this.#valueOf(message),
      steps,
    };
    for (let replica = 0; replica < this.#replicaCount; replica++)
      for (const action of ACTIONS_OF[message.type])
        if (this.#reaches(action, replica)) steps.push(new VsrStep(action, replica, sent));
    return sent;
  }

  #valueOf(message: SpecMessage): TlaValue {
    const fields: Record<string, TlaValue> = {};
    for (const [name, value] of Object.entries(message) as [string, unknown][]) {
      if (name === 'entry') fields.entry = this.#texts.entry(value as Prepare);
      else if (value instanceof Uint8Array) fields[name] = tlaInteger(this.#texts.valueOf(hashText(value)));
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
