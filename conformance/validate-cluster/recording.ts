/**
 * Reads what a replica wrote of itself (impl/server/recorder.ts): one life a process. What a kill left without a line is
 * the business of crashes.ts.
 */
import { RECORDING_VERSION, type RecordedState, type RecordLine } from '../../impl/server/recorder.ts';
import type { ReplicaStep } from './replica-run.ts';

/** One process of a replica. */
export interface Life {
  readonly opened: RecordedState;
  readonly at: string;
  readonly steps: readonly ReplicaStep[];
}

export interface Recording {
  readonly replica: number;
  readonly replicaCount: number;
  readonly cluster: string;
  readonly lives: readonly Life[];
}

/** A recording that cannot be read, or that no replica can have left. */
export class RecordingError extends Error {}

/** @param text of one replica's file; a last line without its end was under way when the replica was killed. */
export function readRecording(text: string, name: string): Recording {
  const lives: { opened: RecordedState; at: string; steps: ReplicaStep[] }[] = [];
  let of: { replica: number; replicaCount: number; cluster: string } | undefined;
  for (const [index, lineText] of text.split('\n').slice(0, -1).entries()) {
    const at = `${name}, line ${index + 1}`;
    const line = lineOf(lineText, at);
    if (line.kind === 'open') {
      const { replica, replicaCount, cluster } = line;
      of ??= { replica, replicaCount, cluster };
      if (replica !== of.replica || cluster !== of.cluster) throw new RecordingError(`${at}: of another replica`);
      lives.push({ opened: line.state, at, steps: [] });
    } else {
      const life = lives.at(-1);
      if (life === undefined || of === undefined)
        throw new RecordingError(`${at}: a recording begins with an open line`);
      life.steps.push({ action: line.type, replica: of.replica, message: line.message, after: line.state, at });
    }
  }
  if (of === undefined) throw new RecordingError(`${name}: is empty`);
  if (lives[0]?.opened.status !== 'normal')
    throw new RecordingError(
      `${name}: begins with a restart; a run is validated from the first start of its cluster on`,
    );
  return { ...of, lives };
}

function lineOf(text: string, at: string): RecordLine {
  let line: RecordLine;
  try {
    line = JSON.parse(text) as RecordLine;
  } catch (cause) {
    throw new RecordingError(`${at}: is no JSON`, { cause });
  }
  const known = line.kind === 'step' || (line.kind === 'open' && line.version === RECORDING_VERSION);
  if (!known || typeof line.state?.view !== 'number') throw new RecordingError(`${at}: is no line of a recording`);
  return line;
}
