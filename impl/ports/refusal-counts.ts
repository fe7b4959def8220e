/** How often connections were refused, by code: for the metrics, bounded whatever the other side calls its reasons. Mirrors no spec module. */

/** Codes that are told apart; there are fewer of ours. What comes beyond, from a stranger's Goodbye, counts as OTHER. */
const CODES_MAX = 64;
/** Reasons of an end that is a refusal, whoever found it. */
const REFUSAL_AT_END = /^(?:WIRE_|TLS_|PEER_|HELLO_MISSING$)/;

export class RefusalCounts {
  readonly #counts = new Map<string, number>();

  get all(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** A refusal that does not come by again as the end of its connection. */
  refused(code: string): void {
    if (!REFUSAL_AT_END.test(code)) this.add(code);
  }

  /** Counts the end of a connection when it is a refusal. */
  ended(reason: string): void {
    if (REFUSAL_AT_END.test(reason)) this.add(reason);
  }

  add(code: string): void {
    const known = this.#counts.has(code) || this.#counts.size < CODES_MAX ? code : 'OTHER';
    this.#counts.set(known, (this.#counts.get(known) ?? 0) + 1);
  }
}
