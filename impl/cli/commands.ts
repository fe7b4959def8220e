/** Every command by name, in the order of `lockstep --help`; each module is loaded only when its command is named. */
import type { CommandEntry } from './command.ts';

const entry = (name: string, summary: string, load: CommandEntry['load']): CommandEntry => ({ name, summary, load });

export const commands: readonly CommandEntry[] = [
  entry('cluster', 'a local cluster in real processes, until Ctrl-C', () => import('./commands/cluster.ts')),
  entry('format', 'make the data directory of one replica', () => import('./commands/format.ts')),
  entry('server', 'one replica, until SIGTERM', () => import('./commands/server.ts')),
  entry('tls', 'certificates for development', () => import('./commands/tls.ts')),
  entry('auth', 'API keys of a server', () => import('./commands/auth.ts')),
  entry('dev', 'a cluster, its page in the browser, and a stream that grows', () => import('./commands/dev.ts')),
  entry('repl', 'commands one after the other, with history and completion', () => import('./commands/repl.ts')),
  entry('streams', 'list, create and delete streams', () => import('./commands/streams.ts')),
  entry('append', 'append lines as entries of a stream', () => import('./commands/append.ts')),
  entry('read', 'read a stream from an offset on', () => import('./commands/read.ts')),
  entry('status', 'role, view, op and commit of the replicas', () => import('./commands/status.ts')),
  entry('explain', 'say why, by the rules of the spec', () => import('./commands/explain.ts')),
  entry('machines', 'the state machines of a replica, live', () => import('./commands/machines.ts')),
  entry('verify', 'look for faults in a data directory', () => import('./commands/verify.ts')),
  entry('inspect', 'show what is in a data directory', () => import('./commands/inspect.ts')),
  entry('bench', 'load a cluster and print what it takes', () => import('./commands/bench.ts')),
  entry('check', 'prove that spec, machine and code agree, edge by edge', () => import('./commands/check.ts')),
  entry('sim', 'simulate whole clusters under every fault, from one seed', () => import('./commands/sim.ts')),
  entry('replay', 'step saved traces on the real code', () => import('./commands/replay.ts')),
  entry('completion', 'a script that completes these words in a shell', () => import('./commands/completion.ts')),
];
