/** Where an action stands in the spec, the machine, the code and the driver: `file:line`, for the reader of a divergence. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Component } from '../component.ts';

export interface SourceLine {
  readonly side: 'spec' | 'machine' | 'code' | 'driver';
  readonly at: string;
  readonly text: string;
}

export function sourceLines(root: string, component: Component, action: string): readonly SourceLine[] {
  const method = `${action.charAt(0).toLowerCase()}${action.slice(1)}`;
  const { spec, machine, implementation, driver } = component.sources;
  const found: (SourceLine | undefined)[] = [
    find(root, 'spec', spec, new RegExp(`^${action}(?:\\([^)]*\\))?\\s*==`)),
    find(root, 'machine', machine, new RegExp(`^\\s*${action}: *[{\\[]`)),
    ...implementation.map((file) =>
      find(root, 'code', file, new RegExp(`^\\s*(?:export function |private )?${method}\\(`)),
    ),
    find(root, 'driver', driver, new RegExp(`['"\`]?\\b${action}\\b['"\`]?`)),
  ];
  return found.filter((line) => line !== undefined);
}

function find(root: string, side: SourceLine['side'], file: string, pattern: RegExp): SourceLine | undefined {
  const path = join(root, file);
  if (!existsSync(path)) return undefined;
  const lines = readFileSync(path, 'utf8').split('\n');
  const index = lines.findIndex((line) => pattern.test(line));
  return index < 0 ? undefined : { side, at: `${file}:${index + 1}`, text: (lines[index] ?? '').trim() };
}
