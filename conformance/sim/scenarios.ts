/** The named scenarios of `lockstep sim --scenario`: which faults may occur, and what the clients do. Mirrors no spec module. */
import { CLOCK_FAULTS, DISK_FAULTS, type FaultKind, NETWORK_FAULTS, type ReplicaCount, type Workload } from './plan.ts';

export interface NamedScenario {
  readonly name: string;
  /** One sentence. */
  readonly description: string;
  readonly faults: readonly FaultKind[] | 'all';
  /** Each seed draws which of the faults exist and how strong; otherwise all of them may occur. */
  readonly swarm: boolean;
  /** So little happens that everything must be prompt (promptness-oracle.ts). */
  readonly prompt?: true;
  readonly replicaCount?: ReplicaCount | 'swarm';
  readonly workload?: Workload;
  /** No run of it ends before it has had so many steps (plan.ts). */
  readonly stepsMin?: number;
  /** Of a swarm: each run has a storm of view changes (draw-storm.ts). Absent: chance decides. */
  readonly storm?: true;
}

export const SCENARIOS: readonly NamedScenario[] = [
  {
    name: 'swarm',
    description: 'every seed draws its own faults, strengths, workload and times',
    faults: 'all',
    swarm: true,
  },
  {
    name: 'swarm-sizes',
    description: 'the same with 3, 5 or 7 replicas',
    faults: 'all',
    swarm: true,
    replicaCount: 'swarm',
  },
  {
    name: 'rate',
    description: 'the swarm, and no run ends before it has had 2,000 events: what make bench measures',
    faults: 'all',
    swarm: true,
    replicaCount: 3,
    stepsMin: 2_000,
  },
  {
    name: 'storms',
    description:
      'the swarm, and in each run one replica after the other is kept from the rest, so that view follows view',
    faults: 'all',
    swarm: true,
    storm: true,
  },
  {
    name: 'calm',
    description: 'no faults at all: what the cluster does when left alone, and promptly',
    faults: [],
    swarm: false,
    prompt: true,
  },
  {
    name: 'failover',
    description: 'machines go and do not come back, and nothing else happens: the rest goes on promptly',
    faults: ['gone-for-good'],
    swarm: false,
    prompt: true,
  },
  {
    name: 'network',
    description: 'every fault of the network and none of machines',
    faults: NETWORK_FAULTS,
    swarm: false,
  },
  {
    name: 'partitions',
    description: 'the network parts in every shape, and nothing else happens',
    faults: ['partition-symmetric', 'partition-asymmetric', 'partition-partial'],
    swarm: false,
  },
  {
    name: 'disk',
    description: 'every fault of the disks, power losses among them',
    faults: [...DISK_FAULTS, 'power-loss'],
    swarm: false,
  },
  {
    name: 'crashes',
    description: 'processes die and lose power in the middle of disk operations, again and again',
    faults: ['process-crash', 'power-loss', 'torn-write', 'process-pause', 'delay', 'loss'],
    swarm: false,
  },
  {
    name: 'clocks',
    description: 'clocks drift and jump, processes stall, syncs are slow',
    faults: [...CLOCK_FAULTS, 'process-pause', 'process-slow', 'disk-latency', 'delay'],
    swarm: false,
  },
];

/** @throws when there is none; the runner has checked the name */
export function scenarioNamed(name: string): NamedScenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`no scenario is called ${name}`);
  return found;
}
