/**
 * Bundles on the disk: `NAME.bundle.zst`, whole or not there. What cannot be written is not lost: the error that comes back
 * says the failure itself and how to have it again. Mirrors no spec module.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type Bundle, bundleText, parseBundle } from './bundle.ts';
import { BundleError } from './bundle-error.ts';
import { compressed, decompressed } from './compressed-text.ts';
import type { Scenario } from './plan.ts';
import type { SimFailure } from './run-result.ts';

/** A bundle is some 0.1 MB; what is larger than this is none, and is not read. */
const BUNDLE_FILE_BYTES_MAX = 64 * 1024 * 1024;

/** What of the file system is used to write: a test puts a full disk in its place. */
export interface WriteCalls {
  readonly openSync: (path: string, flags: string) => number;
  readonly writeSync: (file: number, bytes: Uint8Array) => number;
  readonly fsyncSync: (file: number) => void;
  readonly renameSync: (from: string, to: string) => void;
}

export type Written = { readonly path: string } | { readonly error: BundleError };

/** Never throws. A bundle of the same name is replaced. @param folder is made when it is not there */
export function writeBundle(
  folder: string,
  bundle: Bundle,
  calls: WriteCalls = { openSync, writeSync, fsyncSync, renameSync },
): Written {
  const path = join(folder, bundleName(bundle.scenario, bundle.failure));
  try {
    mkdirSync(folder, { recursive: true });
    replaceFile(path, compressed(bundleText(bundle)), calls);
    return { path };
  } catch (cause) {
    return { error: notSaved(path, bundle, cause) };
  }
}

/** `swarm-17-invariants-committed-survives.bundle.zst` */
export function bundleName({ name, seed }: Scenario, failure: SimFailure): string {
  return `${stemOf(name)}-${seed}-${failureStem(failure)}.bundle.zst`;
}

/** Name of a file about this failure. */
export function failureStem({ oracle, rule }: SimFailure): string {
  return `${oracle}-${stemOf(rule)}`;
}

const STEM_CHARS_MAX = 48;

function stemOf(name: string): string {
  const kebab = name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
  return (
    kebab
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, STEM_CHARS_MAX)
      .replace(/^-|-$/g, '') || 'unnamed'
  );
}

/** @throws BundleError */
export function readBundle(path: string): Bundle {
  const file = decompressed(readWhole(path));
  if ('text' in file) return parseBundle(file.text, path);
  if (file.unreadable === 'not-zstd')
    throw new BundleError(
      'SIM_BUNDLE_NOT_ZSTD',
      `${path} does not begin as a zstd file does. Give a file NAME.bundle.zst that \`lockstep sim\` wrote.`,
      { file: path },
    );
  throw new BundleError(
    'SIM_BUNDLE_DAMAGED',
    `${path} is cut off or damaged: its checksum does not hold. Copy it again from where it was made; the seed in its ` +
      'name makes the same run again, too: `lockstep sim --seed N`.',
    { file: path },
  );
}

function readWhole(path: string): Buffer {
  try {
    const { size } = statSync(path);
    if (size <= BUNDLE_FILE_BYTES_MAX) return readFileSync(path);
    throw new Error(`it has ${size} bytes, and no bundle has more than ${BUNDLE_FILE_BYTES_MAX}`);
  } catch (cause) {
    const code = codeOf(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new BundleError(
        'SIM_BUNDLE_NOT_FOUND',
        `There is no file ${path}. Check the path; \`lockstep sim\` prints where it saves a bundle.`,
        { file: path },
        cause,
      );
    throw new BundleError(
      'SIM_BUNDLE_UNREADABLE',
      `${path} cannot be read: ${wordsOf(cause)}. Check that it is a file of yours.`,
      { file: path, system: code ?? '' },
      cause,
    );
  }
}

/** Under another name first, then synced, then renamed: a name holds a whole file or the one from before. */
export function replaceFile(path: string, bytes: Uint8Array, calls: WriteCalls): void {
  const unfinished = `${path}.${process.pid}.unfinished`;
  try {
    const file = calls.openSync(unfinished, 'w');
    try {
      let written = 0;
      while (written < bytes.byteLength) {
        const taken = calls.writeSync(file, bytes.subarray(written));
        if (taken === 0) throw new Error(`the disk took ${written} bytes of ${bytes.byteLength}, and no more`);
        written += taken;
      }
      calls.fsyncSync(file);
    } finally {
      closeSync(file);
    }
    calls.renameSync(unfinished, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

function syncFolder(folder: string): void {
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function notSaved(path: string, bundle: Bundle, cause: unknown): BundleError {
  const { scenario, failure } = bundle;
  // A plan that was shrunk is not made again from its seed, and is short.
  const again =
    bundle.shrunkFrom === undefined
      ? 'The run is decided by its seed: the same command with this seed alone has it again.'
      : `This is the whole scenario:\n${JSON.stringify(scenario)}`;
  return new BundleError(
    'SIM_BUNDLE_NOT_SAVED',
    `The bundle ${path} could not be saved: ${wordsOf(cause)}. Make space, or choose another folder.\n` +
      `Nothing is lost. The failure, at step ${failure.step} of scenario ${scenario.name}, seed ${scenario.seed}: ` +
      `${failure.oracle}, ${failure.rule}: ${failure.message}\n${again}`,
    { file: path, seed: scenario.seed, scenario: scenario.name, step: failure.step, system: codeOf(cause) ?? '' },
    cause,
  );
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
