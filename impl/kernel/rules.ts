/**
 * Whether a command is applied: named rules over the state, in the order in which they are asked; the first that fails
 * refuses. A refusal changes nothing and is the same on every replica. Mirrors no spec module yet; rule ids are
 * `Kernel.Command.Rule` all the same, so that an explanation names what decided.
 */
import { hashesEqual } from '../crypto/hash.ts';
import type { Evidence } from '../ports/lockstep-error.ts';
import type { Command, CreateStream, DeleteStream, RequestSession } from './command.ts';
import type { AppendOutline } from './command-outline.ts';
import type { KernelBounds } from './kernel-bounds.ts';
import type { KeyedAnswer } from './keyed-answers.ts';
import { OFFSET_MAX } from './limits.ts';

export const KERNEL_RULES = [
  'Kernel.Command.WellFormed', // bytes that are no command, in a batch that a server did not check
  'Kernel.CreateStream.NameIsFree',
  'Kernel.CreateStream.StreamsHaveRoom',
  'Kernel.DeleteStream.StreamExists',
  'Kernel.Append.StreamExists',
  'Kernel.Append.KeyIsNotReused', // the key stands for another append
  'Kernel.Append.OffsetMatches', // expectedOffset
  'Kernel.Append.OffsetsHaveRoom', // OFFSET_MAX
  'Kernel.Session.IsRegistered', // no session has had this id yet
  'Kernel.Session.IsNotEvicted', // its replies are gone: what was in doubt stays unknown
  'Kernel.Session.RequestIsNotStale', // its reply is no longer kept
] as const;
export type KernelRule = (typeof KERNEL_RULES)[number];

export interface Refused {
  readonly kind: 'Refused';
  readonly rule: KernelRule;
  /** What decided, as JSON. */
  readonly evidence: Evidence;
}

/** What the rules ask of the state. */
export interface RuledState {
  readonly streamCount: number;
  streamNamed(name: string): { readonly nextOffset: number } | undefined;
}

export function refusalOfCreate(
  state: RuledState,
  { stream }: CreateStream,
  bounds: KernelBounds,
): Refused | undefined {
  if (state.streamNamed(stream) !== undefined) return refused('Kernel.CreateStream.NameIsFree', { stream });
  const { streamCount } = state;
  if (streamCount < bounds.streamsMax) return undefined;
  return refused('Kernel.CreateStream.StreamsHaveRoom', { stream, streamCount, maximum: bounds.streamsMax });
}

export function refusalOfDelete(state: RuledState, { stream }: DeleteStream): Refused | undefined {
  return state.streamNamed(stream) === undefined ? refused('Kernel.DeleteStream.StreamExists', { stream }) : undefined;
}

/** An append without a key, or with one that is new. */
export function refusalOfAppend(state: RuledState, command: AppendOutline): Refused | undefined {
  const { stream: name, expectedOffset, eventCount } = command;
  const stream = state.streamNamed(name);
  if (stream === undefined) return refused('Kernel.Append.StreamExists', { stream: name });
  const { nextOffset } = stream;
  if (expectedOffset !== undefined && expectedOffset !== nextOffset) {
    return refused('Kernel.Append.OffsetMatches', { stream: name, expectedOffset, nextOffset });
  }
  if (nextOffset + eventCount - 1 <= OFFSET_MAX) return undefined;
  return refused('Kernel.Append.OffsetsHaveRoom', { stream: name, nextOffset, count: eventCount });
}

/** An append whose key has an answer already: the same command gets that answer, another one is refused. */
export function refusalOfRepeat(
  command: AppendOutline,
  answer: KeyedAnswer,
  fingerprint: Uint8Array,
): Refused | undefined {
  if (hashesEqual(answer.fingerprint, fingerprint)) return undefined;
  const { stream, idempotencyKey = '' } = command;
  const { stream: usedIn, commitId } = answer;
  return refused('Kernel.Append.KeyIsNotReused', { stream, idempotencyKey, usedIn, commitId });
}

/** @param newestId of the session registered last */
export function refusedAsGone({ clientId, requestNumber }: RequestSession, newestId: number): Refused {
  if (clientId > newestId) return refused('Kernel.Session.IsRegistered', { clientId, requestNumber, newestId });
  return refused('Kernel.Session.IsNotEvicted', { clientId, requestNumber });
}

/** @param highest request number of the session that was executed */
export function refusedAsStale({ clientId, requestNumber }: RequestSession, highest: number): Refused {
  return refused('Kernel.Session.RequestIsNotStale', { clientId, requestNumber, highest });
}

/** Nothing was executed, and whether an earlier try of the request was, nobody can say any more. */
export function isOfSession({ rule }: Refused): boolean {
  return rule.startsWith('Kernel.Session.');
}

export function notWellFormed(code: string, index: number): Refused {
  return refused('Kernel.Command.WellFormed', { code, command: index });
}

/** Rules that a command of this kind is put to, for explanations. */
export function rulesOf(kind: Command['kind']): readonly KernelRule[] {
  return KERNEL_RULES.filter((rule) => rule.startsWith(`Kernel.${kind}.`));
}

function refused(rule: KernelRule, evidence: Evidence): Refused {
  return { kind: 'Refused', rule, evidence };
}
