-------------------------------- MODULE Vsr --------------------------------
(* Viewstamped replication: normal operation, commit, view change with logView, crash and restart from the disk, and reads
   that see everything acknowledged before they began.
   Sources: VRR = Liskov, Cowling, "Viewstamped Replication Revisited" (2012), sections 4.1 and 4.2; the logView rule
   and the durable view follow section 8.2 and the known bugs E6 to E21 of docs/canaries.md. Reads: ReadIndex of Ongaro,
   "Consensus: Bridging Theory and Practice" (2014), section 6.4, with views for terms and no clock (section 6.4.1 and
   VRR 6.3 have leases).
   Left out, and why that is safe: timers (a timeout may fire in any state: more behaviours than any clock allows),
   retransmission (messages holds everything ever sent, so a message may be received late, often or never),
   client sessions, damaged disks and lost disks (components of their own), bodies (a value stands for a batch).
   Deviations from the paper: DoViewChange and StartView carry no log, only its end (op and hash). The replica that
   lacks entries fetches them one by one from the replica that named the end, and the hash chain proves the result. *)
EXTENDS Naturals, Sequences, FiniteSets

CONSTANTS
    ReplicaCount,  \* number of replicas, 2f + 1
    PipelineMax    \* most ops that a primary holds uncommitted

ASSUME ReplicaCount \in Nat /\ ReplicaCount > 0
ASSUME PipelineMax \in Nat /\ PipelineMax > 0

VARIABLES
    status,          \* "normal" | "view-change" | "recovering", by replica; volatile
    view,            \* view number, by replica; volatile
    viewDurable,     \* the view that the superblock holds, by replica; durable
    logView,         \* the view in which the log was last normal, by replica; volatile
    logViewDurable,  \* the logView that the superblock holds, by replica; durable
    log,             \* sequence of entries from op 1, by replica; volatile
    logDurable,      \* what a crash leaves of the log, by replica; durable
    commit,          \* highest op known committed, by replica; volatile
    commitDurable,   \* the commit that the superblock holds, by replica; durable, may lag
    acked,           \* by primary, by replica: highest op acknowledged in this view; volatile
    startVotes,      \* replicas whose StartViewChange for this view was heard, by replica; volatile
    changeVotes,     \* DoViewChange messages of this view, by primary-elect; volatile
    target,          \* the log to fetch before entering the view, by replica; volatile
    reading,         \* the last round of reads of this view and, while it is open, who answered, by primary; volatile
    readOwed,        \* what clients had been told when the open round began, by primary; a history
    messages,        \* every message ever sent: may be lost, duplicated, reordered and delayed at will
    requests,        \* how many client requests were taken so far; each gets the next number as its value
    acknowledged,    \* entries acknowledged to clients, in order of op; a history, not a state of any replica
    readAnswers,     \* what reads were answered: the op that was shown, and the one that was owed; a history
    crashes          \* how many crashes there were so far; a history

superblockVars == <<viewDurable, logViewDurable, commitDurable>>
voteVars       == <<startVotes, changeVotes>>
readVars       == <<reading, readOwed>>
clientVars     == <<requests, acknowledged, readAnswers>>
vars == <<status, view, viewDurable, logView, logViewDurable, log, logDurable, commit, commitDurable, acked, startVotes,
          changeVotes, target, reading, readOwed, messages, requests, acknowledged, readAnswers, crashes>>

Replicas     == 0..(ReplicaCount - 1)
Quorum       == (ReplicaCount \div 2) + 1
Primary(v)   == v % ReplicaCount
NoTarget     == [from |-> ReplicaCount, op |-> 0, hash |-> 0, commit |-> 0, next |-> 0]
NoAcks       == [q \in Replicas |-> 0]
NoReading    == [round |-> 0, commit |-> 0, oks |-> {}]
Maximum(a, b) == IF a > b THEN a ELSE b
Minimum(a, b) == IF a < b THEN a ELSE b

\* An entry's hash stands for the entry and everything before it: values are unique, so the value is the hash.
HashOf(entries, n) == IF n = 0 THEN 0 ELSE entries[n].value
HashAt(r, n)       == HashOf(log[r], n)
Op(r)              == Len(log[r])

\* The largest op that a quorum has acknowledged.
QuorumOp(acks) ==
    CHOOSE n \in {acks[q] : q \in Replicas} :
        /\ Cardinality({q \in Replicas : acks[q] >= n}) >= Quorum
        /\ \A k \in {acks[q] : q \in Replicas} :
              Cardinality({q \in Replicas : acks[q] >= k}) >= Quorum => k <= n

\* What clients have been told once the primary with these entries has committed up to op c.
AcknowledgedUpTo(entries, c) ==
    IF c > Len(acknowledged) THEN acknowledged \o SubSeq(entries, Len(acknowledged) + 1, c) ELSE acknowledged

TypeOK ==
    /\ \A r \in Replicas : status[r] \in {"normal", "view-change", "recovering"}
    /\ \A r \in Replicas : view[r] \in Nat /\ viewDurable[r] \in Nat
    /\ \A r \in Replicas : logView[r] \in Nat /\ logViewDurable[r] \in Nat
    /\ \A r \in Replicas : commit[r] \in Nat /\ commitDurable[r] \in Nat
    /\ \A r \in Replicas : \A n \in 1..Len(log[r]) : log[r][n].value \in 1..requests
    /\ \A r \in Replicas : \A n \in 1..Len(logDurable[r]) : logDurable[r][n].value \in 1..requests
    /\ \A r \in Replicas : \A q \in Replicas : acked[r][q] \in Nat
    /\ \A r \in Replicas : startVotes[r] \subseteq Replicas
    /\ \A r \in Replicas : \A m \in changeVotes[r] : m.type = "DoViewChange"
    /\ \A r \in Replicas : target[r].from \in 0..ReplicaCount
    /\ \A r \in Replicas : reading[r].round \in Nat /\ reading[r].commit \in Nat /\ reading[r].oks \subseteq Replicas
    /\ \A r \in Replicas : readOwed[r] \in Nat
    /\ \A m \in messages : m.from \in Replicas
    /\ requests \in Nat
    /\ Len(acknowledged) <= requests
    /\ \A answer \in readAnswers : answer.shown \in Nat /\ answer.owed \in Nat
    /\ crashes \in Nat

\* A cluster at its first start after format, in view 0 with empty logs; replicas that are down are "recovering".
InitWithStatus(initialStatus) ==
    /\ status         = initialStatus
    /\ view           = [r \in Replicas |-> 0]
    /\ viewDurable    = [r \in Replicas |-> 0]
    /\ logView        = [r \in Replicas |-> 0]
    /\ logViewDurable = [r \in Replicas |-> 0]
    /\ log            = [r \in Replicas |-> <<>>]
    /\ logDurable     = [r \in Replicas |-> <<>>]
    /\ commit         = [r \in Replicas |-> 0]
    /\ commitDurable  = [r \in Replicas |-> 0]
    /\ acked          = [r \in Replicas |-> NoAcks]
    /\ startVotes     = [r \in Replicas |-> {}]
    /\ changeVotes    = [r \in Replicas |-> {}]
    /\ target         = [r \in Replicas |-> NoTarget]
    /\ reading        = [r \in Replicas |-> NoReading]
    /\ readOwed       = [r \in Replicas |-> 0]
    /\ messages       = {}
    /\ requests       = 0
    /\ acknowledged   = <<>>
    /\ readAnswers    = {}
    /\ crashes        = 0

Init == InitWithStatus([r \in Replicas |-> "normal"])

-----------------------------------------------------------------------------
(* Guards, each by the name that the machine and the explanations use. *)

IsPrimary(r)            == Primary(view[r]) = r                     \* This replica leads its view.
IsBackup(r)             == Primary(view[r]) # r                     \* Another replica leads its view.
SameView(r, m)          == m.view = view[r]                         \* The message is of this view.
FromAnother(r, m)       == m.from # r                               \* A replica does not answer itself.
HigherView(r, m)        == m.view > view[r]                         \* The message is of a later view.
PipelineHasRoom(r)      == Op(r) - commit[r] < PipelineMax          \* Fewer ops are uncommitted than the pipeline takes.
NextInSequence(r, m)    == m.op = Op(r) + 1                         \* The entry is the next one: no gap, nothing twice.
ParentHashMatches(r, m) == m.entry.parent = HashAt(r, Op(r))        \* The entry continues this very log.
\* There is more to commit, and it is held here.
CommitAdvances(r, m)    == m.commit > commit[r] /\ Op(r) > commit[r]
NewAcknowledgement(r, m) == m.op > acked[r][m.from]                 \* More than this replica has acknowledged so far.
LogIsDurable(r)         == log[r] = logDurable[r]                   \* All of the log is on disk.
LogIsVolatile(r)        == log[r] # logDurable[r]                   \* Some of the log would be lost by a crash.
ViewIsDurable(r)        == view[r] = viewDurable[r]                 \* The superblock holds this view.
ViewIsVolatile(r)       == view[r] # viewDurable[r]                 \* A crash would lead back to an earlier view.
CommitIsVolatile(r)     == commit[r] # commitDurable[r]             \* A crash would forget how much is committed.
HasNoTarget(r)          == target[r] = NoTarget                     \* The log of this view is not named yet.
HasTarget(r)            == target[r] # NoTarget                     \* The log of this view is named.
LogNotAdopted(r)        == logView[r] # view[r]                     \* The log is still that of an earlier view.
LogAdopted(r)           == logView[r] = view[r]                     \* The log is that of this view.
StartQuorum(r)          == Cardinality(startVotes[r]) >= Quorum     \* A quorum wants this view.
\* Not heard from this replica, and no quorum yet.
StartVoteNeeded(r, m)   == m.from \notin startVotes[r] /\ ~StartQuorum(r)
ChangeQuorum(r)         == Cardinality(changeVotes[r]) >= Quorum    \* A quorum has said what its logs hold.
\* Not heard from this replica, and no quorum yet.
ChangeVoteNeeded(r, m)  == ~ChangeQuorum(r) /\ \A vote \in changeVotes[r] : vote.from # m.from
\* The own vote is not cast, and no quorum yet.
OwnVoteNeeded(r)        == ~ChangeQuorum(r) /\ \A vote \in changeVotes[r] : vote.from # r
\* The log holds the named end.
TargetReached(r)        == Op(r) >= target[r].op /\ HashAt(r, target[r].op) = target[r].hash
TargetNotReached(r)     == ~TargetReached(r)                        \* The log does not hold the named end.
AddressedHere(r, m)     == m.to = r                                 \* The message is for this replica.
HoldsOp(r, m)           == m.op <= Op(r)                            \* The op is within the log.
IsWanted(r, m)          == m.op = target[r].next                    \* The entry is the one asked for last.
EntryHeld(r, m)         == m.op <= Op(r) /\ log[r][m.op] = m.entry  \* The log has this very entry at its op.
EntryMissing(r, m)      == ~EntryHeld(r, m)                         \* The log has another entry, or none, at its op.
\* The message is of a later view, or of this one while its log is not yet named nor known.
ViewOpen(r, m)          == IF SameView(r, m) THEN HasNoTarget(r) /\ LogNotAdopted(r) ELSE HigherView(r, m)
LeftNormally(r)         == viewDurable[r] = logViewDurable[r]       \* The crash came while the view ran.
LeftInViewChange(r)     == viewDurable[r] # logViewDurable[r]       \* The crash came before the view began.
NoReadRound(r)          == reading[r].oks = {}                      \* No round of reads is open: one at a time.
\* All that came from earlier views is committed: what is not was prepared in this view.
ViewLogCommitted(r)     == IF commit[r] < Op(r) THEN log[r][commit[r] + 1].view = view[r] ELSE TRUE
SameRound(r, m)         == m.round = reading[r].round               \* The answer is to the last round of this view.
ReadQuorum(r)           == Cardinality(reading[r].oks) >= Quorum    \* A quorum has answered the open round.
\* A round is open, this replica has not answered it, and no quorum has yet.
ReadOkNeeded(r, m)      == ~NoReadRound(r) /\ m.from \notin reading[r].oks /\ ~ReadQuorum(r)

-----------------------------------------------------------------------------
(* Normal operation, VRR 4.1 *)

\* The primary takes a client's batch as its next op and sends it at once; its own copy becomes durable meanwhile.
\* VRR 4.1 step 2.
ClientRequest(r) ==
    /\ status[r] = "normal"
    /\ IsPrimary(r)
    /\ PipelineHasRoom(r)
    /\ LET entry == [view |-> view[r], value |-> requests + 1, parent |-> HashAt(r, Op(r))] IN
       /\ log' = [log EXCEPT ![r] = Append(@, entry)]
       /\ messages' = messages \cup
            {[type |-> "Prepare", from |-> r, view |-> view[r], op |-> Op(r) + 1, entry |-> entry]}
    /\ requests' = requests + 1
    /\ UNCHANGED <<status, view, logView, logDurable, commit, acked, target, acknowledged, readAnswers, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars

\* A backup takes prepares in order only, so everything below its op is in its log.
\* PrepareOk does not leave here: it waits for BackupFsync. VRR 4.1 step 4.
ReceivePrepare(r) == \E m \in messages :
    /\ m.type = "Prepare"
    /\ status[r] = "normal"
    /\ IsBackup(r)
    /\ SameView(r, m)
    /\ NextInSequence(r, m)
    /\ ParentHashMatches(r, m)
    /\ log' = [log EXCEPT ![r] = Append(@, m.entry)]
    /\ UNCHANGED <<status, view, logView, logDurable, commit, acked, target, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* One fsync makes all that was written durable; only now may the backup say so. One PrepareOk stands for every op
\* up to its own, since the log has no gaps.
BackupFsync(r) ==
    /\ status[r] = "normal"
    /\ IsBackup(r)
    /\ LogIsVolatile(r)
    /\ logDurable' = [logDurable EXCEPT ![r] = log[r]]
    /\ messages' = messages \cup {[type |-> "PrepareOk", from |-> r, view |-> view[r], op |-> Op(r)]}
    /\ UNCHANGED <<status, view, logView, log, commit, acked, target, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* The primary counts its own copy when that is durable, not before, and commits what a quorum then holds.
PrimaryFsync(r) ==
    /\ status[r] = "normal"
    /\ IsPrimary(r)
    /\ LogIsVolatile(r)
    /\ logDurable' = [logDurable EXCEPT ![r] = log[r]]
    /\ LET acks == [acked[r] EXCEPT ![r] = Op(r)]
           c    == Maximum(commit[r], QuorumOp(acks)) IN
       /\ acked' = [acked EXCEPT ![r] = acks]
       /\ commit' = [commit EXCEPT ![r] = c]
       /\ acknowledged' = AcknowledgedUpTo(log[r], c)
    /\ UNCHANGED <<status, view, logView, log, target, messages, requests, readAnswers, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars

\* An op is committed when a quorum of this view has it durable; ops commit in order. VRR 4.1 step 5.
ReceivePrepareOk(r) == \E m \in messages :
    /\ m.type = "PrepareOk"
    /\ status[r] = "normal"
    /\ IsPrimary(r)
    /\ SameView(r, m)
    /\ NewAcknowledgement(r, m)
    /\ LET acks == [acked[r] EXCEPT ![m.from] = m.op]
           c    == Maximum(commit[r], QuorumOp(acks)) IN
       /\ acked' = [acked EXCEPT ![r] = acks]
       /\ commit' = [commit EXCEPT ![r] = c]
       /\ acknowledged' = AcknowledgedUpTo(log[r], c)
    /\ UNCHANGED <<status, view, logView, log, logDurable, target, messages, requests, readAnswers, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars

\* The primary's commit number, which is its heartbeat too. VRR 4.1 step 6.
SendCommit(r) ==
    /\ status[r] = "normal"
    /\ IsPrimary(r)
    /\ messages' = messages \cup {[type |-> "Commit", from |-> r, view |-> view[r], commit |-> commit[r]]}
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, target, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* A backup commits what it holds of what the primary has committed. VRR 4.1 step 7.
ReceiveCommit(r) == \E m \in messages :
    /\ m.type = "Commit"
    /\ status[r] = "normal"
    /\ IsBackup(r)
    /\ SameView(r, m)
    /\ CommitAdvances(r, m)
    /\ commit' = [commit EXCEPT ![r] = Minimum(m.commit, Op(r))]
    /\ UNCHANGED <<status, view, logView, log, logDurable, acked, target, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* Now and then a replica notes how much is committed, so that after a restart it asks for no entry below that. Without it
\* nothing would be lost, only asked for again: the commit number on disk may lag at will.
PersistCommit(r) ==
    /\ status[r] = "normal"
    /\ CommitIsVolatile(r)
    /\ LogIsDurable(r)
    /\ viewDurable' = [viewDurable EXCEPT ![r] = view[r]]
    /\ logViewDurable' = [logViewDurable EXCEPT ![r] = logView[r]]
    /\ commitDurable' = [commitDurable EXCEPT ![r] = commit[r]]
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, target, messages, crashes>>
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

-----------------------------------------------------------------------------
(* Reads: everything acknowledged before a read began is in its answer. No log entry, no clock. *)

\* The primary notes its commit number and asks its backups whether this view is still theirs; every read that waits shares
\* the round. The commit number covers what was acknowledged before:
\*   in this view, since only this primary acknowledges in it;
\*   in an earlier view, since that is in the log with which this view began, and all of it is committed (ViewLogCommitted).
\*   A primary that has just begun its view may know of less (Raft 6.4 step 1 waits for an entry of the term; here the
\*   acknowledgements of StartView commit the log as it is, VRR 4.2 step 5, so no entry is needed);
\*   in a later view nothing, when a quorum answers: see ReceiveReadRound.
\* Rounds count from 1 in each view. View and round name a round for ever, over crashes too: a replica is the primary of a
\* view once at most, in one life, since it says so only when the view is durable (StartView) and a primary that restarts
\* goes on to the next view (RestartAsPrimary). So no counter need be durable. Raft 6.4 steps 2 and 3.
StartReadRound(r) ==
    /\ status[r] = "normal"
    /\ IsPrimary(r)
    /\ NoReadRound(r)
    /\ ViewLogCommitted(r)
    /\ LET round == reading[r].round + 1 IN
       /\ reading' = [reading EXCEPT ![r] = [round |-> round, commit |-> commit[r], oks |-> {r}]]
       /\ messages' = messages \cup {[type |-> "ReadRound", from |-> r, view |-> view[r], round |-> round]}
    /\ readOwed' = [readOwed EXCEPT ![r] = Len(acknowledged)]
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, target, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED clientVars

\* A backup of the view says that it still is one. Had a later view committed anything before the round began, then a quorum
\* would have had that view durable before (EnterView, StartView), for ever (canary E15), and one of any quorum that answers
\* would be in it: it would not answer here. So an answer needs no fsync: a normal replica has its view durable.
ReceiveReadRound(r) == \E m \in messages :
    /\ m.type = "ReadRound"
    /\ status[r] = "normal"
    /\ IsBackup(r)
    /\ SameView(r, m)
    /\ messages' = messages \cup {[type |-> "ReadRoundOk", from |-> r, view |-> view[r], round |-> m.round]}
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, target, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* Only answers to the open round count: an older one says nothing of the time since.
ReceiveReadRoundOk(r) == \E m \in messages :
    /\ m.type = "ReadRoundOk"
    /\ status[r] = "normal"
    /\ IsPrimary(r)
    /\ SameView(r, m)
    /\ SameRound(r, m)
    /\ ReadOkNeeded(r, m)
    /\ reading' = [reading EXCEPT ![r].oks = @ \cup {m.from}]
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, target, readOwed, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED clientVars

\* The reads of the round are answered, here or at a backup that has come as far, with the log up to the noted commit
\* number or any later one. Raft 6.4 steps 4 and 5.
CompleteRead(r) ==
    /\ status[r] = "normal"
    /\ ReadQuorum(r)
    /\ readAnswers' = readAnswers \cup {[shown |-> reading[r].commit, owed |-> readOwed[r]]}
    /\ reading' = [reading EXCEPT ![r] = [NoReading EXCEPT !.round = reading[r].round]]
    /\ readOwed' = [readOwed EXCEPT ![r] = 0]
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, target, messages, requests, acknowledged, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars

-----------------------------------------------------------------------------
(* View change, VRR 4.2 *)

\* Everything that belongs to one view is forgotten when another begins; reads are asked again of its primary.
MoveTo(r, v) ==
    /\ status' = [status EXCEPT ![r] = "view-change"]
    /\ view' = [view EXCEPT ![r] = v]
    /\ acked' = [acked EXCEPT ![r] = NoAcks]
    /\ startVotes' = [startVotes EXCEPT ![r] = {}]
    /\ changeVotes' = [changeVotes EXCEPT ![r] = {}]
    /\ reading' = [reading EXCEPT ![r] = NoReading]
    /\ readOwed' = [readOwed EXCEPT ![r] = 0]

\* A backup that has heard nothing from its primary asks for the next view. VRR 4.2 step 1.
HeartbeatTimeout(r) ==
    /\ status[r] = "normal"
    /\ IsBackup(r)
    /\ MoveTo(r, view[r] + 1)
    /\ target' = [target EXCEPT ![r] = NoTarget]
    /\ UNCHANGED <<logView, log, logDurable, commit, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED clientVars

\* A primary that hears no quorum steps aside, so that clients are not kept waiting by it.
Abdicate(r) ==
    /\ status[r] = "normal"
    /\ IsPrimary(r)
    /\ MoveTo(r, view[r] + 1)
    /\ target' = [target EXCEPT ![r] = NoTarget]
    /\ UNCHANGED <<logView, log, logDurable, commit, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED clientVars

\* A view change that does not end gives way to the next one.
ViewChangeTimeout(r) ==
    /\ status[r] = "view-change"
    /\ MoveTo(r, view[r] + 1)
    /\ target' = [target EXCEPT ![r] = NoTarget]
    /\ UNCHANGED <<logView, log, logDurable, commit, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED clientVars

\* A replica that hears a vote for a higher view joins that view change and counts the vote. VRR 4.2 step 1.
JoinViewChange(r) == \E m \in messages :
    /\ m.type = "StartViewChange"
    /\ status[r] \in {"normal", "view-change"}
    /\ HigherView(r, m)
    /\ status' = [status EXCEPT ![r] = "view-change"]
    /\ view' = [view EXCEPT ![r] = m.view]
    /\ acked' = [acked EXCEPT ![r] = NoAcks]
    /\ startVotes' = [startVotes EXCEPT ![r] = {m.from}]
    /\ changeVotes' = [changeVotes EXCEPT ![r] = {}]
    /\ reading' = [reading EXCEPT ![r] = NoReading]
    /\ readOwed' = [readOwed EXCEPT ![r] = 0]
    /\ target' = [target EXCEPT ![r] = NoTarget]
    /\ UNCHANGED <<logView, log, logDurable, commit, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED clientVars

\* A replica that hears of a higher view otherwise joins it too; it learns the view's log from StartView, which the primary of a
\* view that has already begun sends again (AnswerStartViewChange).
JoinView(r) == \E m \in messages :
    /\ m.type \in {"DoViewChange", "Commit"}
    /\ status[r] \in {"normal", "view-change"}
    /\ HigherView(r, m)
    /\ MoveTo(r, m.view)
    /\ target' = [target EXCEPT ![r] = NoTarget]
    /\ UNCHANGED <<logView, log, logDurable, commit, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED clientVars

\* In a view change the log is made durable before the superblock may say anything about it.
ViewChangeFsync(r) ==
    /\ status[r] = "view-change"
    /\ LogIsVolatile(r)
    /\ logDurable' = [logDurable EXCEPT ![r] = log[r]]
    /\ UNCHANGED <<status, view, logView, log, commit, acked, target, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* StartViewChange leaves when the view is durable: a replica never returns to a view that it has left in public.
\* VRR 8.2; canary E15.
PersistView(r) ==
    /\ status[r] = "view-change"
    /\ ViewIsVolatile(r)
    /\ LogIsDurable(r)
    /\ viewDurable' = [viewDurable EXCEPT ![r] = view[r]]
    /\ logViewDurable' = [logViewDurable EXCEPT ![r] = logView[r]]
    /\ commitDurable' = [commitDurable EXCEPT ![r] = commit[r]]
    /\ startVotes' = [startVotes EXCEPT ![r] = @ \cup {r}]
    /\ messages' = messages \cup {[type |-> "StartViewChange", from |-> r, view |-> view[r]]}
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, changeVotes, target, crashes>>
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* Votes for the view that this replica is moving to.
ReceiveStartViewChange(r) == \E m \in messages :
    /\ m.type = "StartViewChange"
    /\ status[r] = "view-change"
    /\ SameView(r, m)
    /\ StartVoteNeeded(r, m)
    /\ startVotes' = [startVotes EXCEPT ![r] = @ \cup {m.from}]
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, changeVotes, target, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* The primary of a view that has begun tells a late replica where its log ends.
AnswerStartViewChange(r) == \E m \in messages :
    /\ m.type = "StartViewChange"
    /\ status[r] = "normal"
    /\ IsPrimary(r)
    /\ SameView(r, m)
    /\ FromAnother(r, m)
    /\ messages' = messages \cup
         {[type |-> "StartView", from |-> r, view |-> view[r], op |-> Op(r), hash |-> HashAt(r, Op(r))]}
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, target, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* What a replica brings to the view change. logView, not the view of the last entry, ranks the logs (canary E7).
ChangeVoteOf(r) ==
    [type |-> "DoViewChange", from |-> r, view |-> view[r], logView |-> logView[r], op |-> Op(r),
     hash |-> HashAt(r, Op(r)), commit |-> commit[r]]

\* A backup of the new view tells the primary-elect where its log ends; all it claims is durable. VRR 4.2 step 2.
SendDoViewChange(r) ==
    /\ status[r] = "view-change"
    /\ IsBackup(r)
    /\ ViewIsDurable(r)
    /\ StartQuorum(r)
    /\ HasNoTarget(r)
    /\ messages' = messages \cup {ChangeVoteOf(r)}
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, target, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* The primary-elect's own vote takes no message.
CastOwnChangeVote(r) ==
    /\ status[r] = "view-change"
    /\ IsPrimary(r)
    /\ ViewIsDurable(r)
    /\ StartQuorum(r)
    /\ OwnVoteNeeded(r)
    /\ changeVotes' = [changeVotes EXCEPT ![r] = @ \cup {ChangeVoteOf(r)}]
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, startVotes, target, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* The primary-elect gathers the ends of logs. VRR 4.2 step 3.
ReceiveDoViewChange(r) == \E m \in messages :
    /\ m.type = "DoViewChange"
    /\ status[r] = "view-change"
    /\ IsPrimary(r)
    /\ SameView(r, m)
    /\ HasNoTarget(r)
    /\ ChangeVoteNeeded(r, m)
    /\ changeVotes' = [changeVotes EXCEPT ![r] = @ \cup {m}]
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, startVotes, target, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* a is a better start for the new view than b: later logView, then longer, then the lower replica.
Better(a, b) ==
    \/ a.logView > b.logView
    \/ a.logView = b.logView /\ a.op > b.op
    \/ a.logView = b.logView /\ a.op = b.op /\ a.from < b.from

\* With a quorum of votes the log with the largest (logView, op) becomes the view's log, and the largest commit its
\* commit. Never (view, op): canaries E6, E7.
ChooseLog(r) ==
    /\ status[r] = "view-change"
    /\ IsPrimary(r)
    /\ ChangeQuorum(r)
    /\ HasNoTarget(r)
    /\ LogNotAdopted(r)
    /\ LET best == CHOOSE v \in changeVotes[r] : \A other \in changeVotes[r] : other = v \/ Better(v, other)
           most == CHOOSE v \in changeVotes[r] : \A other \in changeVotes[r] : other.commit <= v.commit IN
       target' = [target EXCEPT ![r] = [from |-> best.from, op |-> best.op, hash |-> best.hash,
                                        commit |-> most.commit, next |-> commit[r] + 1]]
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* A StartView of a higher view, or of this one when its log is not yet known here. One that is older, or a second
\* one for a view already entered, is ignored (canary E8). VRR 4.2 step 5.
ReceiveStartView(r) == \E m \in messages :
    /\ m.type = "StartView"
    /\ status[r] = "view-change"
    /\ ViewOpen(r, m)
    /\ MoveTo(r, m.view)
    /\ target' = [target EXCEPT ![r] = [from |-> m.from, op |-> m.op, hash |-> m.hash, commit |-> commit[r],
                                        next |-> commit[r] + 1]]
    /\ UNCHANGED <<logView, log, logDurable, commit, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED clientVars

\* The same for a replica that knew of no view change at all.
ReceiveStartViewWhileNormal(r) == \E m \in messages :
    /\ m.type = "StartView"
    /\ status[r] = "normal"
    /\ HigherView(r, m)
    /\ MoveTo(r, m.view)
    /\ target' = [target EXCEPT ![r] = [from |-> m.from, op |-> m.op, hash |-> m.hash, commit |-> commit[r],
                                        next |-> commit[r] + 1]]
    /\ UNCHANGED <<logView, log, logDurable, commit, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED clientVars

\* Asks the replica that named the log for the next entry above the own commit: below it all logs are equal.
RequestEntry(r) ==
    /\ status[r] = "view-change"
    /\ HasTarget(r)
    /\ TargetNotReached(r)
    /\ messages' = messages \cup
         {[type |-> "RequestEntry", from |-> r, to |-> target[r].from, view |-> view[r], op |-> target[r].next]}
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, target, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* Answers from the log as it is; it stands still in a view change, and in the view's primary it only grows.
ReceiveRequestEntry(r) == \E m \in messages :
    /\ m.type = "RequestEntry"
    /\ status[r] \in {"normal", "view-change"}
    /\ AddressedHere(r, m)
    /\ SameView(r, m)
    /\ HoldsOp(r, m)
    /\ messages' = messages \cup
         {[type |-> "Entry", from |-> r, to |-> m.from, view |-> view[r], op |-> m.op, entry |-> log[r][m.op]]}
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, target, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* An entry of the view's log that this log has too.
ReceiveHeldEntry(r) == \E m \in messages :
    /\ m.type = "Entry"
    /\ status[r] = "view-change"
    /\ AddressedHere(r, m)
    /\ SameView(r, m)
    /\ HasTarget(r)
    /\ IsWanted(r, m)
    /\ EntryHeld(r, m)
    /\ target' = [target EXCEPT ![r].next = @ + 1]
    /\ UNCHANGED <<status, view, logView, log, logDurable, commit, acked, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* An entry of the view's log that replaces what stands here from this op on. That is safe before the log is whole,
\* with the old logView: nothing from the first difference on can have been committed, and what replaces it holds
\* everything that was. The view is durable first: a replica that could return to the old view would have lost what
\* it acknowledged there (TLC, 18 steps).
ReceiveMissingEntry(r) == \E m \in messages :
    /\ m.type = "Entry"
    /\ status[r] = "view-change"
    /\ AddressedHere(r, m)
    /\ SameView(r, m)
    /\ HasTarget(r)
    /\ IsWanted(r, m)
    /\ EntryMissing(r, m)
    /\ ViewIsDurable(r)
    /\ log' = [log EXCEPT ![r] = Append(SubSeq(@, 1, m.op - 1), m.entry)]
    /\ target' = [target EXCEPT ![r].next = @ + 1]
    /\ UNCHANGED <<status, view, logView, logDurable, commit, acked, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* The log is whole: its end has the hash that was named, and the chain proves the rest. What lies above goes.
AdoptLog(r) ==
    /\ status[r] = "view-change"
    /\ HasTarget(r)
    /\ LogNotAdopted(r)
    /\ TargetReached(r)
    /\ ViewIsDurable(r)
    /\ log' = [log EXCEPT ![r] = SubSeq(@, 1, target[r].op)]
    /\ logView' = [logView EXCEPT ![r] = view[r]]
    /\ commit' = [commit EXCEPT ![r] = Maximum(@, target[r].commit)]
    /\ UNCHANGED <<status, view, logDurable, acked, target, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* The new primary begins its view when log, view and logView are durable, and only then says so. VRR 4.2 step 4;
\* canaries E13, E14.
StartView(r) ==
    /\ status[r] = "view-change"
    /\ IsPrimary(r)
    /\ LogAdopted(r)
    /\ LogIsDurable(r)
    /\ status' = [status EXCEPT ![r] = "normal"]
    /\ viewDurable' = [viewDurable EXCEPT ![r] = view[r]]
    /\ logViewDurable' = [logViewDurable EXCEPT ![r] = logView[r]]
    /\ commitDurable' = [commitDurable EXCEPT ![r] = commit[r]]
    /\ acked' = [acked EXCEPT ![r] = [NoAcks EXCEPT ![r] = Op(r)]]
    /\ startVotes' = [startVotes EXCEPT ![r] = {}]
    /\ changeVotes' = [changeVotes EXCEPT ![r] = {}]
    /\ target' = [target EXCEPT ![r] = NoTarget]
    /\ messages' = messages \cup
         {[type |-> "StartView", from |-> r, view |-> view[r], op |-> Op(r), hash |-> HashAt(r, Op(r))]}
    /\ UNCHANGED <<view, logView, log, logDurable, commit, crashes>>
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* A backup enters the view when log, view and logView are durable, and acknowledges the whole of the log.
EnterView(r) ==
    /\ status[r] = "view-change"
    /\ IsBackup(r)
    /\ LogAdopted(r)
    /\ LogIsDurable(r)
    /\ status' = [status EXCEPT ![r] = "normal"]
    /\ viewDurable' = [viewDurable EXCEPT ![r] = view[r]]
    /\ logViewDurable' = [logViewDurable EXCEPT ![r] = logView[r]]
    /\ commitDurable' = [commitDurable EXCEPT ![r] = commit[r]]
    /\ startVotes' = [startVotes EXCEPT ![r] = {}]
    /\ changeVotes' = [changeVotes EXCEPT ![r] = {}]
    /\ target' = [target EXCEPT ![r] = NoTarget]
    /\ messages' = messages \cup {[type |-> "PrepareOk", from |-> r, view |-> view[r], op |-> Op(r)]}
    /\ UNCHANGED <<view, logView, log, logDurable, commit, acked, crashes>>
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

-----------------------------------------------------------------------------
(* Crash and restart from the disk *)

\* Everything volatile is gone. Writes that were not yet synced are lost here; that some of them survive is the case
\* of an fsync whose messages are lost.
Crash(r) ==
    /\ status[r] \in {"normal", "view-change"}
    /\ status' = [status EXCEPT ![r] = "recovering"]
    /\ view' = [view EXCEPT ![r] = viewDurable[r]]
    /\ logView' = [logView EXCEPT ![r] = logViewDurable[r]]
    /\ log' = [log EXCEPT ![r] = logDurable[r]]
    /\ commit' = [commit EXCEPT ![r] = commitDurable[r]]
    /\ acked' = [acked EXCEPT ![r] = NoAcks]
    /\ startVotes' = [startVotes EXCEPT ![r] = {}]
    /\ changeVotes' = [changeVotes EXCEPT ![r] = {}]
    /\ target' = [target EXCEPT ![r] = NoTarget]
    /\ reading' = [reading EXCEPT ![r] = NoReading]
    /\ readOwed' = [readOwed EXCEPT ![r] = 0]
    /\ crashes' = crashes + 1
    /\ UNCHANGED <<logDurable, messages>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED clientVars

\* A backup takes up its view where it left it: it holds everything that it ever acknowledged.
RestartAsBackup(r) ==
    /\ status[r] = "recovering"
    /\ LeftNormally(r)
    /\ IsBackup(r)
    /\ status' = [status EXCEPT ![r] = "normal"]
    /\ UNCHANGED <<view, logView, log, logDurable, commit, acked, target, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED voteVars
    /\ UNCHANGED readVars
    /\ UNCHANGED clientVars

\* A primary may have sent prepares that it lost; it must not number others alike, so it asks for the next view.
RestartAsPrimary(r) ==
    /\ status[r] = "recovering"
    /\ LeftNormally(r)
    /\ IsPrimary(r)
    /\ MoveTo(r, view[r] + 1)
    /\ UNCHANGED <<logView, log, logDurable, commit, target, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED clientVars

\* The view is durable and its log is not: the replica goes on with the next view, since the votes that it gave and
\* gathered in this one are forgotten.
RestartInViewChange(r) ==
    /\ status[r] = "recovering"
    /\ LeftInViewChange(r)
    /\ MoveTo(r, view[r] + 1)
    /\ UNCHANGED <<logView, log, logDurable, commit, target, messages, crashes>>
    /\ UNCHANGED superblockVars
    /\ UNCHANGED clientVars

-----------------------------------------------------------------------------
System ==
    \/ \E r \in Replicas : ReceivePrepare(r)
    \/ \E r \in Replicas : BackupFsync(r)
    \/ \E r \in Replicas : PrimaryFsync(r)
    \/ \E r \in Replicas : ReceivePrepareOk(r)
    \/ \E r \in Replicas : SendCommit(r)
    \/ \E r \in Replicas : ReceiveCommit(r)
    \/ \E r \in Replicas : PersistCommit(r)
    \/ \E r \in Replicas : ReceiveReadRound(r)
    \/ \E r \in Replicas : ReceiveReadRoundOk(r)
    \/ \E r \in Replicas : CompleteRead(r)
    \/ \E r \in Replicas : JoinViewChange(r)
    \/ \E r \in Replicas : JoinView(r)
    \/ \E r \in Replicas : ViewChangeFsync(r)
    \/ \E r \in Replicas : PersistView(r)
    \/ \E r \in Replicas : ReceiveStartViewChange(r)
    \/ \E r \in Replicas : AnswerStartViewChange(r)
    \/ \E r \in Replicas : SendDoViewChange(r)
    \/ \E r \in Replicas : CastOwnChangeVote(r)
    \/ \E r \in Replicas : ReceiveDoViewChange(r)
    \/ \E r \in Replicas : ChooseLog(r)
    \/ \E r \in Replicas : ReceiveStartView(r)
    \/ \E r \in Replicas : ReceiveStartViewWhileNormal(r)
    \/ \E r \in Replicas : RequestEntry(r)
    \/ \E r \in Replicas : ReceiveRequestEntry(r)
    \/ \E r \in Replicas : ReceiveHeldEntry(r)
    \/ \E r \in Replicas : ReceiveMissingEntry(r)
    \/ \E r \in Replicas : AdoptLog(r)
    \/ \E r \in Replicas : StartView(r)
    \/ \E r \in Replicas : EnterView(r)
    \/ \E r \in Replicas : RestartAsBackup(r)
    \/ \E r \in Replicas : RestartAsPrimary(r)
    \/ \E r \in Replicas : RestartInViewChange(r)

Environment ==
    \/ \E r \in Replicas : ClientRequest(r)
    \/ \E r \in Replicas : StartReadRound(r)
    \/ \E r \in Replicas : HeartbeatTimeout(r)
    \/ \E r \in Replicas : Abdicate(r)
    \/ \E r \in Replicas : ViewChangeTimeout(r)
    \/ \E r \in Replicas : Crash(r)

Next == System \/ Environment

Fairness == WF_vars(System)

Spec == Init /\ [][Next]_vars /\ Fairness

-----------------------------------------------------------------------------
(* Invariants *)

\* No two replicas commit different entries at one op, and what a client was told is what they committed.
Agreement ==
    /\ \A r \in Replicas, q \in Replicas :
          \A n \in 1..Minimum(commit[r], commit[q]) :
             (n <= Op(r) /\ n <= Op(q)) => log[r][n] = log[q][n]
    /\ \A r \in Replicas : \A n \in 1..Minimum(commit[r], Len(acknowledged)) :
          n <= Op(r) => log[r][n] = acknowledged[n]

\* In one view all logs are one log, of different lengths.
PrefixConsistency ==
    \A r \in Replicas, q \in Replicas :
       (status[r] = "normal" /\ status[q] = "normal" /\ view[r] = view[q]) =>
          \A n \in 1..Minimum(Op(r), Op(q)) : log[r][n] = log[q][n]

\* Nobody commits what it does not hold (canary E9).
CommitNotExceedOp == \A r \in Replicas : commit[r] <= Op(r)

\* A crash never takes a replica back behind a view that it has voted in (canary E15).
ViewMonotonic ==
    /\ \A m \in messages : m.type \in {"StartViewChange", "DoViewChange", "StartView", "PrepareOk", "ReadRoundOk"} =>
          m.view <= viewDurable[m.from]
    /\ \A r \in Replicas : logViewDurable[r] <= viewDurable[r]

\* A view has one history: no op is prepared in it twice with different entries (canary E14).
LeaderUniquePerView ==
    \A m \in messages, n \in messages :
       (m.type = "Prepare" /\ n.type = "Prepare" /\ m.view = n.view /\ m.op = n.op) => m.entry = n.entry

\* What a replica has acknowledged or brought to a view change, it holds durable for as long as it can act in that
\* view (canaries E13, E21).
AcknowledgedIsDurable ==
    /\ \A m \in messages : m.type = "PrepareOk" =>
          /\ logViewDurable[m.from] >= m.view
          /\ viewDurable[m.from] = m.view => Len(logDurable[m.from]) >= m.op
    /\ \A m \in messages : m.type = "DoViewChange" => logViewDurable[m.from] >= m.logView

\* Nothing acknowledged is ever lost: a quorum holds it durable at all times.
CommittedSurvives ==
    \A n \in 1..Len(acknowledged) :
       Cardinality({r \in Replicas : Len(logDurable[r]) >= n /\ logDurable[r][n] = acknowledged[n]}) >= Quorum

\* A read shows everything that clients had been told when it began, and nothing that they may not be told yet: no primary
\* that others have left behind answers from what it knows.
ReadsLinearizable ==
    \A answer \in readAnswers : answer.owed <= answer.shown /\ answer.shown <= Len(acknowledged)

\* What this life of a primary has not asked, nobody can have answered: a view has one count of rounds.
ReadRoundsUnique ==
    \A m \in messages :
       (m.type = "ReadRound" /\ status[m.from] = "normal" /\ m.view = view[m.from]) => m.round <= reading[m.from].round

\* Every entry names the hash of the one before it (canary E30).
HashChain == \A r \in Replicas : \A n \in 1..Op(r) : log[r][n].parent = HashAt(r, n - 1)
=============================================================================
