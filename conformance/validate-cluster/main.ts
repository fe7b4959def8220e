/**
 * Entry of `make validate R=DIRECTORY`: the recordings of one cluster, decided by TLC. Exit 0: the spec allows the run; 1: it
 * does not; 2: it could not be decided.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { EngineError } from '../engines/engine.ts';
import { findTlc } from '../engines/find-tlc.ts';
import { RecordingError, readRecording } from './recording.ts';
import { type ClusterValidation, validateCluster } from './validate-cluster.ts';

process.exitCode = await main(process.argv.slice(2));

async function main([directory, ...rest]: readonly string[]): Promise<number> {
  if (directory === undefined || rest.length > 0)
    return failed('usage: make validate R=DIRECTORY, of `lockstep server --record`');
  const engine = findTlc(undefined);
  if ('missing' in engine) return failed(`TLC decides, and it is not here: ${engine.missing}`);
  try {
    const files = readdirSync(directory).filter((name) => /^replica-\d+\.jsonl$/.test(name));
    const recordings = files.map((name) => readRecording(readFileSync(join(directory, name), 'utf8'), basename(name)));
    const count = recordings[0]?.replicaCount ?? 0;
    if (recordings.length === 0 || recordings.length !== count)
      return failed(`${directory} holds ${recordings.length} recordings of ${count} replicas; all of them are needed`);
    return report(await validateCluster(engine.found, '.', recordings));
  } catch (cause) {
    if (
      cause instanceof RecordingError ||
      cause instanceof EngineError ||
      (cause as NodeJS.ErrnoException).code !== undefined
    )
      return failed((cause as Error).message);
    throw cause;
  }
}

function report({ steps, crashes, requests, views, refused, violated }: ClusterValidation): number {
  const run = `${steps} steps, ${requests} requests, ${crashes} crashes, views up to ${views}`;
  if (violated !== undefined) {
    process.stdout.write(`NOT ALLOWED: the run breaks ${violated} (${run})\n`);
    return 1;
  }
  if (refused === undefined) {
    process.stdout.write(`allowed by specs/Vsr.tla: ${run}\n`);
    return 0;
  }
  const { step, action, replica, at, why } = refused;
  process.stdout.write(`NOT ALLOWED: step ${step} of ${steps}, ${action} of replica ${replica} (${at}), ${why}\n`);
  return 1;
}

function failed(why: string): number {
  process.stderr.write(`validate: ${why}\n`);
  return 2;
}
