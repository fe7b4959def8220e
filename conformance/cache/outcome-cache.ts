/**
 * Outcomes of components that have not changed, one file a key under build/cache. Only green ones are kept: a red one is
 * looked for again. NO_CACHE, --no-cache and CI never use it, and the table says `cached` where it answered.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ComponentOutcome } from '../check/outcome.ts';

/** Outcomes kept for one component; older ones are removed. Switching between two branches stays fast. */
const OUTCOMES_PER_COMPONENT_MAX = 4;

export class OutcomeCache {
  private readonly folder: string;

  constructor(root: string) {
    this.folder = join(root, 'build', 'cache');
  }

  /** Whether this run may use a cache at all. */
  static isAllowed(env: NodeJS.ProcessEnv, noCache: boolean): boolean {
    const set = (value: string | undefined): boolean => value !== undefined && value !== '' && value !== 'false';
    return !noCache && !set(env.NO_CACHE) && !set(env.CI);
  }

  /** undefined when nothing is known; a file that cannot be read is nothing known. */
  read(component: string, key: string): ComponentOutcome | undefined {
    const path = this.pathOf(component, key);
    if (!existsSync(path)) return undefined;
    try {
      const outcome = parseOutcome(readFileSync(path, 'utf8'));
      return outcome.name === component && outcome.problems.length === 0 ? { ...outcome, cached: true } : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps a green outcome; does nothing for any other. */
  write(key: string, outcome: ComponentOutcome): void {
    if (outcome.problems.length > 0 || outcome.cached) return;
    mkdirSync(this.folder, { recursive: true });
    const path = this.pathOf(outcome.name, key);
    writeFileSync(`${path}.new`, printOutcome(outcome));
    renameSync(`${path}.new`, path);
    const older = readdirSync(this.folder)
      .filter((file) => file.startsWith(`${outcome.name}-`) && file.endsWith('.json'))
      .map((file) => ({ file: join(this.folder, file), at: statSync(join(this.folder, file)).mtimeMs }))
      .sort((a, b) => b.at - a.at)
      .slice(OUTCOMES_PER_COMPONENT_MAX);
    for (const { file } of older) rmSync(file);
  }

  private pathOf(component: string, key: string): string {
    return join(this.folder, `${component}-${key}.json`);
  }
}

/** JSON with maps and sets. */
export function printOutcome(outcome: ComponentOutcome): string {
  return JSON.stringify(outcome, (_, value: unknown) => {
    if (value instanceof Map) return { $map: [...value] };
    return value instanceof Set ? { $set: [...value] } : value;
  });
}

export function parseOutcome(text: string): ComponentOutcome {
  return JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    if ('$map' in value) return new Map(value.$map as [unknown, unknown][]);
    return '$set' in value ? new Set(value.$set as unknown[]) : value;
  }) as ComponentOutcome;
}
