/** Arbitrary commands over few streams and keys, so that they meet: for the properties of test/property/kernel. */
import fc from 'fast-check';
import { sha256 } from '../../../impl/crypto/hash.ts';
import type { Append, Command, NewEvent } from '../../../impl/kernel/command.ts';
import { encodeBatch, encodeCommand } from '../../../impl/kernel/command-codec.ts';
import { COMMANDS_MAX } from '../../../impl/kernel/limits.ts';
import type { CommittedPrepare } from '../../../impl/kernel/state.ts';

export const KEYS = ['k1', 'k2', 'k3', 'k4', 'k5'] as const;
/** Clients by number: 1 is whoever registers first in the log. preparesOf() puts their ids in the place. */
const CLIENTS = 4;
const session = fc.record({
  clientId: fc.integer({ min: 1, max: CLIENTS }),
  requestNumber: fc.integer({ min: 1, max: 7 }),
});
const stream = fc.constantFrom('a', 'b', 'orders.2026', 'z-9');
const eventType = fc.constantFrom('order placed', 'é', '漢字', 'x'.repeat(128));

export const newEvent: fc.Arbitrary<NewEvent> = fc
  .record({
    data: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    type: fc.option(eventType, { nil: undefined }),
    contentType: fc.option(fc.constantFrom('application/json', 'text/plain; charset=utf-8'), { nil: undefined }),
  })
  .map(present);

export const append: fc.Arbitrary<Append> = fc
  .record({
    kind: fc.constant('Append' as const),
    stream,
    events: fc.array(newEvent, { minLength: 1, maxLength: 4 }),
    expectedOffset: fc.option(fc.nat({ max: 12 }), { nil: undefined, freq: 4 }),
    idempotencyKey: fc.option(fc.constantFrom(...KEYS), { nil: undefined }),
    session: fc.option(session, { nil: undefined }),
  })
  .map(present);

export const command: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: append, weight: 8 },
  {
    arbitrary: fc
      .record({
        kind: fc.constant('CreateStream' as const),
        stream,
        dataClass: fc.option(fc.constantFrom('public', 'pii-1'), { nil: undefined }),
        session: fc.option(session, { nil: undefined, freq: 2 }),
      })
      .map(present),
    weight: 3,
  },
  {
    arbitrary: fc
      .record({
        kind: fc.constant('DeleteStream' as const),
        stream,
        session: fc.option(session, { nil: undefined, freq: 1 }),
      })
      .map(present),
    weight: 1,
  },
  { arbitrary: fc.constant({ kind: 'RegisterSession' as const }), weight: 2 },
  { arbitrary: fc.constant({ kind: 'ReadBarrier' as const }), weight: 1 },
);

/** Each a batch. */
export const batches: fc.Arbitrary<readonly (readonly Command[])[]> = fc
  .array(fc.array(command, { minLength: 1, maxLength: 6 }), { maxLength: 25 })
  .map(withSessionIds);

/** The same log with the ids of sessions as they are registered in it; one that is not there yet has an id above all. */
function withSessionIds(log: readonly (readonly Command[])[]): readonly (readonly Command[])[] {
  const ids: number[] = [];
  return log.map((commands, at) =>
    commands.map((command, index) => {
      if (command.kind === 'RegisterSession') ids.push((at + 1) * COMMANDS_MAX + index);
      if (!('session' in command) || command.session === undefined) return command;
      const { clientId, requestNumber } = command.session;
      const session = { clientId: ids[clientId - 1] ?? 1_000_000 + clientId, requestNumber };
      return { ...command, session };
    }),
  );
}

/** Batches as the committed prepares of a log. */
export function preparesOf(log: readonly (readonly Command[])[]): readonly CommittedPrepare[] {
  const prepares: CommittedPrepare[] = [];
  for (const [at, commands] of log.entries()) {
    const body = encodeBatch(commands.map(encodeCommand));
    const hash = sha256(prepares[at - 1]?.hash ?? new Uint8Array(32), body);
    prepares.push({ op: at + 1, hash, timestamp: 1_000 + at * 2 - (at % 3), body });
  }
  return prepares;
}

/** exactOptionalPropertyTypes: a field that is not there is left out. */
function present<T extends object>(fields: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
