/** TLA+ as the page shows it: without the comment of the next definition, numbered, and each guard's line found. Mirrors no spec module. */

export interface SpecLine {
  /** In the file, from 1. */
  readonly number: number;
  readonly text: string;
  /** The guard that stands on this line. */
  readonly guard: string | undefined;
}

/** @param place `file:line` of the first line */
export function specLines(text: string, place: string | null, guards: readonly string[]): readonly SpecLine[] {
  const lines = text.split('\n');
  while (lines.length > 1 && /^\s*(?:\\\*.*)?$/.test(lines.at(-1) ?? '')) lines.pop();
  const first = Number(place?.split(':').at(-1) ?? 1);
  return lines.map((line, index) => ({
    number: first + index,
    text: line,
    guard: guards.find((guard) => new RegExp(`^\\s*/\\\\\\s+~?${guard}\\b`).test(line)),
  }));
}

/** A value on one line; hashes are cut. */
export function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.replaceAll(/[0-9a-f]{64}/g, (hash) => (/^0+$/.test(hash) ? 'none' : `${hash.slice(0, 12)}…`));
}
