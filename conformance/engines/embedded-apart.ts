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

export class EmbeddedApart {
  readonly #process: ChildProcess;
  #waiting: Waiting[] = [];
  /** Why it answers no more. */
  #ended: string | undefined = undefined;

  constructor() {
    // During development this file is TypeScript, and so is the other's.
    const isSource = import.meta.url.endsWith('.ts');
    const file = fileURLToPath(new URL(`./embedded-process.${isSource ? 'ts' : 'js'}`, import.meta.url));
    const loader = (): string => pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    this.#process = fork(file, { execArgv: isSource ? ['--import', loader()] : [], serialization: 'advanced' });
    this.#process.on('message', (reply: EmbeddedReply) => {
      const first = this.#waiting.shift();
      if ('run' in reply) first?.resolve(reply.run);
      else first?.reject(new EngineError(reply.failed));
    });
    this.#process.once('error', (cause) => this.#lose(cause.message));
    this.#process.once('exit', (code, signal) => this.#lose(signal ?? `exit ${code}`));
  }

  /** As runEmbedded without a graph. Answers come in the order of the calls. @throws EngineError */
  run(model: ModelFiles): Promise<EngineRun> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(new EngineError(this.#ended));
      this.#waiting.push({ resolve, reject });
      this.#process.send(model);
    });
  }

  /** Ends the process; what it still owes is refused. */
  end(): void {
    this.#lose('it was no longer needed');
    this.#process.kill();
  }

  #lose(why: string): void {
    this.#ended ??= `the embedded engine ended: ${why}`;
    for (const { reject } of this.#waiting.splice(0)) reject(new EngineError(this.#ended));
  }
}
