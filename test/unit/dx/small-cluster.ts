/**
 * A cluster of real replicas on simulated disks, clock and network, with a DxSource for each: what the explanations are
 * tested on. Frames are delivered in order when run() says so; a replica that is down hears and says nothing.
 */

import { hashText } from '../../../impl/crypto/hash.ts';
import { SimulatedClock } from '../../../impl/ports/simulated-clock.ts';
import { SimulatedDisk } from '../../../impl/ports/simulated-disk.ts';
import { SimulatedRandom } from '../../../impl/ports/simulated-random.ts';
import type { DxSource, HistoryRecord } from '../../../impl/server/dx-source.ts';
import { sessionFactsOf } from '../../../impl/server/session-facts.ts';
import { formatDataDirectory, openDataDirectory } from '../../../impl/storage/data-directory.ts';
import { ClientSessions } from '../../../impl/vsr/client-sessions.ts';
import { PrepareLog } from '../../../impl/vsr/prepare-log.ts';
import { Replica } from '../../../impl/vsr/replica.ts';

/** As in the models' driver, so that a state here has the hashes of the same state there. */
const CLUSTER = 1n;
const CLIENT = 1n;
const DIRECTORY = '/data';
/** Rounds of frames that one thing may cause. */
const ROUNDS_MAX = 100;

interface Member {
  readonly disk: SimulatedDisk;
  readonly history: HistoryRecord[];
  replica: Replica;
  down: boolean;
}

export class SmallCluster {
  readonly #members: Member[] = [];
  readonly #clock = new SimulatedClock();
  #frames: { readonly from: number; readonly to: number; readonly frame: Uint8Array }[] = [];
  #requests = 0;

  constructor(replicaCount = 3, pipelineOpsMax = 4) {
    for (let index = 0; index < replicaCount; index++) {
      const disk = new SimulatedDisk();
      formatDataDirectory(disk, DIRECTORY, { cluster: CLUSTER, replica: index, replicaCount });
      const { superblock, log } = openDataDirectory(disk, DIRECTORY);
      const { prepareLog } = PrepareLog.open(log, CLUSTER);
      const replica = Replica.open({
        superblock,
        log: prepareLog,
        network: { send: (to, frame) => this.#frames.push({ from: index, to, frame: Uint8Array.from(frame) }) },
        clock: this.#clock,
        random: new SimulatedRandom(index + 1),
        firstStart: true,
        pipelineOpsMax,
      });
      const member: Member = { disk, history: [], replica, down: false };
      replica.onEvent = (record) =>
        member.history.push({
          sequence: member.history.length + 1,
          machine: 'Vsr',
          event: record.type,
          taken: record.taken,
          from: record.statusBefore,
          to: record.statusAfter,
          peer: record.from,
          view: record.view,
          op: record.op,
          commit: record.commit,
          atMs: this.#clock.wallMs(),
          guards: record.guards,
        });
      this.#members.push(member);
    }
  }

  replica(index: number): Replica {
    return this.#at(index).replica;
  }

  disk(index: number): SimulatedDisk {
    return this.#at(index).disk;
  }

  /** It hears and says nothing any more. */
  kill(index: number): void {
    this.#at(index).down = true;
  }

  revive(index: number): void {
    this.#at(index).down = false;
  }

  submit(index: number, text = ''): ReturnType<Replica['submit']> {
    return this.replica(index).submit(new TextEncoder().encode(text), CLIENT, ++this.#requests);
  }

  flush(): void {
    for (const { replica, down } of this.#members) if (!down) replica.flush();
  }

  /** Delivers what is on its way, until nothing is. */
  deliver(): void {
    for (let round = 0; this.#frames.length > 0; round++) {
      if (round === ROUNDS_MAX) throw new Error('frames go round and round');
      this.deliverOnce();
    }
  }

  /** Delivers what is on its way now, and not what that causes. */
  deliverOnce(): void {
    const frames = this.#frames;
    this.#frames = [];
    for (const { from, to, frame } of frames)
      if (!this.#at(from).down && !this.#at(to).down) this.#at(to).replica.receive(from, frame);
    this.flush();
  }

  /** Forgets what is on its way. */
  lose(): void {
    this.#frames = [];
  }

  /** Ticks with everything delivered and synced after each. */
  run(ticks: number): void {
    for (let tick = 0; tick < ticks; tick++) {
      this.tick(1);
      this.deliver();
    }
  }

  /** Ticks with nothing delivered. */
  tick(ticks: number): void {
    for (let tick = 0; tick < ticks; tick++) {
      this.#clock.advance(10);
      for (const { replica, down } of this.#members) if (!down) replica.tick();
      this.flush();
    }
  }

  source(index: number): DxSource {
    const { replica, history } = this.#at(index);
    return {
      identity: {
        cluster: CLUSTER,
        replica: index,
        replicaCount: this.#members.length,
        addresses: this.#members.map((_, at) => `127.0.0.1:${7200 + at}`),
        http: `127.0.0.1:${7100 + index}`,
        httpAddresses: [],
        version: '0.0.0',
      },
      replica,
      session: (clientId, requestNumber) => sessionFactsOf(ClientSessions.empty(), clientId, requestNumber),
      machines: () => [{ name: 'Vsr', machine: replica.machine, snapshot: replica.snapshot, taken: 0, refused: 0 }],
      history: (machine, limit) =>
        history.filter((record) => machine === undefined || record.machine === machine).slice(-limit),
      lastRefusal: (_machine, event) => history.findLast((record) => !record.taken && record.event === event),
      peers: () =>
        this.#members.flatMap(({ down }, at) =>
          at === index
            ? []
            : [
                {
                  replica: at,
                  address: `127.0.0.1:${7200 + at}`,
                  connected: !down,
                  framesSent: 0,
                  framesReceived: 0,
                  framesDropped: 0,
                  silentMs: undefined,
                },
              ],
        ),
      kernel: () => ({ commit: replica.commit, stateHash: hashText(new Uint8Array(32)), streams: 0 }),
      prepareAt: (op) => replica.prepareAt(op),
      openReport: {},
      opened: {
        firstStart: true,
        superblockCopies: [],
        superblockCopiesRepaired: [],
        log: {
          action: 'Reopen',
          scan: { verdict: 'whole', records: 0, endBytes: 0, allocatedBytes: 0 },
          tornBytes: 0,
          reason: undefined,
        },
        snapshot: replica.snapshot,
      },
      refusals: () => [],
    };
  }

  #at(index: number): Member {
    const member = this.#members[index];
    if (member === undefined) throw new Error(`no replica ${index}`);
    return member;
  }
}
