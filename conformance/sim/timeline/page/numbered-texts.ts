/** One number for equal texts: what a run says ten thousand times the page holds once. Pure. */

/** Gives equal texts one number. */
export class NumberedTexts<Value> {
  readonly values: Value[] = [];
  readonly #numbers = new Map<string, number>();

  of(key: string, value: () => Value): number {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.values.push(value()) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }
}
