--------------------------- MODULE ReplicatedLog ---------------------------
(* What every protocol here refines: one log of acknowledged entries that only ever grows at its end. No replica, no
   message, no failure: if a client was told of an entry, that entry has its place for good. *)
EXTENDS Naturals, Sequences

VARIABLE chosen  \* acknowledged entries in order of op

Init == chosen = <<>>

\* Any number of entries may be acknowledged at once; none is changed or taken back.
Acknowledge ==
    /\ Len(chosen') > Len(chosen)
    /\ SubSeq(chosen', 1, Len(chosen)) = chosen

Next == Acknowledge

Spec == Init /\ [][Next]_<<chosen>>
=============================================================================
