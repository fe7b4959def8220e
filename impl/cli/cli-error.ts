/**
 * What the command line itself may find wrong, and the one place that turns any error into lines or JSON.
 * Every message says what happened, where, and what to do. Mirrors no spec module.
 */
import { type Evidence, LockstepError } from '../ports/lockstep-error.ts';

export const EXIT_DONE = 0;
/** The command was understood, and was refused or failed. */
export const EXIT_FAILED = 1;
/** The command was not understood: nothing was tried. */
export const EXIT_USAGE = 2;

export type CliErrorCode =
  | 'CLI_USAGE' // an option, argument or combination that the command does not take
  | 'CLI_SETTING_INVALID' // a setting of flag, environment or file: unknown key or wrong value
  | 'CLI_FILE_UNREADABLE' // a file named on the command line cannot be read
  | 'CLI_FILE_UNWRITABLE' // a folder or file that the command has to write
  | 'CLI_INPUT_INVALID' // what is to be appended is empty, too large or not UTF-8
  | 'CLI_PORT_BUSY' // an address that a server is to listen on is taken or not ours
  | 'CLI_CLUSTER_MISMATCH' // a cluster folder that was made with other settings
  | 'CLI_REPLICA_DIED' // a replica of `lockstep cluster` ended by itself
  | 'CLI_UNREACHABLE' // no server answers there
  | 'CLI_ANSWER_INVALID' // something answers there that is no Lockstep server
  | 'CLI_INTERRUPTED' // Ctrl-C in `lockstep repl`
  | 'CLI_REFUSED' // the server refused; its own code is in the evidence
  | 'CLI_SOURCES_MISSING'; // a command that needs a checkout of the repository

export class CliError extends LockstepError<CliErrorCode> {}

const USAGE_CODES: ReadonlySet<string> = new Set<CliErrorCode>(['CLI_USAGE', 'CLI_SETTING_INVALID']);

export function exitCodeOf(cause: unknown): number {
  return cause instanceof LockstepError && USAGE_CODES.has(cause.code) ? EXIT_USAGE : EXIT_FAILED;
}

/** Human: message, then code and evidence in one dim line. JSON: `{ "error": { code, message, evidence } }` in one line. */
export function errorText(command: string, cause: unknown, json: boolean): string {
  const { code, message, evidence } = factsOf(cause);
  if (json) return `${JSON.stringify({ error: { code, message, evidence } }, jsonSafe)}\n`;
  const facts = Object.entries(evidence).map(([name, value]) => `${name}=${String(value)}`);
  const detail = [code, ...facts].join(' ');
  const lines = [`lockstep ${command}: ${message}`, `  ${detail}`];
  if (code === 'INTERNAL' && cause instanceof Error && cause.stack !== undefined) lines.push(cause.stack);
  return `${lines.join('\n')}\n`;
}

/** bigint as a decimal string, bytes as hexadecimal: JSON has neither. */
export function jsonSafe(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return Object.fromEntries(value);
  return value;
}

function factsOf(cause: unknown): { code: string; message: string; evidence: Evidence } {
  if (cause instanceof LockstepError) return { code: cause.code, message: cause.message, evidence: cause.evidence };
  const message = cause instanceof Error ? cause.message : String(cause);
  return { code: 'INTERNAL', message: `this is a fault of Lockstep itself: ${message}`, evidence: {} };
}
