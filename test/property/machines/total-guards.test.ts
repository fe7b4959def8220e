/**
 * Goal: any guard may be asked in any state about any event, also about one that carries nothing: the DX API does.
 * Method: every event of every machine, bare, in every state node, with the context of a start.
 */
import { describe, expect, test } from 'vitest';
import { appendLogMachine } from '../../../machines/append-log.ts';
import { definitionOf } from '../../../machines/definition.ts';
import { evaluateWithEvidence } from '../../../machines/evidence.ts';
import { start } from '../../../machines/stepper.ts';
import { superblockMachine } from '../../../machines/superblock.ts';
import { firstStart, vsrMachine } from '../../../machines/vsr.ts';

const durable = { view: 0, logView: 0, commit: 0, op: 0, headHash: '' };
const CONTEXTS = {
  Vsr: firstStart(vsrMachine, { replica: 0, replicaCount: 3, pipelineMax: 1, durable } as never).context,
  AppendLog: start(appendLogMachine, { stepBytes: 8, unsyncedBytesMax: 8, allocatedBytes: 0 }).context,
  Superblock: {
    state: {
      cluster: 1n,
      replica: 0,
      replicaCount: 3,
      sequence: 1,
      parent: '',
      hash: 'a',
      view: 0,
      logView: 0,
      commit: 0,
    },
    stale: [],
  },
};

describe.each([vsrMachine, appendLogMachine, superblockMachine])('%#', (machine) => {
  const { name, states, events } = definitionOf(machine);
  test.each(states.flatMap((state) => events.map((event) => [name, state, event] as const)))(
    '%s in %s: the guards of %s answer, whatever is missing',
    (_, value, type) => {
      const snapshot = { value, context: CONTEXTS[name as keyof typeof CONTEXTS] };
      const answers = evaluateWithEvidence(machine, snapshot as never, { type });
      for (const { holds } of answers) expect(typeof holds).toBe('boolean');
    },
  );
});
