/**
 * Where the machine of a component defines what its spec names: the first line of machines/X.ts, or of a file machines/X-*.ts,
 * that starts with the name and a colon. For the explanations, which show both places of a rule.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MachinePlaces {
  of(name: string): { readonly file: string; readonly line: number } | undefined;
}

/** @param stem file name without extension, such as `append-log` */
export function machinePlaces(root: string, stem: string): MachinePlaces {
  const files = readdirSync(join(root, 'machines'))
    .filter((file) => file === `${stem}.ts` || (file.startsWith(`${stem}-`) && file.endsWith('.ts')))
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const sources = files.map((file) => ({
    file: `machines/${file}`,
    lines: readFileSync(join(root, 'machines', file), 'utf8').split('\n'),
  }));
  return {
    of(name) {
      const pattern = new RegExp(`^\\s*(?:export (?:const|function) )?${name}\\s*[:(=]`);
      for (const { file, lines } of sources) {
        const at = lines.findIndex((line) => pattern.test(line));
        if (at >= 0) return { file, line: at + 1 };
      }
      return undefined;
    },
  };
}
