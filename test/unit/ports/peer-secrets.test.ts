/**
 * Goal: a file of cluster secrets is read as it is written, a wrong one is refused by its line, and nothing of a secret shows.
 * Method: texts that are right and wrong; the object and the errors as a log would print them.
 */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { PeerSecrets } from '../../../impl/ports/peer-secrets.ts';

const ONE = 'a'.repeat(32);
const TWO = 'b'.repeat(256);
const textOf = (key: Uint8Array | undefined): string | undefined => key && Buffer.from(key).toString();

describe('PeerSecrets', () => {
  it('one secret, or the one in use and the next; empty lines and the ends of lines do not count', () => {
    expect(textOf(PeerSecrets.parse(ONE, 'f').first)).toBe(ONE);
    const both = PeerSecrets.parse(`\n${ONE}\r\n\n  ${TWO}  \n`, 'f');
    expect(textOf(both.first)).toBe(ONE);
    expect(textOf(both.find((key) => textOf(key) === TWO))).toBe(TWO);
    expect(both.find(() => false)).toBeUndefined();
  });

  it.each([
    ['nothing', '\n\n', { secrets: 0 }],
    ['three', `${ONE}\n${TWO}\n${ONE}c`, { secrets: 3 }],
    ['one that is too short to be safe', `${ONE}\n${'c'.repeat(31)}`, { line: 2 }],
    ['one that is too long', 'c'.repeat(257), { line: 1 }],
    ['one with a space', `${ONE} ${ONE}`, { line: 1 }],
    ['one that is no ASCII', `${ONE}é`, { line: 1 }],
  ])('a file with %s is refused, and the error says where and not what', (_, text, evidence) => {
    let caught: unknown;
    try {
      PeerSecrets.parse(text, 'the-file');
    } catch (cause) {
      caught = cause;
    }
    expect(caught).toMatchObject({ code: 'PEER_SECRET_INVALID', evidence: { file: 'the-file', ...evidence } });
    expect(inspect(caught, { depth: 9, showHidden: true })).not.toMatch(/aaaa|bbbb|cccc/);
  });

  it('shows nothing of itself, in text, in JSON or to a debugger', () => {
    const secrets = PeerSecrets.parse(ONE, 'f');
    expect(`${JSON.stringify({ secrets })} ${inspect(secrets, { depth: 9, showHidden: true })}`).not.toContain('aaaa');
    expect(inspect(secrets, { depth: 9, showHidden: true })).not.toContain('61 61');
  });
});
