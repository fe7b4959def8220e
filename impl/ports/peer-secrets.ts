/**
 * The secret that the replicas of a cluster share, and the one that takes its place: from the file that names them. Nothing
 * of it comes out in an error, and an object of this class shows nothing of it in a log. Mirrors no spec module.
 */
import { LockstepError } from './lockstep-error.ts';

/** The one in use, and the next one while it is handed out. */
const SECRETS_MAX = 2;
/** Who overhears a connection can try secrets against its proofs at leisure: one must be too long to be guessed. */
const SECRET_CHARACTERS_MIN = 32;
const SECRET_CHARACTERS_MAX = 256;

export type PeerSecretErrorCode = 'PEER_SECRET_INVALID';
export class PeerSecretError extends LockstepError<PeerSecretErrorCode> {}

export class PeerSecrets {
  readonly #keys: readonly Buffer[];

  private constructor(keys: readonly Buffer[]) {
    this.#keys = keys;
  }

  /** @param text one secret a line, that in use first; empty lines count for nothing @throws PeerSecretError */
  static parse(text: string, file: string): PeerSecrets {
    const lines = text.split('\n').map((line) => line.trim());
    const wrong = lines.findIndex((line) => line !== '' && !isSecret(line));
    if (wrong >= 0) {
      const message =
        `${file}, line ${wrong + 1}: a cluster secret has ${SECRET_CHARACTERS_MIN} to ${SECRET_CHARACTERS_MAX} printable ` +
        'characters without spaces: make one with `lockstep auth make-secret`';
      throw new PeerSecretError('PEER_SECRET_INVALID', message, { file, line: wrong + 1 });
    }
    const secrets = lines.filter((line) => line !== '');
    if (secrets.length === 0 || secrets.length > SECRETS_MAX) {
      const message = `${file} has ${secrets.length} cluster secrets: it takes one, or ${SECRETS_MAX} while the first gives way`;
      throw new PeerSecretError('PEER_SECRET_INVALID', message, { file, secrets: secrets.length });
    }
    return new PeerSecrets(secrets.map((secret) => Buffer.from(secret, 'latin1')));
  }

  /** What this replica proves with when it dials. */
  get first(): Uint8Array {
    return this.#keys[0] as Uint8Array;
  }

  /** The one that passes; each is tried, whichever it is. */
  find(passes: (key: Uint8Array) => boolean): Uint8Array | undefined {
    return this.#keys.filter(passes)[0];
  }
}

function isSecret(line: string): boolean {
  return line.length >= SECRET_CHARACTERS_MIN && line.length <= SECRET_CHARACTERS_MAX && /^[\x21-\x7e]+$/.test(line);
}
