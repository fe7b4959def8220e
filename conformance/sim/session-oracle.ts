/**
 * What must hold of every request of a session, whatever happened: it is executed by one op, every later try gets the reply
 * of that op, and so does every client that asks. Knows the log and the answers, and nothing of how the kernel keeps them.
 * Mirrors no spec module; specs/ClientSessions.tla has the invariants ExecutedOnce and AnswersAreFirst of the same.
 */

import { sessionOf } from '../../impl/kernel/command-codec.ts';
import { BatchOutline } from '../../impl/kernel/command-outline.ts';
import type { CommandResult } from '../../impl/kernel/command-result.ts';
import { isOfSession } from '../../impl/kernel/rules.ts';
import type { Prepare } from '../../impl/vsr/prepare.ts';
import type { RequestSession } from '../../impl/wire/request.ts';
import { type SessionAnswer, textOfAnswer } from './client-serve.ts';
import { Violation } from './violation.ts';

export class SessionOracle {
  /** The op that executed it, and what that said: made into text only when another op has it, too. */
  readonly #executed = new BySession<Executed>();
  /** The first answer that any client got. */
  readonly #told = new BySession<SessionAnswer>();

  /** An op that is committed for the first time. @throws Violation */
  applied({ op, body }: Prepare, results: readonly CommandResult[]): void {
    if (body.byteLength === 0) return;
    const batch = new BatchOutline(body);
    for (let index = 0; index < batch.count; index++) {
      const session = sessionOf(batch.bytesAt(index));
      const result = results[index];
      if (session !== undefined && result !== undefined) this.#resulted(session, op, result);
    }
  }

  /** @throws Violation */
  told(session: RequestSession, answer: SessionAnswer): void {
    const before = this.#told.get(session);
    if (before === undefined) this.#told.set(session, answer);
    else if (before.operation !== answer.operation || before.reply !== answer.reply)
      broken(
        'everyone who asks again gets the first answer',
        `${nameOf(session)} was told ${textOfAnswer(before)}, and then ${textOfAnswer(answer)}`,
      );
  }

  #resulted(session: RequestSession, op: number, result: CommandResult): void {
    const before = this.#executed.get(session);
    if (result.kind === 'Repeated') {
      const { commitId, result: first } = result;
      const text = JSON.stringify({ commitId, result: first });
      const textBefore = JSON.stringify(before);
      if (text !== textBefore)
        broken('a later try gets the first reply', `${nameOf(session)} at op ${op}: ${text}, not ${textBefore}`);
    } else if (result.kind !== 'Refused' || !isOfSession(result)) {
      const executed = { commitId: op, result };
      if (before !== undefined)
        broken(
          'a request of a session is executed once',
          `${nameOf(session)} at op ${op}: ${JSON.stringify(executed)}, after ${JSON.stringify(before)}`,
        );
      this.#executed.set(session, executed);
    }
  }
}

interface Executed {
  readonly commitId: number;
  readonly result: CommandResult;
}

/** By numbers: a name for each request would be made, and hashed, each time that it is asked for. */
class BySession<Value> {
  readonly #sessions = new Map<number, Map<number, Value>>();

  get({ clientId, requestNumber }: RequestSession): Value | undefined {
    return this.#sessions.get(clientId)?.get(requestNumber);
  }

  set({ clientId, requestNumber }: RequestSession, value: Value): void {
    let requests = this.#sessions.get(clientId);
    if (requests === undefined) {
      requests = new Map();
      this.#sessions.set(clientId, requests);
    }
    requests.set(requestNumber, value);
  }
}

function nameOf({ clientId, requestNumber }: RequestSession): string {
  return `request ${requestNumber} of session ${clientId}`;
}

function broken(rule: string, message: string): never {
  throw new Violation({ oracle: 'sessions', rule, message });
}
