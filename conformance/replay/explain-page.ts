/**
 * docs/explain.md with its output: every block that begins with `$ bin/lockstep replay ...` is followed by what that command
 * prints. `make explain-page` writes the page, and a test says when it is out of date. Mirrors no spec module.
 */
import { readFileSync } from 'node:fs';
import type { Component } from '../component.ts';
import { runReplay } from './run-replay.ts';

export const EXPLAIN_PAGE = 'docs/explain.md';
const BLOCK = /```\n\$ bin\/lockstep replay ([^\n]+)\n[^`]*```/g;

/** The page as it should be: its prose as it is, its output anew. */
export async function explainPage(components: readonly Component[]): Promise<string> {
  const page = readFileSync(EXPLAIN_PAGE, 'utf8');
  const outputs = new Map<string, string>();
  for (const [, words = ''] of page.matchAll(BLOCK)) outputs.set(words, await outputOf(words, components));
  return page.replace(
    BLOCK,
    (_, words: string) => `\`\`\`\n$ bin/lockstep replay ${words}\n${outputs.get(words) ?? ''}\`\`\``,
  );
}

/** What the command prints, without colours. */
async function outputOf(words: string, components: readonly Component[]): Promise<string> {
  const parts: string[] = [];
  const exit = await runReplay(words.split(' '), components, (text) => parts.push(text));
  if (exit !== 0) throw new Error(`replay ${words} ends with exit code ${exit}:\n${parts.join('')}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a colour
  return parts.join('').replaceAll(/\u001b\[\d+m/g, '');
}
