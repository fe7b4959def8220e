/**
 * The conformance library's public entry (`lockstep-log/conformance`): what a system of one's own needs to be held to its
 * TLA+ spec by the same check as Lockstep itself. The guide is docs/conformance.md, the smallest example docs/example/.
 */
export {
  advance,
  conjunctsOf,
  type Effect,
  evaluate,
  type GuardEvaluation,
  type RuleId,
  refusals,
  start,
} from '../machines/stepper.ts';
export { runCheck } from './check/run-check.ts';
export type { Component, ImplementationFault, Model, ModelKind } from './component.ts';
export type { Constants, Driver } from './driver.ts';
export {
  type TlaValue,
  tlaBoolean,
  tlaFunction,
  tlaInteger,
  tlaModelValue,
  tlaRecord,
  tlaSequence,
  tlaSet,
  tlaString,
} from './values/tla-value.ts';
