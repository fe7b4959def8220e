/** The row Vsr of `make check`: normal operation, view change, crash and restart of specs/Vsr.tla. */
import { vsrMachine } from '../../machines/vsr.ts';
import type { Component } from '../component.ts';
import { type VsrCluster, vsrDriver, vsrDriverOnFiles } from '../drivers/vsr.ts';
import { vsrExplanation } from '../drivers/vsr-explained.ts';
import { vsrFaults } from '../drivers/vsr-faults.ts';
import type { VsrStep } from '../drivers/vsr-messages.ts';
import { simulatedRuns } from '../sim/judge/simulated-runs.ts';
import { clusterRuns } from '../validate-cluster/recorded-runs.ts';

const RANDOM_TRACES = 100;
/** Steps: a view change with repair takes about 30. */
const RANDOM_DEPTH = 80;

export const vsrComponent: Component<VsrCluster, VsrStep> = {
  name: 'Vsr',
  sources: {
    spec: 'specs/Vsr.tla',
    machine: 'machines/vsr.ts',
    implementation: [
      'impl/vsr/replica.ts',
      'impl/vsr/replica-effects.ts',
      'impl/vsr/replica-messages.ts',
      'impl/vsr/prepare-log.ts',
      'impl/vsr/codec.ts',
    ],
    driver: 'conformance/drivers/vsr.ts',
  },
  machine: vsrMachine,
  driver: vsrDriver,
  explanation: vsrExplanation,
  recordedRuns: [
    { about: 'real processes under kill -9, recorded and validated by TLC', run: clusterRuns },
    { about: 'simulated runs under every fault, judged by TLC', run: simulatedRuns },
  ],
  models: [
    { cfg: 'Vsr_normal.cfg', module: 'MCVsr', kind: 'small', distinct: 3944 },
    { cfg: 'Vsr_join.cfg', module: 'MCVsr', kind: 'small', distinct: 5870 },
    { cfg: 'Vsr_crash.cfg', module: 'MCVsr', kind: 'small', distinct: 11_326 },
    { cfg: 'Vsr_pipeline.cfg', module: 'MCVsr', kind: 'small', distinct: 15_837 },
    { cfg: 'Vsr_restart.cfg', module: 'MCVsr', kind: 'small', distinct: 4816 },
    { cfg: 'Vsr_view.cfg', module: 'MCVsr', kind: 'small', distinct: 59_416 },
    { cfg: 'Vsr_view_deep.cfg', module: 'MCVsr', kind: 'deep', distinct: 84_758 },
    { cfg: 'Vsr_restart_three.cfg', module: 'MCVsr', kind: 'deep', distinct: 120_994 },
    { cfg: 'Vsr_ranking.cfg', module: 'MCVsrRanking', kind: 'small', distinct: 1611 },
    { cfg: 'Vsr_stale.cfg', module: 'MCVsrRanking', kind: 'small', distinct: 53 },
    { cfg: 'Vsr_read.cfg', module: 'MCVsr', kind: 'small', distinct: 20_826 },
    { cfg: 'Vsr_read_rounds.cfg', module: 'MCVsr', kind: 'small', distinct: 6177 },
    { cfg: 'Vsr_read_join.cfg', module: 'MCVsr', kind: 'small', distinct: 3343 },
    { cfg: 'Vsr_read_crash.cfg', module: 'MCVsr', kind: 'small', distinct: 2487 },
    { cfg: 'Vsr_read_stale.cfg', module: 'MCVsrRanking', kind: 'small', distinct: 90 },
    { cfg: 'Vsr_live.cfg', module: 'MCVsr', kind: 'live', distinct: 1162 },
    { cfg: 'Vsr_read_live.cfg', module: 'MCVsr', kind: 'live', distinct: 154 },
    {
      cfg: 'Vsr_refinement.cfg',
      module: 'MCVsrRefinement',
      kind: 'refinement',
      distinct: 11_326,
      embeddedSkipped: 'it has no INSTANCE',
    },
  ],
  faults: vsrFaults,
  abstracted: {},
  random: {
    cfg: 'Vsr_random.cfg',
    module: 'MCVsr',
    driver: vsrDriverOnFiles(),
    traces: RANDOM_TRACES,
    depth: RANDOM_DEPTH,
  },
  boundsWithoutCanary: {
    PipelineMax:
      'two ops at once show an fsync that covers a batch and a repair entry by entry; every canary needs one',
    Impatient:
      'primary and backup may both lose patience: Abdicate and HeartbeatTimeout in one model; each canary needs one',
    CrashProne: 'a primary and a backup restart by different actions, in one model; each canary needs one',
    HeartbeatFrom: 'narrows a model: the whole protocol is 0, in Vsr_normal and Vsr_join',
    Down: 'narrows a model: the whole cluster is {}, in Vsr_normal, Vsr_join, Vsr_view and Vsr_stale',
    Readers: 'switches reads on; where it names nobody, a model is about something else',
    Deaf: 'narrows a model: {} is the whole protocol, in all models but Vsr_read and Vsr_read_rounds',
    RequestsFrom: 'narrows a model: 0 is the whole protocol, in all models but Vsr_read_rounds',
    Lagging: 'narrows a model: {} is the whole protocol, and Vsr_view_deep is Vsr_view with it',
  },
};
