/**
 * What a run of the ClientSessions driver goes on: real clients (impl/wire/session-numbers.ts), the real table and the real
 * knowledge of what is in flight (impl/vsr), over an abstract log that a view change cuts, as Vsr guarantees it. A step gives
 * a new world. Happens here what specs/ClientSessions.tla calls Environment and the log's own steps; decides no rule.
 */
import type { ClientSessions, SessionBounds, SessionOutcome } from '../../impl/vsr/client-sessions.ts';
import type { SessionOptions } from '../../impl/vsr/session-rules.ts';
import type { SessionsInFlight } from '../../impl/vsr/sessions-in-flight.ts';
import type { SessionNumbers } from '../../impl/wire/session-numbers.ts';
import type { RegisterApplied, RequestApplied } from '../../machines/client-sessions.ts';
import type { MessageView } from '../../machines/client-sessions-invariants.ts';

/** A reply of the kernel: the op that executed the request. */
export interface Reply {
  readonly result: number;
}

export type Message = MessageView;

export interface LogEntry extends Message {
  readonly time: number;
}

export interface Client {
  readonly life: number;
  readonly numbers: SessionNumbers;
  /** What was asked under each number that waits. */
  readonly values: ReadonlyMap<number, number>;
}

export interface Outcome {
  readonly kind: string;
  readonly evicted: number;
  readonly table: ClientSessions<Reply>;
}

/** The bounds of the model: constants of the cfg. */
export interface Bounds extends SessionBounds {
  readonly clientCount: number;
  readonly maxRequests: number;
  readonly maxRegisters: number;
  readonly maxLives: number;
  readonly maxViews: number;
  readonly maxLag: number;
  readonly mayGiveUp: boolean;
  readonly maxTime: number;
}

/** The code under test; a broken driver replaces a part. */
export interface Parts {
  readonly options: SessionOptions;
  readonly numbers: (window: number) => SessionNumbers;
  /** What a process that takes the place of a crashed one begins with. */
  readonly restarted: (before: SessionNumbers) => SessionNumbers;
  readonly inFlight: () => SessionsInFlight;
  /** Id of the session that an entry registers. */
  readonly sessionId: (op: number, entry: LogEntry) => number;
}

export interface World {
  readonly bounds: Bounds;
  readonly parts: Parts;
  readonly log: readonly LogEntry[];
  readonly commit: number;
  readonly applied: number;
  readonly table: ClientSessions<Reply>;
  readonly inFlight: SessionsInFlight;
  readonly clients: readonly Client[];
  /** By their text. */
  readonly messages: ReadonlyMap<string, Message>;
  readonly requests: number;
  readonly views: number;
  readonly outcomes: readonly Outcome[];
  readonly answers: ReadonlyMap<string, { readonly asked: number; readonly result: number }>;
  readonly emptyTable: ClientSessions<Reply>;
}

export type ApplyAction = RegisterApplied | RequestApplied;

export function withMessage(world: World, message: Message): World {
  const text = JSON.stringify(message);
  return world.messages.has(text) ? { ...world } : { ...world, messages: new Map(world.messages).set(text, message) };
}

export function withClient(world: World, client: number, after: Client): World {
  return { ...world, clients: world.clients.map((before, index) => (index === client - 1 ? after : before)) };
}

export function clientOf(world: World, client: number): Client {
  const found = world.clients[client - 1];
  if (found === undefined) throw new Error(`there is no client ${client}`);
  return found;
}

/** The answer to an entry or a message, for the process that asked. */
export function answerTo(asked: Message, type: string, id: number, value: number): Message {
  const { client, life, number } = asked;
  return { type, client, life, id, number, value };
}

export function withEntry(world: World, message: Message, later: number): World {
  const { type, client, life, id, number, value } = message;
  const time = lastTime(world) + later;
  return { ...world, log: [...world.log, { type, client, life, id, number, value, time }] };
}

export function lastTime({ log }: World): number {
  return log.at(-1)?.time ?? 0;
}

/** The next committed op; undefined when there is none. */
export function nextEntry({ log, applied, commit }: World): LogEntry | undefined {
  return applied < commit ? log[applied] : undefined;
}

export interface AppliedOp {
  readonly action: ApplyAction;
  readonly next: World;
}

const ACTIONS = { Repeated: 'ApplyRepeated', Stale: 'ApplyStale', Evicted: 'ApplyEvicted' } as const;

/** The code applies the next committed op, and says which of the actions it took. */
export function applyNext(world: World): AppliedOp | undefined {
  const entry = nextEntry(world);
  if (entry === undefined) return undefined;
  const op = world.applied + 1;
  const draft = world.table.begin(entry.time);
  if (entry.type === 'Register') {
    const id = world.parts.sessionId(op, entry);
    const evicted = draft.register(id);
    const action = evicted === undefined ? 'ApplyRegister' : 'ApplyRegisterEvicting';
    const outcome = { kind: 'Registered', evicted: evicted ?? 0, table: draft.sealed() };
    return { action, next: answered(world, entry, outcome, answerTo(entry, 'Registered', id, 0)) };
  }
  let executions = 0;
  const taken = draft.take(entry.id, entry.number, () => {
    executions++;
    return { result: op };
  });
  const evicted = taken.kind === 'New' ? taken.evicted : undefined;
  const kind = executions > 0 ? 'New' : taken.kind;
  const outcome = { kind, evicted: evicted ?? 0, table: draft.sealed() };
  return { action: actionOf(taken), next: answered(world, entry, outcome, replyTo(entry, taken)) };
}

function actionOf(taken: SessionOutcome<Reply>): ApplyAction {
  if (taken.kind !== 'New') return ACTIONS[taken.kind];
  return taken.evicted === undefined ? 'ApplyNew' : 'ApplyNewEvicting';
}

/** What a primary sends for what it found. */
export function replyTo(asked: Message, taken: SessionOutcome<Reply>): Message {
  if ('reply' in taken) return answerTo(asked, 'Reply', asked.id, taken.reply.result);
  return answerTo(asked, taken.kind, asked.id, 0);
}

function answered(world: World, entry: LogEntry, outcome: Outcome, answer: Message): World {
  const inFlight = world.inFlight.fork();
  inFlight.settle(entry.id, entry.number);
  const isFirst = world.applied === world.outcomes.length;
  const outcomes = isFirst ? [...world.outcomes, outcome] : world.outcomes;
  return withMessage({ ...world, applied: world.applied + 1, table: outcome.table, inFlight, outcomes }, answer);
}

/** Another primary, which holds `keep` entries and has applied `ops`. */
export function viewChange(world: World, keep: number, ops: number): World {
  const inFlight = world.inFlight.fork();
  inFlight.clear();
  const table = ops === 0 ? world.emptyTable : (world.outcomes[ops - 1] as Outcome).table;
  return { ...world, log: world.log.slice(0, keep), applied: ops, table, inFlight, views: world.views + 1 };
}

export function crashClient(world: World, client: number): World {
  const { life, numbers } = clientOf(world, client);
  return withClient(world, client, { life: life + 1, numbers: world.parts.restarted(numbers), values: new Map() });
}
