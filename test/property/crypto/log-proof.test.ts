/**
 * Goal: the verifier for browsers accepts what the log holds and nothing else.
 * Method: random batches become real prepares by impl/vsr and impl/kernel; each event is proved; then any single byte of any
 * field is forged, links are left out and swapped, and every such proof is refused.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashText } from '../../../impl/crypto/hash.ts';
import { type LogProof, type ProofLink, verifyLogProof } from '../../../impl/crypto/log-proof.ts';
import type { Append } from '../../../impl/kernel/command.ts';
import { encodeBatch, encodeCommand } from '../../../impl/kernel/command-codec.ts';
import { newPrepare, type Prepare } from '../../../impl/vsr/prepare.ts';

const event = fc.record({
  data: fc.uint8Array({ minLength: 1, maxLength: 20 }),
  type: fc.option(fc.string({ minLength: 1, maxLength: 8 }), { nil: undefined }),
  contentType: fc.constantFrom('text/plain', undefined),
});
const append = fc.record({
  stream: fc.constantFrom('a', 'stream-b'),
  events: fc.array(event, { minLength: 1, maxLength: 3 }),
  expectedOffset: fc.option(fc.nat(), { nil: undefined }),
  idempotencyKey: fc.constantFrom('key', undefined),
  session: fc.option(
    fc.record({ clientId: fc.integer({ min: 1, max: 99_999 }), requestNumber: fc.integer({ min: 1 }) }),
    {
      nil: undefined,
    },
  ),
});
const log = fc.array(fc.array(append, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 });
type Drawn = typeof append extends fc.Arbitrary<infer Value> ? Value : never;

function commandOf({ stream, events, ...rest }: Drawn): Append {
  const present = <Fields extends object>(fields: Fields): Fields =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields;
  return { kind: 'Append', stream, events: events.map(present), ...present(rest) } as Append;
}

function chainOf(batches: readonly (readonly Drawn[])[]): readonly Prepare[] {
  const chain: Prepare[] = [];
  for (const [index, batch] of batches.entries()) {
    chain.push(
      newPrepare({
        cluster: 7n,
        view: index,
        op: index + 1,
        parent: chain.at(-1)?.hash ?? new Uint8Array(32),
        timestamp: 1_700_000_000_000 + index,
        client: 2n ** 63n + 5n,
        request: index,
        body: encodeBatch([
          encodeCommand({ kind: 'ReadBarrier' }),
          ...batch.map((one) => encodeCommand(commandOf(one))),
        ]),
      }),
    );
  }
  return chain;
}

function linkOf({ op, view, parent, hash, timestamp, client, request, body }: Prepare): ProofLink {
  const bodyBase64 = Buffer.from(body).toString('base64');
  const fields = { commitId: op, view, timestamp, client: client.toString(), request, bodyBase64 };
  return { ...fields, parent: hashText(parent), hash: hashText(hash) };
}

/** A proof of each event of the log, up to its end. */
function* proofsOf(batches: readonly (readonly Drawn[])[]): Iterable<LogProof> {
  const chain = chainOf(batches);
  for (const [at, batch] of batches.entries()) {
    for (const [command, { stream, events }] of batch.entries()) {
      for (const [index, { data, type, contentType }] of events.entries()) {
        const dataBase64 = Buffer.from(data).toString('base64');
        const kind = { ...(type === undefined ? {} : { type }), ...(contentType === undefined ? {} : { contentType }) };
        const place = { commitId: at + 1, command: command + 1, index };
        yield { event: { stream, dataBase64, ...kind, ...place }, links: chain.slice(at).map(linkOf) };
      }
    }
  }
}

const hex = (text: string, at: number): string => {
  const digit = text.charAt(at) === '0' ? '1' : '0';
  return `${text.slice(0, at)}${digit}${text.slice(at + 1)}`;
};

describe('a proof', () => {
  test('of what the log holds is accepted, and leads to its head', () => {
    fc.assert(
      fc.property(log, (batches) => {
        const head = chainOf(batches).at(-1) as Prepare;
        for (const proof of proofsOf(batches)) {
          const verdict = { verified: true, head: { commitId: head.op, hash: hashText(head.hash) } };
          expect(verifyLogProof(proof)).toEqual(verdict);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('goes on in a second page from the head of the first', () => {
    fc.assert(
      fc.property(log, fc.nat(), (batches, cut) => {
        for (const proof of proofsOf(batches)) {
          const at = 1 + (cut % proof.links.length);
          const first = verifyLogProof({ ...proof, links: proof.links.slice(0, at) });
          if (!first.verified) throw new Error(first.because);
          const rest = { ...proof, links: proof.links.slice(at) };
          if (rest.links.length === 0) continue;
          expect(verifyLogProof(rest, first.head)).toEqual(verifyLogProof(proof));
          const forged = { ...first.head, hash: hex(first.head.hash, cut % 64) };
          expect(verifyLogProof(rest, forged)).toMatchObject({ because: 'wrong-parent' });
        }
      }),
      { numRuns: 40 },
    );
  });

  test('with any byte forged is refused', () => {
    fc.assert(
      fc.property(log, fc.nat(), fc.integer({ min: 1, max: 255 }), (batches, where, change) => {
        for (const proof of proofsOf(batches)) {
          const at = where % proof.links.length;
          for (const forged of forgeriesOf(proof.links[at] as ProofLink, where, change)) {
            const links = proof.links.map((link, index) => (index === at ? forged : link));
            expect(verifyLogProof({ ...proof, links })).toMatchObject({ verified: false });
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test('of another event than the one that stands there is refused, wherever it says that it stands', () => {
    fc.assert(
      fc.property(log, (batches) => {
        for (const { event: claimed, links } of proofsOf(batches)) {
          const data = Buffer.concat([Buffer.from(claimed.dataBase64 ?? '', 'base64'), Buffer.from('!')]);
          const others = [
            { ...claimed, dataBase64: data.toString('base64') },
            { ...claimed, stream: 'another' },
            { ...claimed, type: `${claimed.type ?? ''}x` },
            { ...claimed, contentType: 'application/json' },
            { ...claimed, command: 0 },
            { ...claimed, command: 99 },
            { ...claimed, command: -1 },
            { ...claimed, index: 99 },
            { ...claimed, index: -1 },
          ];
          for (const other of others)
            expect(verifyLogProof({ event: other, links })).toMatchObject({ verified: false });
        }
      }),
      { numRuns: 40 },
    );
  });

  test('with links left out, swapped or of another place is refused', () => {
    const batches = [1, 2, 3].map((value) => [drawn('a', value)]);
    const [proof] = [...proofsOf(batches)] as [LogProof, ...LogProof[]];
    const [first, second, third] = proof.links as [ProofLink, ProofLink, ProofLink];
    expect(verifyLogProof({ ...proof, links: [] })).toEqual({ verified: false, because: 'no-links', commitId: 1 });
    expect(verifyLogProof({ ...proof, links: [second, third] })).toMatchObject({ because: 'not-in-order' });
    expect(verifyLogProof({ ...proof, links: [first, third] })).toMatchObject({ because: 'not-in-order' });
    const swapped = [first, { ...third, commitId: 2 }, { ...second, commitId: 3 }];
    expect(verifyLogProof({ ...proof, links: swapped })).toMatchObject({ because: 'wrong-parent', commitId: 2 });
  });

  test('does not take the data of an event for the event that they look like', () => {
    const inner = encodeCommand({ kind: 'Append', stream: 'a', events: [{ data: Buffer.from('forged') }] });
    const outer = encodeBatch([encodeCommand({ kind: 'Append', stream: 'a', events: [{ data: inner }] })]);
    const chain = chainOf([[drawn('a', 1)]]);
    const prepare = newPrepare({ ...(chain[0] as Prepare), body: outer });
    const claimed = { stream: 'a', commitId: 1, command: 0, index: 0, data: 'forged' };
    const verdict = verifyLogProof({ event: claimed, links: [linkOf(prepare)] });
    expect(verdict).toEqual({ verified: false, because: 'another-event', commitId: 1 });
  });
});

function drawn(stream: string, value: number): Drawn {
  const one = { data: Uint8Array.of(value), type: undefined, contentType: undefined };
  return { stream, events: [one], expectedOffset: undefined, idempotencyKey: undefined, session: undefined } as Drawn;
}

/** The link with one byte of one field changed, for every field. */
function forgeriesOf(link: ProofLink, where: number, change: number): readonly ProofLink[] {
  const body = Buffer.from(link.bodyBase64, 'base64');
  const at = where % body.byteLength;
  body.writeUInt8(body.readUInt8(at) ^ change, at);
  return [
    { ...link, bodyBase64: body.toString('base64') },
    { ...link, bodyBase64: Buffer.concat([body, Buffer.of(change)]).toString('base64') },
    { ...link, bodyBase64: '%' },
    { ...link, hash: hex(link.hash, where % 64) },
    { ...link, parent: hex(link.parent, where % 64) },
    { ...link, parent: 'x' },
    { ...link, view: link.view + change },
    { ...link, timestamp: link.timestamp + change },
    { ...link, request: link.request + change },
    { ...link, client: (BigInt(link.client) + BigInt(change)).toString() },
    { ...link, commitId: link.commitId + change },
  ];
}
