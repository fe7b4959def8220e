/**
 * `follow=true`: a stream as server-sent events (HTML Living Standard). Ids are offsets, so Last-Event-ID goes on where a
 * reader was. A reader that does not take what is sent holds one piece in memory and is cut after a bound; a drain ends
 * all of them with a hint when to come back. Mirrors no spec module: it reads what is committed, as any committed read.
 */
import { Readable } from 'node:stream';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../ports/clock.ts';
import type { Failure, ReadAnswer } from '../wire/answer.ts';
import { busy } from './failure.ts';
import { eventJson } from './http-answers.ts';
import type { Requests } from './requests.ts';
import type { ServerLimits } from './server-limits.ts';

export const EVENT_STREAM = 'text/event-stream';
/** What a reader is told to wait before it comes again. */
const RETRY_MS = 1_000;

/** Why following ended, as the metrics count it. */
type End = 'reader-gone' | 'too-slow' | 'time-over' | 'drained' | 'refused';

export interface FollowersOptions {
  readonly requests: Pick<Requests, 'read'>;
  readonly limits: ServerLimits;
  readonly clock: Pick<Clock, 'after'>;
  readonly registry: Registry;
}

export interface Followed {
  readonly stream: string;
  /** Events in one piece. */
  readonly limit: number;
}

export class Followers {
  readonly #options: FollowersOptions;
  readonly #open = new Set<Follower>();
  readonly #ended: Counter<'reason'>;
  #wakes = false;

  constructor(options: FollowersOptions) {
    this.#options = options;
    const { registry } = options;
    const open = this.#open;
    new Gauge({
      name: 'lockstep_followers',
      help: 'Readers that follow a stream over HTTP.',
      registers: [registry],
      collect() {
        this.set(open.size);
      },
    });
    this.#ended = new Counter({
      name: 'lockstep_followers_ended_total',
      help: 'Readers that no longer follow, by reason.',
      labelNames: ['reason'] as const,
      registers: [registry],
    });
  }

  /** Why another one cannot be taken. */
  refusal(): Failure | undefined {
    const maximum = this.#options.limits.HTTP_FOLLOWERS_MAX;
    return this.#open.size < maximum ? undefined : busy('as many readers follow as may', { maximum });
  }

  /** @param first what was read for it: it goes on from there */
  open(followed: Followed, first: ReadAnswer): Readable {
    const follower = new Follower(this.#options, followed, first, (end) => {
      if (this.#open.delete(follower)) this.#ended.inc({ reason: end });
    });
    this.#open.add(follower);
    return follower;
  }

  /** Something was applied. Several ops of one turn wake the readers once. */
  applied(): void {
    if (this.#wakes || this.#open.size === 0) return;
    this.#wakes = true;
    queueMicrotask(() => {
      this.#wakes = false;
      for (const follower of this.#open) follower.wake();
    });
  }

  /** Tells every reader to come back, perhaps to another replica. */
  end(): void {
    for (const follower of [...this.#open]) {
      follower.finish('drained', 'DRAINING', 'this replica is stopping: go on at another one with Last-Event-ID');
    }
  }
}

class Follower extends Readable {
  readonly #options: FollowersOptions;
  readonly #followed: Followed;
  readonly #onEnd: (end: End) => void;
  #next: number;
  #pending: string;
  /** Taken what was pushed, and asks for more. */
  #wanted = false;
  #reading = false;
  #isOver = false;
  #end: End = 'reader-gone';
  #cancelTimer: () => void = () => {};
  readonly #cancelEnd: () => void;

  constructor(options: FollowersOptions, followed: Followed, first: ReadAnswer, onEnd: (end: End) => void) {
    super({ encoding: 'utf8', emitClose: true });
    this.#options = options;
    this.#followed = followed;
    this.#onEnd = onEnd;
    this.#next = first.nextOffset;
    this.#pending = `retry: ${RETRY_MS}\n\n${eventsText(first)}`;
    this.#cancelEnd = options.clock.after(options.limits.FOLLOW_MS_MAX, () =>
      this.finish('time-over', 'FOLLOW_TIME_OVER', 'it was followed for as long as may be: go on with Last-Event-ID'),
    );
  }

  override _read(): void {
    this.#wanted = true;
    this.#cancelTimer();
    this.wake();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#isOver = true;
    this.#cancelTimer();
    this.#cancelEnd();
    this.#onEnd(this.#end);
    callback(error);
  }

  /** Sends what there is, when the reader wants it. */
  wake(): void {
    if (!this.#wanted || this.#reading || this.#isOver) return;
    if (this.#pending !== '') {
      const text = this.#pending;
      this.#pending = '';
      this.#send(text);
      return;
    }
    const { stream, limit } = this.#followed;
    this.#reading = true;
    const read = { operation: 'read', stream, from: this.#next, limit, linearizable: false } as const;
    this.#options.requests.read(read, 0, (outcome) => {
      this.#reading = false;
      if (this.#isOver) return;
      if ('failure' in outcome) {
        const { code, message } = outcome.failure;
        this.finish(code === 'DRAINING' ? 'drained' : 'refused', code, message);
      } else if (outcome.applied.events.length > 0) {
        this.#next = outcome.applied.nextOffset;
        this.#send(eventsText(outcome.applied));
      } else this.#armHeartbeat();
    });
  }

  /** The last words; an EventSource would come back by itself, so they say when. */
  finish(end: End, code: string, message: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#end = end;
    this.#cancelTimer();
    this.push(`${this.#pending}retry: ${RETRY_MS}\nevent: end\ndata: ${JSON.stringify({ code, message })}\n\n`);
    this.push(null);
    this.#armStall(); // one that does not take its last words is cut all the same
  }

  #send(text: string): void {
    this.#wanted = false;
    this.#armStall();
    this.push(text);
  }

  #armHeartbeat(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(this.#options.limits.FOLLOW_HEARTBEAT_MS_MAX, () => {
      if (this.#wanted && !this.#isOver) this.#send(': heartbeat\n\n');
    });
  }

  #armStall(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(this.#options.limits.FOLLOW_STALL_MS_MAX, () => {
      if (!this.#isOver) this.#end = 'too-slow';
      this.destroy();
    });
  }
}

/** Each event in one piece: its offset as the id, its JSON as the data. JSON holds no line end. */
function eventsText({ events }: ReadAnswer): string {
  return events.map((event) => `id: ${event.offset}\ndata: ${JSON.stringify(eventJson(event))}\n\n`).join('');
}
