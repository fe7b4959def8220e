/**
 * The way to the cluster: one connection at a time, to the primary where it can be found, to the next replica when that one is
 * gone. A move to the primary opens the new connection before it leaves the old one. Mirrors no spec module.
 */
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { DialTls } from '../ports/tls.ts';
import type { AnswerOf } from '../wire/answer.ts';
import { backOffMs } from './back-off.ts';
import type { Whereabouts } from './call.ts';
import type { Address } from './client-options.ts';
import { ServerLink } from './server-link.ts';

const PING_MS = 2_000;
const SILENT_MS_MAX = 5_000;
/** How often a client that is not connected to the primary looks for it. */
const PRIMARY_LOOK_MS = 1_000;
const STATUS_MS_MAX = 10_000;
/** How often a connection that was left is looked at: it ends with its last answer. */
const RETIRE_MS = 50;

/** A replica that says so will say so again, whatever is sent to it: the caller is told at once when all of them do. */
const FINAL = /^(?:TLS_|CREDENTIALS_|TOKEN_|WIRE_NOT_LOCKSTEP$|WIRE_WRONG_VERSION$|WIRE_WRONG_CLUSTER$)/;

export interface RouteOptions {
  readonly addresses: readonly Address[];
  readonly cluster: bigint;
  readonly token: () => string;
  readonly tls: DialTls | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Requests may be sent: at first, and after each change of the connection. */
  readonly onOpen: () => void;
  /** Every replica has refused us for a reason that time does not mend. */
  readonly onRefused: (code: string, message: string) => void;
}

export class Route implements Whereabouts {
  readonly addresses: string;
  readonly #options: RouteOptions;
  #link: ServerLink | undefined;
  #isOpen = false;
  #addressAt = 0;
  /** Connections in a row that did not open. */
  #failures = 0;
  #refusals = 0;
  #lastReason = 'no connection was tried';
  #dialNotBeforeMs = 0;
  #primaryLookMs = 0;
  #closed = false;

  constructor(options: RouteOptions) {
    this.#options = options;
    this.addresses = options.addresses.map(({ host, port }) => `${host}:${port}`).join(', ');
  }

  /** The open connection. */
  get link(): ServerLink | undefined {
    return this.#isOpen ? this.#link : undefined;
  }

  get lastReason(): string {
    return this.#lastReason;
  }

  tick(nowMs: number): void {
    this.#link?.tick(PING_MS, SILENT_MS_MAX);
    if (this.#link === undefined && nowMs >= this.#dialNotBeforeMs) this.dial();
    if (this.#isOpen && nowMs >= this.#primaryLookMs) this.#lookForPrimary(nowMs);
  }

  dial(): void {
    const { addresses, clock } = this.#options;
    const link = this.#linkTo(
      addresses[this.#addressAt % addresses.length] as Address,
      () => {
        this.#isOpen = true;
        this.#failures = 0;
        this.#refusals = 0;
        this.#lookForPrimary(clock.monotonicMs());
        this.#options.onOpen();
      },
      () => this.#link === link,
    );
    this.#link = link;
  }

  /** Leaves this replica, which is of no use now. */
  leave(code: string): void {
    this.#link?.close(code);
  }

  close(): void {
    this.#closed = true;
    this.#link?.close('CLOSED');
  }

  #linkTo(address: Address, onOpen: (replica: number) => void, isCurrent: () => boolean): ServerLink {
    const { cluster, clock, token, tls } = this.#options;
    return new ServerLink({
      address,
      cluster,
      token: token(),
      tls,
      clock,
      onOpen,
      onClosed: (reason, message) => {
        if (isCurrent()) this.#lost(reason, message);
      },
    });
  }

  #lost(reason: string, message: string): void {
    const { addresses, clock, random, onRefused } = this.#options;
    this.#link = undefined;
    this.#isOpen = false;
    if (this.#closed) return;
    this.#lastReason = message === '' ? reason : `${reason}: ${message}`;
    this.#addressAt++;
    const rounds = Math.floor(this.#failures++ / addresses.length);
    this.#dialNotBeforeMs = clock.monotonicMs() + backOffMs(rounds, random);
    this.#refusals = FINAL.test(reason) ? this.#refusals + 1 : 0;
    if (this.#refusals >= addresses.length) onRefused(reason, message);
  }

  /** Requests reach the primary through any replica; straight to it they save a hop. */
  #lookForPrimary(nowMs: number): void {
    this.#primaryLookMs = nowMs + PRIMARY_LOOK_MS;
    const link = this.#link;
    const body = { operation: 'status' } as const;
    const ended: Parameters<ServerLink['send']>[0]['ended'] = (outcome) => {
      if (outcome === 'lost' || !('applied' in outcome) || this.#link !== link) return;
      const { primary, replica, status } = outcome.applied as AnswerOf['status'];
      if (status === 'normal' && primary !== replica) this.#moveTo(primary);
    };
    link?.send({ body, ended }, STATUS_MS_MAX);
  }

  /** Only when the second connection stands do new requests go there. */
  #moveTo(primary: number): void {
    const address = this.#options.addresses[primary];
    if (address === undefined) return;
    const older = this.#link;
    const link = this.#linkTo(
      address,
      (replica) => {
        if (replica !== primary || this.#link !== older || this.#closed) {
          link.close('CLOSED');
          return;
        }
        this.#link = link;
        this.#addressAt = primary;
        this.#retire(older);
        this.#options.onOpen();
      },
      () => this.#link === link,
    );
  }

  #retire(link: ServerLink | undefined): void {
    if (link === undefined) return;
    if (link.inFlight === 0 || this.#closed) link.close('CLOSED');
    else this.#options.clock.after(RETIRE_MS, () => this.#retire(link));
  }
}
