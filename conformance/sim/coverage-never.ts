/**
 * Coverage keys (coverage.ts) that no simulated run can reach, by pattern and with the reason: what is left is what a run
 * could have reached. One that is reached all the same is printed. Mirrors no spec module.
 */
interface Never {
  readonly keys: RegExp;
  readonly why: string;
}

const NEVER: readonly Never[] = [];

export function whyNever(key: string): string | undefined {
  return NEVER.find(({ keys }) => keys.test(key))?.why;
}
