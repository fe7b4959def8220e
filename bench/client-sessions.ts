/**
 * What the table of client sessions costs at apply: CPU time a request, in batches of 1,000, for one session, for 1,000, for
 * 1,000 drawn from a full table, and for registrations that evict. `node --import tsx bench/client-sessions.ts`
 */
import { ClientSessions, SESSIONS_MAX } from '../impl/vsr/client-sessions.ts';

interface Appended {
  readonly kind: 'Appended';
  readonly firstOffset: number;
  readonly count: number;
  readonly commitId: number;
  readonly repeated: boolean;
}

const BATCH = 1_000;
const OPS = 200;
/** Ids of an op's commands lie below that of the next op. */
const COMMANDS = 4_096;

class Table {
  sessions = ClientSessions.empty<Appended>();
  readonly ids: number[] = [];
  readonly #numbers = new Map<number, number>();
  #op = 0;

  register(): void {
    this.#op++;
    const draft = this.sessions.begin(this.#op);
    for (let index = 0; index < BATCH; index++) {
      const id = this.#op * COMMANDS + index;
      draft.register(id);
      this.ids.push(id);
    }
    this.sessions = draft.sealed();
  }

  /** @param pick index of the session of request `index` */
  apply(pick: (index: number) => number): void {
    this.#op++;
    const commitId = this.#op;
    const draft = this.sessions.begin(commitId);
    for (let index = 0; index < BATCH; index++) {
      const id = this.ids[pick(index)] as number;
      const number = (this.#numbers.get(id) ?? 0) + 1;
      this.#numbers.set(id, number);
      draft.take(id, number, () => ({ kind: 'Appended', firstOffset: index, count: 1, commitId, repeated: false }));
    }
    this.sessions = draft.sealed();
  }
}

function microseconds(run: (op: number) => void): string {
  const before = process.cpuUsage();
  for (let op = 0; op < OPS; op++) run(op);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / (OPS * BATCH)).toFixed(1);
}

const small = new Table();
small.register();
const full = new Table();
for (let count = 0; count < SESSIONS_MAX; count += BATCH) full.register();

const rows: readonly (readonly [what: string, run: (op: number) => void])[] = [
  ['requests of one session', () => small.apply(() => 0)],
  ['requests of 1,000 sessions', () => small.apply((index) => index)],
  [
    'requests of 1,000 of 100,000 sessions',
    (op) => full.apply((index) => (op * 7_919 + index * 104_729) % SESSIONS_MAX),
  ],
  ['registrations that evict', () => full.register()],
];
process.stdout.write('CPU time each, in microseconds, garbage collection included\n');
for (const [what, run] of rows) process.stdout.write(`${microseconds(run).padStart(8)}  ${what}\n`);
