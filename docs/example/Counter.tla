------------------------------ MODULE Counter ------------------------------
\* A counter with one slot of durable memory: the smallest system with a crash.
\* It is the example of the conformance library (docs/conformance.md), not a part of Lockstep.
EXTENDS Naturals

CONSTANT Limit
ASSUME Limit \in Nat

VARIABLES
    status,  \* "up" or "down"
    count,   \* the value in memory; lost by a crash
    saved    \* the value on disk
vars == <<status, count, saved>>

TypeOK ==
    /\ status \in {"up", "down"}
    /\ count \in 0..Limit
    /\ saved \in 0..Limit

Init ==
    /\ status = "up"
    /\ count = 0
    /\ saved = 0

BelowLimit == count < Limit
Unsaved == count # saved

Increment ==
    /\ status = "up"
    /\ BelowLimit
    /\ count' = count + 1
    /\ UNCHANGED <<status, saved>>

Save ==
    /\ status = "up"
    /\ Unsaved
    /\ saved' = count
    /\ UNCHANGED <<status, count>>

Crash ==
    /\ status = "up"
    /\ status' = "down"
    /\ count' = 0
    /\ UNCHANGED saved

Restart ==
    /\ status = "down"
    /\ status' = "up"
    /\ count' = saved
    /\ UNCHANGED saved

Next ==
    \/ Increment
    \/ Save
    \/ Crash
    \/ Restart

Fairness == WF_vars(Restart)
Spec == Init /\ [][Next]_vars /\ Fairness

\* Forbids a disk that knows more than was ever counted.
SavedWasCounted == status = "up" => saved <= count

\* Forbids a counter that stays down for ever.
ComesBack == status = "down" ~> status = "up"
=============================================================================
