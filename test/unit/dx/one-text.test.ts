/**
 * Goal: the same state explains itself in the same words, whether it runs, is replayed from a trace, or was found by TLC.
 * Method: (1) a walk of the real code at random, each state explained by the code and by its spec variables; (2) one state
 * reached by a live cluster behind HTTP, by a replayed trace, and by the state graph of the model checker.
 */
import { readFileSync } from 'node:fs';
import fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import type { Constants } from '../../../conformance/driver.ts';
import { vsrDriver } from '../../../conformance/drivers/vsr.ts';
import { vsrExplanation } from '../../../conformance/drivers/vsr-explained.ts';
import { parseCfg } from '../../../conformance/engines/cfg.ts';
import { runEmbedded } from '../../../conformance/engines/embedded.ts';
import { findTlc } from '../../../conformance/engines/find-tlc.ts';
import { runTlc } from '../../../conformance/engines/tlc.ts';
import { readItf, type Trace, writeItf } from '../../../conformance/replay/itf.ts';
import { replay } from '../../../conformance/replay/replay.ts';
import { explain, TOPICS } from '../../../impl/dx/explain.ts';
import { dxPlugin } from '../../../impl/dx/plugin.ts';
import { SimulatedRandom } from '../../../impl/ports/simulated-random.ts';
import { type ExplainedReplica, type Explanation, explanationText } from '../../../machines/explanation.ts';
import { SmallCluster } from './small-cluster.ts';

function constantsOf(cfg: string): Constants {
  return parseCfg(readFileSync(`specs/${cfg}`, 'utf8')).constants;
}

/** Every topic for every replica, in full. */
function textOf(replicas: readonly ExplainedReplica[]): string {
  const explanations = replicas.flatMap((replica) => TOPICS.map((topic) => explain(topic, replica)));
  return explanations.map((explanation) => explanationText(explanation, undefined, true).join('\n')).join('\n\n');
}

type Cluster = Parameters<typeof vsrDriver.step>[0];

/** Where the models of MCVsr begin; those that begin elsewhere have more starts than this one. */
function first(constants: Constants): Cluster {
  const initial = vsrDriver.initial(constants);
  return (Array.isArray(initial) ? initial[0] : initial) as Cluster;
}

function textsOf(cluster: Cluster): Record<string, string> {
  return Object.fromEntries(Object.entries(vsrDriver.project(cluster)).map(([name, { text }]) => [name, text]));
}

describe('code and spec', () => {
  test.each(['Vsr_restart.cfg', 'Vsr_join.cfg', 'Vsr_pipeline.cfg'])('%s: a walk at random', (cfg) => {
    const constants = constantsOf(cfg);
    const random = new SimulatedRandom(1);
    const texts = new Set<string>();
    let states = 0;
    for (let walk = 0; walk < 5; walk++) {
      let cluster = first(constants);
      for (let depth = 0; depth < 30; depth++) {
        const ofCode = textOf(vsrExplanation.ofCode(cluster));
        expect(textOf(vsrExplanation.ofSpec(textsOf(cluster), constants))).toBe(ofCode);
        texts.add(ofCode);
        states++;
        const next = vsrDriver
          .alphabet(cluster)
          .map((event) => vsrDriver.step(cluster, event))
          .filter((after) => after !== cluster);
        const chosen = next[random.below(Math.max(1, next.length))];
        if (chosen === undefined) break;
        cluster = chosen;
      }
    }
    expect(states).toBeGreaterThan(80);
    expect(texts.size).toBeGreaterThan(30);
  });
});

/** The states of the cfg as TLC found them, or the embedded engine without Java. */
async function statesOf(cfg: string): Promise<readonly Record<string, string>[]> {
  const model = { folder: 'specs', module: 'MCVsr', cfg };
  const tlc = findTlc(undefined);
  const run =
    'found' in tlc ? await runTlc(tlc.found, model, { wantGraph: true, workers: 1 }) : runEmbedded(model, true);
  expect(run.failure).toBeUndefined();
  const { states = [], variables = [] } = run.graph ?? {};
  return states.map((texts) => Object.fromEntries(variables.map((name, at) => [name, texts[at] ?? ''])));
}

/** As `lockstep explain` prints it: from the JSON of the HTTP answer. */
async function liveText(cluster: SmallCluster, replicas: number): Promise<string> {
  const parts: string[] = [];
  for (let index = 0; index < replicas; index++) {
    const server = fastify();
    await server.register(dxPlugin, { source: cluster.source(index) });
    for (const topic of TOPICS) {
      const { data } = (await server.inject(`/v1/dx/explain/${topic}`)).json<{ data: Explanation }>();
      parts.push(explanationText(data, undefined, true).join('\n'));
    }
    await server.close();
  }
  return parts.join('\n\n');
}

/** The real code along these actions, each at a replica, as a saved trace. */
function traceOf(cfg: string, steps: readonly (readonly [action: string, replica: number])[]): Trace {
  let cluster = first(constantsOf(cfg));
  const states: Trace['states'][number][] = [
    { action: undefined, label: 'Init', event: undefined, values: textsOf(cluster) },
  ];
  for (const [action, replica] of steps) {
    const event = vsrDriver
      .alphabet(cluster)
      .find((each) => each.type === action && each.replica === replica && vsrDriver.step(cluster, each) !== cluster);
    if (event === undefined) throw new Error(`${action}(${replica}) is refused here`);
    cluster = vsrDriver.step(cluster, event);
    const label = vsrDriver.describe?.(event) ?? action;
    states.push({
      action,
      label,
      event: JSON.parse(JSON.stringify(event)) as { type: string },
      values: textsOf(cluster),
    });
  }
  return { component: 'Vsr', cfg, about: 'a state that explains itself', states };
}

describe('live, replayed and found', () => {
  test.each([
    {
      situation: 'an op that waits for a quorum',
      cfg: 'Vsr_normal.cfg',
      pipelineMax: 2,
      steps: [
        ['ClientRequest', 0],
        ['ReceivePrepare', 1],
        ['PrimaryFsync', 0],
        ['BackupFsync', 1],
      ] as const,
      live: (cluster: SmallCluster) => {
        cluster.kill(2);
        cluster.submit(0);
        cluster.deliverOnce();
      },
      says: ['1 of the 2 durable copies', 'Op 1 is in the log of replica 1 and not known committed'],
    },
    {
      situation: 'a view change that nobody else wants',
      cfg: 'Vsr_join.cfg',
      pipelineMax: 1,
      steps: [
        ['HeartbeatTimeout', 1],
        ['PersistView', 1],
      ] as const,
      live: (cluster: SmallCluster) => {
        cluster.replica(1).take('HeartbeatTimeout');
        cluster.replica(1).settle();
      },
      says: ['Replica 1 is in the change to view 1', '1 of the 2 replicas that a quorum needs'],
    },
  ])(
    '$situation: one text',
    async ({ cfg, pipelineMax, steps, live, says }) => {
      const constants = constantsOf(cfg);
      const running = new SmallCluster(3, pipelineMax);
      live(running);
      const ofLive = await liveText(running, 3);

      const trace = readItf(writeItf(traceOf(cfg, steps)));
      let replayed = '';
      const { failure } = replay(trace, vsrDriver, constants, {
        onStep: (_index, _label, _state, code) => {
          replayed = textOf(vsrExplanation.ofCode(code as Cluster));
        },
      });
      expect(failure).toBeUndefined();

      const last = trace.states.at(-1)?.values ?? {};
      const same = (state: Record<string, string>): boolean =>
        Object.keys(last).every((name) => state[name] === last[name]);
      const found = (await statesOf(cfg)).filter(same);
      expect(found).toHaveLength(1);
      const ofSpec = textOf(vsrExplanation.ofSpec(found[0] ?? {}, constants));

      for (const words of says) expect(ofLive).toContain(words);
      expect(ofLive).toMatch(/^ +event\.message\.\w+ +\d+$|^ +context\.\w+ /m);
      expect(replayed).toBe(ofSpec);
      expect(ofLive).toBe(ofSpec);
    },
    240_000,
  );
});
