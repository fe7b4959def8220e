/**
 * The session of `lockstep repl` that a command runs in, if it does: Ctrl-C ends the command and not the session, and what is
 * typed next is the next command and not this one's input. Mirrors no spec module.
 */
let interrupting: AbortController | undefined;

export const session = {
  /** Of the command that runs now; undefined outside a session. */
  get interrupted(): AbortSignal | undefined {
    return interrupting?.signal;
  },

  /** Runs one command of the session. */
  async run(command: () => Promise<void>): Promise<void> {
    interrupting = new AbortController();
    try {
      await command();
    } finally {
      interrupting = undefined;
    }
  },

  /** False when no command runs. */
  interrupt(): boolean {
    interrupting?.abort();
    return interrupting !== undefined;
  },
};
