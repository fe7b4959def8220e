----------------------------- MODULE AppendLog -----------------------------
(* A write-ahead log in one preallocated file: append in batches, fsync, torn tail, crash, reopen, and a disk that fails.
   What a read sees (file) and what a power loss leaves (medium) are apart; a sync makes the second like the first. What
   was written and not synced survives a power loss as a prefix in the order of writing, the last record of it perhaps torn.
   A failed sync: the kernel may have dropped the pages, so a second sync says yes and writes nothing (forgotten). The log
   therefore reads back and writes again what it does not know to be durable, after a failed sync and after every restart;
   UnsyncedMax bounds how much that is.
   After: Rebello et al., "Can Applications Recover from fsync Failures?" (USENIX ATC 2020); Pillai et al., "All File
   Systems Are Not Created Equal" (OSDI 2014); etcd's write-ahead log.
   Left out, and why that is safe: bytes (every record has size one; a test crashes at every byte and flips every byte),
   fsync policies (they choose when Fsync happens, and here it may happen at any time), rotation (component Segments).
   What no log can see by itself: damage to its last record that looks exactly like a torn write, and a whole older copy of
   the file; the superblock's commit is for that (option recordsDurableMin, tested beside the model). *)
EXTENDS Naturals, Sequences

CONSTANTS
    Step,         \* records by which the file grows
    UnsyncedMax   \* most records written and not synced

ASSUME Step \in Nat /\ Step > 0
ASSUME UnsyncedMax \in Nat /\ UnsyncedMax > 0

VARIABLES
    status,        \* "down" | "open" | "full" | "short" | "unknown" | "failed" | "damaged"; volatile
    written,       \* records that the disk has taken, as the process knows; volatile
    durable,       \* of these known durable; volatile
    head,          \* chain hash of the last record written; volatile
    owed,          \* records of a batch of which the disk took a part; 0 when none is owed; volatile
    allocated,     \* records that the preallocated file has room for; durable
    file,          \* the cells as a read sees them, up to the last one that was ever written; lost by a power loss
    medium,        \* the cells that a power loss leaves for sure; durable
    forgotten,     \* whether the kernel has dropped what is in file and not on the medium: a sync would not write it
    spaceLeft,     \* whether the device has space for more; the world's
    appended,      \* records that were ever to be written; each takes the next number as its value; a history
    acknowledged,  \* values of the records that were ever reported durable; a history
    cuts,          \* torn tails that were cut; a history
    reported,      \* cuts that the caller was told of; a history
    damage,        \* cells that rotted or were overwritten by a stranger; a history
    damageAtOpen   \* the same when the log was last opened; a history

volatileVars == <<written, durable, head, owed>>
diskVars     == <<allocated, file, medium, forgotten>>
historyVars  == <<appended, acknowledged, cuts, reported, damage, damageAtOpen>>
vars == <<status, written, durable, head, owed, allocated, file, medium, forgotten, spaceLeft,
          appended, acknowledged, cuts, reported, damage, damageAtOpen>>

Genesis  == 0
Stranger == 100  \* a chain hash that no record of this log has

\* A record's hash stands for the record and everything before it: values are unique, so the value is the hash.
Record(value, parent) == [value |-> value, parent |-> parent, state |-> "whole"]
Torn      == [value |-> 0, parent |-> 0, state |-> "torn"]       \* the first bytes of a record, zeros behind them
Rotten    == [value |-> 0, parent |-> 0, state |-> "rotten"]     \* a record in which bytes have changed
Foreign   == [value |-> 0, parent |-> Stranger, state |-> "whole"]
Unwritten == [value |-> 0, parent |-> 0, state |-> "unwritten"]  \* zeros

IsCell(cell) == cell.value \in Nat /\ cell.parent \in Nat /\ cell.state \in {"whole", "torn", "rotten", "unwritten"}

TypeOK ==
    /\ status \in {"down", "open", "full", "short", "unknown", "failed", "damaged"}
    /\ written \in Nat
    /\ durable \in Nat /\ durable <= written
    /\ head \in 0..appended
    /\ owed \in Nat
    /\ allocated \in Nat
    /\ Len(file) <= allocated /\ \A i \in 1..Len(file) : IsCell(file[i])
    /\ Len(medium) <= Len(file) /\ \A i \in 1..Len(medium) : IsCell(medium[i])
    /\ forgotten \in BOOLEAN
    /\ spaceLeft \in BOOLEAN
    /\ appended \in Nat
    /\ Len(acknowledged) <= appended
    /\ cuts \in Nat
    /\ reported \in Nat
    /\ damage \in Nat
    /\ damageAtOpen \in 0..damage

IsWhole(cell)     == cell.state = "whole"  \* The cell holds a record as it was written.
HashBefore(cells, i) == IF i = 1 THEN Genesis ELSE cells[i - 1].value
\* Cell i holds a whole record that continues the one before it.
Continues(cells, i) == IsWhole(cells[i]) /\ cells[i].parent = HashBefore(cells, i)
LastIsTorn(cells) == Len(cells) > 0 /\ cells[Len(cells)].state = "torn"
\* The cells without a torn one at the end.
BeforeTear(cells) == IF LastIsTorn(cells) THEN SubSeq(cells, 1, Len(cells) - 1) ELSE cells
ValuesOf(cells)   == [i \in 1..Len(cells) |-> cells[i].value]
HeadOf(cells)     == IF Len(cells) = 0 THEN Genesis ELSE cells[Len(cells)].value

Replaced(cells, i, cell) == SubSeq(cells, 1, i - 1) \o <<cell>> \o SubSeq(cells, i + 1, Len(cells))

\* n records behind these cells, numbered from `first` on: the first of them follows what the process knows as its head.
Extended(cells, n, first) ==
    cells \o [i \in 1..n |-> Record(first + i - 1, IF i = 1 THEN head ELSE first + i - 2)]

\* What a sync of these cells leaves on the medium when the last `again` of them were written just now.
Synced(cells, again) ==
    IF ~forgotten \/ Len(cells) <= Len(medium) + again THEN cells
    ELSE [i \in 1..Len(cells) |-> IF i <= Len(medium) THEN medium[i]
                                  ELSE IF i + again > Len(cells) THEN cells[i] ELSE Unwritten]

\* What was ever reported durable, once these cells are.
AcknowledgedWith(cells) == acknowledged \o ValuesOf(SubSeq(cells, Len(acknowledged) + 1, Len(cells)))

Init ==
    /\ status       = "open"
    /\ written      = 0
    /\ durable      = 0
    /\ head         = Genesis
    /\ owed         = 0
    /\ allocated    = Step
    /\ file         = <<>>
    /\ medium       = <<>>
    /\ forgotten    = FALSE
    /\ spaceLeft    = TRUE
    /\ appended     = 0
    /\ acknowledged = <<>>
    /\ cuts         = 0
    /\ reported     = 0
    /\ damage       = 0
    /\ damageAtOpen = 0

-----------------------------------------------------------------------------
(* Guards, each by the name that the machine and the explanations use. *)

FileIsWhole       == \A i \in 1..Len(file) : Continues(file, i)                    \* Every record is whole and chained.
\* The last record is torn, and every one before it is whole and chained.
TailIsTorn        == LastIsTorn(file) /\ \A i \in 1..(Len(file) - 1) : Continues(file, i)
DamageBeforeTail  == ~FileIsWhole /\ ~TailIsTorn                                   \* Something is wrong that no torn write leaves.
HasRoom(n)        == written + n <= allocated                                      \* The batch fits into the file.
LacksRoom(n)      == written + n > allocated                                       \* The batch does not fit into the file.
UnsyncedWithinLimit(n) == written + n - durable <= UnsyncedMax                     \* A restart can write again all that is not synced.
SpaceLeft         == spaceLeft                                                     \* The device has space.
NoSpaceLeft       == ~spaceLeft                                                    \* The device has no space.
HasUnsynced       == written # durable                                             \* Something waits for a sync.
\* What is not known durable reads back whole, chained, up to the head.
ReadsBackWhole    == /\ written <= Len(file)
                     /\ \A i \in (durable + 1)..written : IsWhole(file[i])
                     /\ \A i \in (durable + 2)..written : file[i].parent = file[i - 1].value
                     /\ written > durable => file[written].value = head
ReadsBackDamaged  == ~ReadsBackWhole                                               \* It does not.

-----------------------------------------------------------------------------
(* System. *)

\* Everything there is made durable before it is shown: a process before this one may have seen a sync fail.
Reopen ==
    /\ status = "down"
    /\ FileIsWhole
    /\ status' = "open"
    /\ written' = Len(file)
    /\ durable' = Len(file)
    /\ head' = HeadOf(file)
    /\ medium' = Synced(file, UnsyncedMax)
    /\ forgotten' = FALSE
    /\ acknowledged' = AcknowledgedWith(file)
    /\ damageAtOpen' = damage
    /\ UNCHANGED <<owed, allocated, file, spaceLeft, appended, cuts, reported, damage>>

\* What a crash tore was never synced, so never acknowledged: it is cut, and the caller is told.
ReopenCuttingTail ==
    /\ status = "down"
    /\ TailIsTorn
    /\ status' = "open"
    /\ written' = Len(file) - 1
    /\ durable' = Len(file) - 1
    /\ head' = HeadOf(BeforeTear(file))
    /\ file' = BeforeTear(file)
    /\ medium' = Synced(BeforeTear(file), UnsyncedMax)
    /\ forgotten' = FALSE
    /\ acknowledged' = AcknowledgedWith(BeforeTear(file))
    /\ cuts' = cuts + 1
    /\ reported' = reported + 1
    /\ damageAtOpen' = damage
    /\ UNCHANGED <<owed, allocated, spaceLeft, appended, damage>>

\* Damage that no torn write leaves may have hit what was acknowledged: nothing is cut, nothing is taken.
ReopenDamaged ==
    /\ status = "down"
    /\ DamageBeforeTail
    /\ status' = "damaged"
    /\ UNCHANGED <<volatileVars, diskVars, spaceLeft, historyVars>>

\* One more step of real zeros, durable before it is used: a write into it needs no block, a sync no size.
Grow(n) ==
    /\ status = "open"
    /\ LacksRoom(n)
    /\ SpaceLeft
    /\ allocated' = allocated + Step
    /\ UNCHANGED <<status, volatileVars, file, medium, forgotten, spaceLeft, historyVars>>

\* What a short write left over comes before anything else; the batch is then written as a whole.
FinishWrite ==
    /\ status = "short"
    /\ status' = "open"
    /\ file' = Extended(SubSeq(file, 1, written), owed, appended - owed + 1)
    /\ written' = written + owed
    /\ head' = appended
    /\ owed' = 0
    /\ UNCHANGED <<durable, allocated, medium, forgotten, spaceLeft, historyVars>>

\* What was written is durable once the sync has returned, and only now may a caller acknowledge it.
Fsync ==
    /\ status \in {"open", "full"}
    /\ HasUnsynced
    /\ medium' = Synced(file, 0)
    /\ durable' = written
    /\ acknowledged' = AcknowledgedWith(file)
    /\ UNCHANGED <<status, written, head, owed, allocated, file, forgotten, spaceLeft,
                   appended, cuts, reported, damage, damageAtOpen>>

\* After a failed sync nothing is synced again before it was read back, verified and written again.
Reverify ==
    /\ status = "unknown"
    /\ ReadsBackWhole
    /\ status' = "open"
    /\ forgotten' = FALSE
    /\ UNCHANGED <<volatileVars, allocated, file, medium, spaceLeft, historyVars>>

\* It does not read back as it was written: there is nothing to write again.
ReverifyDamaged ==
    /\ status = "unknown"
    /\ ReadsBackDamaged
    /\ status' = "damaged"
    /\ UNCHANGED <<volatileVars, diskVars, spaceLeft, historyVars>>

\* Space has come back: one more step shows it.
Resume ==
    /\ status = "full"
    /\ SpaceLeft
    /\ status' = "open"
    /\ allocated' = allocated + Step
    /\ UNCHANGED <<volatileVars, file, medium, forgotten, spaceLeft, historyVars>>

-----------------------------------------------------------------------------
(* Environment: the client, the process's end, the disk. *)

\* One write of the whole batch into the room that there is.
AppendBatch(n) ==
    /\ status = "open"
    /\ HasRoom(n)
    /\ UnsyncedWithinLimit(n)
    /\ file' = Extended(file, n, appended + 1)
    /\ written' = written + n
    /\ head' = appended + n
    /\ appended' = appended + n
    /\ UNCHANGED <<status, durable, owed, allocated, medium, forgotten, spaceLeft,
                   acknowledged, cuts, reported, damage, damageAtOpen>>

\* No space for a step: what is written stays, and can still be synced.
GrowNoSpace(n) ==
    /\ status = "open"
    /\ LacksRoom(n)
    /\ NoSpaceLeft
    /\ status' = "full"
    /\ UNCHANGED <<volatileVars, diskVars, spaceLeft, historyVars>>

\* A file system that copies on write may lack space even for what is preallocated.
WriteNoSpace(n) ==
    /\ status = "open"
    /\ HasRoom(n)
    /\ UnsyncedWithinLimit(n)
    /\ NoSpaceLeft
    /\ status' = "full"
    /\ UNCHANGED <<volatileVars, diskVars, spaceLeft, historyVars>>

\* The disk takes k whole records of the batch and a part of the next.
ShortWrite(n, k) ==
    /\ status = "open"
    /\ HasRoom(n)
    /\ UnsyncedWithinLimit(n)
    /\ status' = "short"
    /\ file' = Append(Extended(file, k, appended + 1), Torn)
    /\ owed' = n
    /\ appended' = appended + n
    /\ UNCHANGED <<written, durable, head, allocated, medium, forgotten, spaceLeft,
                   acknowledged, cuts, reported, damage, damageAtOpen>>

\* The device refuses the write: only a restart may find out what is there. (A part that it took is a short write.)
WriteFails(n) ==
    /\ status = "open"
    /\ HasRoom(n)
    /\ UnsyncedWithinLimit(n)
    /\ status' = "failed"
    /\ UNCHANGED <<volatileVars, diskVars, spaceLeft, historyVars>>

\* The sync fails, and the kernel calls the pages clean: what is on the medium is unknown.
FsyncFails ==
    /\ status \in {"open", "full"}
    /\ HasUnsynced
    /\ status' = "unknown"
    /\ forgotten' = TRUE
    /\ UNCHANGED <<volatileVars, allocated, file, medium, spaceLeft, historyVars>>

\* The process ends, killed or in good order; the machine lives on, and so does what it holds in its cache.
Exit ==
    /\ status # "down"
    /\ status' = "down"
    /\ written' = 0
    /\ durable' = 0
    /\ head' = Genesis
    /\ owed' = 0
    /\ UNCHANGED <<diskVars, spaceLeft, historyVars>>

\* A power loss. It finds a running process, or at least something in the cache that was not synced.
PowerLoss(cells) ==
    /\ status # "down" \/ file # medium
    /\ status' = "down"
    /\ written' = 0
    /\ durable' = 0
    /\ head' = Genesis
    /\ owed' = 0
    /\ file' = cells
    /\ medium' = cells
    /\ forgotten' = FALSE
    /\ UNCHANGED <<allocated, spaceLeft, historyVars>>

\* Of what was not synced the first k cells survive.
Crash(k) ==
    /\ Len(medium) + k <= Len(file)
    /\ PowerLoss(SubSeq(file, 1, Len(medium) + k))

\* The same, and of cell k + 1 only the first bytes survive.
CrashTearing(k) ==
    /\ Len(medium) + k < Len(file)
    /\ IsWhole(file[Len(medium) + k + 1])
    /\ PowerLoss(Append(SubSeq(file, 1, Len(medium) + k), Torn))

\* What the kernel has forgotten it may also drop from its cache: from now on reads see what is on the medium.
Evict ==
    /\ forgotten
    /\ file' = medium
    /\ forgotten' = FALSE
    /\ UNCHANGED <<status, volatileVars, allocated, medium, spaceLeft, historyVars>>

\* Others fill the device: the log finds out when it wants to grow, or writes.
SpaceRunsOut ==
    /\ SpaceLeft
    /\ spaceLeft' = FALSE
    /\ UNCHANGED <<status, volatileVars, diskVars, historyVars>>

\* Others free space on the device.
SpaceReturns ==
    /\ NoSpaceLeft
    /\ spaceLeft' = TRUE
    /\ UNCHANGED <<status, volatileVars, diskVars, historyVars>>

\* Cell i holds a record on the medium: only what is at rest can rot there.
IsDurableRecord(i) == i \in 1..Len(medium) /\ IsWhole(medium[i])

\* Cell i reads as something else from now on.
Damaged(i, cell) ==
    /\ file' = Replaced(file, i, cell)
    /\ medium' = Replaced(medium, i, cell)
    /\ damage' = damage + 1
    /\ UNCHANGED <<status, volatileVars, allocated, forgotten, spaceLeft,
                   appended, acknowledged, cuts, reported, damageAtOpen>>

\* Bytes of a durable record change.
Rot(i) ==
    /\ IsDurableRecord(i)
    /\ Damaged(i, Rotten)

\* A whole record of another log stands in the place of a durable one: a misdirected write, a file put together by hand.
Intrude(i) ==
    /\ IsDurableRecord(i)
    /\ Damaged(i, Foreign)

System ==
    \/ Reopen
    \/ ReopenCuttingTail
    \/ ReopenDamaged
    \/ \E n \in Nat : Grow(n)
    \/ FinishWrite
    \/ Fsync
    \/ Reverify
    \/ ReverifyDamaged
    \/ Resume

Environment ==
    \/ \E n \in Nat : AppendBatch(n)
    \/ \E n \in Nat : GrowNoSpace(n)
    \/ \E n \in Nat : WriteNoSpace(n)
    \/ \E n \in Nat : \E k \in 0..(n - 1) : ShortWrite(n, k)
    \/ \E n \in Nat : WriteFails(n)
    \/ FsyncFails
    \/ Exit
    \/ \E k \in Nat : Crash(k)
    \/ \E k \in Nat : CrashTearing(k)
    \/ Evict
    \/ SpaceRunsOut
    \/ SpaceReturns
    \/ \E i \in Nat : Rot(i)
    \/ \E i \in Nat : Intrude(i)

Next == System \/ Environment

Fairness == WF_vars(System)
Spec == Init /\ [][Next]_vars /\ Fairness

-----------------------------------------------------------------------------
(* What must hold. *)

Works      == status \in {"open", "full", "short", "unknown", "failed"}
IsDamage(cell) == cell.state = "rotten" \/ cell.parent = Stranger
HoldsAt(cells, i) == i <= Len(cells) /\ (IsDamage(cells[i]) \/ cells[i].value = acknowledged[i])

\* Forbids losing what was reported durable: it is on the medium, each record as it was or visibly damaged.
AcknowledgedSurvives == \A i \in 1..Len(acknowledged) : HoldsAt(medium, i)

\* Forbids a log that goes on without a record that it once reported durable.
NeverForgets == Works => durable >= Len(acknowledged)

\* Forbids a cut that nobody is told of.
EveryCutIsReported == cuts = reported

\* Forbids a gap, a torn record before the end, a record that does not follow the one before it: while nothing is damaged.
ChainUnbroken ==
    damage = 0 => \A i \in 1..Len(medium) : Continues(medium, i) \/ (i = Len(medium) /\ LastIsTorn(medium))

\* Forbids opening on top of damage: as long as nothing is damaged after the log was opened, all that it shows is whole.
ShownIsWhole == (Works /\ damage = damageAtOpen) => \A i \in 1..durable : i <= Len(medium) /\ Continues(medium, i)

\* Forbids a restart that halts on a file in which nothing is damaged, only torn. (Only a restart knows no unsynced record.)
HaltsOnlyOnDamage == (status = "damaged" /\ written = durable) => damage > 0

\* Forbids more unsynced records than the next restart writes again.
RestartCoversUnsynced == Len(file) - Len(medium) <= UnsyncedMax

\* Forbids a log that stays down, or for ever owes a write or a verification.
Recovers == (status \in {"down", "short", "unknown"}) ~> (status \in {"open", "damaged"})

\* Forbids refusing work once the space is back.
RecoversWhenSpaceReturns == (status = "full" /\ spaceLeft) ~> (status # "full" \/ ~spaceLeft)
=============================================================================
