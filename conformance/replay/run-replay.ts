/**
 * The command `replay TRACE...`: steps ITF traces on the real code and prints each step; without names, all of traces/.
 * Exit 0: every trace is reproduced. 1: the code goes elsewhere. 2: not a trace, another spec, nothing to replay.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pc from 'picocolors';
import type { Component } from '../component.ts';
import { components as allComponents } from '../components/all.ts';
import { parseCfg } from '../engines/cfg.ts';
import { diffLines } from '../report/problem-text.ts';
import { ItfError, readItf } from './itf.ts';
import { type ReplayResult, replay } from './replay.ts';

export async function runReplay(
  argv: readonly string[],
  components: readonly Component[] = allComponents,
): Promise<number> {
  const options = argv.filter((word) => word.startsWith('-'));
  if (options.length > 0) {
    process.stderr.write(`replay: unknown option ${options[0]}\nusage: lockstep replay [TRACE.itf.json...]\n`);
    return 2;
  }
  const files = argv.length > 0 ? argv : globFiles();
  if (files.length === 0) {
    process.stderr.write('replay: no trace under traces/ and none named\n');
    return 2;
  }
  let exit = 0;
  for (const file of files) exit = Math.max(exit, replayFile(file, components, argv.length > 0));
  return exit;
}

/** Replays one file; prints each step when `verbose`. */
export function replayFile(file: string, components: readonly Component[], verbose: boolean): 0 | 1 | 2 {
  const fail = (message: string): 2 => {
    process.stderr.write(`replay: ${file}: ${message}\n`);
    return 2;
  };
  if (!existsSync(file)) return fail('no such file');
  try {
    const { component, trace, result } = replayTrace(readFileSync(file, 'utf8'), components, (index, label) => {
      if (verbose) process.stdout.write(`  ${index}. ${label}\n`);
    });
    const name = `${component.name} ${trace.cfg}`;
    if (result.failure === undefined) {
      const tail = trace.refused === undefined ? '' : `, and ${trace.refused.type} refused`;
      process.stdout.write(`${pc.green('reproduced')} ${file}: ${name}, ${result.steps} steps${tail}\n`);
      return 0;
    }
    const { at, message, expected, actual, guards } = result.failure;
    process.stdout.write(`${pc.red('diverges')} ${file}: ${name}, step ${at}: ${message}\n`);
    if (expected !== undefined && actual !== undefined)
      process.stdout.write(`${diffLines(expected, actual).join('\n')}\n`);
    for (const { rule, holds } of guards)
      process.stdout.write(`    ${holds ? pc.green('holds') : pc.red('fails')} ${rule}\n`);
    return 1;
  } catch (cause) {
    if (cause instanceof ItfError) return fail(cause.message);
    throw cause;
  }
}

export function replayTrace(
  text: string,
  components: readonly Component[],
  onStep: (index: number, label: string) => void = () => undefined,
): { component: Component; trace: ReturnType<typeof readItf>; result: ReplayResult } {
  const trace = readItf(text);
  const component = components.find(({ name }) => name === trace.component);
  if (component === undefined) throw new ItfError(`a trace of ${trace.component}, which is no component here`);
  const cfgPath = join(dirname(component.sources.spec), trace.cfg);
  if (!existsSync(cfgPath)) throw new ItfError(`a trace of ${trace.cfg}, which does not exist`);
  const { constants } = parseCfg(readFileSync(cfgPath, 'utf8'));
  const driver = component.random?.cfg === trace.cfg ? component.random.driver : component.driver;
  const result = replay(trace, driver, constants, { abstracted: component.abstracted, onStep });
  return { component, trace, result };
}

function globFiles(): string[] {
  if (!existsSync('traces')) return [];
  const names = readdirSync('traces', { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.itf.json'))
    .map((name) => join('traces', name))
    .toSorted();
}
