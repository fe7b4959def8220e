/**
 * The disjuncts of Next as actions, and each action as an ordered list of conjuncts with the part that each plays.
 * An operator that speaks of the next state is opened and its conjuncts are read in its place; a guard is not opened.
 */
import { isStatus, type ParsedDefinition } from './parsed-definition.ts';
import type { Conjunct, ConjunctKind, SpecAction } from './spec-module.ts';
import { childrenOf, isComment, lineOf, type Node, SpecSyntaxError, walk } from './syntax.ts';

/** Operators opened one inside the other; a recursion would not end. */
const DEPTH_MAX = 16;

export class ActionReader {
  private readonly definitions: ReadonlyMap<string, ParsedDefinition>;
  private readonly statuses: readonly string[];
  private readonly primed = new Map<string, boolean>();

  constructor(definitions: ReadonlyMap<string, ParsedDefinition>, statuses: readonly string[]) {
    this.definitions = definitions;
    this.statuses = statuses;
  }

  actionsOf(next: ParsedDefinition): readonly SpecAction[] {
    const found = new Map<string, SpecAction>();
    for (const { node, path } of this.disjunctsOf(bodyOf(next.node), [next.name])) {
      const { node: _, ...action } = this.definitionAt(node, path);
      if (found.has(action.name)) continue;
      found.set(action.name, { ...action, path, conjuncts: this.conjunctsOf(bodyOf(this.nodeOf(action.name)), 0) });
    }
    return [...found.values()];
  }

  private definitionAt(node: Node, path: readonly string[]): ParsedDefinition {
    const name = calledBy(node);
    const definition = name === undefined ? undefined : this.definitions.get(name);
    if (definition === undefined)
      throw new SpecSyntaxError(
        `line ${lineOf(node)}: a disjunct of ${path.join(' > ')} is no named action: ${node.text.slice(0, 60)}`,
      );
    return definition;
  }

  private nodeOf(name: string): Node {
    return (this.definitions.get(name) as ParsedDefinition).node;
  }

  private disjunctsOf(node: Node, path: readonly string[]): readonly { node: Node; path: readonly string[] }[] {
    if (path.length > DEPTH_MAX) throw new SpecSyntaxError(`${path.join(' > ')}: Next is nested too deep`);
    const inner = unwrap(node);
    const parts = partsOf(inner, 'disj_list', 'lor');
    if (parts !== undefined) return parts.flatMap((part) => this.disjunctsOf(part, path));
    if (inner.type === 'bounded_quantification') return this.disjunctsOf(lastOf(inner), path);
    const name = calledBy(inner);
    const definition = name === undefined ? undefined : this.definitions.get(name);
    if (definition !== undefined) {
      const body = unwrap(bodyOf(definition.node));
      if (partsOf(body, 'disj_list', 'lor') !== undefined) return this.disjunctsOf(body, [...path, definition.name]);
    }
    return [{ node: inner, path }];
  }

  private conjunctsOf(node: Node, depth: number): readonly Conjunct[] {
    if (depth > DEPTH_MAX) throw new SpecSyntaxError(`line ${lineOf(node)}: operators are nested too deep`);
    const inner = unwrap(node);
    const parts = partsOf(inner, 'conj_list', 'land');
    if (parts !== undefined) return parts.flatMap((part) => this.conjunctsOf(part, depth));
    const exists = inner.type === 'bounded_quantification' && childrenOf(inner)[0]?.type === 'exists';
    if (inner.type === 'let_in' || (exists && this.speaksOfNext(inner))) return this.conjunctsOf(lastOf(inner), depth);
    const name = calledBy(inner);
    const definition = name === undefined ? undefined : this.definitions.get(name);
    if (definition !== undefined && this.isUpdate(definition.name))
      return this.conjunctsOf(bodyOf(definition.node), depth + 1);
    return [this.conjunct(inner, definition === undefined ? undefined : name)];
  }

  private conjunct(node: Node, name: string | undefined): Conjunct {
    const of = (kind: ConjunctKind): Conjunct => ({
      kind,
      name: kind === 'guard' ? (name ?? '') : '',
      text: node.text,
      line: lineOf(node),
    });
    if (name !== undefined) return of('guard');
    if (this.speaksOfNext(node)) return of('update');
    const [left, symbol, right] = childrenOf(node);
    if (node.type === 'bound_infix_op' && left !== undefined && symbol !== undefined && right !== undefined) {
      if (isStatus(left)) {
        const literals = [...walk(right)].filter(({ type }) => type === 'string').map(({ text }) => text.slice(1, -1));
        const negated = symbol.type === 'neq' || symbol.type === 'notin';
        const statuses = negated ? this.statuses.filter((value) => !literals.includes(value)) : literals;
        return { ...of('status'), statuses };
      }
      if (left.type === 'record_value' && childrenOf(left).at(-1)?.text === 'type') return of('selector');
    }
    return of('anonymous');
  }

  private isUpdate(name: string): boolean {
    const known = this.primed.get(name);
    if (known !== undefined) return known;
    this.primed.set(name, false); // a recursive operator asks for itself
    const answer = this.speaksOfNext(bodyOf(this.nodeOf(name)));
    this.primed.set(name, answer);
    return answer;
  }

  /** A prime, UNCHANGED, or an operator that has one. */
  private speaksOfNext(node: Node): boolean {
    for (const inner of walk(node)) {
      if (inner.type === 'prime' || inner.type === 'unchanged') return true;
      if (inner.type === 'identifier_ref' && this.definitions.has(inner.text) && this.isUpdate(inner.text)) return true;
    }
    return false;
  }
}

function bodyOf(definition: Node): Node {
  return lastOf(definition);
}

function lastOf(node: Node): Node {
  const last = childrenOf(node).findLast((child) => !isComment(child));
  if (last === undefined) throw new SpecSyntaxError(`line ${lineOf(node)}: nothing stands here`);
  return last;
}

function unwrap(node: Node): Node {
  return node.type === 'parentheses' ? unwrap(lastOf(node)) : node;
}

/** The operands of a bulleted list or of an infix chain; undefined when the node is neither. */
function partsOf(node: Node, list: 'conj_list' | 'disj_list', infix: 'land' | 'lor'): readonly Node[] | undefined {
  if (node.type === list)
    return childrenOf(node)
      .filter((child) => !isComment(child))
      .map(lastOf);
  if (node.type !== 'bound_infix_op') return undefined;
  const [left, symbol, right] = childrenOf(node).filter((child) => !isComment(child));
  if (left === undefined || right === undefined || symbol?.type !== infix) return undefined;
  return [...(partsOf(left, list, infix) ?? [left]), right];
}

/** The operator that this expression is an application of. */
function calledBy(node: Node): string | undefined {
  if (node.type === 'identifier_ref') return node.text;
  if (node.type === 'bound_op') return childrenOf(node)[0]?.text;
  return undefined;
}
