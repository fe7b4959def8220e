-------------------------- MODULE MCVsrRefinement --------------------------
(* Vsr refines ReplicatedLog: the log of the abstract spec is what clients were told. *)
EXTENDS MCVsr

Abstract == INSTANCE ReplicatedLog WITH chosen <- acknowledged

RefinesReplicatedLog == Abstract!Spec
=============================================================================
