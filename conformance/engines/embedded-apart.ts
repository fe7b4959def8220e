/**
 * The embedded engine in a process of its own: its second opinion costs a core and not the walk of the code. The process
 * takes one model after the other and ends with us; a thread would do, but tsx does not load TypeScript in one.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { EngineError, type EngineRun, type ModelFiles } from './engine.ts';

/** What the process says of one model. */
export type EmbeddedReply = { readonly run: EngineRun } | { readonly failed: string };

interface Waiting {
  readonly resolve: (run: EngineRun) => void;
  readonly reject: (cause: EngineError) => void;
}

let engine: ChildProcess | undefined;
let waiting: Waiting[] = [];

/** As runEmbedded without a graph. Answers come in the order of the calls. @throws EngineError */
export function runEmbeddedApart(model: ModelFiles): Promise<EngineRun> {
  engine ??= begin();
  setHeld(engine, true);
  engine.send(model);
  return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
}

function begin(): ChildProcess {
  // During development this file is TypeScript, and so is the other's.
  const isSource = import.meta.url.endsWith('.ts');
  const file = fileURLToPath(new URL(`./embedded-process.${isSource ? 'ts' : 'js'}`, import.meta.url));
  const loader = (): string => pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const child = fork(file, { execArgv: isSource ? ['--import', loader()] : [], serialization: 'advanced' });
  child.on('message', (reply: EmbeddedReply) => {
    const first = waiting.shift();
    if (waiting.length === 0) setHeld(child, false);
    if ('run' in reply) first?.resolve(reply.run);
    else first?.reject(new EngineError(reply.failed));
  });
  const lost = (why: string): void => {
    engine = undefined;
    const all = waiting;
    waiting = [];
    for (const { reject } of all) reject(new EngineError(`the embedded engine ended: ${why}`));
  };
  child.once('error', (cause) => lost(cause.message));
  child.once('exit', (code, signal) => lost(`${signal ?? `exit ${code}`}`));
  return child;
}

/** Whether the process keeps us alive: while an answer is due. */
function setHeld(child: ChildProcess, held: boolean): void {
  if (held) {
    child.ref();
    child.channel?.ref();
    return;
  }
  child.unref();
  child.channel?.unref();
}
