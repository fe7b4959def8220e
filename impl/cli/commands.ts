/** Every command by name, in the order of `lockstep --help`; each module is loaded only when its command is named. */
import type { CommandEntry } from './command.ts';

const entry = (name: string, summary: string, load: CommandEntry['load']): CommandEntry => ({ name, summary, load });

export const commands: readonly CommandEntry[] = [
  entry('check', 'prove that spec, machine and code agree, edge by edge', () => import('./commands/check.ts')),
  entry('replay', 'step saved traces on the real code', () => import('./commands/replay.ts')),
];
