/**
 * The invariants of specs/Vsr.tla that one replica can answer for by itself, by the machine's own predicates over a cluster of
 * which only this replica is seen. What needs the others is the business of the simulator and of `make check`.
 */
import type { AppliedRule, ExplainedReplica } from '../../machines/explanation.ts';
import { type ClusterView, type VsrInvariant, vsrInvariants } from '../../machines/vsr-invariants.ts';
import { operatorRule } from './applied-rules.ts';
import { contextOf, statusOf } from './explained-replica.ts';

/** Each with the facts that it reads of this replica. */
const LOCAL: Readonly<Partial<Record<VsrInvariant, readonly ('commit' | 'op' | 'viewDurable' | 'logViewDurable')[]>>> =
  {
    CommitNotExceedOp: ['commit', 'op'],
    ViewMonotonic: ['logViewDurable', 'viewDurable'],
  };

export function localInvariants(replica: ExplainedReplica): readonly AppliedRule[] {
  const context = contextOf(replica);
  const seen: ClusterView = {
    replicas: [
      {
        ...context,
        status: statusOf(replica),
        log: new Array(context.op), // its length is all that is asked
        logDurable: new Array(context.opDurable),
      },
    ],
    messages: [],
    acknowledged: [],
    requests: 0,
    crashes: 0,
    readOwed: [0],
    readAnswers: [],
  };
  return Object.entries(LOCAL).map(([name, facts]) =>
    operatorRule(
      'Vsr',
      name,
      vsrInvariants[name as VsrInvariant](seen),
      Object.fromEntries(facts.map((fact) => [`context.${fact}`, context[fact]])),
    ),
  );
}
