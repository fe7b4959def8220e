/**
 * The Turn port: "when everything that has arrived in this turn of the event loop is handled". What is gathered until then
 * shares one fsync and one write per connection. Mirrors no spec module. Node runs setImmediate after the sockets' turn.
 */
export interface Turn {
  atEnd(callback: () => void): void;
}

export class RealTurn implements Turn {
  atEnd(callback: () => void): void {
    setImmediate(callback);
  }
}

/** Runs what waits when the harness says so, in order. */
export class SimulatedTurn implements Turn {
  #waiting: (() => void)[] = [];

  atEnd(callback: () => void): void {
    this.#waiting.push(callback);
  }

  /** Ends turns until nothing waits; returns how many callbacks ran. */
  end(turnsMax = 1_000): number {
    let ran = 0;
    for (let turn = 0; turn < turnsMax && this.#waiting.length > 0; turn++) {
      const callbacks = this.#waiting;
      this.#waiting = [];
      for (const callback of callbacks) callback();
      ran += callbacks.length;
    }
    return ran;
  }
}
