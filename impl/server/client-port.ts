/**
 * The binary protocol's side of the server: frames of a client become requests, outcomes become frames, in any order. Many
 * requests of one connection are on their way at once, up to a bound. Bytes that are no request end the connection with a
 * Goodbye that says why. Mirrors no spec module.
 */
import type { Connection } from '../ports/connection.ts';
import { type AnswerOf, encodeAnswer, encodeFailure } from '../wire/answer.ts';
import { FRAME_KINDS, type FrameKind } from '../wire/frame.ts';
import { decodeRequest, type Operation, type ReadRequest, type Request } from '../wire/request.ts';
import { WireError } from '../wire/wire-error.ts';
import { busy } from './failure.ts';
import type { Guard } from './guard.ts';
import { HeldReads, type HeldReadsOptions } from './held-reads.ts';
import type { Metrics } from './metrics.ts';
import type { RequestTrace } from './request-trace.ts';
import type { Outcome, Requests } from './requests.ts';
import type { ServerLimits } from './server-limits.ts';
import type { Telemetry } from './telemetry.ts';

export interface ClientPortOptions extends Omit<HeldReadsOptions, 'holdMsMax'> {
  readonly requests: Requests;
  readonly limits: ServerLimits;
  readonly metrics: Metrics;
  readonly guard: Guard;
  readonly telemetry: Telemetry;
  readonly nowMs: () => number;
}

export class ClientPort {
  readonly #options: ClientPortOptions;
  /** Requests without an answer yet, by connection. */
  readonly #inFlight = new Map<Connection, number>();
  readonly #held: HeldReads;
  #answersLost = 0;

  constructor(options: ClientPortOptions) {
    this.#options = options;
    this.#held = new HeldReads({ ...options, holdMsMax: options.limits.REQUEST_DEADLINE_MS_MAX });
  }

  /** Answers that a client did not get: it was gone, or did not read. */
  get answersLost(): number {
    return this.#answersLost;
  }

  closed(client: Connection): void {
    this.#inFlight.delete(client);
    this.#held.closed(client);
  }

  /** Something was applied: reads that wait for it are answered. */
  applied(): void {
    this.#held.applied();
  }

  /** Reads that wait for an event are answered without one. */
  drain(): void {
    this.#held.drain();
  }

  /** @throws WireError; the connection is refused with its code then */
  receive(client: Connection, kind: FrameKind, payload: Buffer): void {
    if (kind === FRAME_KINDS.goodbye) {
      client.close('GOODBYE');
      return;
    }
    if (kind !== FRAME_KINDS.clientRequest) {
      throw new WireError('WIRE_UNKNOWN_KIND', `a client sends requests only, not frames of kind ${kind}`, { kind });
    }
    const request = decodeRequest(payload);
    const { id, body } = request;
    const { limits, guard, telemetry } = this.#options;
    const inFlight = this.#inFlight.get(client) ?? 0;
    if (inFlight >= limits.CLIENT_REQUESTS_IN_FLIGHT_MAX) {
      const evidence = { inFlight, bound: limits.CLIENT_REQUESTS_IN_FLIGHT_MAX };
      const refusal = busy('too many requests of this connection wait', evidence);
      this.#send(client, body.operation, refusal.code, 0, encodeFailure(id, refusal));
      return;
    }
    const refusal = guard.refusalOf(client, body.operation);
    if (refusal !== undefined) {
      this.#send(client, body.operation, refusal.code, 0, encodeFailure(id, refusal));
      return;
    }
    this.#inFlight.set(client, inFlight + 1);
    telemetry.receive('binary', body.operation, undefined, (trace) => {
      if (body.operation !== 'read' || !this.#isHeld(client, request, body, trace)) this.#ask(client, request, trace);
    });
  }

  #isHeld(client: Connection, request: Request, body: ReadRequest, trace: RequestTrace | undefined): boolean {
    return this.#held.hold(client, body, () => this.#ask(client, request, trace));
  }

  #ask(client: Connection, { id, deadlineMs, body }: Request, trace: RequestTrace | undefined): void {
    const { requests } = this.#options;
    const arrivedMs = this.#options.nowMs();
    const answered =
      <Op extends Operation>(operation: Op) =>
      (outcome: Outcome<AnswerOf[Op]>): void => {
        const left = this.#inFlight.get(client);
        if (left !== undefined) this.#inFlight.set(client, left - 1);
        const code = 'failure' in outcome ? outcome.failure.code : 'ok';
        const frame =
          'failure' in outcome ? encodeFailure(id, outcome.failure) : encodeAnswer(id, operation, outcome.applied);
        this.#send(client, operation, code, arrivedMs, frame);
        trace?.answered(code);
      };
    switch (body.operation) {
      case 'append':
        requests.append(body, deadlineMs, answered('append'));
        break;
      case 'read':
        requests.read(body, deadlineMs, answered('read'));
        break;
      case 'create-stream':
        requests.createStream(body.stream, body.dataClass, deadlineMs, answered('create-stream'), body.session);
        break;
      case 'delete-stream':
        requests.deleteStream(body.stream, deadlineMs, answered('delete-stream'), body.session);
        break;
      case 'list-streams':
        requests.listStreams(body, deadlineMs, answered('list-streams'));
        break;
      case 'status':
        answered('status')({ applied: requests.status() });
        break;
      case 'lookup-key':
        requests.lookupKey(body.idempotencyKey, deadlineMs, answered('lookup-key'));
        break;
      case 'register-session':
        requests.registerSession(deadlineMs, answered('register-session'));
        break;
    }
  }

  #send(client: Connection, operation: Operation, code: string, arrivedMs: number, frame: Uint8Array): void {
    const { metrics, nowMs } = this.#options;
    metrics.request('binary', operation, code, arrivedMs === 0 ? 0 : (nowMs() - arrivedMs) / 1_000);
    if (client.send(FRAME_KINDS.clientResponse, frame)) return;
    this.#answersLost++;
    // It does not read its answers: without this one it would wait for ever. It may ask again on another connection.
    client.close('CLIENT_TOO_SLOW');
  }
}
