/**
 * Broken sessions above the replica, for simulation to find: E10, E11 and E12 of docs/canaries.md in the real server, and
 * one for each thing that only the oracle of sessions sees. What is broken in the client table itself is found by
 * conformance/drivers/client-sessions-broken.ts. Mirrors no spec module.
 */
import { SESSION_BOUNDS } from '../../impl/vsr/client-sessions.ts';
import type { BrokenSessions } from '../drivers/client-sessions-broken.ts';
import type { BrokenParts } from './broken-parts.ts';

/** A fault of the component as it is in a whole server. */
export function sessionParts({ name, parts }: BrokenSessions): BrokenParts {
  switch (name) {
    case 'session-survives-crash':
      return sessionSurvivesCrash();
    case 'in-flight-survives-view':
      return inFlightSurvivesView();
    case 'client-names-session':
      return olderSession();
    default:
      return parts.options === undefined ? {} : { sessions: parts.options };
  }
}

/** E10: a client that was restarted goes on in its session and counts from 1: it is told what another request got. */
function sessionSurvivesCrash(): BrokenParts {
  return { client: new Set(['session-survives-crash']) };
}

/** E11: what a primary has in flight outlives its view: a request that was cut out of the log is never taken again. */
function inFlightSurvivesView(): BrokenParts {
  return {
    opened: ({ proposals }) => {
      proposals.sessions.inFlight.clear = () => {};
    },
  };
}

/** E12: to register again gives a session that was evicted: whoever gets it is refused, and registers for ever. */
function olderSession(): BrokenParts {
  return {
    opened: ({ state }) => {
      const registered: number[] = [];
      const apply = state.apply.bind(state);
      state.apply = (prepare) =>
        apply(prepare).map((result) => {
          if (result.kind !== 'SessionRegistered') return result;
          const evicted = registered.find((id) => state.sessions.sessionOf(id) === undefined);
          registered.push(result.clientId);
          return evicted === undefined ? result : { ...result, clientId: evicted };
        });
    },
  };
}

/** The session of an append gets lost on its way: the retry of one that was applied is applied again. */
export function sessionIsLost(): BrokenParts {
  return {
    opened: ({ requests }) => {
      const append = requests.append.bind(requests);
      requests.append = (request, withinMs, done) => append({ ...request, session: undefined }, withinMs, done);
    },
  };
}

/** A retry is told of the op after the one that executed it. */
export function laterReply(): BrokenParts {
  return {
    opened: ({ state }) => {
      const apply = state.apply.bind(state);
      state.apply = (prepare) =>
        apply(prepare).map((result) =>
          result.kind === 'Repeated' ? { ...result, commitId: result.commitId + 1 } : result,
        );
    },
  };
}

/** The same when it is answered without the log. */
export function laterAnswerNow(): BrokenParts {
  return {
    opened: ({ state }) => {
      const answerNow = state.answerNow.bind(state);
      state.answerNow = (session) => {
        const known = answerNow(session);
        const result = known?.result as { readonly kind: string; readonly commitId: number } | undefined;
        if (known === undefined || result?.kind !== 'Repeated' || result.commitId === known.op) return known;
        return { ...known, result: { ...result, commitId: result.commitId + 1 } };
      };
    },
  };
}

/** The client table of replica 1 keeps fewer sessions than that of the others. */
export function tableDiffers(): BrokenParts {
  return { sessionBounds: (replica) => (replica === 1 ? { ...SESSION_BOUNDS, sessionsMax: 3 } : undefined) };
}
