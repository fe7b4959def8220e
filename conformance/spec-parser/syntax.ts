/**
 * TLA+ text to a syntax tree, by the tree-sitter grammar compiled to WebAssembly: comments are kept, no Java is needed.
 * Only this file knows the library. A text with a syntax error is refused, with its line.
 */
import { createRequire } from 'node:module';
import { Language, type Node, Parser } from 'web-tree-sitter';

export type { Node } from 'web-tree-sitter';

/** The module cannot be read: where, and what stands there. */
export class SpecSyntaxError extends Error {}

let loading: Promise<Parser> | undefined;

async function load(): Promise<Parser> {
  await Parser.init();
  const require = createRequire(import.meta.url);
  const language = await Language.load(require.resolve('@tlaplus/tree-sitter-tlaplus/tree-sitter-tlaplus.wasm'));
  return new Parser().setLanguage(language);
}

/** The node of the module itself. */
export async function parseModule(text: string, file: string): Promise<Node> {
  loading ??= load();
  const tree = (await loading).parse(text);
  const root = tree?.rootNode;
  if (root === undefined) throw new SpecSyntaxError(`${file}: no syntax tree`);
  if (root.hasError) {
    const wrong = firstError(root) ?? root;
    const found = wrong.text.split('\n', 1)[0]?.slice(0, 60) ?? '';
    throw new SpecSyntaxError(`${file}:${lineOf(wrong)}: not TLA+ from here: ${found}`);
  }
  const module = childrenOf(root).find(({ type }) => type === 'module');
  if (module === undefined) throw new SpecSyntaxError(`${file}: holds no module`);
  return module;
}

/** From 1. */
export function lineOf(node: Node): number {
  return node.startPosition.row + 1;
}

export function childrenOf(node: Node): readonly Node[] {
  return node.namedChildren.filter((child): child is Node => child !== null);
}

export function isComment(node: Node): boolean {
  return node.type === 'comment' || node.type === 'block_comment';
}

/** The words of a comment, without its marks. */
export function wordsOf(comment: Node): string {
  const inner = comment.type === 'comment' ? comment.text.replace(/^\\\*\s?/, '') : comment.text.slice(2, -2);
  return inner.replace(/\s+/g, ' ').trim();
}

/** The node and everything below it, in the order of the text. */
export function* walk(node: Node): Generator<Node> {
  yield node;
  for (const child of childrenOf(node)) yield* walk(child);
}

function firstError(node: Node): Node | undefined {
  for (const child of node.children) {
    if (child === null || !child.hasError) continue;
    if (child.type === 'ERROR' || child.isMissing) return child;
    return firstError(child) ?? child;
  }
  return undefined;
}
