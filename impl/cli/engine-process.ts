/**
 * Runs the conformance engine as a process of its own, through the same entries as `make check` and `make replay`:
 * impl never imports conformance. Needs a checkout of the repository, since specs and traces are read from it.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError, EXIT_FAILED } from './cli-error.ts';

/** The folder that holds package.json: this file lies in impl/cli or in dist/impl/cli. */
export function repositoryRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
  }
  throw new CliError('CLI_SOURCES_MISSING', 'no package.json above the command line: install Lockstep again');
}

/**
 * @param entry path of the engine's main file from the root
 * @param from 'built': as this command line was built, if it was, which starts faster and runs faster than by tsx
 * @param output 'inherit' shows what it prints as it comes; 'collect' returns it and shows standard error alone
 */
export async function runEngine(
  entry: string,
  args: readonly string[],
  output: 'inherit' | 'collect',
  from: 'sources' | 'built' = 'sources',
): Promise<{ exitCode: number; text: string }> {
  const root = repositoryRoot();
  if (!existsSync(join(root, entry)) || !existsSync(join(root, 'specs'))) {
    throw new CliError(
      'CLI_SOURCES_MISSING',
      `${root} holds no ${entry} and specs/: run this command in a clone of the repository`,
      { root },
    );
  }
  const built = join(root, 'dist', entry.replace(/\.ts$/, '.js'));
  const asBuilt = from === 'built' && import.meta.url.endsWith('.js') && existsSync(built);
  const program = asBuilt ? ['--enable-source-maps', built] : ['--import', 'tsx', entry];
  const child = spawn(process.execPath, [...program, ...args], {
    cwd: root,
    stdio: ['inherit', output === 'inherit' ? 'inherit' : 'pipe', 'inherit'],
  });
  const parts: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (part: string) => parts.push(part));
  // Ctrl-C reaches the child too, as a member of the terminal's process group; a signal to this process alone is handed on.
  // It may come twice, then, within milliseconds. This process waits for the child to end.
  const handOn = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  process.on('SIGINT', handOn).on('SIGTERM', handOn);
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve(code ?? EXIT_FAILED));
    });
    return { exitCode, text: parts.join('') };
  } finally {
    process.off('SIGINT', handOn).off('SIGTERM', handOn);
  }
}
