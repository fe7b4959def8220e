/**
 * Broken pieces above the replica, for the simulator's own oracles: each puts a broken method over a part of a core that was
 * opened (BrokenParts.opened), so production code knows nothing of it. And the broken liveness of E23 and E25, which is a
 * matter of time and so of no model. Mirrors no spec module.
 */
import { assign } from 'xstate';
import { hashText } from '../../impl/crypto/hash.ts';
import { READ_EVENTS_MAX } from '../../impl/kernel/limits.ts';
import type { ReplicaCore } from '../../impl/server/replica-core.ts';
import { type VsrMachine, vsrMachine } from '../../machines/vsr.ts';
import type { VsrContext, VsrEvent } from '../../machines/vsr-context.ts';
import { lastEntryView } from '../drivers/vsr-broken.ts';
import type { BrokenParts } from './broken-parts.ts';

/** Ticks that the impatient one gives a view change: fewer than one takes when frames and syncs take their time. */
const IMPATIENT_TICKS = 3;
/** From this op on the state of replica 1 is another one. */
const DIFFERENT_FROM_OP = 30;

/** What a linearizable read says may be old: it waits for no round of the primary. */
export function staleReads(): BrokenParts {
  return {
    opened: ({ requests }) => {
      const read = requests.read.bind(requests);
      requests.read = (request, withinMs, done) => read({ ...request, linearizable: false }, withinMs, done);
    },
  };
}

/** The kernel of replica 1 goes another way, which no answer shows. */
export function stateDiffers(): BrokenParts {
  return {
    opened: ({ state }, { replica }) => {
      if (replica !== 1) return;
      const apply = state.apply.bind(state);
      state.apply = (prepare) =>
        apply(prepare.op < DIFFERENT_FROM_OP ? prepare : { ...prepare, hash: prepare.hash.map((byte) => byte ^ 1) });
    },
  };
}

/** A page of the largest size loses its last event; clients ask for smaller ones. */
export function pageLosesEvent(): BrokenParts {
  return {
    opened: ({ state }) => {
      const read = state.read.bind(state);
      state.read = (range) => {
        const page = read(range);
        if (page === undefined || range.eventsMax < READ_EVENTS_MAX) return page;
        return { ...page, events: page.events.slice(0, -1) };
      };
    },
  };
}

/** The key of an append gets lost: the retry of one that was applied is applied again. */
export function keyIsLost(): BrokenParts {
  return {
    opened: ({ requests }) => {
      const append = requests.append.bind(requests);
      requests.append = (request, withinMs, done) => append({ ...request, idempotencyKey: '' }, withinMs, done);
    },
  };
}

/** What may be applied is said to be refused. */
export function unknownIsRefused(): BrokenParts {
  return {
    opened: ({ requests }) => {
      const append = requests.append.bind(requests);
      requests.append = (request, withinMs, done) =>
        append(request, withinMs, (outcome) =>
          done(
            'failure' in outcome && outcome.failure.outcome === 'unknown'
              ? { failure: { ...outcome.failure, outcome: 'refused' } }
              : outcome,
          ),
        );
    },
  };
}

/** A repeated append is answered with the offset after the one that it has. */
export function repeatedAtWrongOffset(): BrokenParts {
  return {
    opened: ({ state }) => {
      const apply = state.apply.bind(state);
      state.apply = (prepare) =>
        apply(prepare).map((result) =>
          result.kind === 'Appended' && result.repeated ? { ...result, firstOffset: result.firstOffset + 1 } : result,
        );
    },
  };
}

/** E23: whoever is in a view change asks for the next view at once and again, and does not wait longer each time. */
export function impatient(): BrokenParts {
  return {
    opened: ({ replica }) => {
      const tick = replica.tick.bind(replica);
      let waitedTicks = 0;
      replica.tick = () => {
        tick();
        waitedTicks = replica.status === 'view-change' ? waitedTicks + 1 : 0;
        if (waitedTicks < IMPATIENT_TICKS) return;
        waitedTicks = 0;
        replica.take('ViewChangeTimeout'); // its next tick does the rest
      };
    },
  };
}

/** E25: nobody in a view change steps aside, however long it takes. */
export function nobodyStepsAside(): BrokenParts {
  return { replica: { machine: withoutTimeout('moveToNextView', 'forgetTarget') } };
}

type Assignment = (args: { readonly context: VsrContext; readonly event: VsrEvent }, params: never) => object;

/** These assignments do nothing when a view change takes too long. */
function withoutTimeout(...names: readonly string[]): VsrMachine {
  const named = vsrMachine.implementations.actions as unknown as Readonly<Record<string, { assignment: Assignment }>>;
  const actions = Object.fromEntries(
    names.map((name) => {
      const assignment = named[name]?.assignment;
      if (typeof assignment !== 'function') throw new Error(`${name} is no assignment of Vsr`);
      const unlessTimeout = (args: Parameters<Assignment>[0]): object =>
        args.event.type === 'ViewChangeTimeout' ? {} : assignment(args, undefined as never);
      return [name, assign(unlessTimeout as never)];
    }),
  );
  return vsrMachine.provide({ actions } as never) as VsrMachine;
}

/** E7: what the machine cannot know of a vote is looked up in all logs of the run. */
export function lastEntryViewParts(): BrokenParts {
  const views = new Map<string, number>();
  const { parts } = lastEntryView((hash) => views.get(hash) ?? -1);
  return { replica: parts, opened: ({ log }) => noteViews(log, views) };
}

function noteViews(log: ReplicaCore['log'], views: Map<string, number>): void {
  const note = ({ hash, view }: { readonly hash: Uint8Array; readonly view: number }): void =>
    void views.set(hashText(hash), view);
  for (let op = 1; op <= log.op; op++) {
    const prepare = log.prepareAt(op);
    if (prepare !== undefined) note(prepare);
  }
  const append = log.append.bind(log);
  log.append = (prepares) => {
    for (const prepare of prepares) note(prepare);
    append(prepares);
  };
}
