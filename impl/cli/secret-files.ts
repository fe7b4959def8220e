/**
 * Files that hold certificates and keys: read for the server, made for `lockstep tls init` and `lockstep auth`. What is in
 * them never comes out in an error. Mirrors no spec module.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CliError } from './cli-error.ts';

/** A file of keys or certificates is far smaller; a larger one is the wrong file. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;
const ONLY_OWNER = 0o600;
const ONLY_OWNER_FOLDER = 0o700;

/** @param what names it in the error: `tls.key` */
export function readSecretFile(file: string, what: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const system = systemOf(cause);
    const message = `cannot read ${file} (${system}): ${what} has to name a file that this user may read`;
    throw new CliError('CLI_FILE_UNREADABLE', message, { file, system, setting: what });
  }
  if (text.length <= FILE_BYTES_MAX) return text;
  const message = `${file} is larger than ${FILE_BYTES_MAX} bytes: ${what} names the wrong file`;
  throw new CliError('CLI_FILE_UNREADABLE', message, { file, setting: what });
}

/** Makes a file that was not there; one that is there is never touched. */
export function writeNewSecretFile(file: string, text: string): void {
  writing(file, () => {
    mkdirSync(dirname(file), { recursive: true, mode: ONLY_OWNER_FOLDER });
    writeFileSync(file, text, { flag: 'wx', mode: ONLY_OWNER, flush: true });
  });
}

export function fileIsThere(file: string): boolean {
  return existsSync(file);
}

/** Adds a line to a file of the owner's, and makes it when it is not there. */
export function appendSecretLine(file: string, line: string): void {
  writing(file, () => {
    const isCut = existsSync(file) && !/(?:^|\n)$/.test(readFileSync(file, 'utf8'));
    appendFileSync(file, `${isCut ? '\n' : ''}${line}\n`, { mode: ONLY_OWNER, flush: true });
  });
}

function writing(file: string, act: () => void): void {
  try {
    act();
  } catch (cause) {
    const system = systemOf(cause);
    const advice = system === 'EEXIST' ? 'it is there already, and is not touched' : 'name a folder of yours';
    const message = `cannot write ${file} (${system}): ${advice}`;
    throw new CliError('CLI_FILE_UNWRITABLE', message, { file, system });
  }
}

function systemOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
}
