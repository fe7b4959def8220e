/**
 * The topics of the DX API's explanations, as functions of one replica in one state. The same state gives the same explanation,
 * whether it runs, is replayed from a trace, or was found by TLC. Mirrors no spec module; each topic names the one it quotes.
 */
import type { ExplainedReplica, Explanation } from '../../machines/explanation.ts';
import type { VsrAction } from '../../machines/vsr-context.ts';
import { explainCommit } from './explain-commit.ts';
import { explainRead } from './explain-read.ts';
import { explainRefusal, type PastRefusal } from './explain-refusal.ts';
import { explainReplica } from './explain-replica.ts';
import { explainViewChange } from './explain-view-change.ts';
import { type Answer, explained, haltedAnswer } from './explained-replica.ts';

/** Those that are a function of one replica in one state, so that a trace can be asked too. */
export const TOPICS = ['replica', 'commit', 'read', 'refusal', 'view-change'] as const;
export type Topic = (typeof TOPICS)[number];

export interface Question {
  /** topic commit: which op; the first uncommitted one without it. */
  readonly commitId?: number | undefined;
  /** topic read: what a committed read asks for; a linearizable one without it. */
  readonly minCommitId?: number | undefined;
  /** topic refusal: which event. */
  readonly event?: VsrAction | undefined;
  readonly past?: PastRefusal | undefined;
}

export function explain(topic: Topic, replica: ExplainedReplica, question: Question = {}): Explanation {
  return explained(topic, replica, answerTo(topic, replica, question));
}

function answerTo(topic: Topic, replica: ExplainedReplica, { commitId, minCommitId, event, past }: Question): Answer {
  if (topic === 'commit') return explainCommit(replica, commitId);
  if (topic === 'read') return explainRead(replica, minCommitId);
  if (topic === 'refusal') return explainRefusal(replica, event ?? 'ClientRequest', past);
  if (replica.haltedBy !== undefined) return haltedAnswer(replica);
  return topic === 'replica' ? explainReplica(replica) : explainViewChange(replica);
}
