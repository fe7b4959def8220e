/**
 * The form of a scenario that comes from a file: a bundle or a regression. The types of plan.ts decide; the two functions at
 * the end do not compile when this page and plan.ts say different things. Mirrors no spec module.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { type Link, type Scenario, SEED_MAX, WORKLOADS } from './plan.ts';
import { ORACLES, type SimFailure } from './run-result.ts';

/** More than any plan has (2,000 and a few): a damaged file is refused before it is worked on. */
const PLAN_EVENTS_MAX = 100_000;
const LINKS_MAX = 42; // each of 7 replicas to each other
const TEXT_CHARS_MAX = 10_000;
/** A virtual year. */
const TIME_US_MAX = 31_536_000_000_000;

const listOf = <T extends TSchema>(item: T, maxItems: number) =>
  Type.Unsafe<readonly Static<T>[]>(Type.Array(item, { maxItems }));
const oneOf = <const T extends readonly string[]>(names: T) =>
  Type.Unsafe<T[number]>(Type.Union(names.map((name) => Type.Literal(name))));
const record = <T extends Parameters<typeof Type.Object>[0]>(fields: T) =>
  Type.Object(fields, { additionalProperties: false });

const number = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const positive = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const signed = Type.Integer({ minimum: -TIME_US_MAX, maximum: TIME_US_MAX });
const timeUs = Type.Integer({ minimum: 0, maximum: TIME_US_MAX });
const perMille = Type.Integer({ minimum: 0, maximum: 1000 });
const replica = Type.Integer({ minimum: 0, maximum: 6 });
const text = Type.String({ maxLength: TEXT_CHARS_MAX });
const rangeUs = Type.Unsafe<readonly [from: number, to: number]>(Type.Tuple([timeUs, timeUs]));

const cut = listOf(record({ from: replica, to: replica }), LINKS_MAX);
const links = Type.Unsafe<readonly Link[] | 'all'>(Type.Union([Type.Literal('all'), cut]));

const fault = Type.Union([
  record({ kind: Type.Literal('delay'), links, extraUsMax: timeUs }),
  record({ kind: Type.Literal('loss'), links, perMille }),
  record({ kind: Type.Literal('duplication'), links, perMille }),
  record({ kind: Type.Literal('reordering'), links, perMille, extraUsMax: timeUs }),
  record({ kind: oneOf(['partition-symmetric', 'partition-asymmetric', 'partition-partial']), cut }),
  record({ kind: Type.Literal('clogging'), links: cut }),
  record({ kind: Type.Literal('gray-failure'), replica, perMille, extraUsMax: timeUs }),
  record({ kind: Type.Literal('message-mutation'), links, perMille }),
  record({ kind: Type.Literal('disk-latency'), replica, extraUsMax: timeUs }),
  record({ kind: Type.Literal('disk-eio'), replica, operation: oneOf(['write', 'sync', 'read']), downUs: timeUs }),
  record({
    kind: Type.Literal('disk-full'),
    replica,
    downUs: timeUs,
    shortBytes: Type.Optional(Type.Integer({ minimum: 1 })),
  }),
  record({
    kind: oneOf(['power-loss', 'torn-write', 'disk-reordering']),
    replica,
    atOperation: number,
    keptPerMille: perMille,
    writeback: oneOf(['fifo', 'random', 'elevator', 'deadline']),
    torn: Type.Boolean(),
    downUs: timeUs,
  }),
  record({ kind: Type.Literal('process-crash'), replica, atOperation: number, downUs: timeUs }),
  record({ kind: Type.Literal('process-pause'), replica }),
  record({ kind: Type.Literal('process-slow'), replica, extraUs: timeUs }),
  record({ kind: oneOf(['lost-write', 'misdirected-write', 'lost-fsync']), replica, atPerMille: perMille }),
  record({
    kind: Type.Literal('latent-corruption'),
    replica,
    file: oneOf(['superblock', 'log']),
    atPerMille: perMille,
    bytes: number,
  }),
  record({ kind: Type.Literal('clock-skew'), replica, offsetUs: signed }),
  record({ kind: Type.Literal('clock-drift'), replica, ppm: signed }),
  record({ kind: Type.Literal('clock-jump'), replica, offsetUs: signed }),
  record({ kind: Type.Literal('gone-for-good'), replica }),
  record({ kind: Type.Literal('session-flood'), replica, count: number }),
  record({ kind: Type.Literal('late-duplicate'), replica, client: number, back: number }),
]);

const action = Type.Union([
  record({
    kind: Type.Literal('append'),
    stream: text,
    value: number,
    count: number,
    bytes: number,
    keyed: Type.Boolean(),
    expected: Type.Boolean(),
  }),
  record({ kind: Type.Literal('read'), stream: text, linearizable: Type.Boolean(), limit: number }),
  record({ kind: Type.Literal('create-stream'), stream: text }),
  record({ kind: Type.Literal('delete-stream'), stream: text }),
]);

const planEvent = Type.Union([
  record({ type: Type.Literal('fault'), atUs: timeUs, untilUs: Type.Optional(number), fault }),
  record({ type: Type.Literal('operation'), atUs: timeUs, client: number, replica, action }),
  record({ type: Type.Literal('client-crash'), atUs: timeUs, client: number, retries: Type.Boolean() }),
]);

const scenarioSchema = record({
  seed: Type.Integer({ minimum: 0, maximum: SEED_MAX }),
  name: text,
  replicaCount: Type.Union([Type.Literal(3), Type.Literal(5), Type.Literal(7)]),
  workload: oneOf(WORKLOADS),
  beyond: Type.Boolean(),
  canary: Type.Optional(text),
  safetyUs: timeUs,
  stepsMin: Type.Optional(positive),
  frameUs: rangeUs,
  syncUs: rangeUs,
  sessions: Type.Optional(record({ sessionsMax: positive, slotsMax: positive, window: positive })),
  plan: listOf(planEvent, PLAN_EVENTS_MAX),
});

const failureSchema = record({
  oracle: oneOf(ORACLES),
  rule: text,
  message: text,
  step: number,
  atUs: timeUs,
});

const scenarioCheck = TypeCompiler.Compile(scenarioSchema);
const failureCheck = TypeCompiler.Compile(failureSchema);

/** What is wrong with it, as a person would say it; undefined when it is a scenario. */
export function scenarioFault(value: unknown): string | undefined {
  const fault = firstError(scenarioCheck, value, 'scenario');
  return fault ?? (isScenario(value) ? contradiction(value) : 'scenario is none');
}

export function failureFault(value: unknown): string | undefined {
  return firstError(failureCheck, value, 'failure');
}

/** Of the right form; whether it makes sense is asked of scenarioFault. */
export function isScenario(value: unknown): value is Scenario {
  return scenarioCheck.Check(value);
}

export function isFailure(value: unknown): value is SimFailure {
  return failureCheck.Check(value);
}

/** What the form cannot say. */
function contradiction({ replicaCount, plan, frameUs, syncUs, sessions }: Scenario): string | undefined {
  if (sessions !== undefined && sessions.slotsMax <= sessions.window) return 'scenario/sessions hold not one session';
  if (frameUs[0] > frameUs[1]) return 'scenario/frameUs ends before it begins';
  if (syncUs[0] > syncUs[1]) return 'scenario/syncUs ends before it begins';
  for (const [index, event] of plan.entries()) {
    const here = `scenario/plan/${index}`;
    const before = plan[index - 1];
    if (before !== undefined && before.atUs > event.atUs) return `${here} is earlier than the one before it`;
    if (event.type === 'fault' && event.untilUs !== undefined && event.untilUs < event.atUs)
      return `${here} ends before it begins`;
    const stranger = replicasOf(event).find((replica) => replica >= replicaCount);
    if (stranger !== undefined) return `${here} names replica ${stranger} of ${replicaCount}`;
  }
  return undefined;
}

/** Every replica that the event names, with repetitions. */
export function replicasOf(event: Scenario['plan'][number]): readonly number[] {
  if (event.type === 'client-crash') return [];
  if (event.type === 'operation') return [event.replica];
  const { fault } = event;
  if ('replica' in fault) return [fault.replica];
  const named = 'cut' in fault ? fault.cut : fault.links;
  return named === 'all' ? [] : named.flatMap(({ from, to }) => [from, to]);
}

function firstError(
  check: typeof scenarioCheck | typeof failureCheck,
  value: unknown,
  name: string,
): string | undefined {
  const error = check.Errors(value).First();
  return error === undefined ? undefined : `${name}${error.path}: ${error.message}`;
}

/** Whoever changes plan.ts or run-result.ts meets these: the form above must say the same. */
export const sameTypes = {
  scenario: (form: Static<typeof scenarioSchema>): Scenario => form,
  form: (scenario: Scenario): Static<typeof scenarioSchema> => scenario,
  failure: (form: Static<typeof failureSchema>): SimFailure => form,
  failureForm: (failure: SimFailure): Static<typeof failureSchema> => failure,
};
