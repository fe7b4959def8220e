/**
 * What simulation has to find of each canary, and what it cannot: the runs within which it must be found, the scenario that
 * shows it where the swarm does not, and the reason for those that no run can show. The models find those
 * (docs/canaries.md). Mirrors no spec module.
 */
import type { PlanSettings } from './make-plan.ts';

/** Runs within which a canary must be found, from whatever seed on. */
const RUNS_MAX = 300;
/** Those that take more: a schedule of several steps that chance has to meet. */
const RARE_RUNS_MAX = 10_000;
const RARE: ReadonlySet<string> = new Set([
  'Vsr.longest-log',
  'Vsr.last-entry-view',
  'Vsr.begin-before-log-view-durable',
  'Vsr.omit-StartView.writeSuperblock',
  'Vsr.impatient',
  'Vsr.drop-IsWanted',
  'AppendLog.retry-fsync',
  'AppendLog.window-not-rewritten',
  'AppendLog.short-write-ignored',
  'Superblock.drop-CopyReadable',
  'Superblock.checksum-not-checked',
  'Superblock.short-write-ignored',
  'ClientSessions.in-flight-survives-view',
  'ClientSessions.drop-PlaceApplied',
]);

export function runsMaxOf(name: string): number {
  return RARE.has(name) ? RARE_RUNS_MAX : RUNS_MAX;
}

/** Every fault of the disk and nothing else. */
const DISK: PlanSettings = { name: 'disk' };
/** The same, and a replica whose disk lied comes back: to stop loudly is right, to go on is the bug. */
const BEYOND: PlanSettings = { name: 'disk', beyond: true };

/** View follows view: logs of different views meet, and a primary is deposed while clients ask it. */
const STORMS: PlanSettings = { name: 'storms' };

/** Nothing happens, or a machine goes and nothing else does: what waits for a retry shows. */
const CALM: PlanSettings = { name: 'calm' };
const FAILOVER: PlanSettings = { name: 'failover' };

const PLANS: Readonly<Record<string, PlanSettings>> = {
  'Vsr.last-entry-view': STORMS,
  'Vsr.read-without-quorum': STORMS,
  'Vsr.drop-ReadQuorum': STORMS,
  'Vsr.drop-IsPrimary': CALM,
  'Vsr.omit-ClientRequest.sendPrepare': CALM,
  'Vsr.omit-BackupFsync.sendPrepareOk': CALM,
  'Vsr.omit-SendCommit.sendCommit': CALM,
  'Vsr.omit-PersistView.sendStartViewChange': FAILOVER,
  'Vsr.omit-StartView.sendStartView': FAILOVER,
  'AppendLog.retry-fsync': DISK,
  'AppendLog.window-not-rewritten': DISK,
  'AppendLog.short-write-ignored': DISK,
  'AppendLog.cut-at-first-bad-crc': BEYOND,
  'AppendLog.drop-FileIsWhole': BEYOND,
  'AppendLog.drop-TailIsTorn': BEYOND,
  'Superblock.drop-CopyReadable': BEYOND,
  'Superblock.checksum-not-checked': DISK,
  'Superblock.short-write-ignored': DISK,
};

export function planOf(name: string): PlanSettings | undefined {
  return PLANS[name];
}

const OWN_ORDER =
  'the code asks in an order in which this always holds (replica.ts settle, flush): the guard is for other callers';
const NOT_ASKED =
  'the code does not ask when it does not hold (replica-pace.ts, proposals.ts, reads.ts): the guard is for other callers';
const NO_FOREIGN = 'no fault of a plan makes a whole copy or record of another history';
const LOUD_ANYHOW = 'what is refused halts all the same: only the name of the event differs';
const TWO_SYNCS = 'the log is synced twice on this way (ViewChangeFsync, then syncRest): either alone is enough';

const CLIENT_NUMBERS =
  'a client is a package without the machines: it has this rule written out (impl/wire/session-numbers.ts)';
const SAME_EVERYWHERE =
  'every replica evicts the same session, and a client whose session goes registers anew: safe, and unfair to the client';
const MORE_WORK =
  'the server joins tries of one request itself (joined-requests.ts), and what is in the log twice is executed once: only more work';

/** By name, with the reason. */
const UNSEEN: Readonly<Record<string, string>> = {
  'ClientSessions.drop-HasSession': CLIENT_NUMBERS,
  'ClientSessions.drop-NeedsSession': CLIENT_NUMBERS,
  'ClientSessions.drop-WindowHasRoom': CLIENT_NUMBERS,
  'ClientSessions.drop-IsWaited': CLIENT_NUMBERS,
  'ClientSessions.drop-AnswerOverdue': CLIENT_NUMBERS,
  'ClientSessions.drop-AddressedHere': CLIENT_NUMBERS,
  'ClientSessions.drop-HigherSession': CLIENT_NUMBERS,
  'ClientSessions.drop-OfThisSession': CLIENT_NUMBERS,
  'ClientSessions.drop-AwaitsAnswer': CLIENT_NUMBERS,
  'ClientSessions.drop-SessionHere': OWN_ORDER,
  'ClientSessions.drop-IsRegister': OWN_ORDER,
  'ClientSessions.drop-IsRequest': OWN_ORDER,
  'ClientSessions.drop-TableIsFull': OWN_ORDER,
  'ClientSessions.drop-ReplyDoesNotFit': OWN_ORDER,
  'ClientSessions.drop-InWindow':
    'what is below the window is answered without the log, by AnswerStale: not met at apply in 800 runs',
  'ClientSessions.evict-own-session':
    'a session that is used goes last in the order: it is the oldest only of those of one timestamp; not met in 800 runs',
  'ClientSessions.use-not-noted': SAME_EVERYWHERE,
  'ClientSessions.highest-id-first': SAME_EVERYWHERE,
  'ClientSessions.newest-first': SAME_EVERYWHERE,
  'ClientSessions.drop-NotInFlight': MORE_WORK,
  'ClientSessions.drop-MayBeRegistered': MORE_WORK,
  'Vsr.start-view-again':
    'the log is adopted in this view already, so the replica enters it again at once with all it holds',
  'Vsr.drop-PipelineHasRoom':
    'the server has at most 8 prepares in flight (PREPARES_IN_FLIGHT_MAX), the pipeline holds 100; and a longer one is safe',
  'Vsr.drop-NewAcknowledgement':
    'an old acknowledgement lowers a count that only grows the commit number: the next one raises it again',
  'Vsr.drop-LogIsDurable': OWN_ORDER,
  'Vsr.drop-ViewIsDurable': OWN_ORDER,
  'Vsr.drop-CommitIsVolatile': NOT_ASKED,
  'Vsr.drop-StartQuorum':
    'a view change begun by fewer is as safe: the quorum of DoViewChange decides; it is there against disturbance',
  'Vsr.drop-StartVoteNeeded': 'a vote beyond the quorum, or one counted already, changes no decision',
  'Vsr.drop-ChangeVoteNeeded': 'the log is chosen in the step that completes the quorum: a later vote finds a target',
  'Vsr.drop-TargetNotReached': NOT_ASKED,
  'Vsr.drop-AddressedHere': 'an Entry goes to one replica and no fault takes a frame elsewhere',
  'Vsr.drop-LeftInViewChange': OWN_ORDER,
  'Vsr.drop-NoReadRound': NOT_ASKED,
  'Vsr.drop-SameRound':
    'an answer would have to be under way while its sender changes view and commits there: not met in 600 runs',
  'Vsr.read-answer-of-older-life':
    'an answer would have to be under way over three view changes, until who asked leads again: not met in 600 runs',
  'Vsr.read-answered-in-view-change':
    'a view is made durable in the step that moves to it, before another message is taken: not met in 600 runs',
  'Vsr.omit-EnterView.sendPrepareOk':
    'what the new view began with is acknowledged again with its first prepare, or by a retry: slower, and not met in 1,000 runs of failover',
  'Vsr.omit-AnswerStartViewChange.sendStartView':
    'the StartView with which the view began goes out before it (ReplicaPace.hearing)',
  'Vsr.omit-AdoptLog.deliverCommitted':
    'the next commit number delivers it, and in a view that goes on one always comes',
  'Vsr.omit-PrimaryFsync.deliverCommitted':
    'a primary syncs in the turn in which it prepares: no acknowledgement comes before',
  'Vsr.omit-PersistCommit.syncRest':
    'LogIsDurable holds there: only a suffix that was cut and came back the same can wait for its sync',
  'Vsr.omit-PersistCommit.writeSuperblock':
    'a restart then begins with an older commit number and hears the newer one again: only slower',
  'Vsr.omit-ViewChangeFsync.syncLog': TWO_SYNCS,
  'Vsr.omit-PersistView.syncRest': TWO_SYNCS,
  'Vsr.omit-StartView.syncRest': TWO_SYNCS,
  'Vsr.omit-EnterView.syncRest': TWO_SYNCS,
  'AppendLog.cut-not-reported': 'the report of an opening goes to a person: nothing in a cluster reads it',
  'AppendLog.chain-not-checked': NO_FOREIGN,
  'AppendLog.drop-HasRoom': 'a simulated file grows by a write behind its end: the records are there all the same',
  'AppendLog.drop-LacksRoom': 'append() grows only when HasRoom has refused it: the guard is for other callers',
  'AppendLog.drop-UnsyncedWithinLimit': 'append() syncs before 16 MiB wait: the guard is for other callers',
  'AppendLog.drop-ReadsBackWhole': 'a replica whose sync has failed halts: nothing calls reverify()',
  'Superblock.first-whole-copy':
    'a write of the first half has to be lost while the second half is newer: not met in 3,000 runs of lost writes',
  'Superblock.sync-again':
    'a sync of the superblock has to fail, and the power to go before the next one: not met in 3,000 runs',
  'Superblock.drop-NoCopyReadable': LOUD_ANYHOW,
  'Superblock.drop-OneNewest': NO_FOREIGN,
  'Superblock.drop-ParentMatches': NO_FOREIGN,
  'Superblock.drop-Contradicted': LOUD_ANYHOW,
  'Superblock.drop-Advances': 'views and commit numbers of a replica never go back: its own machine sees to it',
  'Superblock.drop-FirstHalfStale': 'a write fails only where there is one to fail',
  'Superblock.drop-SecondHalfStale': 'a write fails only where there is one to fail',
  'Superblock.one-phase': 'a power loss tears one page of a plan: three copies are whole, the old ones or the new',
  'Superblock.repair-everything': 'the power would have to go in the middle of a repair from the only whole copy',
};

export function whyUnseen(name: string): string | undefined {
  return UNSEEN[name];
}
