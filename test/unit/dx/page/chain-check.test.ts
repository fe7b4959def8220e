/**
 * Goal: the page's own verification of the chain agrees with the code that made the chain, and finds every change.
 * Method: prepares made by impl/vsr, as the DX API shows them; then one field or one bit changed at a time.
 */
import { describe, expect, test } from 'vitest';
import { hashText } from '../../../../impl/crypto/hash.ts';
import type { LogEntry } from '../../../../impl/dx/page/app/answers.ts';
import { checkedChain, hashOfEntry } from '../../../../impl/dx/page/app/chain-check.ts';
import { newPrepare, type Prepare } from '../../../../impl/vsr/prepare.ts';

const U64_MAX = 2n ** 64n - 1n;

function chainOf(length: number): readonly Prepare[] {
  const chain: Prepare[] = [];
  for (let op = 1; op <= length; op++) {
    const parent = chain.at(-1)?.hash ?? new Uint8Array(32);
    const body = Uint8Array.from({ length: op * 7 }, (_, at) => (at * op) & 255);
    const timestamp = 1_700_000_000_000 + op;
    chain.push(
      newPrepare({ cluster: 7n, view: op % 3, op, parent, timestamp, client: U64_MAX - BigInt(op), request: op, body }),
    );
  }
  return chain;
}

function shown({ op, view, parent, hash, timestamp, client, request, body }: Prepare): LogEntry {
  return {
    op,
    view,
    parent: hashText(parent),
    hash: hashText(hash),
    timestamp,
    client: String(client),
    request,
    body_bytes: body.byteLength,
    durable: true,
    committed: true,
  };
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body).toString('base64');
}

const chain = chainOf(6);
const entries = chain.map(shown);
const bodies = new Map(chain.map(({ op, body }) => [op, textOf(body)]));

describe('the chain as the page checks it', () => {
  test('the hash is that of impl/vsr/prepare.ts, also of an empty body', () => {
    for (const prepare of chain) expect(hashOfEntry(shown(prepare), textOf(prepare.body))).toBe(hashText(prepare.hash));
    const empty = newPrepare({ ...(chain[0] as Prepare), body: new Uint8Array(0) });
    expect(hashOfEntry(shown(empty), textOf(empty.body))).toBe(hashText(empty.hash));
  });

  test('a whole chain is whole, from its first entry or from one in the middle', () => {
    expect(checkedChain(entries, bodies).map(({ verdict }) => verdict)).toEqual(entries.map(() => 'whole'));
    expect(checkedChain(entries.slice(3), bodies).map(({ verdict }) => verdict)).toEqual(['whole', 'whole', 'whole']);
    expect(checkedChain([], bodies)).toEqual([]);
  });

  test('one bit of one body breaks the chain there and nothing before it', () => {
    for (const { op, body } of chain) {
      const changed = Uint8Array.from(body);
      changed[0] = (changed[0] as number) ^ 128;
      const verdicts = checkedChain(entries, new Map([...bodies, [op, textOf(changed)]])).map(({ verdict }) => verdict);
      expect(verdicts).toEqual(
        entries.map((entry) => (entry.op < op ? 'whole' : entry.op === op ? 'changed' : 'after a break')),
      );
    }
  });

  test.each(['view', 'timestamp', 'request', 'op'] as const)('a changed %s is found', (field) => {
    const changed = entries.map((entry) => (entry.op === 3 ? { ...entry, [field]: entry[field] + 1 } : entry));
    const asBodies = new Map([...bodies, [4, bodies.get(3) as string]]);
    expect(checkedChain(changed, field === 'op' ? asBodies : bodies)[2]?.verdict).toBe('changed');
  });

  test('an entry that is left out, or stands for another, cuts the chain', () => {
    const without = entries.filter(({ op }) => op !== 3);
    expect(checkedChain(without, bodies).map(({ verdict }) => verdict)).toEqual([
      'whole',
      'whole',
      'cut',
      'after a break',
      'after a break',
    ]);
  });

  test('without bodies only the links are compared, and it says so', () => {
    expect(checkedChain(entries, new Map()).map(({ verdict }) => verdict)).toEqual(entries.map(() => 'unread'));
    const cut = entries.filter(({ op }) => op !== 2);
    expect(checkedChain(cut, new Map())[1]?.verdict).toBe('cut');
  });
});
