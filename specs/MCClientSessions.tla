------------------------ MODULE MCClientSessions ------------------------
(* The bounds of the models of ClientSessions, as guards: the edge of a model is a real state. *)
EXTENDS ClientSessions

CONSTANTS
    MaxRequests,   \* requests of all clients together
    MaxRegisters,  \* registrations in the log at once
    MaxLives,      \* processes that a client is after its first
    MaxViews,      \* changes of primary
    MaxLag,        \* most ops that the next primary has not applied and another one has
    MayGiveUp,     \* whether clients stop waiting
    MaxTime        \* highest timestamp; none leaps

Registers == Cardinality({i \in 1..Len(log) : log[i].kind = "Register"})
Ops       == 0..(MaxRegisters + MaxRequests * (1 + MaxViews))

MCReceiveRegister(later) == Registers < MaxRegisters /\ LastTime + later <= MaxTime /\ ReceiveRegister(later)
MCReceiveRequest(later)  == LastTime + later <= MaxTime /\ ReceiveRequest(later)
MCSendRequest(c)         == requests < MaxRequests /\ SendRequest(c)
MCGiveUp(c, number)      == MayGiveUp /\ GiveUp(c, number)
MCCrashClient(c)         == life[c] < MaxLives /\ CrashClient(c)
MCViewChange(keep, ops)  == views < MaxViews /\ ops + MaxLag >= Len(outcomes) /\ ViewChange(keep, ops)

MCSystem ==
    \/ \E c \in Clients : SendRegister(c)
    \/ \E c \in Clients : ReceiveRegistered(c)
    \/ \E c \in Clients : ResendRequest(c)
    \/ \E c \in Clients : ReceiveReply(c)
    \/ \E c \in Clients : ReceiveEvicted(c)
    \/ \E later \in 0..1 : MCReceiveRegister(later)
    \/ \E later \in 0..1 : MCReceiveRequest(later)
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

MCEnvironment ==
    \/ \E c \in Clients : MCSendRequest(c)
    \/ \E c \in Clients : \E number \in 1..MaxRequests : MCGiveUp(c, number)
    \/ \E c \in Clients : MCCrashClient(c)
    \/ \E keep \in Ops : \E ops \in Ops : MCViewChange(keep, ops)

MCNext == MCSystem \/ MCEnvironment

MCSpec == Init /\ [][MCNext]_vars
\* Everything that System can do happens at last; new requests, crashes and changes of primary need not.
MCLiveSpec == Init /\ [][MCNext]_vars /\ WF_vars(MCSystem)
=============================================================================
