/** A whole number of an option or argument; anything else is a usage error that names the bounds. Mirrors no spec module. */
import { InvalidArgumentError } from 'commander';

/** A parser for commander: from `minimum` to `maximum`, both included. */
export function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]+$/.test(text) || value < minimum || value > maximum) {
      const upTo = maximum === Number.MAX_SAFE_INTEGER ? 'up' : `to ${maximum}`;
      throw new InvalidArgumentError(`It takes a whole number from ${minimum} ${upTo}.`);
    }
    return value;
  };
}
