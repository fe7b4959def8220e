/**
 * Goal: on a real terminal `lockstep repl` has its colours, completes by Tab, remembers over sessions, and Ctrl-C ends what runs
 * and never the session; and bash, zsh and fish complete `lockstep` by the script that it prints for them.
 * Method: pseudo-terminals (terminal.ts), one replica; each shell as its user has it, without the settings of this machine.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { lockstep, REPOSITORY, RUN, TestCluster } from './cluster-harness.ts';
import { hasPython, KEYS, plain, Terminal } from './terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-terminal-'));
const state = join(folder, 'state');
const PROMPT = /lockstep> $/;
const GREEN = '\x1b[32mlockstep>\x1b[39m';
const RED = '\x1b[31mlockstep>\x1b[39m';
/** Lines that are completed again when nobody answered. */
const TABS_MAX = 5;
let cluster: TestCluster;
/** Accepts, and answers nothing. */
let silent: Server;
const terminals: Terminal[] = [];

const reason = hasPython ? '' : ': not run, there is no python3 with its module pty';

function terminal(command: readonly string[], environment: Readonly<Record<string, string>> = {}): Terminal {
  const opened = new Terminal(command, { XDG_STATE_HOME: state, HOME: folder, ...environment }, folder);
  terminals.push(opened);
  return opened;
}

async function repl(environment: Readonly<Record<string, string>> = {}): Promise<Terminal> {
  const opened = terminal([process.execPath, RUN, 'repl', '--url', cluster.urls[0] as string], environment);
  await opened.until(PROMPT);
  return opened;
}

/** Tab until something comes of it: the first may only beep. */
async function tabUntil(opened: Terminal, what: RegExp): Promise<string> {
  const deadline = performance.now() + 15_000;
  while (!what.test(opened.fresh) && performance.now() < deadline) {
    opened.type(KEYS.tab);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return opened.until(what);
}

beforeAll(async () => {
  cluster = await TestCluster.start({ replicas: 1 });
  for (const name of ['letters', 'orders:eu', 'orders:us'])
    await cluster.client().ask({ method: 'POST', path: '/v1/streams', body: { name }, patient: true });
  silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  // The program by its name, as an installation puts it into the path.
  mkdirSync(join(folder, 'bin'));
  symlinkSync(join(REPOSITORY, 'bin', 'lockstep'), join(folder, 'bin', 'lockstep'));
});
afterEach(async () => {
  for (const opened of terminals.splice(0)) await opened.close();
});
afterAll(async () => {
  silent?.close();
  await cluster?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!hasPython)(`lockstep repl on a terminal${reason}`, () => {
  it('the prompt is green, red after a command that failed; NO_COLOR has none', async () => {
    const opened = await repl();
    expect(opened.raw).toContain(GREEN);
    expect(await opened.run('append letters hello', /offset 0 .*\n[\s\S]*lockstep> $/)).toContain(GREEN);
    expect(await opened.run('nothing', PROMPT)).toContain(RED);
    expect(await opened.run('read letters', /0\thello\r?\n[\s\S]*lockstep> $/)).toContain(GREEN);
    const sober = await repl({ NO_COLOR: '1' });
    expect(await sober.run('nothing', PROMPT)).not.toMatch(/\[3[12]m/);
    expect(sober.raw).not.toMatch(/\[3[12]m/);
  });

  it('Tab completes a command, lists those that it may be, and asks the replica for streams', async () => {
    const opened = await repl();
    opened.type('stre');
    await tabUntil(opened, /lockstep> streams $|streams $/);
    opened.type(KEYS.ctrlC);
    await opened.until(PROMPT);
    opened.type('st');
    expect(plain(await tabUntil(opened, /streams +status/))).toMatch(/streams +status/);
    opened.type(KEYS.ctrlC);
    await opened.until(PROMPT);
    opened.type('read let');
    await tabUntil(opened, /read letters $|letters $|ters $/);
    await opened.run('', /0\thello[\s\S]*lockstep> $/);
    opened.type('read orders:e');
    await tabUntil(opened, /orders:eu $|u $/);
  });

  it('remembers: within a session, over sessions, and when the terminal is closed; the file is its owner’s', async () => {
    const file = join(state, 'lockstep', 'history');
    rmSync(file, { force: true });
    const opened = await repl();
    await opened.run('read letters --limit 1', /hello[\s\S]*lockstep> $/);
    opened.type(KEYS.up);
    await opened.until(/read letters --limit 1$/);
    await opened.run('', /hello[\s\S]*lockstep> $/);
    await opened.close(); // the window is closed: SIGHUP
    expect(readFileSync(file, 'utf8')).toBe('read letters --limit 1\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await repl();
    again.type(KEYS.up);
    await again.until(/read letters --limit 1$/);
    await again.run('', /hello[\s\S]*lockstep> $/);
    again.type(`exit${KEYS.enter}`);
    expect(await again.ended()).toBe(0);
  });

  it('Ctrl-C drops the line, ends a command that goes on, and one that waits; each time the session stays', async () => {
    const opened = await repl();
    opened.type('append letters never');
    await opened.until(/never$/);
    opened.type('\x1b[D\x1b[D'); // in the middle of the line
    opened.type(KEYS.ctrlC);
    await opened.until(PROMPT);
    expect(plain(await opened.run('read letters', /hello[\s\S]*lockstep> $/))).not.toContain('never');

    await opened.run('read letters --follow', /0\thello\r?\n$/);
    opened.type(KEYS.ctrlC);
    await opened.until(PROMPT);
    opened.type('str');
    await tabUntil(opened, /streams $/); // the terminal is the session's again
    opened.type(KEYS.ctrlC);
    await opened.until(PROMPT);

    const { port } = silent.address() as { port: number };
    opened.type(`status --url http://127.0.0.1:${port} --timeout-ms 60000${KEYS.enter}`);
    await opened.until(/60000\r?\n$/);
    opened.type(KEYS.ctrlC);
    await opened.until(/CLI_INTERRUPTED[\s\S]*lockstep> $/);
    await opened.run('read letters', /hello[\s\S]*lockstep> $/);
  });

  it('a command has no input but its words', async () => {
    const opened = await repl();
    await opened.run('append letters', /no standard input[\s\S]*CLI_USAGE[\s\S]*lockstep> $/);
    await opened.run('read letters', /hello[\s\S]*lockstep> $/);
  });

  it('Ctrl-D ends it with 0, on a line of its own, and the terminal is as it was', async () => {
    const opened = terminal(['bash', '--norc', '--noprofile']);
    await opened.run("PS1='shell> '", /\n\r?shell> $/);
    const before = plain(await opened.run('stty -a', /shell> $/))
      .split('\n')
      .slice(1, -1);
    await opened.run(`'${process.execPath}' '${RUN}' repl --url ${cluster.urls[0]}`, PROMPT);
    opened.type(KEYS.ctrlD);
    await opened.until(/^\nshell> $/);
    await opened.run('echo ended with $?', /ended with 0\r?\nshell> $/);
    const after = plain(await opened.run('stty -a', /shell> $/))
      .split('\n')
      .slice(1, -1);
    expect(after).toEqual(before);
  });
});

interface Shell {
  readonly name: string;
  readonly command: readonly string[];
  /** Prepares it to complete by the script. */
  readonly setUp: (script: string) => readonly string[];
}

const SHELLS: readonly Shell[] = [
  {
    name: 'bash',
    command: ['bash', '--norc', '--noprofile'],
    setUp: (script) => {
      const place = join(folder, 'lockstep.bash');
      writeFileSync(place, script);
      return ["PS1='shell> '", `source ${place}`];
    },
  },
  {
    name: 'zsh',
    command: ['zsh', '-f'],
    setUp: (script) => {
      mkdirSync(join(folder, 'fpath'), { recursive: true });
      writeFileSync(join(folder, 'fpath', '_lockstep'), script);
      return ["PS1='shell> '", `fpath=(${join(folder, 'fpath')} $fpath)`, 'autoload -Uz compinit && compinit -u -D'];
    },
  },
  {
    name: 'fish',
    command: ['fish', '--private'],
    setUp: (script) => {
      const place = join(folder, '.config', 'fish', 'completions');
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, 'lockstep.fish'), script);
      return ["function fish_prompt; echo -n 'shell> '; end"];
    },
  },
];

describe.each(SHELLS)('completion in $name', ({ name, command, setUp }) => {
  const isThere = hasPython && spawnSync(name, ['--version']).error === undefined;
  const why = isThere ? '' : `: not run, there is no ${hasPython ? name : 'python3 with its module pty'}`;

  it.skipIf(!isThere)(
    `a line is completed by Tab: a command, an option, a stream with a colon in its name${why}`,
    async () => {
      const script = (await lockstep(['completion', name])).stdout;
      const opened = terminal(command, {
        EDITOR: '', // vi would be the keys of zsh
        PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
        LOCKSTEP_URL: cluster.urls[0] as string,
      });
      for (const line of setUp(script)) opened.type(`${line}${KEYS.enter}`);
      await opened.run(`echo it is ${name}`, new RegExp(`\\sit is ${name}\\s[\\s\\S]*shell> \\s*$`));
      for (const [typed, whole] of [
        ['lockstep expl', 'lockstep explain'],
        ['lockstep append letters --expected-o', 'lockstep append letters --expected-offset'],
        ['lockstep read let', 'lockstep read letters'],
        ['lockstep read orders:e', 'lockstep read orders:eu'],
        [`lockstep read --url ${cluster.urls[0]} let`, `lockstep read --url ${cluster.urls[0]} letters`],
      ] as const) {
        let shown = '';
        // Who is asked for its streams has 400 ms to answer, and a busy machine may take longer: a person presses Tab again.
        for (let attempt = 0; attempt < TABS_MAX && shown !== whole; attempt++) {
          opened.type(typed);
          await opened.until(new RegExp(`${typed.slice(-2)}\\s*$`));
          opened.type(KEYS.tab);
          await opened.until(/\S/);
          // Ctrl-A, then echo before it: the shell says itself what stands on the line.
          opened.type(`\x01echo is: ${KEYS.enter}`);
          const said = plain(await opened.until(/\nis: [^\n]*\n[\s\S]*shell> \s*$/));
          shown = /\nis: ([^\n]*)/.exec(said)?.[1]?.trim() ?? '';
        }
        expect(shown).toBe(whole);
      }
    },
  );
});

it('bash: the script is loaded for lockstep, and completes what bash has broken at a colon', async () => {
  const script = (await lockstep(['completion', 'bash'])).stdout;
  const asked = (...words: string[]): string => {
    const line = words.join('').trimStart();
    const quoted = words.map((word) => `'${word.trim()}'`).join(' ');
    const program = `${script}
complete -p lockstep
COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=(${quoted}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_lockstep
printf '<%s>' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '--noprofile', '-c', program], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}`, LOCKSTEP_URL: cluster.urls[0] },
    });
    expect(stderr).toBe('');
    const [loaded, found = ''] = stdout.split('\n');
    expect(loaded).toBe('complete -F _lockstep lockstep');
    return found;
  };
  expect(asked('lockstep', ' st')).toBe('<streams><status>');
  await expect.poll(() => asked('lockstep', ' read', ' '), { timeout: 20_000 }).toBe('<letters><orders:eu><orders:us>');
  await expect.poll(() => asked('lockstep', ' read', ' orders', ':', 'u'), { timeout: 20_000 }).toBe('<us>');
  await expect.poll(() => asked('lockstep', ' read', ' orders', ':'), { timeout: 20_000 }).toBe('<eu><us>');
  expect(asked('lockstep', ' read', ' --url', ' http', ':', '//127.0.0.1', ':', '1', ' l')).toBe('<>');
  expect(asked('lockstep', ' read', ' --consistency', ' com')).toBe('<committed>');
});
