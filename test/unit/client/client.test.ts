/**
 * Goal: the client does what docs/protocol.md asks of one (numbers, window, the same bytes again, what is known of an outcome),
 * and keeps its own bounds. Method: the real client on real connections to servers that say what the test tells them to.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { LockstepClient, outcomeOf } from '../../../impl/client/index.ts';
import { until } from '../../until.ts';
import { clientOf, closeAll, holding, opened, readyClientOf, servers } from './opened.ts';
import { type Asked, commits, HASH, type Script, type ScriptedServer } from './scripted-server.ts';

afterEach(closeAll);

describe('Sessions of the client', () => {
  it('commands are numbered from 1 in one session, whatever they are; reads need none', async () => {
    const [server] = (await servers(1)) as [ScriptedServer];
    const client = clientOf([server]);
    await client.read('s');
    expect(server.sessions).toBe(0);
    await client.createStream('s');
    await client.append('s', ['a']);
    await client.append('s', ['b'], { idempotencyKey: 'k' });
    await client.deleteStream('s');
    const numbers = server.asked.map(({ body }) => ('session' in body ? body.session?.requestNumber : undefined));
    expect(numbers.filter((number) => number !== undefined)).toEqual([1, 2, 3, 4]);
    expect(server.sessions).toBe(1);
  });

  it('a command whose connection ends is sent to another replica with the same number and the same bytes', async () => {
    const [first, second] = (await servers(2)) as [ScriptedServer, ScriptedServer];
    first.script = (asked, server) => (asked.body.operation === 'append' ? asked.hangUp() : commits(asked, server));
    const client = clientOf([first, second]);
    const { firstOffset } = await client.append('s', ['once'], { expectedOffset: 0 });
    expect(firstOffset).toBe(0);
    expect(first.of('append')).toHaveLength(1);
    expect(second.of('append')).toEqual(first.of('append'));
    expect(second.sessions).toBe(0);
  });

  it('number n leaves only when n - window is answered, in whatever order the answers come', async () => {
    const held: Asked[] = [];
    const [server] = (await servers(1, holding('append', held))) as [ScriptedServer];
    server.window = 4;
    const client = clientOf([server], { batching: false });
    const asked = Array.from({ length: 10 }, (_, index) => client.append('s', [`${index}`]));
    const numbersHeld = (): number[] =>
      held.map(({ body }) => ('session' in body ? (body.session?.requestNumber ?? 0) : 0));
    await until('the window is full', () => held.length === 4);
    for (const one of held.filter((_, index) => index > 0)) commits(one, server);
    await client.read('s'); // an answer that is asked for later, and comes: nothing else has left meanwhile
    expect(numbersHeld()).toEqual([1, 2, 3, 4]);
    commits(held[0] as Asked, server);
    await until('four more left', () => held.length === 8);
    for (const one of held.slice(4)) commits(one, server);
    await until('the last two left', () => held.length === 10);
    for (const one of held.slice(8)) commits(one, server);
    await Promise.all(asked);
    expect(numbersHeld()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('BUSY is no answer: the same number comes again, not before retryAfterMs', async () => {
    const came: number[] = [];
    const [server] = (await servers(1)) as [ScriptedServer];
    server.script = (asked, self) => {
      if (asked.body.operation !== 'append') commits(asked, self);
      else if (came.push(performance.now()) < 3) asked.refused('BUSY', { retryAfterMs: 30 });
      else commits(asked, self);
    };
    await clientOf([server]).append('s', ['a']);
    const [first, second, third] = server.of('append');
    expect(second).toEqual(first);
    expect(third).toEqual(first);
    expect((came[1] as number) - (came[0] as number)).toBeGreaterThanOrEqual(29);
  });

  it('a refusal that was decided at a commit settles a doubt; one that was not leaves it', async () => {
    const [first, second] = (await servers(2)) as [ScriptedServer, ScriptedServer];
    first.script = (asked, self) => (asked.body.operation === 'append' ? asked.hangUp() : commits(asked, self));
    second.script = (asked) => asked.refused('OFFSET_MISMATCH', { decidedAtCommitId: 9 });
    const settled = await outcomeOf(clientOf([first, second]).append('s', ['a']));
    expect(settled).toMatchObject({ outcome: 'refused', error: { code: 'OFFSET_MISMATCH' } });
    second.script = (asked) => asked.refused('SESSION_REQUEST_STALE');
    const open = await outcomeOf(clientOf([first, second]).append('s', ['a']));
    expect(open).toMatchObject({ outcome: 'unknown', error: { code: 'SESSION_REQUEST_STALE' } });
  });
});

describe('A session that the cluster has forgotten', () => {
  const evictsFirst: Script = (asked, server) => {
    const evicted = 'session' in asked.body && asked.body.session?.clientId === 1_001;
    if (evicted) asked.refused('SESSION_EVICTED');
    else commits(asked, server);
  };

  it('what was not in doubt is done in a new session, unseen by the caller', async () => {
    const [server] = (await servers(1, evictsFirst)) as [ScriptedServer];
    const client = clientOf([server]);
    const answers = await Promise.all([client.append('s', ['a']), client.createStream('t')]);
    expect(answers).toHaveLength(2);
    expect(server.sessions).toBe(2);
  });

  /** The first replica takes the append and hangs up; the second says that the session is gone. */
  async function inDoubt(): Promise<[LockstepClient, ScriptedServer]> {
    const [first, second] = (await servers(2)) as [ScriptedServer, ScriptedServer];
    first.script = (asked, self) => (asked.body.operation === 'append' ? asked.hangUp() : commits(asked, self));
    second.script = evictsFirst;
    second.sessions = 1;
    return [clientOf([first, second]), second];
  }

  it('what was in doubt and has no key is unknown, and says so', async () => {
    const [client] = await inDoubt();
    const result = await outcomeOf(client.append('s', ['a']));
    expect(result).toMatchObject({
      outcome: 'unknown',
      error: { code: 'SESSION_EVICTED' },
      remedy: { ask: undefined },
    });
  });

  it('what was in doubt and is found by its key has its first answer', async () => {
    const [client, second] = await inDoubt();
    const found = { stream: 's', firstOffset: 5, lastOffset: 5, count: 1, commitId: 44, hash: Buffer.from(HASH) };
    second.script = (asked, self) => {
      if (asked.body.operation === 'lookup-key') asked.applied('lookup-key', { found, keptSinceCommitId: 1 });
      else evictsFirst(asked, self);
    };
    const { stream, ...answer } = found;
    expect(stream).toBe('s');
    expect(await client.append('s', ['a'], { idempotencyKey: 'k' })).toEqual(answer);
  });

  it('what was in doubt and is known not to be there by its key is sent in a new session', async () => {
    const [client, second] = await inDoubt();
    await client.append('s', ['a'], { idempotencyKey: 'k' });
    expect(second.of('append').map(({ session }) => session?.clientId)).toEqual([1_001, 1_002]);
  });

  it('what was in doubt and may have been forgotten with its key is unknown', async () => {
    const [client, second] = await inDoubt();
    second.script = (asked, self) => {
      const forgotten = { found: undefined, keptSinceCommitId: 1_000_000 };
      if (asked.body.operation === 'lookup-key') asked.applied('lookup-key', forgotten);
      else evictsFirst(asked, self);
    };
    const result = await outcomeOf(client.append('s', ['a'], { idempotencyKey: 'k' }));
    expect(result).toMatchObject({ outcome: 'unknown', error: { code: 'SESSION_EVICTED' } });
    expect(second.of('append')).toHaveLength(1);
  });
});

describe('Batches', () => {
  it('appends to one stream that wait leave as one request; each has its own offsets', async () => {
    const held: Asked[] = [];
    const [server] = (await servers(1, holding('append', held))) as [ScriptedServer];
    const client = await readyClientOf([server], { commandsInFlightMax: 1 });
    const asked = Array.from({ length: 100 }, (_, index) => client.append('s', [`${index}`, 'more']));
    const other = client.append('t', ['another stream']);
    await until('the first is there', () => held.length === 1);
    server.script = commits;
    commits(held[0] as Asked, server);
    const answers = await Promise.all(asked);
    await other;
    expect(server.of('append').map(({ stream, events }) => [stream, events.length])).toEqual([
      ['s', 2],
      ['s', 198],
      ['t', 1],
    ]);
    for (const [index, { firstOffset, lastOffset, count }] of answers.entries()) {
      expect([firstOffset, lastOffset, count]).toEqual([2 * index, 2 * index + 1, 2]);
    }
  });

  it('what has a key, an expected offset or many bytes goes alone', async () => {
    const held: Asked[] = [];
    const [server] = (await servers(1, holding('append', held))) as [ScriptedServer];
    const client = await readyClientOf([server], { commandsInFlightMax: 1 });
    const asked = [
      client.append('s', ['0']),
      client.append('s', ['a']),
      client.append('s', ['b'], { idempotencyKey: 'k' }),
      client.append('s', ['c']),
      client.append('s', ['d'], { expectedOffset: 3 }),
      client.append('s', [new Uint8Array(20_000)]),
      client.append('s', ['e']),
      client.append('s', ['f']),
    ];
    await until('the first is there', () => held.length === 1);
    server.script = commits;
    commits(held[0] as Asked, server);
    await Promise.all(asked);
    expect(server.of('append').map(({ events }) => events.length)).toEqual([1, 1, 1, 1, 1, 1, 2]);
  });

  it('one bad append does not spoil those that went with it', async () => {
    const held: Asked[] = [];
    const [server] = (await servers(1, holding('append', held))) as [ScriptedServer];
    const client = await readyClientOf([server], { commandsInFlightMax: 1 });
    const asked = ['0', 'a', 'bad', 'c'].map((text) => outcomeOf(client.append('s', [text])));
    await until('the first is there', () => held.length === 1);
    server.script = (one, self) => {
      const bad = 'events' in one.body && one.body.events.some(({ data }) => Buffer.from(data).toString() === 'bad');
      if (bad) one.refused('REQUEST_INVALID');
      else commits(one, self);
    };
    commits(held[0] as Asked, server);
    const outcomes = (await Promise.all(asked)).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['applied', 'applied', 'refused', 'applied']);
  });
});

describe('Deadlines and signals', () => {
  it('no answer in time: unknown for a command, nothing happened for a read', async () => {
    const [server] = (await servers(1, () => {})) as [ScriptedServer];
    const client = clientOf([server]);
    const read = await outcomeOf(client.read('s', { timeoutMs: 60 }));
    expect(read).toMatchObject({ outcome: 'refused', error: { code: 'CLIENT_NO_ANSWER' } });
    const held: Asked[] = [];
    server.script = holding('append', held);
    const append = await outcomeOf(clientOf([server]).append('s', ['a'], { timeoutMs: 300 }));
    expect(append).toMatchObject({ outcome: 'unknown', error: { code: 'CLIENT_NO_ANSWER' } });
    expect(held).toHaveLength(1);
    expect(held[0]?.request.deadlineMs).toBeLessThanOrEqual(300);
  });

  it('nobody there: known not applied, and the addresses are named', async () => {
    const [gone] = (await servers(1)) as [ScriptedServer];
    const { address } = gone;
    await gone.close();
    const client = opened(new LockstepClient({ addresses: [address] }));
    const result = await outcomeOf(client.append('s', ['a'], { timeoutMs: 100 }));
    expect(result).toMatchObject({ outcome: 'refused', error: { code: 'CLIENT_UNREACHABLE' } });
    expect(result).toMatchObject({ error: { evidence: { lastReason: 'ECONNREFUSED' } } });
  });

  it('a signal ends a call at once: before it left it is refused, afterwards unknown', async () => {
    const held: Asked[] = [];
    const [server] = (await servers(1, holding('append', held))) as [ScriptedServer];
    const client = await readyClientOf([server], { commandsInFlightMax: 1 });
    const sent = new AbortController();
    const waiting = new AbortController();
    const first = outcomeOf(client.append('s', ['a'], { signal: sent.signal }));
    const second = outcomeOf(client.append('s', ['b'], { signal: waiting.signal }));
    const third = outcomeOf(client.append('s', ['c'], { signal: AbortSignal.abort() }));
    await until('the first is there', () => held.length === 1);
    waiting.abort();
    sent.abort();
    expect(await first).toMatchObject({ outcome: 'unknown', error: { code: 'CLIENT_ABORTED' } });
    expect(await second).toMatchObject({ outcome: 'refused', error: { code: 'CLIENT_ABORTED' } });
    expect(await third).toMatchObject({ outcome: 'refused', error: { code: 'CLIENT_ABORTED' } });
    expect(held).toHaveLength(1);
  });

  it('unknown: again() sends the same number, and ask() looks the key up', async () => {
    const held: Asked[] = [];
    const [server] = (await servers(1, holding('append', held))) as [ScriptedServer];
    const client = clientOf([server]);
    const result = await outcomeOf(client.append('s', ['a'], { idempotencyKey: 'k', timeoutMs: 200 }));
    if (result.outcome !== 'unknown') throw new Error(result.outcome);
    server.script = commits;
    expect(await result.remedy.ask?.()).toEqual({ found: undefined, keptSinceCommitId: 1 });
    expect(await result.remedy.again?.()).toMatchObject({ count: 1 });
    const [first, second] = server.of('append');
    expect(second).toEqual(first);
  });

  it('close() ends every call: refused when it had not left, unknown when it had', async () => {
    const held: Asked[] = [];
    const [server] = (await servers(1, holding('append', held))) as [ScriptedServer];
    const client = await readyClientOf([server], { commandsInFlightMax: 1, batching: false });
    const asked = [outcomeOf(client.append('s', ['a'])), outcomeOf(client.append('s', ['b']))];
    await until('the first is there', () => held.length === 1);
    client.close();
    const outcomes = await Promise.all([...asked, outcomeOf(client.append('s', ['c']))]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['unknown', 'refused', 'refused']);
    for (const result of outcomes) expect(result).toMatchObject({ error: { code: 'CLIENT_CLOSED' } });
  });
});
