/**
 * What a simulated disk and its open files have in common: the faults that are armed, the stop, the space that is left and
 * the counts. Knows no content. Mirrors no spec module: a part of simulated-disk.ts.
 */
import { assert } from './assert.ts';
import { DiskError } from './disk.ts';
import type { FileRange } from './simulated-node.ts';
import { type MutatingOperation, SimulatedStop } from './simulated-stop.ts';

/** What a device takes or loses as a whole. */
export const DISK_SECTOR_BYTES = 512;

/**
 * Armed with inject(); each is used up by the first operation that it fits. With a path, only operations on that file fit.
 * Positions are shares of 1,000.
 */
export type DiskFault = { readonly path?: string } & (
  | { readonly operation: 'write'; readonly kind: 'full' }
  /** The write is refused; what it has for these ranges of the file is on its way all the same. */
  | { readonly operation: 'write'; readonly kind: 'io'; readonly lands?: readonly FileRange[] }
  /** The write takes this many bytes and returns that count. */
  | { readonly operation: 'write'; readonly kind: 'short'; readonly bytes: number }
  /**
   * The next write of a sector or more never reaches the medium, by no sync: all of it, or with atPerMille the one page of
   * 4 KiB at that share of it. Reads go on to see it until the power goes.
   */
  | { readonly operation: 'write'; readonly kind: 'lost'; readonly atPerMille?: number }
  /**
   * The sectors of the next write of a sector or more land at that share of the file, whatever stood there, and not where
   * they were sent; reads see them where they were sent until the power goes. Durable with the sync.
   */
  | { readonly operation: 'write'; readonly kind: 'misdirected'; readonly atPerMille: number }
  | { readonly operation: 'preallocate'; readonly kind: 'full' | 'io' }
  | { readonly operation: 'read'; readonly kind: 'io' }
  /** The sync fails, and the kernel forgets that the pages were dirty: a second sync says yes and writes nothing. */
  | { readonly operation: 'sync'; readonly kind: 'failed' }
  /** As `failed`, and the sync says yes. */
  | { readonly operation: 'sync'; readonly kind: 'lost' }
);

export type FaultOf<Operation extends DiskFault['operation']> = Extract<DiskFault, { readonly operation: Operation }>;

interface ArmedStop {
  /** Mutating operations until it; 1: the next one. */
  left: number;
  readonly share: number;
  readonly why: string;
}

export class SimulatedDevice {
  /** Called when a fault is used up by an operation on this file. Not copied by fork(). */
  onFault: ((fault: DiskFault, path: string) => void) | undefined = undefined;
  faults: readonly DiskFault[] = [];
  /** Bytes that files may still grow by in all; undefined: no limit. */
  capacityBytes: number | undefined;
  /** Operations so far that may have changed what a read sees. */
  writes = 0;
  /** Operations so far that may have changed what a power loss leaves. */
  syncs = 0;
  /** Mutating operations so far, as armStop() counts them. */
  operations = 0;
  /** Processes that have used this disk: through a handle of an earlier one nothing is changed. */
  lives = 0;
  #armed: ArmedStop | undefined;
  #stopped: SimulatedStop | undefined;

  constructor(capacityBytes: number | undefined) {
    this.capacityBytes = capacityBytes;
  }

  fork(): SimulatedDevice {
    const twin = new SimulatedDevice(this.capacityBytes);
    twin.faults = this.faults;
    twin.writes = this.writes;
    twin.syncs = this.syncs;
    twin.operations = this.operations;
    twin.lives = this.lives;
    twin.#armed = this.#armed && { ...this.#armed };
    twin.#stopped = this.#stopped;
    return twin;
  }

  /** The fault that this operation meets, used up by it. */
  takeFault<Operation extends DiskFault['operation']>(
    operation: Operation,
    path: string,
    fits: (fault: FaultOf<Operation>) => boolean = () => true,
  ): FaultOf<Operation> | undefined {
    if (this.faults.length === 0) return undefined;
    const meets = (fault: DiskFault): fault is FaultOf<Operation> =>
      fault.operation === operation &&
      (fault.path === undefined || fault.path === path) &&
      fits(fault as FaultOf<Operation>);
    const fault = this.faults.find(meets);
    if (fault === undefined) return undefined;
    this.faults = this.faults.filter((other) => other !== fault);
    this.onFault?.(fault, path);
    return fault;
  }

  arm(atOperation: number, share: number, why: string): void {
    assert(Number.isSafeInteger(atOperation) && atOperation >= 1, 'operations count from 1');
    assert(share >= 0 && share <= 1000, 'a share is of 1,000');
    this.#armed = { left: atOperation, share, why };
  }

  disarm(): void {
    this.faults = [];
    this.#armed = undefined;
  }

  get isStopArmed(): boolean {
    return this.#armed !== undefined;
  }

  get stopped(): SimulatedStop | undefined {
    return this.#stopped;
  }

  /** A process that was stopped does nothing more, whatever its code tries. */
  requireRunning(): void {
    if (this.#stopped !== undefined) throw this.#stopped;
  }

  /** Counts a mutating operation. @returns the share of it that happens before the stop; undefined when none is here */
  begin(): number | undefined {
    this.requireRunning();
    this.operations++;
    const armed = this.#armed;
    if (armed === undefined || --armed.left > 0) return undefined;
    return armed.share;
  }

  /** The stop that begin() announced. */
  stop(operation: MutatingOperation, path: string): SimulatedStop {
    assert(this.#armed?.left === 0, 'a stop is armed, and this is the operation for it');
    this.#stopped = new SimulatedStop(this.#armed.why, operation, path);
    this.#armed = undefined;
    return this.#stopped;
  }

  /** An operation that happens as a whole or not at all, before a stop (share from 500 on) or never. */
  mutate(operation: MutatingOperation, path: string, act: () => void): void {
    const share = this.begin();
    if (share === undefined) {
      act();
      return;
    }
    if (share >= 500) hiddenByTheStop(act);
    throw this.stop(operation, path);
  }

  /** A new process, or the machine after a power loss: handles and the stop of before are void. */
  restart(): void {
    this.lives++;
    this.#stopped = undefined;
  }
}

/** What the disk refuses here is seen by nobody. */
export function hiddenByTheStop(act: () => unknown): void {
  try {
    act();
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
  }
}
