/**
 * The kernel against a dumb twin: the same batches give the same results and the same events at every offset; the state
 * hash that is kept up to date is the one computed from scratch; older states stay as they were.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { apply } from '../../../impl/kernel/apply.ts';
import type { Command } from '../../../impl/kernel/command.ts';
import { encodeBatch, encodeCommand } from '../../../impl/kernel/command-codec.ts';
import type { CommandResult } from '../../../impl/kernel/command-result.ts';
import { answerTo } from '../../../impl/kernel/keyed-answers.ts';
import { readEvents, streamsByName } from '../../../impl/kernel/read.ts';
import { type CommittedPrepare, emptyState, type KernelState } from '../../../impl/kernel/state.ts';
import { stateHashFromScratch, stateHashOf } from '../../../impl/kernel/state-hash.ts';
import { ClientSessions } from '../../../impl/vsr/client-sessions.ts';
import { batches, KEYS, preparesOf } from './arbitrary.ts';
import { KernelModel } from './kernel-model.ts';

const RUNS = 400;
/** Small, so that the bounds are met. */
const BOUNDS = { streamsMax: 3, keysMax: 4, keyRetentionMs: 9 };
const SESSIONS = { sessionsMax: 2, slotsMax: 7, window: 3 };
const EMPTY = emptyState(ClientSessions.empty(SESSIONS));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function withoutEvidence(result: CommandResult): object {
  if (result.kind === 'Repeated') return { ...result, result: withoutEvidence(result.result) };
  if (result.kind !== 'Refused') return result;
  const { evidence: _, ...rest } = result;
  return rest;
}

function statesOf(log: readonly (readonly Command[])[]): readonly KernelState[] {
  const states = [EMPTY];
  for (const prepare of preparesOf(log)) states.push(apply(states.at(-1) as KernelState, prepare, BOUNDS).state);
  return states;
}

/** As the model has it. */
function keptAnswer(state: KernelState, key: string): object | undefined {
  const answer = answerTo(state.keys, key);
  if (answer === undefined) return undefined;
  const { stream, commitId, firstOffset, count } = answer;
  return { stream, commitId, firstOffset, count };
}

test('results and events are those of the model, read in pieces of any size', () => {
  fc.assert(
    fc.property(batches, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 90 }), (log, limit, bytesMax) => {
      const model = new KernelModel(BOUNDS, SESSIONS);
      const prepares = preparesOf(log);
      let state = EMPTY;
      for (const [at, commands] of log.entries()) {
        const applied = apply(state, prepares[at] as never, BOUNDS);
        state = applied.state;
        const { timestamp } = prepares[at] as CommittedPrepare;
        const expected = commands.map((command, index) => model.take(command, at + 1, index, timestamp));
        model.endOp(at + 1, timestamp);
        expect([...state.sessions].map(({ clientId }) => clientId).sort((a, b) => a - b)).toEqual(
          model.sessions.map(({ id }) => id).sort((a, b) => a - b),
        );
        expect(applied.results.map(withoutEvidence)).toEqual(expected);
        expect(state.keys.keptSinceOp).toBe(model.keptSinceOp);
        for (const key of KEYS) expect(keptAnswer(state, key)).toEqual(model.answerTo(key));
      }
      expect(
        streamsByName(state).map(({ name, dataClass, createdCommitId }) => [name, dataClass, createdCommitId]),
      ).toEqual(
        model.streams
          .map(({ name, dataClass, createdCommitId }) => [name, dataClass, createdCommitId])
          .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
      );
      for (const { name, events } of model.streams) {
        const read = [];
        for (let from = 0; ; ) {
          const piece = readEvents(state, name, { from, limit, bytesMax }, (op) => prepares[op - 1]);
          const bytes = piece?.events.reduce((sum, { data }) => sum + data.byteLength, 0) ?? 0;
          expect(piece?.events.length === 1 || bytes <= bytesMax).toBe(true);
          read.push(...(piece?.events ?? []));
          if (piece === undefined || piece.nextOffset === from) break;
          from = piece.nextOffset;
        }
        expect(read.map(({ data, type, contentType, commitId }) => [hex(data), type, contentType, commitId])).toEqual(
          events.map(({ data, type, contentType, commitId }) => [hex(data), type, contentType, commitId]),
        );
        expect(read.map(({ offset }) => offset)).toEqual(events.map((_, offset) => offset));
      }
    }),
    { numRuns: RUNS },
  );
});

test('the state hash kept up to date is the one computed from scratch, after every op', () => {
  fc.assert(
    fc.property(batches, (log) => {
      for (const state of statesOf(log)) expect(hex(stateHashOf(state))).toBe(hex(stateHashFromScratch(state)));
    }),
    { numRuns: RUNS },
  );
});

test('older states stay as they were', () => {
  fc.assert(
    fc.property(batches, (log) => {
      const states = [EMPTY];
      const texts = [textOf(EMPTY)];
      for (const prepare of preparesOf(log)) {
        states.push(apply(states.at(-1) as KernelState, prepare, BOUNDS).state);
        texts.push(textOf(states.at(-1) as KernelState));
      }
      expect(states.map(textOf)).toEqual(texts);
    }),
    { numRuns: RUNS / 4 },
  );
});

test('logs that differ in one event, or in the order of two batches, end in different hashes', () => {
  fc.assert(
    fc.property(batches, fc.nat(), (log, pick) => {
      fc.pre(log.length >= 2);
      const at = pick % (log.length - 1);
      const [first, second] = [log[at], log[at + 1]] as [readonly Command[], readonly Command[]];
      fc.pre(hex(encodeBatch(first.map(encodeCommand))) !== hex(encodeBatch(second.map(encodeCommand))));
      const swapped = log.with(at, second).with(at + 1, first);
      expect(hex(stateHashOf(statesOf(swapped).at(-1) as KernelState))).not.toBe(
        hex(stateHashOf(statesOf(log).at(-1) as KernelState)),
      );
    }),
    { numRuns: RUNS },
  );
});

test('bytes that are no batch or no command change nothing but the op, and never throw', () => {
  fc.assert(
    fc.property(batches, fc.uint8Array({ maxLength: 60 }), (log, bytes) => {
      const before = statesOf(log).at(-1) as KernelState;
      const body = fc.sample(fc.constant(bytes), 1)[0] as Uint8Array;
      for (const damaged of [body, encodeBatch([body])]) {
        const { state, results } = apply(before, {
          op: before.op + 1,
          hash: before.logHash,
          timestamp: 0,
          body: damaged,
        });
        if (results.some(({ kind }) => kind !== 'Refused')) continue; // it was a command after all
        expect([state.streams, state.keys, [...state.sum]]).toEqual([before.streams, before.keys, [...before.sum]]);
        expect(hex(state.sessions.hash)).toBe(hex(before.sessions.hash));
      }
    }),
    { numRuns: RUNS },
  );
});

function textOf(state: KernelState): string {
  const runs = streamsByName(state).map((stream) => [...stream.runs]);
  const { op, streams, keys, sessions, sum } = state;
  const answers = [...keys.answers];
  return JSON.stringify([op, streams, keys, answers, [...sessions], sum, runs, hex(stateHashFromScratch(state))]);
}
