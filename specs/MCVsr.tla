------------------------------- MODULE MCVsr -------------------------------
(* The bounds of the models of Vsr, as guards: the edge of a model is a real state. *)
EXTENDS Vsr

CONSTANTS
    MaxView,      \* highest view that a timeout or a restart may ask for
    MaxRequests,  \* client requests in all
    MaxCrashes    \* crashes in all

MCClientRequest(r)       == requests < MaxRequests /\ ClientRequest(r)
MCHeartbeatTimeout(r)    == view[r] < MaxView /\ HeartbeatTimeout(r)
MCAbdicate(r)            == view[r] < MaxView /\ Abdicate(r)
MCViewChangeTimeout(r)   == view[r] < MaxView /\ ViewChangeTimeout(r)
MCRestartAsPrimary(r)    == view[r] < MaxView /\ RestartAsPrimary(r)
MCRestartInViewChange(r) == view[r] < MaxView /\ RestartInViewChange(r)
MCCrash(r)               == crashes < MaxCrashes /\ Crash(r)

MCNext ==
    \/ \E r \in Replicas, m \in messages : ReceivePrepare(r, m)
    \/ \E r \in Replicas : BackupFsync(r)
    \/ \E r \in Replicas : PrimaryFsync(r)
    \/ \E r \in Replicas, m \in messages : ReceivePrepareOk(r, m)
    \/ \E r \in Replicas : SendCommit(r)
    \/ \E r \in Replicas, m \in messages : ReceiveCommit(r, m)
    \/ \E r \in Replicas, m \in messages : JoinView(r, m)
    \/ \E r \in Replicas : ViewChangeFsync(r)
    \/ \E r \in Replicas : PersistView(r)
    \/ \E r \in Replicas, m \in messages : ReceiveStartViewChange(r, m)
    \/ \E r \in Replicas, m \in messages : AnswerStartViewChange(r, m)
    \/ \E r \in Replicas : SendDoViewChange(r)
    \/ \E r \in Replicas : CastOwnChangeVote(r)
    \/ \E r \in Replicas, m \in messages : ReceiveDoViewChange(r, m)
    \/ \E r \in Replicas : ChooseLog(r)
    \/ \E r \in Replicas, m \in messages : ReceiveStartView(r, m)
    \/ \E r \in Replicas, m \in messages : ReceiveStartViewWhileNormal(r, m)
    \/ \E r \in Replicas : RequestEntry(r)
    \/ \E r \in Replicas, m \in messages : ReceiveRequestEntry(r, m)
    \/ \E r \in Replicas, m \in messages : ReceiveHeldEntry(r, m)
    \/ \E r \in Replicas, m \in messages : ReceiveMissingEntry(r, m)
    \/ \E r \in Replicas : AdoptLog(r)
    \/ \E r \in Replicas : StartView(r)
    \/ \E r \in Replicas : EnterView(r)
    \/ \E r \in Replicas : RestartAsBackup(r)
    \/ \E r \in Replicas : MCRestartAsPrimary(r)
    \/ \E r \in Replicas : MCRestartInViewChange(r)
    \/ \E r \in Replicas : MCClientRequest(r)
    \/ \E r \in Replicas : MCHeartbeatTimeout(r)
    \/ \E r \in Replicas : MCAbdicate(r)
    \/ \E r \in Replicas : MCViewChangeTimeout(r)
    \/ \E r \in Replicas : MCCrash(r)

MCSpec == Init /\ [][MCNext]_vars
=============================================================================
