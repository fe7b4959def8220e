/**
 * What is done of a long set of runs, in a file, so that the same command goes on where it was stopped. Known by the
 * settings, the seeds and the sources: other code gives other runs. Mirrors no spec module.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RunSettings } from './messages.ts';
import { runsIn, type SeedRange } from './seed-ranges.ts';
import type { Tally } from './tally.ts';

/** Files of runs that were never gone on with: the oldest go. */
const STATES_MAX = 8;
const KEY_CHARS = 16;
export interface SavedState {
  readonly schema: 1;
  readonly key: string;
  readonly done: readonly SeedRange[];
  readonly tally: Tally;
  readonly coverage: readonly string[];
  /** By failureKey: where its bundle is. */
  readonly bundles: Readonly<Record<string, SavedBundle>>;
}

export interface SavedBundle {
  readonly seed: number;
  /** Or why there is none. */
  readonly file?: string;
  readonly why?: string;
}

export class StateFile {
  readonly path: string;
  readonly key: string;
  readonly #runs: SeedRange;

  /** @param folder `build/sim` @param sources by which code the runs are made */
  constructor(folder: string, settings: RunSettings, coverage: boolean, runs: SeedRange, sources: string) {
    const facts = JSON.stringify([canonical(settings), coverage, runs.first, runs.count, sources]);
    this.key = createHash('sha256').update(facts).digest('hex').slice(0, KEY_CHARS);
    this.path = join(folder, 'unfinished', `${this.key}.json`);
    this.#runs = runs;
  }

  /** undefined: there is none, or it is not whole (then it is as if there were none). */
  load(): SavedState | undefined {
    if (!existsSync(this.path)) return undefined;
    try {
      const state = JSON.parse(readFileSync(this.path, 'utf8')) as SavedState;
      const whole = state.schema === 1 && state.key === this.key && runsIn(state.done) === state.tally.runs;
      const { first, count } = this.#runs;
      const inside = state.done.every((range) => range.first >= first && range.first + range.count <= first + count);
      return whole && inside ? state : undefined;
    } catch {
      return undefined;
    }
  }

  /** All or nothing: written aside and renamed. Throws what the disk says. */
  save(state: Omit<SavedState, 'schema' | 'key'>): void {
    const folder = dirname(this.path);
    mkdirSync(folder, { recursive: true });
    const draft = `${this.path}.${process.pid}`;
    try {
      writeFileSync(draft, JSON.stringify({ schema: 1, key: this.key, ...state }));
      renameSync(draft, this.path);
    } finally {
      rmSync(draft, { force: true });
    }
    const others = readdirSync(folder).filter((name) => name.endsWith('.json'));
    if (others.length <= STATES_MAX) return;
    const age = (name: string): number => statSync(join(folder, name)).mtimeMs;
    for (const name of others.sort((left, right) => age(left) - age(right)).slice(0, others.length - STATES_MAX))
      rmSync(join(folder, name), { force: true });
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}

function canonical(settings: RunSettings): readonly (readonly [string, unknown])[] {
  return Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]): [string, unknown] => [name, Array.isArray(value) ? [...value].sort() : value])
    .sort(([left], [right]) => (left < right ? -1 : 1));
}
