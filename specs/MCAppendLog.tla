---------------------------- MODULE MCAppendLog ----------------------------
(* The bounds of the models of AppendLog, as guards: the edge of a model is a real state. *)
EXTENDS AppendLog

CONSTANTS
    MaxAppended,   \* most records ever written
    MaxBatch,      \* most records of a batch
    MaxAllocated,  \* largest file, in records
    MaxDamage,     \* most cells damaged
    MayFail,       \* whether writes are short or fail, and syncs fail
    MayFill        \* whether the space runs out

BatchSizes == 1..MaxBatch

MCGrow(n)          == allocated < MaxAllocated /\ Grow(n)
MCGrowNoSpace(n)   == allocated < MaxAllocated /\ GrowNoSpace(n)
MCWriteNoSpace(n)  == allocated < MaxAllocated /\ WriteNoSpace(n)
MCAppendBatch(n)   == appended + n <= MaxAppended /\ AppendBatch(n)
MCShortWrite(n, k) == MayFail /\ appended + n <= MaxAppended /\ ShortWrite(n, k)
MCWriteFails(n)    == MayFail /\ appended + n <= MaxAppended /\ WriteFails(n)
MCFsyncFails       == MayFail /\ FsyncFails
MCSpaceRunsOut     == MayFill /\ SpaceRunsOut
MCRot(i)           == damage < MaxDamage /\ Rot(i)
MCIntrude(i)       == damage < MaxDamage /\ Intrude(i)

MCSystem ==
    \/ Reopen
    \/ ReopenCuttingTail
    \/ ReopenDamaged
    \/ \E n \in BatchSizes : MCGrow(n)
    \/ FinishWrite
    \/ Fsync
    \/ Reverify
    \/ ReverifyDamaged
    \/ Resume

MCEnvironment ==
    \/ \E n \in BatchSizes : MCAppendBatch(n)
    \/ \E n \in BatchSizes : MCGrowNoSpace(n)
    \/ \E n \in BatchSizes : MCWriteNoSpace(n)
    \/ \E n \in BatchSizes : \E k \in 0..(n - 1) : MCShortWrite(n, k)
    \/ \E n \in BatchSizes : MCWriteFails(n)
    \/ MCFsyncFails
    \/ Exit
    \/ \E k \in 0..MaxAppended : Crash(k)
    \/ \E k \in 0..MaxAppended : CrashTearing(k)
    \/ Evict
    \/ MCSpaceRunsOut
    \/ SpaceReturns
    \/ \E i \in 1..MaxAppended : MCRot(i)
    \/ \E i \in 1..MaxAppended : MCIntrude(i)

MCNext == MCSystem \/ MCEnvironment

MCSpec == Init /\ [][MCNext]_vars
MCLiveSpec == Init /\ [][MCNext]_vars /\ WF_vars(MCSystem)
=============================================================================
