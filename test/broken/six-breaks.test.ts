/**
 * Goal: break one line of Lockstep itself, and `make check` says what, where and why: component, shortest path, difference,
 * deciding guard, lines of spec and machine. Method: a copy of the repository with one text replaced in each; the real
 * command over Vsr in one tiny model (one op, one view change, one replica down), so that a break is found in seconds.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';

interface Break {
  readonly what: string;
  readonly file: string;
  readonly old: string;
  readonly instead: string;
  /** A second place, where one line cannot be moved with one replacement. */
  readonly also?: readonly [old: string, instead: string];
  readonly says: readonly RegExp[];
}

const breaks: readonly Break[] = [
  {
    what: 'one guard dropped from a machine',
    file: 'machines/vsr.ts',
    old: "and(['IsPrimary', 'LogAdopted', 'LogIsDurable'])",
    instead: "and(['IsPrimary', 'LogIsDurable'])",
    says: [
      /EXTRA Vsr .*: StartView\(1\): the code does what the spec forbids here/,
      /shortest path, \d+ steps:\n {4}0\. Init/,
      /the code changed:[\s\S]{0,2000}? {4}status:\n {6}before .*\n {6}after /,
      /holds Vsr\.StartView\.IsPrimary/,
      /spec +specs\/Vsr\.tla:\d+ +StartView\(r\) ==/,
      /machine machines\/vsr\.ts:\d+ +StartView: \{/,
      /MIRROR Vsr: guard-missing: StartView \(specs\/Vsr\.tla:\d+\) asks LogAdopted/,
    ],
  },
  {
    what: 'one comparison flipped in a spec',
    file: 'specs/Vsr.tla',
    old: 'NewAcknowledgement(r, m) == m.op > acked[r][m.from]',
    instead: 'NewAcknowledgement(r, m) == m.op < acked[r][m.from]',
    says: [
      /EXTRA Vsr .*: ReceivePrepareOk\(0, .*: the code does what the spec forbids here/,
      /shortest path, \d+ steps:/,
      /the code changed:\n {4}acked:/,
      /holds Vsr\.ReceivePrepareOk\.NewAcknowledgement/,
      /spec +specs\/Vsr\.tla:\d+ +ReceivePrepareOk\(r\) ==/,
      /machine machines\/vsr\.ts:\d+ +ReceivePrepareOk: \{/,
    ],
  },
  {
    what: 'one fsync moved after the send in the code',
    file: 'impl/vsr/replica-effects.ts',
    old: "    case 'syncLog':\n      log.fsync();\n      return;\n",
    instead: "    case 'syncLog':\n      if (from === primary) log.fsync();\n      return;\n",
    also: [
      "outbox.send(primary, { type: 'PrepareOk', from, view, op });\n",
      "outbox.send(primary, { type: 'PrepareOk', from, view, op });\n      log.fsync();\n",
    ],
    says: [
      /ERROR Vsr .*: BackupFsync.*durable before visible/,
      /shortest path, \d+ steps:/,
      /holds Vsr\.BackupFsync\.LogIsVolatile/,
      /spec +specs\/Vsr\.tla:\d+ +BackupFsync\(r\) ==/,
      /machine machines\/vsr\.ts:\d+ +BackupFsync: \{/,
    ],
  },
  {
    what: 'one variable left out of the projection',
    file: 'conformance/drivers/vsr-node.ts',
    old: "  'acked',\n",
    instead: '',
    says: [/VARIABLE-NOT-COMPARED Vsr.*acked/],
  },
  {
    what: 'log_view replaced by view',
    file: 'machines/vsr.ts',
    old: 'return { from: replica, view, logView, op, hash: headHash, commit };',
    instead: 'return { from: replica, view, logView: logView * 0 + view, op, hash: headHash, commit };',
    says: [
      /DIFFERENT Vsr .*: CastOwnChangeVote/,
      /shortest path, \d+ steps:/,
      /by variable \(spec, code\):\n {4}changeVotes:\n.*logView \|-> 0[\s\S]*?logView \|-> 1/,
      /holds Vsr\.CastOwnChangeVote\.StartQuorum/,
      /spec +specs\/Vsr\.tla:\d+ +CastOwnChangeVote\(r\) ==/,
      /machine machines\/vsr\.ts:\d+ +CastOwnChangeVote: \{/,
    ],
  },
  {
    what: 'one event renamed',
    file: 'machines/vsr.ts',
    old: '        AdoptLog: {',
    instead: '        TakeLog: {',
    says: [
      /MISSING Vsr .*: AdoptLog/,
      /shortest path, \d+ steps:/,
      /the spec would change:/,
      /spec +specs\/Vsr\.tla:\d+ +AdoptLog\(r\) ==/,
      /MIRROR Vsr.*AdoptLog/,
      /MIRROR Vsr.*TakeLog/,
    ],
  },
];

const BOUNDS: Readonly<Record<string, string>> = {
  MaxView: '1',
  MaxRequests: '1',
  MaxCrashes: '0',
  Impatient: '{1}',
  CrashProne: '{}',
  Down: '{2}',
  HeartbeatFrom: '0',
};
const DISTINCT = 1058;

/** A copy of what the check reads, with Vsr narrowed to one tiny model. */
function copy(name: string): string {
  const root = resolve('build', 'six-breaks', name);
  rmSync(root, { recursive: true, force: true });
  for (const folder of ['conformance', 'impl', 'machines', 'specs', join('docs', 'example')])
    cpSync(folder, join(root, folder), { recursive: true });
  mkdirSync(join(root, 'build'), { recursive: true });
  cpSync('package.json', join(root, 'package.json'));
  let cfg = readFileSync('specs/Vsr_restart.cfg', 'utf8');
  for (const [constant, value] of Object.entries(BOUNDS)) {
    const line = new RegExp(`^( *${constant} =).*$`, 'm');
    expect(cfg, constant).toMatch(line);
    cfg = cfg.replace(line, (_, head: string) => `${head} ${value}`);
  }
  writeFileSync(join(root, 'specs', 'Vsr_tiny.cfg'), cfg);
  const components = `import { vsrComponent } from './conformance/components/vsr.ts';
const models = [{ cfg: 'Vsr_tiny.cfg', module: 'MCVsr', kind: 'small', distinct: ${DISTINCT} }];
export const components = [{ ...vsrComponent, models, faults: [], random: undefined, recordedRuns: undefined }];
`;
  writeFileSync(join(root, 'components.ts'), components);
  return root;
}

function replace(path: string, old: string, instead: string): void {
  const text = readFileSync(path, 'utf8');
  expect(text.split(old).length - 1, `${path} holds once: ${old}`).toBe(1);
  writeFileSync(
    path,
    text.replace(old, () => instead),
  );
}

function check(root: string): { readonly exit: number | null; readonly out: string } {
  const loader = pathToFileURL(resolve('node_modules', 'tsx', 'dist', 'loader.mjs')).href;
  const main = join(root, 'conformance', 'check', 'main.ts');
  const run = spawnSync(process.execPath, ['--import', loader, main, '--components', 'components.ts'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  });
  return { exit: run.status, out: run.stdout + run.stderr };
}

describe('break it and be told', () => {
  let unbroken = '';
  beforeAll(() => {
    unbroken = check(copy('unbroken')).out;
  }, 300_000);

  test('unbroken, the tiny model has no divergence', () => {
    expect(unbroken).toMatch(/│ Vsr .*│ +100 % │/);
    expect(unbroken).not.toMatch(/^(?:EXTRA|MISSING|DIFFERENT|ERROR|INITIAL|MIRROR|VARIABLE-NOT-COMPARED) /m);
  });

  test.each(breaks)(
    '$what',
    ({ what, file, old, instead, also, says }) => {
      const root = copy(what.replaceAll(' ', '-'));
      replace(join(root, file), old, instead);
      if (also !== undefined) replace(join(root, file), ...also);
      const { exit, out } = check(root);
      expect(exit).toBe(1);
      for (const said of says) expect(out, what).toMatch(said);
      expect(unbroken, 'what is said is not said of the unbroken one').not.toMatch(says[0] as RegExp);
    },
    300_000,
  );
});
