/**
 * Goal: where a client goes, what it says there, what it has seen it never unsees, and how it follows a stream. Method: the real
 * client on real connections to servers that say what the test tells them to.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { ClientError, LockstepClient, outcomeOf } from '../../../impl/client/index.ts';
import { until } from '../../until.ts';
import { clientOf, closeAll, holding, readyClientOf, servers } from './opened.ts';
import { type Asked, commits, HASH, type Script, type ScriptedServer } from './scripted-server.ts';

afterEach(closeAll);

describe('Connections of the client', () => {
  it('a committed read never shows less than this client has seen', async () => {
    const [server] = (await servers(1)) as [ScriptedServer];
    const client = clientOf([server]);
    const { commitId } = await client.append('s', ['a']);
    expect(client.commitId).toBe(commitId);
    await client.read('s', { consistency: 'committed' });
    await client.listStreams({ consistency: 'committed', minCommitId: 3 });
    expect(server.of('read')[0]).toMatchObject({ linearizable: false, minCommitId: commitId });
    expect(server.of('list-streams')[0]).toMatchObject({ linearizable: false, minCommitId: 3 });
  });

  it('a pool has a session for each connection, and spreads what waits', async () => {
    const held: Asked[] = [];
    const [server] = (await servers(1, holding('append', held))) as [ScriptedServer];
    const client = await readyClientOf([server], { connections: 3, commandsInFlightMax: 1 });
    const asked = Array.from({ length: 3 }, () => client.append('s', ['a']));
    await until('all three are there', () => held.length === 3);
    expect(server.hellos).toHaveLength(3);
    expect(new Set(server.of('append').map(({ session }) => session?.clientId)).size).toBe(3);
    for (const one of held) commits(one, server);
    await Promise.all(asked);
  });

  it('the token stands in the Hello, and is asked for anew at each connection', async () => {
    const [server] = (await servers(1)) as [ScriptedServer];
    let asked = 0;
    const client = clientOf([server], { token: () => `token ${++asked}` });
    await client.read('s');
    server.hangUp();
    await client.read('s');
    expect(server.hellos.map(({ token }) => token)).toEqual(['token 1', 'token 2']);
  });

  it.each(['WIRE_WRONG_VERSION', 'WIRE_WRONG_CLUSTER', 'CREDENTIALS_INVALID', 'TOKEN_EXPIRED'])(
    'every replica says %s: the caller is told at once, not at the deadline',
    async (code) => {
      const all = await servers(3);
      for (const server of all) server.refuses = code;
      const result = await outcomeOf(clientOf(all, { timeoutMs: 60_000 }).append('s', ['a']));
      expect(result).toMatchObject({ outcome: 'refused', error: { code } });
    },
  );

  it('one replica that refuses us is passed by', async () => {
    const all = await servers(2);
    (all[0] as ScriptedServer).refuses = 'WIRE_WRONG_CLUSTER';
    expect(await clientOf(all).append('s', ['a'])).toMatchObject({ count: 1 });
  });

  it('our own mistakes are not outcomes', async () => {
    await expect(outcomeOf(Promise.reject(new TypeError('a bug')))).rejects.toThrow(TypeError);
    expect(() => new LockstepClient({ addresses: [] })).toThrow('address');
    expect(new ClientError('X', 'x', 'refused', {}, { ask: undefined, again: undefined }).again).toBeUndefined();
  });
});

describe('Tail', () => {
  const page = (from: number, limit: number): Parameters<Asked['applied']>[1] => ({
    nextOffset: from + limit,
    commitId: from + limit,
    events: Array.from({ length: limit }, (_, index) => ({
      offset: from + index,
      timestamp: 1,
      commitId: from + index + 1,
      hash: HASH,
      type: '',
      contentType: '',
      data: Buffer.from(`${from + index}`),
    })),
  });
  const endless: Script = ({ body, applied }) => {
    if (body.operation === 'read') applied('read', page(body.from, body.limit) as never);
  };

  it('every event in order; no more than one page is read ahead of the caller', async () => {
    const [server] = (await servers(1, endless)) as [ScriptedServer];
    let seen = 0;
    for await (const { offset } of clientOf([server]).tail('s', { from: 5, pageEvents: 10 })) {
      expect(offset).toBe(5 + seen++);
      expect(server.of('read').length).toBeLessThanOrEqual(Math.floor((seen - 1) / 10) + 2);
      if (seen === 95) break;
    }
    expect(server.of('read')[0]).toMatchObject({ linearizable: false, limit: 10 });
    expect(server.of('read')[0]?.waitMs).toBeGreaterThan(0);
  });

  it('a signal ends it, also while it waits for an event', async () => {
    const [server] = (await servers(1, () => {})) as [ScriptedServer];
    const stop = new AbortController();
    const tail = clientOf([server]).tail('s', { signal: stop.signal });
    const next = tail.next();
    await until('it asks', () => server.of('read').length === 1);
    stop.abort();
    await expect(next).rejects.toMatchObject({ code: 'CLIENT_ABORTED' });
  });

  it('it goes on at another replica where it was', async () => {
    const [first, second] = (await servers(2, endless)) as [ScriptedServer, ScriptedServer];
    const offsets: number[] = [];
    for await (const { offset } of clientOf([first, second]).tail('s', { pageEvents: 3 })) {
      offsets.push(offset);
      if (offset === 4) await first.close();
      if (offset === 20) break;
    }
    expect(offsets).toEqual(Array.from({ length: 21 }, (_, index) => index));
    expect(second.of('read').length).toBeGreaterThan(0);
  });
});
