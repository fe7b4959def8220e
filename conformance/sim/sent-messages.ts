/**
 * Of all messages ever sent, those that decide the invariants: of each sender the highest view spoken for, the highest
 * logView brought to a view change, the highest view acknowledged in and by view the highest op; of each place the entry
 * that was first prepared there. What holds of these holds of all. A part of invariant-oracle.ts; mirrors `messages` of
 * specs/Vsr.tla.
 */
import { assert } from '../../impl/ports/assert.ts';
import { ENTRY_HASH_AT, ENTRY_PARENT_AT, type FramePeek, peekFrame } from '../../impl/vsr/frame-peek.ts';
import { type MessageView, type ReplicaView, type VsrInvariant, vsrParts } from '../../machines/vsr-invariants.ts';
import type { EntryTable, KnownEntry } from './entry-table.ts';

type Deciding = { -readonly [Field in keyof MessageView]: MessageView[Field] };

/** What one replica has said. */
class Said {
  /** Whether something was said since it was last asked about. */
  isNew = false;
  /** Of the messages that speak for a view the one with the highest. */
  readonly spoken: Deciding;
  /** The last round of reads of the highest view. */
  readonly readRound: Deciding;
  /** The one with the highest logView. */
  readonly doViewChange: Deciding;
  /** The one with the highest view. */
  readonly prepareOk: Deciding;
  /** By view: the highest op acknowledged. */
  readonly ackedOps = new Map<number, number>();
  /** As asked for: in the view that is durable. */
  readonly prepareOkNow: Deciding;

  constructor(from: number) {
    this.spoken = { type: 'none', from, view: -1 };
    this.readRound = { type: 'none', from, view: -1, round: 0 };
    this.doViewChange = { type: 'none', from, view: -1, logView: -1 };
    this.prepareOk = { type: 'none', from, view: -1, op: 0 };
    this.prepareOkNow = { type: 'PrepareOk', from, view: -1, op: 0 };
  }
}

export class SentMessages {
  readonly #replicaCount: number;
  readonly #entries: EntryTable;
  readonly #said: readonly Said[];
  /** By view, then by op. */
  readonly #prepared = new Map<number, Map<number, KnownEntry>>();
  readonly #peek: FramePeek = { type: 'Commit', from: 0, view: 0, op: 0, logView: 0, entryView: 0, round: 0 };
  #last: Uint8Array | undefined = undefined;
  #broken: VsrInvariant | undefined = undefined;

  constructor(replicaCount: number, entries: EntryTable) {
    this.#replicaCount = replicaCount;
    this.#entries = entries;
    this.#said = Array.from({ length: replicaCount }, (_, from) => new Said(from));
  }

  /** @returns what it says, until the next one is added; undefined when it is the one that was added last: a broadcast */
  add(from: number, frame: Uint8Array): FramePeek | undefined {
    if (frame === this.#last) return undefined;
    this.#last = frame;
    const message = peekFrame(frame, this.#peek);
    assert(message.from === from, 'a replica speaks for itself');
    this.#decide(message, frame);
    return message;
  }

  hasNewOf(from: number): boolean {
    return (this.#said[from] as Said).isNew;
  }

  #decide(message: FramePeek, frame: Uint8Array): void {
    const { type, from, view, op, logView, round } = message;
    const said = this.#said[from] as Said;
    if (!vsrParts.messageTypeOK(message, this.#replicaCount)) this.#break(said, 'TypeOK');
    switch (type) {
      case 'Prepare':
        this.#addPrepare(said, message, frame);
        return;
      case 'PrepareOk':
        if (view > said.prepareOk.view) set(said.prepareOk, message);
        if (op <= (said.ackedOps.get(view) ?? -1)) return;
        said.ackedOps.set(view, op);
        said.isNew = true;
        break;
      case 'DoViewChange':
        if (logView <= (said.doViewChange.logView as number)) break;
        set(said.doViewChange, message);
        said.isNew = true;
        break;
      case 'ReadRound':
        if (view < said.readRound.view || (view === said.readRound.view && round <= (said.readRound.round as number)))
          return;
        set(said.readRound, message);
        said.readRound.round = round;
        said.isNew = true;
        return;
      case 'StartViewChange':
      case 'StartView':
      case 'ReadRoundOk':
        break;
      default: // decides nothing
        return;
    }
    if (view <= said.spoken.view) return;
    set(said.spoken, message);
    said.isNew = true;
  }

  /** What does not hold of the messages of one replica, or of those at one place. */
  brokenBy(from: number, sender: ReplicaView): VsrInvariant | undefined {
    if (this.#broken !== undefined) return this.#broken;
    const said = this.#said[from] as Said;
    const { spoken, doViewChange, prepareOk, prepareOkNow, ackedOps } = said;
    said.isNew = false;
    if (!vsrParts.spokeForDurableView(spoken, sender)) return 'ViewMonotonic';
    if (!vsrParts.askedInThisLife(said.readRound, sender)) return 'ReadRoundsUnique';
    const acked = ackedOps.get(sender.viewDurable);
    if (acked !== undefined) {
      prepareOkNow.view = sender.viewDurable;
      prepareOkNow.op = acked;
      if (!vsrParts.acknowledgedDurably(prepareOkNow, sender)) return 'AcknowledgedIsDurable';
    }
    return vsrParts.acknowledgedDurably(doViewChange, sender) && vsrParts.acknowledgedDurably(prepareOk, sender)
      ? undefined
      : 'AcknowledgedIsDurable';
  }

  #addPrepare(said: Said, { view, op, entryView }: FramePeek, frame: Uint8Array): void {
    const entry = this.#entries.ofBytes(op, entryView, frame, ENTRY_HASH_AT, frame, ENTRY_PARENT_AT);
    let ofView = this.#prepared.get(view);
    if (ofView === undefined) {
      ofView = new Map();
      this.#prepared.set(view, ofView);
    }
    const first = ofView.get(op);
    if (first === undefined) ofView.set(op, entry);
    else if (first !== entry && !vsrParts.preparedAlike(first, entry)) this.#break(said, 'LeaderUniquePerView');
  }

  #break(said: Said, invariant: VsrInvariant): void {
    this.#broken ??= invariant;
    said.isNew = true;
  }
}

function set(message: Deciding, { type, view, op, logView }: FramePeek): void {
  message.type = type;
  message.view = view;
  message.op = op;
  message.logView = logView;
}
