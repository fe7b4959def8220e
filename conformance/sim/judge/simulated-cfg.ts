/** Which cfg of specs/ has the constants of Vsr for a simulated cluster, and the invariants that its runs are asked. */
import { EngineError } from '../../engines/engine.ts';

const CFGS: ReadonlyMap<number, string> = new Map([
  [3, 'Vsr_simulated.cfg'],
  [5, 'Vsr_simulated_five.cfg'],
  [7, 'Vsr_simulated_seven.cfg'],
]);

/** @throws EngineError for a number of replicas that is never simulated */
export function cfgOf(replicaCount: number): string {
  const cfg = CFGS.get(replicaCount);
  if (cfg === undefined) throw new EngineError(`no cfg of specs/ is for ${replicaCount} simulated replicas`);
  return cfg;
}
