---------------------------- MODULE MCSuperblock ----------------------------
(* The bounds of the models of Superblock, as guards: the edge of a model is a real state. *)
EXTENDS Superblock

CONSTANTS
    MaxValue,      \* highest value that an update may ask for; sequences go as far
    MaxDamage,     \* most damage in all: one more than DamageMax shows what happens beyond the budget
    MayCorrupt,    \* whether copies rot
    MayMisdirect,  \* whether writes land elsewhere
    MayIntrude,    \* whether a foreign copy may appear; one at a time
    MayFail        \* whether the disk reports errors

MCUpdate(value)            == value <= MaxValue /\ Update(value)
MCWriteFirstFails(landed)  == MayFail /\ WriteFirstFails(landed)
MCWriteSecondFails(landed) == MayFail /\ WriteSecondFails(landed)
MCSyncFails                == MayFail /\ SyncFails
MCMisdirect(from, to)      == MayMisdirect /\ damage < MaxDamage /\ Misdirect(from, to)
MCCorrupt(c)               == MayCorrupt /\ damage < MaxDamage /\ Corrupt(c)
MCIntrude(c, n)            == MayIntrude /\ NoStranger /\ damage < MaxDamage /\ Intrude(c, n)
MCCrash(torn, landed)      == MayEndSo(torn, landed) /\ damage + Torn(torn) <= MaxDamage /\ Crash(torn, landed)

MCSystem ==
    \/ Open
    \/ HaltUnreadable
    \/ HaltContradicted
    \/ WriteFirstHalf
    \/ SyncFirstHalf
    \/ WriteSecondHalf
    \/ SyncSecondHalf

MCEnvironment ==
    \/ \E value \in 1..MaxValue : MCUpdate(value)
    \/ \E landed \in SUBSET FirstHalf : MCWriteFirstFails(landed)
    \/ \E landed \in SUBSET SecondHalf : MCWriteSecondFails(landed)
    \/ MCSyncFails
    \/ \E from \in Copies : \E to \in Copies \ {from} : MCMisdirect(from, to)
    \/ \E c \in Copies : MCCorrupt(c)
    \/ \E c \in Copies : \E n \in 0..(MaxValue + 2) : MCIntrude(c, n)
    \/ \E torn \in Halves : \E landed \in {half \in Halves : half \cap torn = {}} : MCCrash(torn, landed)

MCNext == MCSystem \/ MCEnvironment

MCSpec == Init /\ [][MCNext]_vars
MCFairness == WF_vars(MCSystem)
MCLiveSpec == Init /\ [][MCNext]_vars /\ MCFairness
=============================================================================
