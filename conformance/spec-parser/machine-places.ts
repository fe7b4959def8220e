/**
 * Where the machine of a component defines what its spec names: the first line of machines/X.ts, or of a file machines/X-*.ts,
 * that starts with the name and a colon, or has it first in a list. For the explanations, which show both places of a rule.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MachinePlaces {
  of(name: string): { readonly file: string; readonly line: number } | undefined;
}

/** @param machine path of the machine's file from the root, such as `machines/append-log.ts` */
export function machinePlaces(root: string, machine: string): MachinePlaces {
  const folder = machine.slice(0, machine.lastIndexOf('/') + 1);
  const stem = machine.slice(folder.length, -'.ts'.length);
  const files = readdirSync(join(root, folder))
    .filter((file) => file === `${stem}.ts` || (file.startsWith(`${stem}-`) && file.endsWith('.ts')))
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const sources = files.map((file) => ({
    file: `${folder}${file}`,
    lines: readFileSync(join(root, folder, file), 'utf8').split('\n'),
  }));
  return {
    of(name) {
      const patterns = [`^\\s*(?:export (?:const|function) )?${name}\\s*[:(=]`, `[{,]\\s*${name}: `];
      for (const pattern of patterns.map((text) => new RegExp(text)))
        for (const { file, lines } of sources) {
          const at = lines.findIndex((line) => pattern.test(line));
          if (at >= 0) return { file, line: at + 1 };
        }
      return undefined;
    },
  };
}
