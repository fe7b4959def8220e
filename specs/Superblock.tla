----------------------------- MODULE Superblock -----------------------------
(* What a replica must know before it reads its log: identity, view, logView, commit, in four copies in distinct sectors.
   An update goes in two halves: write copies 0 and 1, sync, write copies 2 and 3, sync; so at any byte of any write at
   least two copies are not being written. Open takes the newest whole copy and installs it everywhere, in the same two
   halves, before anybody sees it: what was seen once is never older after the next crash. Copies that already hold it
   are not written again, so a repair never writes over what it repairs from.
   Fault budget, exactly. damage counts whole copies destroyed or left behind since the four copies last agreed: a
   corruption costs one, a write torn by a crash or by a failing disk costs one for each whole copy it tears, a write
   that landed on another copy costs one (it leaves its target behind). While damage <= DamageMax (3) nothing that was
   acknowledged is lost: any three corruptions of a quiet superblock; a crash in the middle of an update and one more
   corruption or misdirected write. One foreign copy beside that is refused, never opened. What no superblock can see:
   all four copies of an older state put back together (a restored backup).
   After: the superblock of TigerBeetle (src/vsr/superblock_quorums.zig); here the newest state needs no quorum of
   copies, because nothing is acknowledged before all four hold it.
   Left out, and why that is safe: the fields (value stands for view, logView and commit, which move forward together
   or not at all), formatting (the file appears whole by a rename), the bytes of a sector (a test tears at each).
   A hash stands for a state and everything before it; within one history the value tells states apart, so it is the hash. *)
EXTENDS Naturals, FiniteSets

CONSTANTS
    DamageMax,      \* most damage under which nothing acknowledged is lost
    OpenDamageMax   \* most damage under which it opens, too: one less once writes are misdirected

ASSUME DamageMax \in Nat
ASSUME OpenDamageMax \in Nat /\ OpenDamageMax <= DamageMax

VARIABLES
    status,        \* "closed" | "write-first" | "sync-first" | "write-second" | "sync-second" | "open" | "halted"; volatile
    state,         \* the state that is being installed, or is; volatile
    stale,         \* copies that install has still to write; volatile
    copies,        \* what each copy holds on the medium; durable
    inFlight,      \* copies that a write will change at the next sync, or in a crash perhaps: where it lands, not where it was sent
    acknowledged,  \* the newest state that anybody was shown; a history
    written,       \* every state that was ever to be written; a history
    damage         \* whole copies lost since the four last agreed; a history

vars == <<status, state, stale, copies, inFlight, acknowledged, written, damage>>

Copies     == 0..3
FirstHalf  == {0, 1}
SecondHalf == {2, 3}
\* How a crash may end what is in flight, never more than two writes: it tears, it lands, or it is lost.
Halves     == {half \in SUBSET Copies : Cardinality(half) <= 2}
Installing == {"write-first", "sync-first", "write-second", "sync-second"}
Stranger   == 1000  \* a hash that no state of this history has

Genesis == [sequence |-> 0, value |-> 0, parent |-> 0, whole |-> TRUE]
Nothing == [sequence |-> 0, value |-> 0, parent |-> 0, whole |-> FALSE]
Foreign(n) == [sequence |-> n, value |-> 0, parent |-> Stranger, whole |-> TRUE]

TypeOK ==
    /\ status \in Installing \cup {"closed", "open", "halted"}
    /\ state.sequence \in Nat /\ state.value \in Nat
    /\ stale \subseteq Copies
    /\ \A c \in Copies : copies[c].sequence \in Nat /\ copies[c].value \in Nat /\ copies[c].whole \in BOOLEAN
    /\ inFlight \subseteq Copies
    /\ acknowledged.whole
    /\ \A item \in written : item.whole
    /\ damage \in Nat

WholeCopies      == {c \in Copies : copies[c].whole}
IsNewest(c)      == \A d \in WholeCopies : copies[d].sequence <= copies[c].sequence
NewestCopies     == {c \in WholeCopies : IsNewest(c)}
Newest           == copies[CHOOSE c \in NewestCopies : TRUE]
HashOf(item)     == IF item.parent = Stranger THEN Stranger ELSE item.value
IsParent(old, new) == old.sequence + 1 = new.sequence /\ HashOf(old) = new.parent
\* A second copy that holds the newest state, or its parent beside it, shows that it is of this history.
Vouched(new)     == \/ Cardinality({c \in WholeCopies : copies[c] = new}) >= 2
                    \/ \E c \in WholeCopies : IsParent(copies[c], new)
\* A copy that lags further is one that two updates missed: it proves nothing itself.
LagsBehind(old, new) == old.sequence + 1 < new.sequence /\ Vouched(new)
Child(value)     == [sequence |-> state.sequence + 1, value |-> value, parent |-> HashOf(state), whole |-> TRUE]
Broken(item)     == [item EXCEPT !.whole = FALSE]
\* What the medium holds once every write in flight has landed.
Landed           == [c \in Copies |-> IF c \in inFlight THEN state ELSE copies[c]]
Torn(torn)       == Cardinality(torn \cap WholeCopies)

Init ==
    /\ status       = "closed"
    /\ state        = Nothing
    /\ stale        = {}
    /\ copies       = [c \in Copies |-> Genesis]
    /\ inFlight     = {}
    /\ acknowledged = Genesis
    /\ written      = {Genesis}
    /\ damage       = 0

-----------------------------------------------------------------------------
(* Guards, each by the name that the machine and the explanations use. *)

CopyReadable     == WholeCopies # {}        \* At least one copy is whole.
NoCopyReadable   == WholeCopies = {}        \* No copy is whole.
\* The whole copies of the highest sequence are all the same.
OneNewest        == \A c \in NewestCopies : \A d \in NewestCopies : copies[c] = copies[d]
\* Every older whole copy is the parent of the newest, or proves nothing.
ParentMatches    == \A c \in NewestCopies : \A d \in WholeCopies \ NewestCopies :
                        IsParent(copies[d], copies[c]) \/ LagsBehind(copies[d], copies[c])
Contradicted     == ~OneNewest \/ ~ParentMatches  \* The whole copies are of two histories.
Advances(value)  == value > state.value      \* The new state is later than the present one.
HoldsWhole(c)    == copies[c].whole          \* This copy is whole.
WriteInFlight(c) == c \in inFlight           \* A write is on its way to this copy.
FirstHalfStale   == stale \cap FirstHalf # {}   \* One of the first two copies is to be written.
SecondHalfStale  == stale \cap SecondHalf # {}  \* One of the last two copies is to be written.
\* Only what was on its way can tear or land in a crash.
MayEndSo(torn, landed) == torn \subseteq inFlight /\ landed \subseteq inFlight

-----------------------------------------------------------------------------
(* System. *)

\* The newest whole copy is the state. Whoever holds anything else is written again before the state is shown.
\* Two whole copies of one sequence that differ, or a newest that does not follow the one before, is another history.
Open ==
    /\ status = "closed"
    /\ CopyReadable
    /\ OneNewest
    /\ ParentMatches
    /\ status' = "write-first"
    /\ state' = Newest
    /\ stale' = {c \in Copies : copies[c] # Newest}
    /\ UNCHANGED <<copies, inFlight, acknowledged, written, damage>>

\* No copy is whole: nothing can be said about what was acknowledged, so nothing is opened.
HaltUnreadable ==
    /\ status = "closed"
    /\ NoCopyReadable
    /\ status' = "halted"
    /\ UNCHANGED <<state, stale, copies, inFlight, acknowledged, written, damage>>

\* Copies of two histories: to take either would be a guess.
HaltContradicted ==
    /\ status = "closed"
    /\ Contradicted
    /\ status' = "halted"
    /\ UNCHANGED <<state, stale, copies, inFlight, acknowledged, written, damage>>

\* The next state follows the present one by sequence and parent hash. View, logView and commit never go back.
Update(value) ==
    /\ status = "open"
    /\ Advances(value)
    /\ status' = "write-first"
    /\ state' = Child(value)
    /\ stale' = Copies
    /\ written' = written \cup {Child(value)}
    /\ UNCHANGED <<copies, inFlight, acknowledged, damage>>

\* Of the first two copies those that hold anything else are written; the other two stay as they are.
WriteFirstHalf ==
    /\ status = "write-first"
    /\ status' = "sync-first"
    /\ inFlight' = stale \cap FirstHalf
    /\ UNCHANGED <<state, stale, copies, acknowledged, written, damage>>

\* The second half is not touched before the first is durable: a crash never tears more than one half.
SyncFirstHalf ==
    /\ status = "sync-first"
    /\ status' = "write-second"
    /\ copies' = Landed
    /\ inFlight' = {}
    /\ stale' = stale \ FirstHalf
    /\ UNCHANGED <<state, acknowledged, written, damage>>

\* The first half is durable, so the second may be written: one half is whole at every moment.
WriteSecondHalf ==
    /\ status = "write-second"
    /\ status' = "sync-second"
    /\ inFlight' = stale \cap SecondHalf
    /\ UNCHANGED <<state, stale, copies, acknowledged, written, damage>>

\* Only now is the state shown. Four copies that agree have made good all damage of before.
SyncSecondHalf ==
    /\ status = "sync-second"
    /\ status' = "open"
    /\ copies' = Landed
    /\ inFlight' = {}
    /\ stale' = {}
    /\ acknowledged' = IF state.sequence < acknowledged.sequence THEN acknowledged ELSE state
    /\ damage' = IF damage <= DamageMax /\ \A c \in Copies : Landed[c] = state THEN 0 ELSE damage
    /\ UNCHANGED <<state, written>>

-----------------------------------------------------------------------------
(* Environment. *)

\* The disk refuses in the middle of a half: of its writes some may land, whole or torn. Nothing is retried: what is on
\* the medium is unknown, and only reading it again tells. Without a write there is nothing to refuse.
WriteFirstFails(landed) ==
    /\ status = "write-first"
    /\ FirstHalfStale
    /\ status' = "halted"
    /\ inFlight' = landed \cap stale
    /\ UNCHANGED <<state, stale, copies, acknowledged, written, damage>>

\* As in the first half; the first half holds the state by now, and it is not shown all the same.
WriteSecondFails(landed) ==
    /\ status = "write-second"
    /\ SecondHalfStale
    /\ status' = "halted"
    /\ inFlight' = landed \cap stale
    /\ UNCHANGED <<state, stale, copies, acknowledged, written, damage>>

\* A sync that fails is not repeated: the second would say yes about pages that the kernel has forgotten.
SyncFails ==
    /\ status \in {"sync-first", "sync-second"}
    /\ status' = "halted"
    /\ UNCHANGED <<state, stale, copies, inFlight, acknowledged, written, damage>>

\* A write lands on another copy than the one it was sent to, and nobody notices.
Misdirect(from, to) ==
    /\ status \in {"sync-first", "sync-second"}
    /\ WriteInFlight(from)
    /\ inFlight' = (inFlight \ {from}) \cup {to}
    /\ damage' = IF copies[from].whole THEN damage + 1 ELSE damage
    /\ UNCHANGED <<status, state, stale, copies, acknowledged, written>>

\* Rot: a copy fails its checksum from now on.
Corrupt(c) ==
    /\ HoldsWhole(c)
    /\ copies' = [copies EXCEPT ![c] = Broken(@)]
    /\ damage' = damage + 1
    /\ UNCHANGED <<status, state, stale, inFlight, acknowledged, written>>

\* A whole copy of another history appears: a restored file, or a second process that no lock stopped.
Intrude(c, n) ==
    /\ HoldsWhole(c)
    /\ copies' = [copies EXCEPT ![c] = Foreign(n)]
    /\ damage' = damage + 1
    /\ UNCHANGED <<status, state, stale, inFlight, acknowledged, written>>

\* The process ends, by kill or power loss or in good order. Of the writes in flight some tear, some land, the rest is
\* lost, each for itself.
Crash(torn, landed) ==
    /\ status # "closed"
    /\ MayEndSo(torn, landed)
    /\ status' = "closed"
    /\ copies' = [c \in Copies |-> IF c \in torn THEN Broken(state) ELSE IF c \in landed THEN state ELSE copies[c]]
    /\ damage' = damage + Torn(torn)
    /\ state' = Nothing
    /\ stale' = {}
    /\ inFlight' = {}
    /\ UNCHANGED <<acknowledged, written>>

System ==
    \/ Open
    \/ HaltUnreadable
    \/ HaltContradicted
    \/ WriteFirstHalf
    \/ SyncFirstHalf
    \/ WriteSecondHalf
    \/ SyncSecondHalf

Environment ==
    \/ \E value \in Nat : Update(value)
    \/ \E landed \in SUBSET FirstHalf : WriteFirstFails(landed)
    \/ \E landed \in SUBSET SecondHalf : WriteSecondFails(landed)
    \/ SyncFails
    \/ \E from \in Copies : \E to \in Copies \ {from} : Misdirect(from, to)
    \/ \E c \in Copies : Corrupt(c)
    \/ \E c \in Copies : \E n \in Nat : Intrude(c, n)
    \/ \E torn \in Halves : \E landed \in {half \in Halves : half \cap torn = {}} : Crash(torn, landed)

Next == System \/ Environment

Fairness == WF_vars(System)
Spec == Init /\ [][Next]_vars /\ Fairness

-----------------------------------------------------------------------------
(* What must hold. *)

Running  == status \in Installing \cup {"open"}
Promised == damage <= DamageMax
NoStranger == \A c \in WholeCopies : copies[c].parent # Stranger

\* Forbids losing what somebody was shown: if everything in flight were lost now, a copy at least as new would be there.
AcknowledgedSurvives ==
    Promised => \E c \in WholeCopies : copies[c].sequence >= acknowledged.sequence /\ copies[c] \in written

\* Forbids a replica that stops although the damage is within the budget. A lone newest copy beside one that two updates
\* missed could be a stranger's: that is refused, and it takes a misdirected write and damage of three in all.
OpensWithinBudget ==
    (damage <= OpenDamageMax /\ NoStranger) => (CopyReadable /\ OneNewest /\ ParentMatches)

\* Forbids an update or a repair that a crash could make worse than the damage before it: if all that is in flight tore
\* now, and at most one copy was lost before, there is still one at least as new as what somebody was shown.
TornHalfSurvives ==
    damage + 2 <= DamageMax => \E c \in WholeCopies \ inFlight :
        copies[c].sequence >= acknowledged.sequence /\ copies[c] \in written

\* Forbids a repair that writes over what it repairs from: a whole copy of the state is not to be written.
RepairKeepsSource ==
    (Promised /\ Running /\ state = acknowledged) => \E c \in WholeCopies \ stale : copies[c] = state

\* Forbids a halt at open for no reason.
HaltsForDamageOnly == (status = "halted" /\ ~state.whole) => damage > 0

\* Forbids running on what was not read whole, whatever the damage.
RunsOnWhole == Running => state.whole

\* Forbids a state that nobody wrote: a torn copy, a corrupt one, a foreign one.
NeverForged == (Promised /\ Running) => state \in written

\* Forbids a view, logView, commit or sequence that goes back.
Monotonic ==
    (Promised /\ Running) => (state.sequence >= acknowledged.sequence /\ state.value >= acknowledged.value)

\* Forbids two histories: what runs is what was shown last, or its child.
ParentChain ==
    (Promised /\ Running) => (state = acknowledged \/ IsParent(acknowledged, state))

\* Forbids showing a state that fewer than all four writes were made for: once shown and undamaged, all four hold it.
ShownIsEverywhere ==
    (status = "open" /\ damage = 0) => \A c \in Copies : copies[c] = state

\* Forbids an install that never ends.
InstallEnds == (status \in Installing) ~> (status \notin Installing)
=============================================================================
