/** The public entry of the client library. */
export type { AnswerOf, Appended, Committed, KeyFacts, ReadAnswer, ReadEvent, StreamFacts } from '../wire/answer.ts';
export { LockstepClient } from './client.ts';
export { ClientError, type ClientErrorCode, type Outcome, outcomeOf, type Remedy } from './client-error.ts';
export type {
  Address,
  AppendOptions,
  CallOptions,
  ClientOptions,
  ClientTls,
  ListOptions,
  NewEvent,
  ReadOptions,
  TailOptions,
} from './client-options.ts';
export { type LoadFigures, type LoadOptions, runLoad } from './load.ts';
