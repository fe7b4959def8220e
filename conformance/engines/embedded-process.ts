/** The process behind embedded-apart.ts: takes a model, answers with its run; ends when nobody is there to ask. */
import { runEmbedded } from './embedded.ts';
import type { EmbeddedReply } from './embedded-apart.ts';
import type { ModelFiles } from './engine.ts';

process.on('message', (model: ModelFiles) => process.send?.(reply(model)));
process.once('disconnect', () => process.exit(0));

function reply(model: ModelFiles): EmbeddedReply {
  try {
    return { run: runEmbedded(model, false) };
  } catch (cause) {
    return { failed: cause instanceof Error ? cause.message : String(cause) };
  }
}
