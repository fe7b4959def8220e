/**
 * Random deep behaviours of the spec by TLC's simulation, as traces with events. TLC writes states without the names of the
 * actions between them, so the in-memory driver finds each event: the one of its alphabet that leads to the next state.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Constants, Driver } from '../driver.ts';
import type { ModelFiles } from '../engines/engine.ts';
import type { Tlc } from '../engines/find-tlc.ts';
import { withTlc } from '../engines/tlc.ts';
import { parseTla } from '../values/parse-tla.ts';

export interface Behaviour {
  readonly variables: readonly string[];
  /** Canonical texts in the order of `variables`. */
  readonly states: readonly (readonly string[])[];
}

export async function randomBehaviours(
  tlc: Tlc,
  files: ModelFiles,
  how: { readonly traces: number; readonly depth: number; readonly seed: number },
): Promise<readonly Behaviour[]> {
  const { run, collected } = await withTlc(tlc, files, { simulate: how }, readBehaviours);
  if (run.failure !== undefined)
    throw new Error(`${files.cfg}, simulation with seed ${how.seed}: ${run.failure.message} ${run.failure.advice}`);
  return collected;
}

function readBehaviours(folder: string): readonly Behaviour[] {
  const canonical = new Map<string, string>();
  const names = readdirSync(folder).filter((name) => /^trace_\d+_\d+$/.test(name));
  return names.map((name) => readBehaviour(readFileSync(join(folder, name), 'utf8'), canonical));
}

/** @param canonical texts already parsed, shared by all behaviours: most values repeat. */
export function readBehaviour(text: string, canonical: Map<string, string>): Behaviour {
  let variables: readonly string[] = [];
  const states = text
    .split(/^STATE_\d+ ==\s*$/m)
    .slice(1)
    .map((block) => {
      const assignments = new Map<string, string>();
      for (const part of block.replace(/^={4,}\s*$/m, '').split(/^\/\\ /m)) {
        const at = part.indexOf('=');
        if (at < 0) continue;
        const raw = part.slice(at + 1).trim();
        let value = canonical.get(raw);
        if (value === undefined) {
          value = parseTla(raw).text;
          canonical.set(raw, value);
        }
        assignments.set(part.slice(0, at).trim(), value);
      }
      if (variables.length === 0) variables = [...assignments.keys()].toSorted();
      return variables.map((variable) => assignments.get(variable) ?? '');
    });
  return { variables, states };
}

export interface FoundEvents<E> {
  readonly events: readonly E[];
  /** The state that no event of the alphabet leads to; undefined when the whole behaviour was found. */
  readonly lostAt?: number;
}

/** Follows a behaviour with the in-memory driver; its events then go to the driver on the real disk. */
export function eventsOf<S, E extends { readonly type: string }>(
  behaviour: Behaviour,
  driver: Driver<S, E>,
  constants: Constants,
  abstracted: Readonly<Record<string, string>>,
): FoundEvents<E> {
  const compared = behaviour.variables.flatMap((name, at) => (name in abstracted ? [] : [{ name, at }]));
  const isAt = (state: S, texts: readonly string[]): boolean => {
    const projected = driver.project(state);
    return compared.every(({ name, at }) => projected[name]?.text === texts[at]);
  };
  const initial = driver.initial(constants);
  const candidates: readonly S[] = Array.isArray(initial) ? (initial as readonly S[]) : [initial as S];
  const start = candidates.findIndex((state) => isAt(state, behaviour.states[0] ?? []));
  if (start < 0) return { events: [], lostAt: 0 };
  let current = candidates[start] as S;
  const events: E[] = [];
  for (let index = 1; index < behaviour.states.length; index++) {
    const wanted = behaviour.states[index] ?? [];
    if (isAt(current, wanted)) continue; // a stutter: of TLC's simulation, or of an action that says again what was said
    let found: { readonly event: E; readonly next: S } | undefined;
    for (const event of driver.alphabet(current)) {
      const next = driver.step(current, event);
      if (next === current) continue;
      if (isAt(next, wanted)) {
        found = { event, next };
        break;
      }
      driver.dispose?.(next);
    }
    if (found === undefined) return { events, lostAt: index };
    events.push(found.event);
    driver.dispose?.(current);
    current = found.next;
  }
  driver.dispose?.(current);
  return { events };
}
