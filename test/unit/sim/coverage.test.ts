/**
 * Goal: coverage says what a machine was asked and what came of it, and changes nothing of it.
 * Method: the noting twin of a machine is put events that are taken, refused by a guard, and unknown to its state.
 */
import { expect, test } from 'vitest';
import { COVERAGE_KEYS, coverageRows, coverageText, RunCoverage } from '../../../conformance/sim/coverage.ts';
import { advance, refusals } from '../../../machines/stepper.ts';
import { firstStart, vsrMachine } from '../../../machines/vsr.ts';
import { NO_ENTRY_HASH, type VsrEvent } from '../../../machines/vsr-context.ts';

const INPUT = {
  replica: 1,
  replicaCount: 3,
  pipelineMax: 4,
  durable: { view: 0, logView: 0, commit: 0, op: 0, headHash: NO_ENTRY_HASH },
};

function preparing(op: number): VsrEvent {
  const message = { from: 0, view: 0, op, hash: 'a'.repeat(64), parent: NO_ENTRY_HASH };
  return { type: 'ReceivePrepare', message, hashAtOp: undefined } as VsrEvent;
}

test('Coverage: a key an outcome, each once', () => {
  expect(new Set(COVERAGE_KEYS).size).toBe(COVERAGE_KEYS.length);
  expect(COVERAGE_KEYS).toContain('Vsr normal ReceivePrepare NextInSequence=0');
  expect(COVERAGE_KEYS).toContain('AppendLog open AppendBatch taken');
  expect(COVERAGE_KEYS).toContain('Superblock halted Open status=0');
});

test('Coverage: the first guard that refuses, what is taken, and what a state does not know', () => {
  const coverage = new RunCoverage();
  const machine = coverage.noting({}).replica?.machine ?? vsrMachine;
  const started = firstStart(machine, INPUT);
  expect(refusals(machine, started, preparing(2))).toEqual(refusals(vsrMachine, started, preparing(2)));
  expect(refusals(machine, started, { type: 'StartView' })).toEqual(['Vsr.StartView.status']);
  const refused = ['Vsr normal ReceivePrepare NextInSequence=0', 'Vsr normal StartView status=0'];
  expect([...coverage.keys()].sort()).toEqual(refused);
  expect(refusals(machine, started, preparing(1))).toEqual([]);
  expect([...coverage.keys()].sort()).toEqual(refused); // to ask is not to take
  const [[next, effects], [nextOf, effectsOf]] = [machine, vsrMachine].map((one) =>
    advance(one, started, preparing(1)),
  ) as never as [ReturnType<typeof advance>, ReturnType<typeof advance>];
  expect([next.value, next.context, effects]).toEqual([nextOf.value, nextOf.context, effectsOf]);
  expect([...coverage.keys()].sort()).toEqual([refused[0], 'Vsr normal ReceivePrepare taken', refused[1]]);
  expect([...new RunCoverage().keys()]).toEqual([]);
});

test('Coverage: the twin of a broken machine is broken', () => {
  const broken = vsrMachine.provide({ guards: { NextInSequence: () => true } });
  const coverage = new RunCoverage();
  const machine = coverage.noting({ replica: { machine: broken } }).replica?.machine ?? vsrMachine;
  expect(refusals(machine, firstStart(machine, INPUT), preparing(2))).toEqual([]);
  expect(coverage.noting({ replica: { machine: broken } }).replica?.machine).toBe(machine); // made once
});

test('Coverage: rows count what is seen of what is possible', () => {
  const rows = coverageRows(new Set(['Vsr normal ReceivePrepare taken']));
  expect(rows.map(({ component, seen }) => [component, seen])).toEqual([
    ['Vsr', 1],
    ['AppendLog', 0],
    ['Superblock', 0],
  ]);
  expect(coverageText(new Set(COVERAGE_KEYS))).not.toContain('never:');
});
