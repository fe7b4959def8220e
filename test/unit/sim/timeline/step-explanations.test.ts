/**
 * Goal: what a page says of a recorded state is what the replica itself would have said then, word by word, and a refusal
 * names the guards that refused with the values that they read. Method: a made-up run whose replicas are asked, too.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Explain } from '../../../../conformance/component.ts';
import { vsrExplanation } from '../../../../conformance/drivers/vsr-explained.ts';
import { StepExplanations } from '../../../../conformance/sim/timeline/step-explanations.ts';
import { explanationText } from '../../../../machines/explanation.ts';
import { liveReplicas } from './fake-replica.ts';
import { fakeRun } from './fake-run.ts';

let explain: Explain;

beforeAll(async () => {
  const loaded = await vsrExplanation.load();
  if (loaded === undefined) throw new Error('impl/dx is not there');
  explain = loaded;
});

describe('StepExplanations', () => {
  it('every state explains itself in the words of the replica that was in it', () => {
    const { events } = fakeRun({ operations: 60 });
    const replicas = [0, 1, 2].map((replica) => new StepExplanations(explain, replica, 3, new Map()));
    const statuses = new Set<string>();
    for (const event of events) {
      if (event.kind === 'up') replicas[event.replica]?.opened(event.state);
      if (event.kind !== 'machine') continue;
      const said = replicas[event.replica]?.after(event);
      const live = liveReplicas.get(event.state);
      if (live === undefined) throw new Error('the run kept no replica for a state');
      if (!event.taken) continue;
      expect(said).toEqual(explanationText(explain.explain('replica', live)));
      statuses.add(`${event.state.status} ${event.state.target.from === 3 ? 'without' : 'with'} target`);
    }
    expect([...statuses].sort()).toEqual([
      'normal without target',
      'view-change with target',
      'view-change without target',
    ]);
  });

  it('a refusal says which guards refused, with what they read and where the spec has them', () => {
    const { events } = fakeRun();
    const explanations = new StepExplanations(explain, 2, 3, new Map());
    const told = events.flatMap((event) =>
      event.kind === 'machine' && event.replica === 2 ? [{ event, text: explanations.after(event).join('\n') }] : [],
    );
    const gap = told.find(({ event: { type, taken } }) => type === 'ReceivePrepare' && !taken);
    expect(gap?.text).toMatch(
      /^ReceivePrepare from replica 0 was refused at replica 2 in status normal: Vsr.ReceivePrepare/,
    );
    expect(gap?.text).toMatch(
      /fails {2}Vsr\.ReceivePrepare\.NextInSequence\n[\s\S]*event\.message\.op +\d+\n +context\.op +\d+/,
    );
    expect(gap?.text).toMatch(/specs\/Vsr\.tla:\d+ {2}NextInSequence\(r, m\)/);
  });
});
