/** `Vsr.drop-SameView`: every fault of the code that `make check` breaks. Mirrors no spec module. */
import { components } from './all.ts';

export const faultNames: ReadonlySet<string> = new Set(
  components.flatMap((component) => component.faults.map(({ name }) => `${component.name}.${name}`)),
);
