/**
 * What this process found on its disk and how it came back from it: the guards of the event that opened each part, asked of
 * the machines with what they were told then. Mirrors Open of specs/Superblock.tla, the Reopen actions of specs/AppendLog.tla
 * and the Restart actions of specs/Vsr.tla.
 */
import { evaluateWithEvidence } from '../../machines/evidence.ts';
import type { AppliedRule, ExplainedReplica } from '../../machines/explanation.ts';
import type { VsrContext } from '../../machines/vsr-context.ts';
import type { DxSource, LiveMachine, Opened } from '../server/dx-source.ts';
import { appliedRule } from './applied-rules.ts';
import { type Answer, ask, contextOf, opsText, whereItIs } from './explained-replica.ts';

const RESTARTS = ['RestartAsBackup', 'RestartAsPrimary', 'RestartInViewChange'] as const;

export function explainRecovery(replica: ExplainedReplica, source: DxSource): Answer {
  const { opened } = source;
  const { superblockCopies: copies, log } = opened;
  const superblock = guardsOf(source, 'Superblock', 'closed', { type: 'Open', copies });
  const reopen = guardsOf(source, 'AppendLog', 'down', { type: log.action, scan: log.scan });
  const began: ExplainedReplica = { ...replica, snapshot: opened.snapshot };
  const restarts = opened.firstStart ? [] : RESTARTS.map((action) => [action, ask(began, action)] as const);
  const taken = restarts.find(([, rules]) => rules.every(({ evaluation }) => evaluation));
  const { op, commit, view, logView } = contextOf(began);
  return {
    inputs: {
      ...whereItIs(replica),
      found: {
        first_start: opened.firstStart,
        superblock_copies_whole: copies.filter((copy) => copy !== undefined).length,
        superblock_copies_repaired: opened.superblockCopiesRepaired,
        log_records: log.scan.records,
        log_torn_bytes: log.tornBytes,
        log_reason: log.reason,
        view,
        log_view: logView,
        op,
        commit,
      },
    },
    rules: [...superblock, ...reopen, ...restarts.flatMap(([, rules]) => rules)],
    decidedBy: [...superblock, ...reopen, ...(taken?.[1] ?? [])],
    conclusion: [
      superblockText(opened, contextOf(began)),
      logText(opened),
      suffixText(op, commit),
      opened.firstStart
        ? 'It is its first start: it began in view 0.'
        : `It came back by ${taken?.[0] ?? 'no Restart'}.`,
    ].join(' '),
    missing: [superblock, reopen].some((rules) => rules.length === 0)
      ? ['what opened the disk: no disk machine runs here']
      : [],
  };
}

/** What no component does yet, so that nobody reads more into a restart. */
export const RECOVERY_NOTES: readonly string[] = [
  'there is no component Recovery yet: a replica whose disk is gone cannot rejoin',
  'there is no component LogRepair yet: a log with damage before its tail is not opened, and the replica does not start',
];

function guardsOf(
  source: DxSource,
  name: string,
  state: string,
  event: { readonly type: string; readonly [fact: string]: unknown },
): readonly AppliedRule[] {
  const live: LiveMachine | undefined = source.machines().find((machine) => machine.name === name);
  if (live === undefined) return [];
  const before = { ...live.snapshot, value: state };
  return evaluateWithEvidence(live.machine, before as never, event).map((answer) =>
    appliedRule(name, event.type, answer),
  );
}

function superblockText({ superblockCopies: copies, superblockCopiesRepaired }: Opened, found: VsrContext): string {
  const readable = copies.filter((copy) => copy !== undefined).length;
  const repaired = superblockCopiesRepaired.length;
  const again = repaired === 0 ? '' : `, ${repaired} written again`;
  const { replica, view, logView, commit } = found;
  return `Replica ${replica} opened its disk: ${readable} of ${copies.length} copies of the superblock are whole${again}, with view ${view}, log view ${logView} and commit ${commit}.`;
}

function logText({ log: { scan, tornBytes, reason } }: Opened): string {
  const records = `${scan.records} ${scan.records === 1 ? 'record' : 'records'}`;
  if (scan.verdict === 'whole') return `The log is whole, with ${records}.`;
  const why = reason === undefined ? '' : ` (${reason})`;
  return `The log has ${records} and then the torn tail of a write that a crash cut short: ${tornBytes} bytes were cleared${why}.`;
}

function suffixText(op: number, commit: number): string {
  if (op <= commit) return 'Everything in it is known committed.';
  return `${opsText(commit + 1, op).replace(/^o/, 'O')} ${op === commit + 1 ? 'is' : 'are'} in it and not known committed here: a primary with a quorum says whether ${op === commit + 1 ? 'it stands' : 'they stand'}.`;
}
