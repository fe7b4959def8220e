/** A V8 CPU profile (`node --cpu-prof`) as a tree of what was called from where, with the time of each, idle time apart. */
import { readFileSync } from 'node:fs';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** One function below its callers; calls from one place are one frame. */
export interface Frame {
  readonly name: string;
  /** Folder of ours, `node:` module or package: what the time is counted under. */
  readonly area: string;
  /** Microseconds in it and in what it calls. */
  totalUs: number;
  /** Microseconds in it alone. */
  selfUs: number;
  readonly children: Map<string, Frame>;
}

export interface CpuProfile {
  readonly root: Frame;
  /** Microseconds of the main thread at work, and without anything to do. */
  readonly busyUs: number;
  readonly idleUs: number;
}

const IDLE = '(idle)';
const ROOT = '(root)';
/** Profiler.start, which takes its time in the process that it measures. */
const PROFILER = 'dispatch';

/** @param file that node wrote at the end of a process */
export function readCpuProfile(file: string): CpuProfile {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile;
  const selfUs = new Map<number, number>();
  samples.forEach((id, index) => {
    selfUs.set(id, (selfUs.get(id) ?? 0) + (timeDeltas[index] ?? 0));
  });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const root: Frame = { name: 'all', area: 'all', totalUs: 0, selfUs: 0, children: new Map() };
  let idleUs = 0;
  const add = (node: ProfileNode, into: Frame): number => {
    const { functionName } = node.callFrame;
    const own = selfUs.get(node.id) ?? 0;
    if (functionName === IDLE) idleUs += own;
    if (functionName === IDLE || functionName === PROFILER) return 0;
    const frame = functionName === ROOT ? into : frameBelow(into, node);
    frame.selfUs += own;
    let total = own;
    for (const child of node.children ?? []) {
      const below = byId.get(child);
      if (below !== undefined) total += add(below, frame);
    }
    frame.totalUs += total;
    return total;
  };
  const top = nodes.find(({ callFrame }) => callFrame.functionName === ROOT);
  if (top === undefined) throw new Error(`${file}: not a CPU profile of node: it has no root`);
  const busyUs = add(top, root);
  return { root, busyUs, idleUs };
}

function frameBelow(caller: Frame, { callFrame }: ProfileNode): Frame {
  const { functionName, url } = callFrame;
  const file = shortName(url);
  const name = `${functionName === '' ? 'anonymous' : functionName}${file === '' ? '' : ` ${file}`}`;
  const known = caller.children.get(name);
  if (known !== undefined) return known;
  const frame: Frame = { name, area: areaOf(functionName, file), totalUs: 0, selfUs: 0, children: new Map() };
  caller.children.set(name, frame);
  return frame;
}

function shortName(url: string): string {
  const packaged = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url);
  if (packaged !== null) return packaged[1] ?? '';
  return /(?:impl|machines|node:).*$/.exec(url)?.[0] ?? '';
}

/** Native functions of node have no file: what they are is in their names. */
function areaOf(functionName: string, file: string): string {
  if (/^\(/.test(functionName)) return functionName;
  if (file === '') return /^f(?:data)?sync$/.test(functionName) ? 'native: fsync' : `native: ${functionName}`;
  const ours = /^(impl\/[^/]+|machines)\//.exec(file);
  if (ours !== null) return ours[1] ?? file;
  return file.startsWith('node:') ? 'node' : 'packages';
}

/** Microseconds spent in each area itself, the largest first. */
export function selfByArea({ root }: CpuProfile): readonly (readonly [area: string, us: number])[] {
  const sums = new Map<string, number>();
  const visit = (frame: Frame): void => {
    sums.set(frame.area, (sums.get(frame.area) ?? 0) + frame.selfUs);
    for (const child of frame.children.values()) visit(child);
  };
  visit(root);
  sums.delete('all');
  return [...sums].sort((one, other) => other[1] - one[1]);
}
