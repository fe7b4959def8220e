--------------------------- MODULE ClientSessions ---------------------------
(* Exactly once for clients: what a client asks is executed at most once and answered with the first reply, though messages
   are lost, repeated and late, clients crash, primaries change, and the table of sessions is bounded.
   A client registers through the log and gets the place of that entry as its id: above every earlier id, never used again.
   It numbers its requests from 1 and keeps at most Window of them unanswered. Every replica applies the committed log to a
   table: of each session the last use, the highest number, and the first replies to the last Window numbers. A retry finds
   the reply; what is older is refused; a session that is gone is refused, and its client registers anew. At its bounds the
   table drops the session that was not used for longest. One session that goes makes room for one registration, or for one
   reply: a reply inside a window is never dropped alone, or the retry of it would be executed again.
   The log is abstract, as Vsr.tla guarantees it: what is committed stays, in its place; a view change may cut what is not,
   or keep it. One primary serves; the next one may have applied fewer ops, so its table may be any earlier one. That covers
   a deposed primary that still answers, too.
   After: Liskov, Cowling, "Viewstamped Replication Revisited" (2012), 4.1, with two of its bugs mended as in TigerBeetle's
   client_sessions.zig (numbers after a client's crash; the table at prepare); Lee et al., "Implementing Linearizability at
   Large Scale and Low Latency" (SOSP 2015), for the window of replies.
   Left out, and why that is safe: what a request does (its value stands for it, its op for the reply), refusals by the
   state machine (replies like any other), batches (each command has its own place), idempotency keys (the kernel's). A
   retry is the same message again: messages are never taken out, and need never arrive. *)
EXTENDS Naturals, Sequences, FiniteSets

CONSTANTS
    ClientCount,   \* clients, each one process at a time
    Window,        \* replies kept of a session, and most requests of it without an answer
    SessionsMax,   \* most sessions in the table
    SlotsMax       \* most sessions and replies in the table together

ASSUME ClientCount \in Nat /\ ClientCount > 0
ASSUME Window \in Nat /\ Window > 0
ASSUME SessionsMax \in Nat /\ SessionsMax > 0
ASSUME SlotsMax \in Nat /\ SlotsMax > Window

VARIABLES
    log,         \* entries by op; up to commit they are durable in a quorum, the others may be cut
    commit,      \* ops that no view change cuts
    applied,     \* ops that the table of the serving primary holds; volatile: of the next primary it may be fewer
    sessions,    \* that table: who is registered, when used last, highest number executed; a function of the log
    replies,     \* and the first replies to the last numbers; a reply is the op that executed the request
    inFlight,    \* requests that this primary has put into the log and not applied; volatile
    life,        \* of each client: how many processes it was before this one; a message is for one of them
    session,     \* of each client: id of the session that it adopted last, 0 before the first; volatile
    registered,  \* of each client: whether that session stands, as far as it knows; volatile
    sent,        \* of each client: highest number that it has used in that session; volatile
    waiting,     \* of each client: requests without an answer, by number and value; volatile
    messages,    \* everything ever sent
    requests,    \* requests ever made; each takes the next number as its value; a history
    views,       \* changes of primary; a history
    outcomes,    \* of each op what came of it, and the table after it, where it was applied first; a history
    answers      \* what clients asked, and the reply that they took for the answer; a history

tableVars  == <<applied, sessions, replies>>
clientVars == <<life, session, registered, sent, waiting, requests, answers>>
historyVars == <<views, outcomes>>
vars == <<log, commit, applied, sessions, replies, inFlight, life, session, registered, sent, waiting,
          messages, requests, views, outcomes, answers>>

Clients == 1..ClientCount

\* value: of a request what is asked for, of a reply the op that executed it, else 0.
Message(type, client, incarnation, id, number, value) ==
    [type |-> type, client |-> client, life |-> incarnation, id |-> id, number |-> number, value |-> value]
\* The answer to an entry of the log or to a message, for the process that asked.
AnswerTo(asked, type, id, value) == Message(type, asked.client, asked.life, id, asked.number, value)
\* The message as an entry of the log.
Entry(m, time) == [kind |-> m.type, client |-> m.client, life |-> m.life, id |-> m.id, number |-> m.number,
                   value |-> m.value, time |-> time]

TypeOK ==
    /\ commit \in 0..Len(log)
    /\ applied \in 0..commit /\ applied <= Len(outcomes) /\ Len(outcomes) <= commit
    /\ \A i \in 1..Len(log) : log[i].kind \in {"Register", "Request"} /\ log[i].time \in Nat
    /\ \A s \in sessions : s.id \in 1..applied /\ s.lastUsed \in Nat /\ s.highest \in Nat
    /\ \A r \in replies : r.result \in 1..applied /\ \E s \in sessions : s.id = r.id
    /\ \A pair \in inFlight : pair.id \in Nat /\ pair.number \in Nat
    /\ \A c \in Clients : life[c] \in Nat /\ session[c] \in Nat /\ registered[c] \in BOOLEAN /\ sent[c] \in Nat
    /\ \A c \in Clients : \A w \in waiting[c] : w.number \in 1..sent[c] /\ w.value \in 1..requests
    /\ \A m \in messages : m.type \in {"Register", "Request", "Registered", "Reply", "Stale", "Evicted"}
    /\ views \in Nat
    /\ \A a \in answers : a.asked \in 1..requests /\ a.result \in 1..Len(outcomes)

LastTime           == IF Len(log) = 0 THEN 0 ELSE log[Len(log)].time
NextEntry          == log[applied + 1]
SessionIn(table, id) == CHOOSE s \in table : s.id = id
IsIn(table, id)    == \E s \in table : s.id = id
IsKept(id, number) == \E r \in replies : r.id = id /\ r.number = number
KeptResult(id, number) == (CHOOSE r \in replies : r.id = id /\ r.number = number).result
IsBelow(id, number) == number + Window <= SessionIn(sessions, id).highest
Slots(table, kept) == Cardinality(table) + Cardinality(kept)
Newest             == IF sessions = {} THEN 0 ELSE (CHOOSE s \in sessions : \A o \in sessions : o.id <= s.id).id
Without(table, id) == {s \in table : s.id # id}
Maximum(a, b)      == IF a >= b THEN a ELSE b
\* First unused longest, then lowest id.
GoesBefore(a, b)   == a.lastUsed < b.lastUsed \/ (a.lastUsed = b.lastUsed /\ a.id <= b.id)
Oldest(table)      == (CHOOSE s \in table : \A o \in table : GoesBefore(s, o)).id

\* The session of the next entry after it was used now, and with its number executed.
Used(entry)        == [SessionIn(sessions, entry.id) EXCEPT !.lastUsed = entry.time]
Executed(entry)    == [Used(entry) EXCEPT !.highest = Maximum(@, entry.number)]
\* The replies with that of the next entry; who falls out of the window goes.
RepliesWith(entry) ==
    {r \in replies : r.id # entry.id \/ r.number + Window > Executed(entry).highest}
        \cup {[id |-> entry.id, number |-> entry.number, result |-> applied + 1]}
NewSession         == [id |-> applied + 1, lastUsed |-> NextEntry.time, highest |-> 0]

Init ==
    /\ log        = <<>>
    /\ commit     = 0
    /\ applied    = 0
    /\ sessions   = {}
    /\ replies    = {}
    /\ inFlight   = {}
    /\ life       = [c \in Clients |-> 0]
    /\ session    = [c \in Clients |-> 0]
    /\ registered = [c \in Clients |-> FALSE]
    /\ sent       = [c \in Clients |-> 0]
    /\ waiting    = [c \in Clients |-> {}]
    /\ messages   = {}
    /\ requests   = 0
    /\ views      = 0
    /\ outcomes   = <<>>
    /\ answers    = {}

-----------------------------------------------------------------------------
(* Guards, each by the name that the machine and the explanations use. *)

HasSession(c)        == registered[c]                                  \* The client knows of a session that stands.
NeedsSession(c)      == ~registered[c]                                 \* The client has no session.
WindowHasRoom(c)     == \A w \in waiting[c] : w.number + Window > sent[c] + 1  \* Number sent + 1 - Window is answered.
IsWaited(c, number)  == \E w \in waiting[c] : w.number = number        \* The number has no answer yet.
AnswerOverdue(c)     == waiting[c] # {}                                \* A request has no answer yet.
AddressedHere(c, m)  == m.client = c /\ m.life = life[c]               \* The message answers this very process.
HigherSession(c, m)  == m.id > session[c]                              \* The session is newer than every earlier one.
OfThisSession(c, m)  == m.id = session[c]                              \* The message is of the session that stands.
AwaitsAnswer(c, m)   == \E w \in waiting[c] : w.number = m.number      \* The number has no answer yet.
NotInFlight(m)       == [id |-> m.id, number |-> m.number] \notin inFlight  \* This primary has not put it into the log.
SessionHere(m)       == IsIn(sessions, m.id)                           \* The table has the session.
SessionAbsent(m)     == ~IsIn(sessions, m.id)                          \* The table does not have the session.
PlaceApplied(m)      == m.id <= applied                                \* The entry that registered it is applied here.
ReplyKept(m)         == IsKept(m.id, m.number)                         \* The first reply is kept.
ReplyNotKept(m)      == ~IsKept(m.id, m.number)                        \* There is no reply to this number.
\* The number is so low that its reply is no longer kept.
BelowWindow(m)       == IsIn(sessions, m.id) /\ IsBelow(m.id, m.number)
\* The number is one whose reply would be kept.
InWindow(m)          == IsIn(sessions, m.id) => ~IsBelow(m.id, m.number)
\* The table has the session, or may get it from an entry that is not applied yet.
MayBeRegistered(m)   == IsIn(sessions, m.id) \/ m.id > applied
LogIsAhead           == commit < Len(log)                              \* There is an op to commit.
\* The next committed op registers a client.
IsRegister           == applied < commit /\ NextEntry.kind = "Register"
IsRequest            == applied < commit /\ NextEntry.kind = "Request"  \* The next committed op is a request.
TableHasRoom         == Cardinality(sessions) < SessionsMax /\ Slots(sessions, replies) < SlotsMax  \* One more session fits.
TableIsFull          == ~TableHasRoom                                  \* One more session does not fit.
\* The reply fits, with what the window drops for it.
ReplyFits            == Slots(sessions, RepliesWith(NextEntry)) <= SlotsMax
ReplyDoesNotFit      == ~ReplyFits                                     \* The reply does not fit.
CommittedStays(keep) == keep >= commit /\ keep <= Len(log)             \* A view change cuts nothing that is committed.
WasApplied(ops)      == ops <= Len(outcomes)                           \* Some replica has applied so many ops.

-----------------------------------------------------------------------------
(* System: the client. *)

\* A process that has no session asks for one; a restarted one always does, for it does not know which numbers it has used.
SendRegister(c) ==
    /\ NeedsSession(c)
    /\ messages' = messages \cup {Message("Register", c, life[c], 0, 0, 0)}
    /\ UNCHANGED <<log, commit, tableVars, inFlight, clientVars, historyVars>>

\* A registration that was delivered twice gives two sessions: the first answer is taken. Later only a newer session is: the
\* old ones may have used any number.
ReceiveRegistered(c) == \E m \in messages :
    /\ m.type = "Registered"
    /\ AddressedHere(c, m)
    /\ NeedsSession(c)
    /\ HigherSession(c, m)
    /\ session' = [session EXCEPT ![c] = m.id]
    /\ registered' = [registered EXCEPT ![c] = TRUE]
    /\ sent' = [sent EXCEPT ![c] = 0]
    /\ UNCHANGED <<log, commit, tableVars, inFlight, life, waiting, messages, requests, historyVars, answers>>

\* A request is sent again, the same one, under the same number, until it has an answer: whatever became of the first try.
ResendRequest(c) ==
    /\ AnswerOverdue(c)
    /\ messages' = messages \cup {Message("Request", c, life[c], session[c], w.number, w.value) : w \in waiting[c]}
    /\ UNCHANGED <<log, commit, tableVars, inFlight, clientVars, historyVars>>

\* An answer ends the wait for its number, and no other does.
ReceiveReply(c) == \E m \in messages :
    /\ m.type = "Reply"
    /\ AddressedHere(c, m)
    /\ HasSession(c)
    /\ OfThisSession(c, m)
    /\ AwaitsAnswer(c, m)
    /\ waiting' = [waiting EXCEPT ![c] = {w \in @ : w.number # m.number}]
    /\ answers' = answers \cup {[asked |-> (CHOOSE w \in waiting[c] : w.number = m.number).value, result |-> m.value]}
    /\ UNCHANGED <<log, commit, tableVars, inFlight, life, session, registered, sent, messages, requests, historyVars>>

\* The session is gone. Whether what waits was executed nobody can say now: it is given up, never sent again by itself.
ReceiveEvicted(c) == \E m \in messages :
    /\ m.type = "Evicted"
    /\ AddressedHere(c, m)
    /\ HasSession(c)
    /\ OfThisSession(c, m)
    /\ registered' = [registered EXCEPT ![c] = FALSE]
    /\ waiting' = [waiting EXCEPT ![c] = {}]
    /\ UNCHANGED <<log, commit, tableVars, inFlight, life, session, sent, messages, requests, historyVars, answers>>

-----------------------------------------------------------------------------
(* System: the primary. *)

\* A stamp is never before the last one. A registration names nobody, so each delivery is an entry of its own, and makes a session of its own.
ReceiveRegister(later) == \E m \in messages :
    /\ m.type = "Register"
    /\ log' = Append(log, Entry(m, LastTime + later))
    /\ UNCHANGED <<commit, tableVars, inFlight, clientVars, messages, historyVars>>

\* What is not answered below goes into the log, once in a view: only applying it tells what becomes of it.
ReceiveRequest(later) == \E m \in messages :
    /\ m.type = "Request"
    /\ NotInFlight(m)
    /\ MayBeRegistered(m)
    /\ ReplyNotKept(m)
    /\ InWindow(m)
    /\ log' = Append(log, Entry(m, LastTime + later))
    /\ inFlight' = inFlight \cup {[id |-> m.id, number |-> m.number]}
    /\ UNCHANGED <<commit, tableVars, clientVars, messages, historyVars>>

\* The first reply again, without an op: what is applied is committed, whatever this primary has not applied yet.
AnswerRepeated == \E m \in messages :
    /\ m.type = "Request"
    /\ SessionHere(m)
    /\ ReplyKept(m)
    /\ messages' = messages \cup {AnswerTo(m, "Reply", m.id, KeptResult(m.id, m.number))}
    /\ UNCHANGED <<log, commit, tableVars, inFlight, clientVars, historyVars>>

\* A number that is below the window here is below it everywhere, for ever, or its session is gone.
AnswerStale == \E m \in messages :
    /\ m.type = "Request"
    /\ SessionHere(m)
    /\ BelowWindow(m)
    /\ messages' = messages \cup {AnswerTo(m, "Stale", m.id, 0)}
    /\ UNCHANGED <<log, commit, tableVars, inFlight, clientVars, historyVars>>

\* An id whose entry is applied and that is not in the table is gone for ever. Of a higher one this table knows nothing:
\* its session may stand further on in the log.
AnswerEvicted == \E m \in messages :
    /\ m.type = "Request"
    /\ SessionAbsent(m)
    /\ PlaceApplied(m)
    /\ messages' = messages \cup {AnswerTo(m, "Evicted", m.id, 0)}
    /\ UNCHANGED <<log, commit, tableVars, inFlight, clientVars, historyVars>>

\* The log's part: a quorum has the next op.
Commit ==
    /\ LogIsAhead
    /\ commit' = commit + 1
    /\ UNCHANGED <<log, tableVars, inFlight, clientVars, messages, historyVars>>

-----------------------------------------------------------------------------
(* System: applying the next committed op, at every replica alike; the primary answers. *)

\* The table after the next op; who applies an op first notes what came of it.
TableBecomes(kind, evicted, table, kept) ==
    /\ applied' = applied + 1
    /\ sessions' = table
    /\ replies' = kept
    /\ outcomes' = IF applied < Len(outcomes) THEN outcomes
                   ELSE Append(outcomes, [kind |-> kind, evicted |-> evicted, sessions |-> table, replies |-> kept])

Answered(type, id, value) ==
    /\ messages' = messages \cup {AnswerTo(NextEntry, type, id, value)}
    /\ inFlight' = inFlight \ {[id |-> NextEntry.id, number |-> NextEntry.number]}

\* The session's id is the place of its entry: a registration applied again later is another session.
ApplyRegister ==
    /\ IsRegister
    /\ TableHasRoom
    /\ TableBecomes("Registered", 0, sessions \cup {NewSession}, replies)
    /\ Answered("Registered", applied + 1, 0)
    /\ UNCHANGED <<log, commit, clientVars, views>>

\* The session that was not used for longest goes, with all its replies. Its client hears of it when it asks next.
ApplyRegisterEvicting ==
    /\ IsRegister
    /\ TableIsFull
    /\ LET gone == Oldest(sessions) IN
       TableBecomes("Registered", gone, Without(sessions, gone) \cup {NewSession}, Without(replies, gone))
    /\ Answered("Registered", applied + 1, 0)
    /\ UNCHANGED <<log, commit, clientVars, views>>

\* Executed now, and only now: a number in the window without a reply has never been executed, also below the highest.
ApplyNew ==
    /\ IsRequest
    /\ SessionHere(NextEntry)
    /\ ReplyNotKept(NextEntry)
    /\ InWindow(NextEntry)
    /\ ReplyFits
    /\ TableBecomes("New", 0, Without(sessions, NextEntry.id) \cup {Executed(NextEntry)}, RepliesWith(NextEntry))
    /\ Answered("Reply", NextEntry.id, applied + 1)
    /\ UNCHANGED <<log, commit, clientVars, views>>

\* A whole session goes for the reply, never the session that is used now.
ApplyNewEvicting ==
    /\ IsRequest
    /\ SessionHere(NextEntry)
    /\ ReplyNotKept(NextEntry)
    /\ InWindow(NextEntry)
    /\ ReplyDoesNotFit
    /\ LET others == Without(sessions, NextEntry.id)
           gone   == Oldest(others) IN
       TableBecomes("New", gone, Without(others, gone) \cup {Executed(NextEntry)}, Without(RepliesWith(NextEntry), gone))
    /\ Answered("Reply", NextEntry.id, applied + 1)
    /\ UNCHANGED <<log, commit, clientVars, views>>

\* A second entry of the same request changes no state but the time of the last use.
ApplyRepeated ==
    /\ IsRequest
    /\ SessionHere(NextEntry)
    /\ ReplyKept(NextEntry)
    /\ TableBecomes("Repeated", 0, Without(sessions, NextEntry.id) \cup {Used(NextEntry)}, replies)
    /\ Answered("Reply", NextEntry.id, KeptResult(NextEntry.id, NextEntry.number))
    /\ UNCHANGED <<log, commit, clientVars, views>>

\* So old that its reply is not kept: whether it was executed cannot be said, so it is not executed.
ApplyStale ==
    /\ IsRequest
    /\ SessionHere(NextEntry)
    /\ BelowWindow(NextEntry)
    /\ TableBecomes("Stale", 0, Without(sessions, NextEntry.id) \cup {Used(NextEntry)}, replies)
    /\ Answered("Stale", NextEntry.id, 0)
    /\ UNCHANGED <<log, commit, clientVars, views>>

\* No such session: its replies are gone with it, so nothing of it is executed any more.
ApplyEvicted ==
    /\ IsRequest
    /\ SessionAbsent(NextEntry)
    /\ TableBecomes("Evicted", 0, sessions, replies)
    /\ Answered("Evicted", NextEntry.id, 0)
    /\ UNCHANGED <<log, commit, clientVars, views>>

-----------------------------------------------------------------------------
(* Environment: what the client is asked to do, its crash, the change of primary. *)

\* A new request, under the next number. Number n is not used before n - Window is answered.
SendRequest(c) ==
    /\ HasSession(c)
    /\ WindowHasRoom(c)
    /\ sent' = [sent EXCEPT ![c] = @ + 1]
    /\ requests' = requests + 1
    /\ waiting' = [waiting EXCEPT ![c] = @ \cup {[number |-> sent[c] + 1, value |-> requests + 1]}]
    /\ messages' = messages \cup {Message("Request", c, life[c], session[c], sent[c] + 1, requests + 1)}
    /\ UNCHANGED <<log, commit, tableVars, inFlight, life, session, registered, historyVars, answers>>

\* A client that waits no longer: whether the request was executed, or will be, it does not know. Its number is used up.
GiveUp(c, number) ==
    /\ IsWaited(c, number)
    /\ waiting' = [waiting EXCEPT ![c] = {w \in @ : w.number # number}]
    /\ UNCHANGED <<log, commit, tableVars, inFlight, life, session, registered, sent, messages, requests, historyVars, answers>>

\* The process is gone with all that it knew; another takes its place.
CrashClient(c) ==
    /\ life' = [life EXCEPT ![c] = @ + 1]
    /\ session' = [session EXCEPT ![c] = 0]
    /\ registered' = [registered EXCEPT ![c] = FALSE]
    /\ sent' = [sent EXCEPT ![c] = 0]
    /\ waiting' = [waiting EXCEPT ![c] = {}]
    /\ UNCHANGED <<log, commit, tableVars, inFlight, messages, requests, historyVars, answers>>

\* Another primary: of what is not committed it keeps a prefix, and it may have applied fewer ops than others. What the one
\* before had in flight means nothing here.
ViewChange(keep, ops) ==
    /\ CommittedStays(keep)
    /\ WasApplied(ops)
    /\ log' = SubSeq(log, 1, keep)
    /\ applied' = ops
    /\ sessions' = IF ops = 0 THEN {} ELSE outcomes[ops].sessions
    /\ replies' = IF ops = 0 THEN {} ELSE outcomes[ops].replies
    /\ inFlight' = {}
    /\ views' = views + 1
    /\ UNCHANGED <<commit, clientVars, messages, outcomes>>

System ==
    \/ \E c \in Clients : SendRegister(c)
    \/ \E c \in Clients : ReceiveRegistered(c)
    \/ \E c \in Clients : ResendRequest(c)
    \/ \E c \in Clients : ReceiveReply(c)
    \/ \E c \in Clients : ReceiveEvicted(c)
    \/ \E later \in Nat : ReceiveRegister(later)
    \/ \E later \in Nat : ReceiveRequest(later)
    \/ AnswerRepeated
    \/ AnswerStale
    \/ AnswerEvicted
    \/ Commit
    \/ ApplyRegister
    \/ ApplyRegisterEvicting
    \/ ApplyNew
    \/ ApplyNewEvicting
    \/ ApplyRepeated
    \/ ApplyStale
    \/ ApplyEvicted

Environment ==
    \/ \E c \in Clients : SendRequest(c)
    \/ \E c \in Clients : \E number \in Nat : GiveUp(c, number)
    \/ \E c \in Clients : CrashClient(c)
    \/ \E keep \in Nat : \E ops \in Nat : ViewChange(keep, ops)

Next == System \/ Environment

Fairness == WF_vars(System)
Spec == Init /\ [][Next]_vars /\ Fairness

-----------------------------------------------------------------------------
(* What must hold. *)

Applied      == 1..Len(outcomes)
ExecutedOps  == {i \in Applied : outcomes[i].kind = "New"}
TableAt(i)   == IF i = 0 THEN {} ELSE outcomes[i].sessions
RepliesAt(i) == IF i = 0 THEN {} ELSE outcomes[i].replies

\* Forbids that a client takes the reply to one request for the answer to another.
NoRequestCollision == \A a \in answers : a.result \in ExecutedOps /\ log[a.result].value = a.asked

\* Forbids that what a client asked for once happens twice.
NoDuplicateExecution == \A i \in ExecutedOps : \A j \in ExecutedOps : i # j => log[i].value # log[j].value

\* Forbids that a retry hears anything else than the first reply.
FirstReplyKept ==
    \A m \in messages : m.type = "Reply" =>
        /\ m.value \in ExecutedOps
        /\ log[m.value].id = m.id
        /\ log[m.value].number = m.number

\* Forbids that two replicas that applied the same ops hold different tables.
SessionTableDeterministic == sessions = TableAt(applied) /\ replies = RepliesAt(applied)

\* Forbids a table that grows without bound, and replies that no window holds.
TableBounded ==
    /\ Cardinality(sessions) <= SessionsMax
    /\ Slots(sessions, replies) <= SlotsMax
    /\ \A r \in replies : r.number + Window > SessionIn(sessions, r.id).highest

\* The time of the last entry up to op i that registered or used this session, by the log alone.
UsesUpTo(i, id) == {j \in 1..i : j = id \/ (log[j].kind = "Request" /\ log[j].id = id /\ j > id)}
LastUse(i, id)  == log[CHOOSE j \in UsesUpTo(i, id) : \A k \in UsesUpTo(i, id) : k <= j].time
\* Forbids that any other session goes than the one that was not used for longest; the one that needs the room stays.
EvictionDeterministic ==
    \A i \in Applied : outcomes[i].evicted # 0 =>
        LET gone == outcomes[i].evicted IN
        /\ gone # i /\ gone # log[i].id
        /\ \A s \in TableAt(i - 1) : s.id \notin {gone, log[i].id} =>
              \/ LastUse(i - 1, gone) < LastUse(i - 1, s.id)
              \/ (LastUse(i - 1, gone) = LastUse(i - 1, s.id) /\ gone < s.id)

\* Forbids that a client is told that its session is gone while any replica has it or may get it yet.
EvictedIsGone ==
    \A m \in messages : m.type = "Evicted" => m.id <= Len(outcomes) /\ ~IsIn(TableAt(Len(outcomes)), m.id)

\* Forbids that a client is told "too old" of a request whose answer it still awaits.
AwaitedIsNeverStale ==
    \A m \in messages : m.type = "Stale" =>
        \A c \in Clients : ~(AddressedHere(c, m) /\ HasSession(c) /\ OfThisSession(c, m) /\ AwaitsAnswer(c, m))

\* Forbids that the reply to a request that was executed is dropped while its client awaits it and its session stands.
AwaitedReplyKept ==
    \A c \in Clients : \A w \in waiting[c] : \A i \in ExecutedOps :
        (log[i].value = w.value /\ log[i].id = session[c] /\ IsIn(TableAt(Len(outcomes)), session[c])) =>
            \E r \in RepliesAt(Len(outcomes)) : r.id = session[c] /\ r.number = w.number /\ r.result = i

\* Forbids a client that waits for ever: locked out, though the cluster serves.
ClientEventuallyServed == \A c \in Clients : (waiting[c] # {}) ~> (waiting[c] = {})

\* Forbids a client that never gets a session.
ClientEventuallyRegistered == \A c \in Clients : NeedsSession(c) ~> HasSession(c)
=============================================================================
