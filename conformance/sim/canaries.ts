/**
 * The broken implementations that simulation must find: every fault of the code of Vsr, AppendLog and Superblock
 * (conformance/drivers/*-broken.ts), the liveness canaries E23, E24 and E25, and the simulator's own: at least one for each
 * oracle that no other oracle sees. docs/simulation-canaries.md has what each took. Mirrors no spec module.
 */
import { brokenAppendLog } from '../drivers/append-log-broken.ts';
import { brokenSessions } from '../drivers/client-sessions-broken.ts';
import { brokenSuperblock } from '../drivers/superblock-broken.ts';
import { brokenVsr } from '../drivers/vsr-broken.ts';
import type { BrokenParts } from './broken-parts.ts';
import { planOf, whyUnseen } from './canary-limits.ts';
import type { PlanSettings } from './make-plan.ts';
import {
  impatient,
  keyIsLost,
  lastEntryViewParts,
  nobodyStepsAside,
  pageLosesEvent,
  repeatedAtWrongOffset,
  staleReads,
  stateDiffers,
  unknownIsRefused,
} from './server-canaries.ts';
import { laterAnswerNow, laterReply, sessionIsLost, sessionParts, tableDiffers } from './session-canaries.ts';
import { SimError } from './sim-error.ts';

export interface SimCanary {
  /** `Vsr.drop-SameView`. */
  readonly name: string;
  readonly component: string;
  readonly rule: string;
  /** Of docs/canaries.md. */
  readonly canary?: string;
  /** Why no run finds it; absent: it must be found. */
  readonly unseen?: string;
  /** The scenario that shows it, where the swarm hardly does. */
  readonly plan?: PlanSettings;
  /** Made anew for each run: some have a memory. */
  readonly parts: () => BrokenParts;
}

type Broken = Pick<SimCanary, 'name' | 'rule' | 'canary'>;

function canary(component: string, { name, rule, canary: known }: Broken, parts: () => BrokenParts): SimCanary {
  const full = `${component}.${name}`;
  const unseen = whyUnseen(full);
  const plan = planOf(full);
  return {
    ...{ name: full, component, rule, parts },
    ...(known === undefined ? {} : { canary: known }),
    ...(unseen === undefined ? {} : { unseen }),
    ...(plan === undefined ? {} : { plan }),
  };
}

const own = (component: string, name: string, rule: string, parts: () => BrokenParts, known?: string): SimCanary =>
  canary(component, { name, rule, ...(known === undefined ? {} : { canary: known }) }, parts);

/** Each alone changes nothing, since the other one does it: see canary-limits.ts. */
const BOTH_SYNCS = ['ViewChangeFsync.syncLog', 'PersistView.syncRest', 'StartView.syncRest', 'EnterView.syncRest'];

export const simCanaries: readonly SimCanary[] = [
  ...brokenVsr.map((broken) => canary('Vsr', broken, () => ({ replica: broken.parts }))),
  own('Vsr', 'last-entry-view', 'logView ranks a log, not the view of its last entry', lastEntryViewParts, 'E7'),
  own('Vsr', 'omit-both-syncs', 'a log that came by a view change is synced before it is promised', () => ({
    replica: { faults: new Set(BOTH_SYNCS) },
  })),
  ...brokenAppendLog.map((broken) => canary('AppendLog', broken, () => ({ log: broken.parts }))),
  ...brokenSuperblock.map((broken) => canary('Superblock', broken, () => ({ superblock: broken.parts }))),
  own('Vsr', 'impatient', 'a view change gets time to end, and more each time', impatient, 'E23'),
  own('Vsr', 'nobody-steps-aside', 'a view that does not begin is given up', nobodyStepsAside, 'E25'),
  own(
    'Client',
    'follows-highest-view',
    'a client goes to whoever serves it, not to the highest view',
    () => ({ client: new Set(['follows-highest-view']) }),
    'E24',
  ),
  own('Client', 'forgets-lost-request', 'a request whose connection is lost is tried again or ended', () => ({
    client: new Set(['forgets-lost-request']),
  })),
  own('Server', 'stale-read', 'a linearizable read waits for a round that began after it came', staleReads),
  own('Server', 'key-is-lost', 'an append with a key is applied once', keyIsLost),
  own('Server', 'unknown-is-refused', 'what is said to be refused is not applied', unknownIsRefused),
  ...brokenSessions.map((broken) => canary('ClientSessions', broken, () => sessionParts(broken))),
  own('ClientSessions', 'session-is-lost', 'a request of a session is executed once', sessionIsLost),
  own('ClientSessions', 'later-reply', 'a later try gets the first reply', laterReply),
  own('ClientSessions', 'later-answer-now', 'an answer without the log is the first reply', laterAnswerNow),
  own('ClientSessions', 'table-differs', 'all replicas evict the same sessions', tableDiffers),
  own('Kernel', 'state-differs', 'equal commit ids have equal states', stateDiffers),
  own('Kernel', 'page-loses-event', 'a page has every event in its range', pageLosesEvent),
  own('Kernel', 'repeated-at-wrong-offset', 'a repeated append has the answer of the first', repeatedAtWrongOffset),
];

const BY_NAME: ReadonlyMap<string, SimCanary> = new Map(simCanaries.map((one) => [one.name, one]));

/** @throws SimError SIM_UNKNOWN_CANARY */
export function canaryNamed(name: string): SimCanary {
  const found = BY_NAME.get(name);
  if (found !== undefined) return found;
  throw new SimError('SIM_UNKNOWN_CANARY', `no canary ${name}: lockstep sim canaries lists them`, { canary: name });
}
