/**
 * The command line: finds the command, loads that one alone, parses, runs, and prints what went wrong in one place.
 * Called by bin/lockstep. Exit codes: 0 done, 1 refused or failed, 2 usage. Mirrors no spec module.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { CliError, EXIT_DONE, EXIT_USAGE, errorText, exitCodeOf } from './cli-error.ts';
import { commands } from './commands.ts';

/** @param argv the words after `lockstep`. Sets process.exitCode; whoever holds the process open decides when it ends. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  // A reader that closes early (`lockstep read s | head`) ends the command quietly.
  if (!process.stdout.listeners('error').includes(onOutputError)) process.stdout.on('error', onOutputError);
  const name = argv.find((word) => !word.startsWith('-'));
  const json = argv.includes('--json');
  try {
    const program = await programFor(argv[0] === 'help' ? argv[1] : name, json);
    await program.parseAsync([...argv], { from: 'user' });
  } catch (cause) {
    if (cause instanceof CommanderError) {
      process.exitCode = cause.exitCode === 0 ? EXIT_DONE : EXIT_USAGE;
      if (process.exitCode === EXIT_USAGE && json)
        process.stderr.write(errorText(name ?? '', new CliError('CLI_USAGE', plain(cause.message)), true));
      return;
    }
    process.stderr.write(errorText(name ?? '', cause, json));
    process.exitCode = exitCodeOf(cause);
  }
}

function onOutputError(cause: NodeJS.ErrnoException): never {
  return process.exit(cause.code === 'EPIPE' ? EXIT_DONE : 1);
}

/** The program with every command by name, and the named one complete. */
async function programFor(name: string | undefined, json: boolean): Promise<Command> {
  const program = new Command('lockstep')
    .description('A replicated, hash-chained log that accounts for itself.')
    .version(versionOf(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError(json ? false : 'Run it with --help to see what it takes.')
    .configureOutput({ outputError: (text, write) => (json ? undefined : write(`lockstep: ${plain(text)}`)) })
    .exitOverride();
  program.addHelpText('after', '\nExit codes: 0 done, 1 refused or failed, 2 usage. Every command takes --json.');
  for (const entry of commands) {
    const command = program.command(entry.name).description(entry.summary);
    if (entry.name !== name) continue;
    (await entry.load()).configure(command, { commands, run: runCommandLine });
    command.option('--json', 'print JSON, one value a line; errors too, on standard error');
  }
  return program;
}

function plain(message: string): string {
  return message.replace(/^error: /, '');
}

function versionOf(): string {
  // dist/impl/cli/main.js and impl/cli/main.ts: the package is three or two folders up.
  for (const up of ['../../../package.json', '../../package.json']) {
    try {
      const { version, name } = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as Record<
        string,
        string
      >;
      if (name === 'lockstep-log' && version !== undefined) return version;
    } catch {}
  }
  return 'unknown';
}
