---------------------------- MODULE MCVsrRanking ----------------------------
(* Directed start states, a few steps before the failure, for the canaries whose search from Init would be too long:
   which log a view change takes, whose acknowledgements count, and whose answers to a round of reads. Replicas 1 and 2 do
   not restart once they are down. *)
EXTENDS MCVsr

CONSTANT StartFrom  \* which of the start states: "conflicting logs", "stale acknowledgement" or "stale read answer"

Entry(v, value, parent) == [view |-> v, value |-> value, parent |-> parent]
ByReplica(a, b, c) == [r \in Replicas |-> IF r = 0 THEN a ELSE IF r = 1 THEN b ELSE c]

StartState(initialStatus, views, logs, commits, requestCount, told, sent) ==
    /\ status         = initialStatus
    /\ view           = views
    /\ viewDurable    = views
    /\ logView        = views
    /\ logViewDurable = views
    /\ log            = logs
    /\ logDurable     = logs
    /\ commit         = commits
    /\ commitDurable  = commits
    /\ acked          = [r \in Replicas |-> NoAcks]
    /\ startVotes     = [r \in Replicas |-> {}]
    /\ changeVotes    = [r \in Replicas |-> {}]
    /\ target         = [r \in Replicas |-> NoTarget]
    /\ reading        = [r \in Replicas |-> NoReading]
    /\ readOwed       = [r \in Replicas |-> 0]
    /\ messages       = sent
    /\ requests       = requestCount
    /\ acknowledged   = told
    /\ readAnswers    = {}
    /\ crashes        = 0

\* E6: replica 0 was cut off in view 0 with two ops of its own; 1 and 2 committed another op 1 in view 1, then 1 died.
LongerStaleLog ==
    StartState(ByReplica("normal", "recovering", "normal"), ByReplica(0, 1, 1),
               ByReplica(<<Entry(0, 1, 0), Entry(0, 2, 1)>>, <<Entry(1, 3, 0)>>, <<Entry(1, 3, 0)>>),
               ByReplica(0, 1, 0), 3, <<Entry(1, 3, 0)>>, {})

\* E7: 1 alone holds an op of view 1; 0 and 2 carried an op of view 0 over into view 2 and committed it; then 2 died.
NewerLastEntry ==
    StartState(ByReplica("normal", "normal", "recovering"), ByReplica(2, 1, 2),
               ByReplica(<<Entry(0, 1, 0)>>, <<Entry(1, 2, 0)>>, <<Entry(0, 1, 0)>>),
               ByReplica(0, 0, 1), 2, <<Entry(0, 1, 0)>>, {})

\* 2 acknowledged an op of view 0 that the view change of 0 and 1 did not know; 1 has begun view 1 without it.
StaleAcknowledgement ==
    StartState(ByReplica("normal", "normal", "normal"), ByReplica(1, 1, 0),
               ByReplica(<<>>, <<>>, <<Entry(0, 1, 0)>>),
               ByReplica(0, 0, 0), 2, <<>>, {[type |-> "PrepareOk", from |-> 2, view |-> 0, op |-> 1]})

\* 1 answered the first round of reads of 0 in view 0; 0 leads view 3 now, and 1 and 2 have committed in view 4 meanwhile.
StaleReadAnswer ==
    StartState(ByReplica("normal", "normal", "normal"), ByReplica(3, 4, 4),
               ByReplica(<<>>, <<Entry(4, 1, 0)>>, <<Entry(4, 1, 0)>>),
               ByReplica(0, 1, 0), 1, <<Entry(4, 1, 0)>>, {[type |-> "ReadRoundOk", from |-> 1, view |-> 0, round |-> 1]})

DirectedInit ==
    \/ StartFrom = "conflicting logs" /\ LongerStaleLog
    \/ StartFrom = "conflicting logs" /\ NewerLastEntry
    \/ StartFrom = "stale acknowledgement" /\ StaleAcknowledgement
    \/ StartFrom = "stale read answer" /\ StaleReadAnswer

DirectedSpec == DirectedInit /\ [][MCNext]_vars
=============================================================================
