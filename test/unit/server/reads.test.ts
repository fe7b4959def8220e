/**
 * Goal: a linearizable read ends once, with a commit number that a quorum stood by after it came, wherever it came from.
 * Method: Reads over a scripted replica; rounds end, views change, peers answer, get lost or fall silent, by hand.
 */
import { describe, expect, test } from 'vitest';
import { decodeForwardRequest, READ_IDS_FROM } from '../../../impl/server/forward.ts';
import { type ReadOutcome, Reads } from '../../../impl/server/reads.ts';
import { SERVER_LIMITS } from '../../../impl/server/server-limits.ts';
import type { ReplicaPort } from '../../../impl/vsr/replica-port.ts';

const PROCESS = 77;

/** Replica 0 of three; what it is set to, it says. */
class World {
  status = 'normal';
  view = 0;
  refusedBy: readonly string[] = [];
  open: { readonly view: number; readonly round: number } | undefined = undefined;
  rounds = 0;
  nowMs = 0;
  leaves = true;
  readonly frames: { readonly to: number; readonly id: number }[] = [];
  readonly reads: Reads;

  constructor(limits = SERVER_LIMITS) {
    const world = this;
    const replica = {
      replica: 0,
      commit: 5,
      get status() {
        return world.status;
      },
      get view() {
        return world.view;
      },
      get primary() {
        return world.view % 3;
      },
      get readRound() {
        return world.open;
      },
      startReadRound: () => {
        if (this.refusedBy.length > 0) return { refusedBy: this.refusedBy };
        this.rounds++;
        this.open = { view: this.view, round: this.rounds };
        return { round: this.rounds };
      },
    } as unknown as ReplicaPort;
    this.reads = new Reads({
      replica,
      limits,
      process: PROCESS,
      forward: (to, payload) => {
        if (!this.leaves) return false;
        const { id, command } = decodeForwardRequest(Buffer.from(payload));
        expect(command).toBe('read');
        this.frames.push({ to, id });
        return true;
      },
      nowMs: () => this.nowMs,
      wake: () => {},
    });
  }

  ask(fromPeer = false, withinMs = 1_000): ReadOutcome[] {
    const outcomes: ReadOutcome[] = [];
    this.reads.offer({ deadlineMs: this.nowMs + withinMs, fromPeer, done: (outcome) => outcomes.push(outcome) });
    return outcomes;
  }

  endRound(commitId: number): void {
    this.open = undefined;
    this.reads.completed(commitId);
  }
}

describe('Reads at the primary', () => {
  test('what waits shares one round; what comes while it is open goes with the next', () => {
    const world = new World();
    const first = [world.ask(), world.ask()];
    world.reads.begin();
    const second = world.ask();
    world.reads.begin();
    expect(world.rounds).toBe(1);
    world.endRound(5);
    expect(first).toEqual([[{ commitId: 5 }], [{ commitId: 5 }]]);
    expect(second).toEqual([]);
    world.reads.begin();
    world.endRound(6);
    expect(second).toEqual([{ commitId: 6 }]);
    expect(world.reads.waiting).toBe(0);
  });

  test('a round that goes with its view: its reads are asked again, of the next primary', () => {
    const world = new World();
    const read = world.ask();
    world.reads.begin();
    world.open = undefined;
    world.view = 1;
    world.reads.begin();
    expect(world.frames).toEqual([{ to: 1, id: READ_IDS_FROM }]);
    world.reads.forwardResult(1, { process: PROCESS, id: READ_IDS_FROM, kind: 'read-at', commitId: 9 });
    expect(read).toMatchObject([{ commitId: 9 }]);
  });

  test('a round of the same number in a later view is another round', () => {
    const world = new World();
    const read = world.ask();
    world.reads.begin();
    world.view = 3;
    world.open = undefined;
    world.rounds = 0;
    world.reads.begin();
    expect(world.open).toEqual({ view: 3, round: 1 });
    expect(read).toEqual([]);
    world.endRound(8);
    expect(read).toEqual([{ commitId: 8 }]);
  });

  test('a round that is refused is begun later; the deadline ends a read that no quorum answers', () => {
    const world = new World();
    world.refusedBy = ['Vsr.StartReadRound.ViewLogCommitted'];
    const late = world.ask(false, 100);
    world.reads.begin();
    world.refusedBy = [];
    world.reads.begin();
    expect(world.rounds).toBe(1);
    world.nowMs = 100;
    world.reads.review();
    expect(late).toMatchObject([{ code: 'NO_QUORUM', outcome: 'refused' }]);
    world.endRound(5);
    expect(late).toHaveLength(1);
  });

  test('the bound: one read more is refused as busy', () => {
    const world = new World({ ...SERVER_LIMITS, REQUESTS_IN_FLIGHT_MAX: 2 });
    world.ask();
    world.ask();
    expect(world.ask()).toMatchObject([{ code: 'BUSY' }]);
  });
});

describe('Reads at a backup', () => {
  test('all that wait go in one frame; an answer of another life or another peer ends nothing', () => {
    const world = new World();
    world.view = 1;
    const reads = [world.ask(), world.ask()];
    world.reads.begin();
    expect(world.frames).toHaveLength(1);
    const [{ id } = { id: 0 }] = world.frames;
    world.reads.forwardResult(1, { process: PROCESS + 1, id, kind: 'read-at', commitId: 1 });
    world.reads.forwardResult(2, { process: PROCESS, id, kind: 'read-at', commitId: 1 });
    expect(reads).toEqual([[], []]);
    world.reads.forwardResult(1, { process: PROCESS, id, kind: 'read-at', commitId: 7 });
    expect(reads).toMatchObject([[{ commitId: 7 }], [{ commitId: 7 }]]);
  });

  test('a peer that is lost, falls silent or leads no more is asked again, and its late answer ends nothing', () => {
    const world = new World();
    world.view = 1;
    const read = world.ask(false, 10_000);
    world.reads.begin();
    world.reads.peerLost(1);
    world.reads.begin();
    world.nowMs = 500;
    world.reads.review();
    world.reads.begin();
    world.view = 2;
    world.reads.begin();
    expect(world.frames.map(({ to }) => to)).toEqual([1, 1, 1, 2]);
    world.reads.forwardResult(1, {
      process: PROCESS,
      id: world.frames[2]?.id ?? 0,
      kind: 'read-at',
      commitId: 1,
    });
    expect(read).toEqual([]);
    world.reads.forwardResult(2, { process: PROCESS, id: world.frames[3]?.id ?? 0, kind: 'not-primary' });
    world.reads.begin();
    expect(world.frames).toHaveLength(5);
  });

  test('one hop only: a read of a peer goes back when this is not the primary', () => {
    const world = new World();
    world.view = 1;
    const foreign = world.ask(true);
    const own = world.ask();
    world.reads.begin();
    expect(foreign).toEqual(['not-primary']);
    expect(own).toEqual([]);
  });

  test('a replica that stops or is halted ends every read', () => {
    const world = new World();
    world.view = 1;
    const handedOn = world.ask();
    world.reads.begin();
    world.status = 'halted';
    const late = world.ask();
    world.reads.begin();
    expect(late).toMatchObject([{ code: 'HALTED' }]);
    world.reads.close();
    expect(handedOn).toMatchObject([{ code: 'DRAINING' }]);
    expect(world.reads.waiting).toBe(0);
  });
});
