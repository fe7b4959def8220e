/**
 * Lines of a byte stream as entries: split at LF (a CR before it goes too), bounded, UTF-8 checked, with their numbers.
 * A line is handed on as soon as it is whole, so that `tail -f | lockstep append` does not wait. Mirrors no spec module.
 */
import { TextDecoder } from 'node:util';
import { SERVER_LIMITS } from '../server/server-limits.ts';
import { CliError } from './cli-error.ts';

export interface EntryLine {
  /** Counts from 1. */
  readonly number: number;
  readonly text: string;
}

const LF = 0x0a;
const CR = 0x0d;

/** @param source its name in errors; yields, for each chunk that completes lines, those lines */
export async function* entryLines(
  chunks: AsyncIterable<Uint8Array>,
  source: string,
  skipEmpty: boolean,
): AsyncGenerator<readonly EntryLine[]> {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let number = 0;
  let rest = Buffer.alloc(0);
  const lineOf = (bytes: Uint8Array): EntryLine | undefined => {
    number += 1;
    const content = bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes;
    if (content.byteLength === 0 && skipEmpty) return undefined;
    return { number, text: checkedText(utf8, content, source, number) };
  };
  for await (const chunk of chunks) {
    const bytes: Buffer = rest.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    const lines: EntryLine[] = [];
    let start = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
      const line = lineOf(bytes.subarray(start, end));
      if (line !== undefined) lines.push(line);
      start = end + 1;
    }
    rest = Buffer.from(bytes.subarray(start));
    if (rest.byteLength > SERVER_LIMITS.EVENT_BYTES_MAX) throw tooLarge(source, number + 1);
    if (lines.length > 0) yield lines;
  }
  if (rest.byteLength > 0) {
    const line = lineOf(rest);
    if (line !== undefined) yield [line];
  }
}

function checkedText(utf8: TextDecoder, content: Uint8Array, source: string, number: number): string {
  if (content.byteLength === 0) {
    const message = `${source}, line ${number} is empty: an entry has at least one byte. Remove the line, or use --skip-empty`;
    throw new CliError('CLI_INPUT_INVALID', message, { source, line: number });
  }
  if (content.byteLength > SERVER_LIMITS.EVENT_BYTES_MAX) throw tooLarge(source, number);
  try {
    return utf8.decode(content);
  } catch (cause) {
    const message = `${source}, line ${number} is not UTF-8: convert it (iconv), or send the bytes as dataBase64 over HTTP`;
    throw new CliError('CLI_INPUT_INVALID', message, { source, line: number }, cause);
  }
}

function tooLarge(source: string, number: number): CliError {
  const limit = SERVER_LIMITS.EVENT_BYTES_MAX;
  const message = `${source}, line ${number} is larger than an entry may be (${limit} bytes): cut it in parts`;
  return new CliError('CLI_INPUT_INVALID', message, { source, line: number, bytesMax: limit });
}
