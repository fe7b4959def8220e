------------------------------- MODULE MCVsr -------------------------------
(* The bounds of the models of Vsr, as guards: the edge of a model is a real state. *)
EXTENDS Vsr

CONSTANTS
    MaxView,      \* highest view that a timeout or a restart may ask for
    MaxRequests,  \* client requests in all
    MaxCrashes,   \* crashes in all
    Impatient,    \* replicas whose timers may fire
    CrashProne,   \* replicas that may crash
    Down,         \* replicas that are down from the start and stay down: the rest is still a quorum
    Lagging,      \* replicas that no prepare reaches: they get entries in view changes only
    Persisting,   \* replicas that may note their commit number while the view runs
    HeartbeatFrom, \* SendCommit is taken from this commit number on: 0 is the whole protocol
    RequestsFrom, \* ClientRequest is taken from this view on: 0 is the whole protocol
    Deaf,         \* replicas that hear of no later view from others, as if cut off from those in it
    Readers,      \* replicas that are asked for reads while they are primary: {} in models without reads
    MaxRounds     \* rounds of reads of one view

MCClientRequest(r)       == requests < MaxRequests /\ view[r] >= RequestsFrom /\ ClientRequest(r)
MCReceivePrepare(r)      == r \notin Lagging /\ ReceivePrepare(r)
MCHeartbeatTimeout(r)    == r \in Impatient /\ view[r] < MaxView /\ HeartbeatTimeout(r)
MCAbdicate(r)            == r \in Impatient /\ view[r] < MaxView /\ Abdicate(r)
MCViewChangeTimeout(r)   == r \in Impatient /\ view[r] < MaxView /\ ViewChangeTimeout(r)
MCRestartAsBackup(r)     == r \notin Down /\ RestartAsBackup(r)
MCRestartAsPrimary(r)    == r \notin Down /\ view[r] < MaxView /\ RestartAsPrimary(r)
MCRestartInViewChange(r) == r \notin Down /\ view[r] < MaxView /\ RestartInViewChange(r)
MCSendCommit(r)          == commit[r] >= HeartbeatFrom /\ SendCommit(r)
MCPersistCommit(r)       == r \in Persisting /\ PersistCommit(r)
MCJoinViewChange(r)      == r \notin Deaf /\ JoinViewChange(r)
MCJoinView(r)            == r \notin Deaf /\ JoinView(r)
MCReceiveStartViewWhileNormal(r) == r \notin Deaf /\ ReceiveStartViewWhileNormal(r)
MCStartReadRound(r)      == r \in Readers /\ reading[r].round < MaxRounds /\ StartReadRound(r)
MCCrash(r)               == r \in CrashProne /\ crashes < MaxCrashes /\ Crash(r)

MCSystem ==
    \/ \E r \in Replicas : MCReceivePrepare(r)
    \/ \E r \in Replicas : BackupFsync(r)
    \/ \E r \in Replicas : PrimaryFsync(r)
    \/ \E r \in Replicas : ReceivePrepareOk(r)
    \/ \E r \in Replicas : MCSendCommit(r)
    \/ \E r \in Replicas : ReceiveCommit(r)
    \/ \E r \in Replicas : MCPersistCommit(r)
    \/ \E r \in Replicas : ReceiveReadRound(r)
    \/ \E r \in Replicas : ReceiveReadRoundOk(r)
    \/ \E r \in Replicas : CompleteRead(r)
    \/ \E r \in Replicas : MCJoinViewChange(r)
    \/ \E r \in Replicas : MCJoinView(r)
    \/ \E r \in Replicas : ViewChangeFsync(r)
    \/ \E r \in Replicas : PersistView(r)
    \/ \E r \in Replicas : ReceiveStartViewChange(r)
    \/ \E r \in Replicas : AnswerStartViewChange(r)
    \/ \E r \in Replicas : SendDoViewChange(r)
    \/ \E r \in Replicas : CastOwnChangeVote(r)
    \/ \E r \in Replicas : ReceiveDoViewChange(r)
    \/ \E r \in Replicas : ChooseLog(r)
    \/ \E r \in Replicas : ReceiveStartView(r)
    \/ \E r \in Replicas : MCReceiveStartViewWhileNormal(r)
    \/ \E r \in Replicas : RequestEntry(r)
    \/ \E r \in Replicas : ReceiveRequestEntry(r)
    \/ \E r \in Replicas : ReceiveHeldEntry(r)
    \/ \E r \in Replicas : ReceiveMissingEntry(r)
    \/ \E r \in Replicas : AdoptLog(r)
    \/ \E r \in Replicas : StartView(r)
    \/ \E r \in Replicas : EnterView(r)
    \/ \E r \in Replicas : MCRestartAsBackup(r)
    \/ \E r \in Replicas : MCRestartAsPrimary(r)
    \/ \E r \in Replicas : MCRestartInViewChange(r)

MCEnvironment ==
    \/ \E r \in Replicas : MCClientRequest(r)
    \/ \E r \in Replicas : MCStartReadRound(r)
    \/ \E r \in Replicas : MCHeartbeatTimeout(r)
    \/ \E r \in Replicas : MCAbdicate(r)
    \/ \E r \in Replicas : MCViewChangeTimeout(r)
    \/ \E r \in Replicas : MCCrash(r)

MCNext == MCSystem \/ MCEnvironment

MCInit == InitWithStatus([r \in Replicas |-> IF r \in Down THEN "recovering" ELSE "normal"])
MCSpec == MCInit /\ [][MCNext]_vars
\* Everything that System can do happens at last; timeouts, crashes and requests need not.
MCLiveSpec == MCInit /\ [][MCNext]_vars /\ WF_vars(MCSystem)

\* A view change that nothing disturbs any more ends: a live replica does not stay in it.
ViewChangeCompletes ==
    \A r \in Replicas \ Down : (status[r] = "view-change") ~> (status[r] = "normal")

\* What a primary has taken it commits, unless its view ends first.
RequestsCommit ==
    \A r \in Replicas \ Down :
       (status[r] = "normal" /\ IsPrimary(r)) ~> (commit[r] = Op(r) \/ status[r] # "normal")

\* A round of reads ends when a quorum stays up: answered, or asked again of the primary of another view.
ReadCompletes ==
    \A r \in Replicas \ Down : (reading[r].oks # {}) ~> (reading[r].oks = {})
=============================================================================
