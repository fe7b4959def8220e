/** The rules of the kernel one by one: which command is refused by which rule, with which evidence, and what repeats give. */
import { expect, test } from 'vitest';
import type { Append, Command } from '../../../impl/kernel/command.ts';
import { encodeBatch, encodeCommand } from '../../../impl/kernel/command-codec.ts';
import type { CommandResult } from '../../../impl/kernel/command-result.ts';
import { Kernel } from '../../../impl/kernel/kernel.ts';
import { IDEMPOTENCY_RETENTION_MS, KEYS_EXPIRED_PER_OP_MAX, STATE_HASHES_MAX } from '../../../impl/kernel/limits.ts';
import { KERNEL_RULES, rulesOf } from '../../../impl/kernel/rules.ts';

const create: Command = { kind: 'CreateStream', stream: 'orders' };
const drop: Command = { kind: 'DeleteStream', stream: 'orders' };

function appendOf(text: string, more: Partial<Append> = {}): Command {
  return { kind: 'Append', stream: 'orders', events: [{ data: Buffer.from(text) }], ...more };
}

/** One op a batch. */
function applied(kernel: Kernel, ...commands: readonly Command[]): readonly CommandResult[] {
  const op = kernel.commitId + 1;
  const hash = new Uint8Array(32).fill(op);
  return kernel.apply({ op, hash, timestamp: op, body: encodeBatch(commands.map(encodeCommand)) });
}

test('Kernel.CreateStream.NameIsFree: a second stream of one name is refused, also within one batch', () => {
  const kernel = new Kernel();
  const refused = { kind: 'Refused', rule: 'Kernel.CreateStream.NameIsFree', evidence: { stream: 'orders' } };
  expect(applied(kernel, create, create)).toEqual([{ kind: 'StreamCreated' }, refused]);
  expect(applied(kernel, create)).toEqual([refused]);
});

test('Kernel.Append.StreamExists and Kernel.DeleteStream.StreamExists', () => {
  const kernel = new Kernel();
  const [append, dropped] = applied(kernel, appendOf('x'), drop);
  expect(append).toEqual({ kind: 'Refused', rule: 'Kernel.Append.StreamExists', evidence: { stream: 'orders' } });
  expect(dropped).toEqual({
    kind: 'Refused',
    rule: 'Kernel.DeleteStream.StreamExists',
    evidence: { stream: 'orders' },
  });
});

test('Kernel.Append.OffsetMatches: the refusal names the offset that would be right', () => {
  const kernel = new Kernel();
  const [, first, wrong, right] = applied(
    kernel,
    create,
    appendOf('a', { expectedOffset: 0 }),
    appendOf('b', { expectedOffset: 0 }),
    appendOf('b', { expectedOffset: 1 }),
  );
  expect(first).toMatchObject({ kind: 'Appended', firstOffset: 0 });
  const evidence = { stream: 'orders', expectedOffset: 0, nextOffset: 1 };
  expect(wrong).toEqual({ kind: 'Refused', rule: 'Kernel.Append.OffsetMatches', evidence });
  expect(right).toMatchObject({ kind: 'Appended', firstOffset: 1 });
});

test('An idempotency key: the same append again gets the first answer, another one is refused', () => {
  const kernel = new Kernel();
  applied(kernel, create);
  const [first] = applied(kernel, appendOf('a', { idempotencyKey: 'k' }));
  expect(first).toEqual({ kind: 'Appended', firstOffset: 0, count: 1, commitId: 2, repeated: false });
  applied(kernel, appendOf('between'));
  const [again, other] = applied(
    kernel,
    appendOf('a', { idempotencyKey: 'k' }),
    appendOf('b', { idempotencyKey: 'k' }),
  );
  expect(again).toEqual({ kind: 'Appended', firstOffset: 0, count: 1, commitId: 2, repeated: true });
  expect(other).toMatchObject({ kind: 'Refused', rule: 'Kernel.Append.KeyIsNotReused', evidence: { commitId: 2 } });
});

test('An idempotency key is of the whole cluster: the same one for another stream is refused, and says where it was used', () => {
  const kernel = new Kernel();
  applied(kernel, create, { kind: 'CreateStream', stream: 'other' }, appendOf('a', { idempotencyKey: 'k' }));
  const [other] = applied(kernel, appendOf('a', { stream: 'other', idempotencyKey: 'k' }));
  const evidence = { stream: 'other', idempotencyKey: 'k', usedIn: 'orders', commitId: 1 };
  expect(other).toEqual({ kind: 'Refused', rule: 'Kernel.Append.KeyIsNotReused', evidence });
});

test('A batch of the first version: its keys are of their stream, and a retry in a later version still gets the answer', () => {
  const kernel = new Kernel();
  const keyed = (stream: string): Command => appendOf('a', { stream, idempotencyKey: 'k' });
  const old = (...commands: readonly Command[]): readonly CommandResult[] => {
    const body = Uint8Array.from(encodeBatch(commands.map(encodeCommand)));
    body[0] = 1;
    return kernel.apply({ op: kernel.commitId + 1, hash: new Uint8Array(32), timestamp: 0, body });
  };
  old(create, { kind: 'CreateStream', stream: 'other' });
  expect(old(keyed('orders'), keyed('other'), keyed('orders'))).toMatchObject([
    { kind: 'Appended', repeated: false },
    { kind: 'Appended', repeated: false },
    { kind: 'Appended', repeated: true },
  ]);
  expect(kernel.keyAnswer('k')).toEqual({ answer: undefined, keptSinceCommitId: 3 });
  expect(applied(kernel, keyed('other'))).toMatchObject([{ kind: 'Appended', commitId: 2, repeated: true }]);
  expect(applied(kernel, keyed('orders'))).toMatchObject([{ kind: 'Appended', commitId: 2, repeated: true }]);
});

test('A key is forgotten with the op that is IDEMPOTENCY_RETENTION_MS after its own, by the clock of the log', () => {
  const kernel = new Kernel();
  const at = (timestamp: number, ...commands: readonly Command[]): readonly CommandResult[] => {
    const body = encodeBatch(commands.map(encodeCommand));
    return kernel.apply({ op: kernel.commitId + 1, hash: new Uint8Array(32), timestamp, body });
  };
  const keyed = appendOf('a', { idempotencyKey: 'k' });
  at(1_000, create, keyed);
  at(1_000 + IDEMPOTENCY_RETENTION_MS, { kind: 'ReadBarrier' });
  expect(kernel.keyAnswer('k')).toMatchObject({ answer: { stream: 'orders', commitId: 1 }, keptSinceCommitId: 1 });
  at(1_001 + IDEMPOTENCY_RETENTION_MS, { kind: 'ReadBarrier' });
  expect(kernel.keyAnswer('k')).toEqual({ answer: undefined, keptSinceCommitId: 2 });
  expect(at(1_002 + IDEMPOTENCY_RETENTION_MS, keyed)).toMatchObject([{ kind: 'Appended', repeated: false }]);
});

test('One op forgets at most KEYS_EXPIRED_PER_OP_MAX keys for their age', () => {
  const kernel = new Kernel();
  const body = encodeBatch(
    [
      create,
      ...Array.from({ length: KEYS_EXPIRED_PER_OP_MAX + 2 }, (_, index) =>
        appendOf('a', { idempotencyKey: `k${index}` }),
      ),
    ].map(encodeCommand),
  );
  kernel.apply({ op: 1, hash: new Uint8Array(32), timestamp: 0, body });
  const later = { hash: new Uint8Array(32), timestamp: IDEMPOTENCY_RETENTION_MS + 1, body: new Uint8Array(0) };
  kernel.apply({ op: 2, ...later });
  expect(kernel.state.keys.answers.size).toBe(2);
  kernel.apply({ op: 3, ...later });
  expect(kernel.state.keys.answers.size).toBe(0);
});

test('A refused append keeps no answer: its key is free', () => {
  const kernel = new Kernel();
  const [refused] = applied(kernel, appendOf('a', { idempotencyKey: 'k' }));
  expect(refused).toMatchObject({ kind: 'Refused' });
  const [, taken] = applied(kernel, create, appendOf('b', { idempotencyKey: 'k' }));
  expect(taken).toMatchObject({ kind: 'Appended', repeated: false });
});

test('A stream deleted and created again is another one, and begins at offset 0', () => {
  const kernel = new Kernel();
  applied(kernel, create, appendOf('a'));
  const [dropped, , again] = applied(kernel, drop, create, appendOf('b'));
  expect(dropped).toEqual({ kind: 'StreamDeleted', nextOffset: 1 });
  expect(again).toEqual({ kind: 'Appended', firstOffset: 0, count: 1, commitId: 2, repeated: false });
});

test('A retry hears that its first try was applied, also when the stream is gone since, or made again', () => {
  const kernel = new Kernel();
  const keyed = appendOf('a', { idempotencyKey: 'k' });
  applied(kernel, create, keyed);
  const [, gone] = applied(kernel, drop, keyed);
  expect(gone).toEqual({ kind: 'Appended', firstOffset: 0, count: 1, commitId: 1, repeated: true });
  const [, made] = applied(kernel, create, keyed);
  expect(made).toEqual({ kind: 'Appended', firstOffset: 0, count: 1, commitId: 1, repeated: true });
  expect(kernel.state.streams.get('orders')?.nextOffset).toBe(0);
});

test('A read barrier changes no stream and no answer, and has its own state hash', () => {
  const kernel = new Kernel();
  applied(kernel, create);
  const { streams } = kernel.state;
  const before = kernel.stateHash;
  expect(applied(kernel, { kind: 'ReadBarrier' })).toEqual([{ kind: 'BarrierPassed' }]);
  expect(kernel.state.streams).toBe(streams);
  expect(kernel.stateHash).not.toEqual(before);
});

test('State hashes: those of the last STATE_HASHES_MAX commit ids, nothing before and nothing after', () => {
  const kernel = new Kernel();
  const all = [kernel.stateHash];
  for (let op = 1; op <= STATE_HASHES_MAX + 2; op++) {
    applied(kernel, { kind: 'ReadBarrier' });
    all.push(kernel.stateHash);
  }
  expect(kernel.stateHashAt(2)).toBeUndefined();
  expect(kernel.stateHashAt(3)).toEqual(all[3]);
  expect(kernel.stateHashAt(STATE_HASHES_MAX + 2)).toEqual(all[STATE_HASHES_MAX + 2]);
  expect(kernel.stateHashAt(STATE_HASHES_MAX + 3)).toBeUndefined();
});

test('Ops are applied in order, each once', () => {
  const kernel = new Kernel();
  const prepare = { op: 2, hash: new Uint8Array(32), timestamp: 0, body: new Uint8Array(0) };
  expect(() => kernel.apply(prepare)).toThrow('in order');
});

test('Every rule has a command, or is about its session or its bytes', () => {
  const named = (['CreateStream', 'DeleteStream', 'Append', 'ReadBarrier'] as const).flatMap(rulesOf);
  const others = KERNEL_RULES.filter((rule) => !named.includes(rule) && !rule.startsWith('Kernel.Session.'));
  expect(others).toEqual(['Kernel.Command.WellFormed']);
});
