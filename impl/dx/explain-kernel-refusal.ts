/**
 * Why a command was committed and changed nothing: the rule of the kernel that refused it, with the values that decided, as
 * every replica found them when it applied the op. The kernel has no spec yet, so its rules have no place in one.
 */
import type { AppliedRule, ExplainedReplica } from '../../machines/explanation.ts';
import type { KernelRule } from '../kernel/rules.ts';
import type { KernelRefusal } from '../server/dx-source.ts';
import { type Answer, contextOf, whereItIs } from './explained-replica.ts';

/** What holds when the rule does. */
const WORDS: Readonly<Record<KernelRule, string>> = {
  'Kernel.Command.WellFormed': 'The bytes are a command of this version.',
  'Kernel.CreateStream.NameIsFree': 'No stream has this name.',
  'Kernel.CreateStream.StreamsHaveRoom': 'There are fewer streams than there may be.',
  'Kernel.DeleteStream.StreamExists': 'There is a stream of this name.',
  'Kernel.Append.StreamExists': 'There is a stream of this name.',
  'Kernel.Append.KeyIsNotReused': 'The idempotency key is new, or stands for this very command.',
  'Kernel.Append.OffsetMatches': 'The first event gets the offset that the client expects.',
  'Kernel.Append.OffsetsHaveRoom': 'The stream has fewer events than it may have.',
  'Kernel.Session.IsRegistered': 'A session of this id was registered.',
  'Kernel.Session.IsNotEvicted': 'The session still has its replies.',
  'Kernel.Session.RequestIsNotStale': 'The reply of this request is still kept.',
};

export const KERNEL_NOTE = 'there is no spec of the component Kernel yet: its rules have no place in one';

export function explainKernelRefusal(replica: ExplainedReplica, refusal: KernelRefusal): Answer {
  const { commitId, command, rule, evidence } = refusal;
  const description = Object.hasOwn(WORDS, rule) ? WORDS[rule as KernelRule] : '';
  const applied: AppliedRule = { rule_id: rule, description, evaluation: false, evidence };
  const { replica: index } = contextOf(replica);
  return {
    inputs: { commit_id: commitId, command, ...whereItIs(replica) },
    rules: [applied],
    decidedBy: [applied],
    conclusion: `Command ${command} of op ${commitId} was committed and changed nothing, at replica ${index} as at every other: ${rule} does not hold.`,
  };
}

/** What is refused is known while it is kept. */
export function noKernelRefusal(
  replica: ExplainedReplica,
  commitId: number | undefined,
  command: number | undefined,
): Answer {
  const which = `${command === undefined ? 'any command' : `command ${command}`} of ${commitId === undefined ? 'any op' : `op ${commitId}`}`;
  return {
    inputs: { commit_id: commitId, command, ...whereItIs(replica) },
    rules: [],
    decidedBy: [],
    conclusion: `The kernel has refused nothing that is known here: ${which} is not among the refusals that this process keeps.`,
    missing: [`the result of ${which}: it was applied, or is not committed here, or its refusal is no longer kept`],
  };
}
