/** Child processes of a benchmark: read what one prints, end one for sure. */
import { type ChildProcess, spawn } from 'node:child_process';

const STOP_MS_MAX = 15_000;

/** Standard output of a process that must end with 0; its standard error is ours. */
export function outputOf(program: string, words: readonly string[]): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    child.once('error', fail);
    child.once('exit', (code) =>
      code === 0 ? done(text) : fail(new Error(`${program} ${words[0]} ended with ${code}: ${text.slice(-400)}`)),
    );
  });
}

/** SIGTERM, and SIGKILL when it does not end. */
export function stop(child: ChildProcess): Promise<void> {
  return new Promise((ended) => {
    if (child.exitCode !== null || child.signalCode !== null) return ended();
    const forced = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    child.once('exit', () => {
      clearTimeout(forced);
      ended();
    });
    child.kill('SIGTERM');
  });
}
