/** What the reader of modules and the reader of actions share: a definition with its syntax, and which texts are a status. */
import type { Definition } from './spec-module.ts';
import { childrenOf, type Node, walk } from './syntax.ts';

/** A definition with its syntax, while the module is being read. */
export interface ParsedDefinition extends Definition {
  readonly node: Node;
}

const COMPARISON = new Set(['eq', 'neq', 'in', 'notin']);

/** Literals that `status`, `status[r]` or `status'` is compared with or set to. */
export function statusesIn(definition: Node): readonly string[] {
  const values: string[] = [];
  for (const node of walk(definition)) {
    if (node.type !== 'bound_infix_op') continue;
    const [left, symbol, right] = childrenOf(node);
    if (left === undefined || symbol === undefined || right === undefined) continue;
    if (!COMPARISON.has(symbol.type) || !isStatus(left)) continue;
    for (const inner of walk(right)) if (inner.type === 'string') values.push(inner.text.slice(1, -1));
  }
  return values;
}

/** `status`, `status[r]`, `status'`. */
export function isStatus(node: Node): boolean {
  if (node.type === 'identifier_ref') return node.text === 'status';
  if (node.type !== 'function_evaluation' && node.type !== 'bound_postfix_op') return false;
  const first = childrenOf(node)[0];
  return first !== undefined && isStatus(first);
}
