/**
 * Clients, a primary and the table at apply of specs/ClientSessions.tla, over client-sessions-world.ts. The machine is asked
 * of every event, and the code must say the same: client-sessions-view.ts gives the guards their facts. project() names every
 * variable. Translates, decides nothing.
 */
import { ClientSessions } from '../../impl/vsr/client-sessions.ts';
import { SessionsInFlight } from '../../impl/vsr/sessions-in-flight.ts';
import { SessionNumbers } from '../../impl/wire/session-numbers.ts';
import { clientSessionsInvariants } from '../../machines/client-sessions-invariants.ts';
import type { Constants, Driver } from '../driver.ts';
import { type ClientSessionsStep, machineEvent } from './client-sessions-events.ts';
import { project, viewOf } from './client-sessions-view.ts';
import {
  applyNext,
  type Bounds,
  clientOf,
  crashClient,
  lastTime,
  type Message,
  type Parts,
  replyTo,
  viewChange,
  type World,
  withClient,
  withEntry,
  withMessage,
} from './client-sessions-world.ts';
import { GuardAnswers } from './guard-answers.ts';

export type { ClientSessionsStep } from './client-sessions-events.ts';
export type { World } from './client-sessions-world.ts';

const PARTS: Parts = {
  options: {},
  numbers: (window) => new SessionNumbers(window),
  restarted: (before) => new SessionNumbers(before.window),
  inFlight: () => new SessionsInFlight(),
  sessionId: (op) => op,
};

export function clientSessionsDriverOver(parts: Partial<Parts> = {}): Driver<World, ClientSessionsStep> {
  const whole = { ...PARTS, ...parts };
  let answers: GuardAnswers | undefined;
  return {
    initial: (constants) => begin(boundsOf(constants), whole),
    alphabet,
    step,
    project,
    guards: (world, event) => {
      const asked = machineEvent(world, event);
      const { rules } = world.table;
      answers ??= new GuardAnswers(rules.machine);
      return asked === undefined ? [] : answers.of(rules.snapshot, asked);
    },
    invariants: Object.fromEntries(
      Object.entries(clientSessionsInvariants).map(([name, holds]) => [name, (world: World) => holds(viewOf(world))]),
    ),
    describe,
  };
}

export const clientSessionsDriver = clientSessionsDriverOver();

function boundsOf(constants: Constants): Bounds {
  const numberOf = (name: string): number => Number(constants[name]?.text);
  return {
    clientCount: numberOf('ClientCount'),
    window: numberOf('Window'),
    sessionsMax: numberOf('SessionsMax'),
    slotsMax: numberOf('SlotsMax'),
    maxRequests: numberOf('MaxRequests'),
    maxRegisters: numberOf('MaxRegisters'),
    maxLives: numberOf('MaxLives'),
    maxViews: numberOf('MaxViews'),
    maxLag: numberOf('MaxLag'),
    mayGiveUp: constants.MayGiveUp?.text === 'TRUE',
    maxTime: numberOf('MaxTime'),
  };
}

function begin(bounds: Bounds, parts: Parts): World {
  const { sessionsMax, slotsMax, window, clientCount } = bounds;
  const table = ClientSessions.empty<{ readonly result: number }>({ sessionsMax, slotsMax, window }, parts.options);
  const clients = Array.from({ length: clientCount }, () => ({
    life: 0,
    numbers: parts.numbers(window),
    values: new Map<number, number>(),
  }));
  const nothing = { log: [], commit: 0, applied: 0, requests: 0, views: 0, outcomes: [] };
  const none = { messages: new Map(), answers: new Map() };
  return { bounds, parts, ...nothing, ...none, table, emptyTable: table, inFlight: parts.inFlight(), clients };
}

const APPLY = [
  'ApplyRegister',
  'ApplyRegisterEvicting',
  'ApplyNew',
  'ApplyNewEvicting',
  'ApplyRepeated',
  'ApplyStale',
  'ApplyEvicted',
] as const;
const TO_CLIENT: Readonly<Record<string, 'ReceiveRegistered' | 'ReceiveReply' | 'ReceiveEvicted'>> = {
  Registered: 'ReceiveRegistered',
  Reply: 'ReceiveReply',
  Evicted: 'ReceiveEvicted',
};

function alphabet(world: World): readonly ClientSessionsStep[] {
  const { bounds, clients, messages, log, commit, requests, views, outcomes } = world;
  const steps: ClientSessionsStep[] = [{ type: 'Commit' }, ...APPLY.map((type) => ({ type }))];
  for (let client = 1; client <= clients.length; client++) {
    steps.push({ type: 'SendRegister', client }, { type: 'ResendRequest', client });
    if (requests < bounds.maxRequests) steps.push({ type: 'SendRequest', client });
    if (bounds.mayGiveUp)
      for (let number = 1; number <= bounds.maxRequests; number++) steps.push({ type: 'GiveUp', client, number });
    if (clientOf(world, client).life < bounds.maxLives) steps.push({ type: 'CrashClient', client });
  }
  const registers = log.filter(({ type }) => type === 'Register').length;
  const laters = [0, 1].filter((later) => lastTime(world) + later <= bounds.maxTime);
  for (const message of messages.values()) {
    const toClient = TO_CLIENT[message.type];
    if (toClient !== undefined)
      for (let client = 1; client <= clients.length; client++) steps.push({ type: toClient, client, message });
    if (message.type === 'Register' && registers < bounds.maxRegisters)
      for (const later of laters) steps.push({ type: 'ReceiveRegister', message, later });
    if (message.type !== 'Request') continue;
    for (const later of laters) steps.push({ type: 'ReceiveRequest', message, later });
    for (const type of ['AnswerRepeated', 'AnswerStale', 'AnswerEvicted'] as const) steps.push({ type, message });
  }
  if (views >= bounds.maxViews) return steps;
  for (let keep = commit; keep <= log.length; keep++)
    for (let ops = Math.max(0, outcomes.length - bounds.maxLag); ops <= outcomes.length; ops++)
      steps.push({ type: 'ViewChange', keep, ops });
  return steps;
}

/** The machine's answer and the code's must be the same; a refusal changes nothing. */
function step(world: World, event: ClientSessionsStep): World {
  const asked = machineEvent(world, event);
  const happened = deliver(world, event);
  const { rules } = world.table;
  if (asked !== undefined && rules.takes(asked) !== (happened !== undefined))
    throw new Error(`${event.type}: the machine and the code answer differently`);
  return happened ?? world;
}

/** Undefined when the code refuses. */
function deliver(world: World, event: ClientSessionsStep): World | undefined {
  switch (event.type) {
    case 'SendRegister':
      return sendRegister(world, event.client);
    case 'SendRequest':
      return sendRequest(world, event.client);
    case 'ResendRequest':
      return resendRequest(world, event.client);
    case 'GiveUp':
      return giveUp(world, event.client, event.number);
    case 'ReceiveRegistered':
    case 'ReceiveReply':
    case 'ReceiveEvicted':
      return receiveAnswer(world, event.client, event.message);
    case 'ReceiveRegister':
      return withEntry(world, event.message, event.later);
    case 'ReceiveRequest':
    case 'AnswerRepeated':
    case 'AnswerStale':
    case 'AnswerEvicted':
      return receiveRequest(world, event);
    case 'Commit':
      return world.commit < world.log.length ? { ...world, commit: world.commit + 1 } : undefined;
    case 'CrashClient':
      return crashClient(world, event.client);
    case 'ViewChange':
      return viewChange(world, event.keep, event.ops);
    default: {
      const applied = applyNext(world);
      return applied?.action === event.type ? applied.next : undefined;
    }
  }
}

function sendRegister(world: World, client: number): World | undefined {
  const { life, numbers } = clientOf(world, client);
  if (numbers.registered) return undefined;
  return withMessage(world, { type: 'Register', client, life, id: 0, number: 0, value: 0 });
}

function sendRequest(world: World, client: number): World | undefined {
  const { life, numbers, values } = clientOf(world, client);
  const after = numbers.fork();
  const number = after.next();
  if (number === undefined) return undefined;
  const value = world.requests + 1;
  const asking = { life, numbers: after, values: new Map(values).set(number, value) };
  const message = { type: 'Request', client, life, id: after.clientId, number, value };
  return withMessage(withClient({ ...world, requests: value }, client, asking), message);
}

function resendRequest(world: World, client: number): World | undefined {
  const { life, numbers, values } = clientOf(world, client);
  if (numbers.waiting.length === 0) return undefined;
  let next = world;
  for (const number of numbers.waiting) {
    const value = values.get(number) ?? 0;
    next = withMessage(next, { type: 'Request', client, life, id: numbers.clientId, number, value });
  }
  return next;
}

function giveUp(world: World, client: number, number: number): World | undefined {
  const before = clientOf(world, client);
  const numbers = before.numbers.fork();
  if (!numbers.answered(numbers.clientId, number)) return undefined;
  const values = new Map(before.values);
  values.delete(number);
  return withClient(world, client, { life: before.life, numbers, values });
}

/** A message for another process never reaches this one: it comes on the connection that asked. */
function receiveAnswer(world: World, client: number, message: Message): World | undefined {
  const before = clientOf(world, client);
  if (message.client !== client || message.life !== before.life) return undefined;
  const numbers = before.numbers.fork();
  const values = new Map(before.values);
  const after = (next: World = world): World => withClient(next, client, { life: before.life, numbers, values });
  if (message.type === 'Registered') return numbers.adopt(message.id) ? after() : undefined;
  if (message.type === 'Evicted') {
    if (numbers.evicted(message.id) === undefined) return undefined;
    values.clear();
    return after();
  }
  if (!numbers.answered(message.id, message.number)) return undefined;
  const answer = { asked: values.get(message.number) ?? 0, result: message.value };
  values.delete(message.number);
  return after({ ...world, answers: new Map(world.answers).set(JSON.stringify(answer), answer) });
}

const ANSWERS = { Repeated: 'AnswerRepeated', Stale: 'AnswerStale', Evicted: 'AnswerEvicted' } as const;

type AtPrimary = Extract<
  ClientSessionsStep,
  { readonly type: 'ReceiveRequest' | 'AnswerRepeated' | 'AnswerStale' | 'AnswerEvicted' }
>;

function receiveRequest(world: World, event: AtPrimary): World | undefined {
  const { message } = event;
  const found = world.inFlight.admit(world.table, message.id, message.number);
  if (found === 'in-flight') return undefined;
  if (found !== 'submit')
    return ANSWERS[found.kind] === event.type ? withMessage(world, replyTo(message, found)) : undefined;
  if (event.type !== 'ReceiveRequest') return undefined;
  const inFlight = world.inFlight.fork();
  inFlight.add(message.id, message.number);
  return withEntry({ ...world, inFlight }, message, event.later);
}

function describe(event: ClientSessionsStep): string {
  const { type, ...parameters } = event;
  const texts = Object.entries(parameters).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return texts.length === 0 ? type : `${type}(${texts.join(', ')})`;
}
