/** What component Vsr adds to the stage `validation` of `make check`: a short run of three real processes under kill -9. */
import type { RecordedRuns } from '../component.ts';
import { recordClusterRun } from './run-cluster.ts';
import { validateCluster } from './validate-cluster.ts';

const KILLS = 3;
const REQUESTS_PER_KILL = 6;

export const clusterRuns: RecordedRuns = async (root, tlc) => {
  const recordings = await recordClusterRun(root, { kills: KILLS, requestsPerKill: REQUESTS_PER_KILL });
  const { steps, refused, violated } = await validateCluster(tlc, root, recordings);
  const told = { traces: 1, steps };
  if (violated !== undefined) return { ...told, wrong: `a recorded run of three processes breaks ${violated}` };
  if (refused === undefined) return told;
  const { step, action, replica, at, why } = refused;
  const where = `step ${step} of a recorded run of three processes, ${action} of replica ${replica} (${at})`;
  return { ...told, wrong: `${where}, ${why}` };
};
