/**
 * What a guard looked at when it answered: the guard itself is asked, over a context and an event that note each read.
 * So the evidence of an explanation is true to the code by construction; no guard has a second description of its facts.
 * A fact behind a conjunct that decided early is not read, and so it is not named.
 */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { evaluate, type GuardEvaluation } from './stepper.ts';

/** Path of the fact (`context.op`, `event.message.view`) and its value; a list is one fact. */
export type Facts = Readonly<Record<string, unknown>>;

export interface GuardEvidence extends GuardEvaluation {
  readonly facts: Facts;
  /** Facts that the guard asked for and that are not there: a guard that lacks a fact of the event says false. */
  readonly missing: readonly string[];
}

/** As `evaluate`, with what each guard read. */
export function evaluateWithEvidence(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: { readonly type: string },
): readonly GuardEvidence[] {
  const reads = new Reads();
  const watched = { value: snapshot.value, context: reads.watch(snapshot.context, 'context') };
  const answers: GuardEvidence[] = [];
  const asked = evaluate(
    machine,
    watched as AnyMachineSnapshot,
    reads.watch(event, 'event') as typeof event,
    (answer) => answers.push({ ...answer, ...reads.take() }),
  );
  if (answers.length === asked.length) return answers;
  const statuses = Object.keys(machine.states).filter((state) => machine.states[state]?.transitions.has(event.type));
  const facts = { status: String(snapshot.value), 'status of the action': statuses };
  return asked.map((answer) => ({ ...answer, facts, missing: [] }));
}

/** The answer of any predicate of a machine (an invariant, say) with what it read. */
export function answerWithEvidence<Args extends object, Answer>(
  predicate: (args: Args) => Answer,
  args: Args,
): { readonly answer: Answer; readonly facts: Facts; readonly missing: readonly string[] } {
  const reads = new Reads();
  const answer = predicate(reads.watch(args, '') as Args);
  return { answer, ...reads.take() };
}

/** Notes the reads of plain objects. Lists, maps and bytes are handed over whole and noted as one fact. */
class Reads {
  private seen = new Map<string, unknown>();
  private absent = new Set<string>();

  take(): { readonly facts: Facts; readonly missing: readonly string[] } {
    const taken = { facts: Object.fromEntries(this.seen), missing: [...this.absent] };
    this.seen = new Map();
    this.absent = new Set();
    return taken;
  }

  watch(value: unknown, path: string): unknown {
    if (!isPlain(value)) return value;
    const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
    const read = (key: string | symbol): unknown => {
      const found = (value as Record<string | symbol, unknown>)[key];
      if (typeof key === 'symbol' || at(key) === 'event.type') return found;
      if (isPlain(found)) return this.watch(found, at(key));
      if (key in value) this.seen.set(at(key), found ?? null);
      else this.absent.add(at(key));
      return found;
    };
    // Not a proxy of the object itself: one of a frozen object could not hand out watched parts.
    return new Proxy(
      {},
      {
        get: (_, key) => read(key),
        has: (_, key) => {
          if (key in value) return true;
          if (typeof key === 'string') this.absent.add(at(key));
          return false;
        },
        ownKeys: () => Reflect.ownKeys(value),
        getOwnPropertyDescriptor: (_, key) =>
          key in value ? { value: read(key), enumerable: true, configurable: true } : undefined,
      },
    );
  }
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
