/** `lockstep verify`: looks at everything in a data directory, offline, and lists every fault with its place. */
import type { Command } from 'commander';
import { RealDisk } from '../../ports/real-disk.ts';
import { type VerifyFinding, type VerifyReport, verifyDataDirectory } from '../../storage/verify.ts';
import { EXIT_DONE, EXIT_FAILED } from '../cli-error.ts';
import { colors as pc } from '../colors.ts';
import { exitsWith, Output } from '../command.ts';
import { type StoredPrepares, verifyPrepares } from '../stored-prepares.ts';

/** Bytes between two progress lines. */
const PROGRESS_BYTES = 16 * 1024 * 1024;

export function configure(command: Command): void {
  command
    .argument('<dir>', 'the data directory of one replica; no server may be using it')
    .addHelpText('after', '\nReads only. Exit codes: 0 no fault (there may be notes), 1 faults or not readable.')
    .action(
      exitsWith((directory: string, _options: object, self: Command) => {
        const out = new Output(self);
        let shownBytes = 0;
        const disk = new RealDisk();
        const stored = verifyDataDirectory(disk, directory, {
          progress: (doneBytes, allBytes) => {
            if (doneBytes - shownBytes < PROGRESS_BYTES) return;
            shownBytes = doneBytes;
            out.progress(`${Math.floor((doneBytes / allBytes) * 100)} % of ${mebibytes(allBytes)}`);
          },
        });
        out.clearProgress();
        const report = withPrepares(stored, verifyPrepares(disk, stored));
        out.value(report);
        for (const line of reportLines(report)) out.line(line);
        return report.ok ? EXIT_DONE : EXIT_FAILED;
      }),
    );
}

interface WholeReport extends VerifyReport {
  readonly prepares?: StoredPrepares;
}

function withPrepares(report: VerifyReport, prepares: ReturnType<typeof verifyPrepares>): WholeReport {
  if (prepares === undefined) return report;
  if ('prepares' in prepares) return { ...report, prepares: prepares.prepares };
  return { ...report, ok: false, findings: [...report.findings, prepares.finding] };
}

function reportLines(report: WholeReport): string[] {
  const { directory, ok, identity, superblock, log, prepares, findings, more } = report;
  const faults = findings.filter(({ severity }) => severity === 'fault').length;
  const verdict = ok ? pc.green('whole') : pc.red(`${faults}${more ? ' or more' : ''} faults`);
  const lines = [`${directory}: ${verdict}`];
  if (identity !== undefined)
    lines.push(`  replica ${identity.replica} of ${identity.replicaCount} of cluster ${identity.cluster}`);
  if (superblock !== undefined) {
    const { sequence, view, logView, commit, copiesWhole } = superblock;
    lines.push(
      `  superblock: view ${view}, log view ${logView}, commit ${commit}, sequence ${sequence}, ${copiesWhole} of 4 copies whole`,
    );
  }
  if (log !== undefined) {
    const behind = log.recordsBehindDamage > 0 ? `, ${log.recordsBehindDamage} more behind the damage` : '';
    const space = `${log.bytes} bytes of ${mebibytes(log.allocatedBytes)}`;
    lines.push(`  log: ${log.records} records${behind}, ${space}, head ${log.headHash}`);
  }
  if (prepares !== undefined) {
    const discarded = prepares.opsDiscarded === 0 ? '' : `; ${prepares.opsDiscarded} were replaced in view changes`;
    lines.push(`  prepares: ops up to ${prepares.op}, in one chain${discarded}`);
  }
  return [...lines, ...findings.flatMap(findingLines)];
}

function findingLines(finding: VerifyFinding): string[] {
  const { severity, code, file, position, record, what, expected, actual, advice } = finding;
  const place = [
    file,
    ...(position === undefined ? [] : [`byte ${position}`]),
    ...(record === undefined ? [] : [`record ${record}`]),
  ].join(', ');
  const paint = severity === 'fault' ? pc.red : pc.yellow;
  const lines = [`${paint(severity)} ${code} at ${place}`, `  ${what}`];
  if (expected !== undefined || actual !== undefined)
    lines.push(`  expected ${expected ?? 'nothing'}, found ${actual ?? 'nothing'}`);
  return [...lines, `  ${advice}`];
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}
