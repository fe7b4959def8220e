/**
 * Reads a component's module, with the user modules that it extends, into a SpecModule: names, comments, lines, actions.
 * The actions are the disjuncts of Next, found through named sub-disjunctions such as System and Environment.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ActionReader } from './actions.ts';
import { type ParsedDefinition, statusesIn } from './parsed-definition.ts';
import type { SpecModule, SpecName } from './spec-module.ts';
import { childrenOf, isComment, lineOf, type Node, parseModule, SpecSyntaxError, walk, wordsOf } from './syntax.ts';

interface Reading {
  readonly constants: SpecName[];
  readonly variables: SpecName[];
  readonly definitions: Map<string, ParsedDefinition>;
  readonly statuses: Set<string>;
  readonly modules: string[];
}

/** @param next name of the next-state relation. */
export async function parseSpec(file: string, next = 'Next'): Promise<SpecModule> {
  const reading: Reading = {
    constants: [],
    variables: [],
    definitions: new Map(),
    statuses: new Set(),
    modules: [],
  };
  await readModule(file, reading);
  const [name = ''] = reading.modules.slice(-1);
  const start = reading.definitions.get(next);
  if (start === undefined) throw new SpecSyntaxError(`${file}: defines no ${next}`);
  const statuses = [...reading.statuses].sort();
  const actions = new ActionReader(reading.definitions, statuses).actionsOf(start);
  const definitions = new Map([...reading.definitions].map(([key, { node: _, ...plain }]) => [key, plain]));
  return {
    name,
    file,
    extended: reading.modules.slice(0, -1),
    constants: reading.constants,
    variables: reading.variables,
    definitions,
    actions,
    statuses,
  };
}

/** Parents first, so that a module may redefine nothing and its own name comes last. */
async function readModule(file: string, reading: Reading): Promise<void> {
  const root = await parseModule(readFileSync(file, 'utf8'), file);
  const module = childrenOf(root).find(({ type }) => type === 'identifier')?.text ?? '';
  for (const reference of childrenOf(root).filter(({ type }) => type === 'extends')) {
    for (const { text: parent } of childrenOf(reference)) {
      const path = join(dirname(file), `${parent}.tla`);
      if (existsSync(path) && !reading.modules.includes(parent)) await readModule(path, reading);
    }
  }
  reading.modules.push(module);
  const units = childrenOf(root).flatMap((unit) => (unit.type === 'local_definition' ? childrenOf(unit) : [unit]));
  const comments = commentsOf(root);
  for (const [at, unit] of units.entries()) {
    if (unit.type === 'variable_declaration') reading.variables.push(...namesOf(unit, units[at + 1]));
    else if (unit.type === 'constant_declaration') reading.constants.push(...namesOf(unit, units[at + 1]));
    else if (unit.type === 'operator_definition' || unit.type === 'function_definition') {
      const definition = definitionOf(unit, commentOf(comments, unit), module);
      reading.definitions.set(definition.name, definition);
      for (const value of statusesIn(unit)) reading.statuses.add(value);
    }
  }
}

/** Names of a declaration; the comment behind the last one is the declaration's sibling. */
function namesOf(declaration: Node, following: Node | undefined): readonly SpecName[] {
  const pieces = [...childrenOf(declaration)];
  if (following !== undefined && isComment(following) && lineOf(following) === declaration.endPosition.row + 1)
    pieces.push(following);
  const names: { name: string; comment: string; line: number }[] = [];
  for (const piece of pieces) {
    const last = names.at(-1);
    if (isComment(piece)) {
      if (last !== undefined && last.line === lineOf(piece)) last.comment = wordsOf(piece);
    } else {
      const name = piece.type === 'operator_declaration' ? (childrenOf(piece)[0]?.text ?? '') : piece.text;
      names.push({ name, comment: '', line: lineOf(piece) });
    }
  }
  return names;
}

function definitionOf(node: Node, comment: string, module: string): ParsedDefinition {
  const children = childrenOf(node).filter((child) => !isComment(child));
  const equals = children.findIndex(({ type }) => type === 'def_eq');
  const [name, ...parameters] = children.slice(0, equals).map(({ text }) => text);
  return {
    name: name ?? '',
    parameters,
    body: children
      .slice(equals + 1)
      .map(({ text }) => text)
      .join(' '),
    comment,
    line: lineOf(node),
    lineEnd: lastLineOf(node),
    module,
    node,
  };
}

interface Comments {
  /** By their last line: those that have it to themselves. */
  readonly alone: ReadonlyMap<number, Node>;
  /** By line: those that stand behind code. */
  readonly behind: ReadonlyMap<number, Node>;
}

function commentsOf(root: Node): Comments {
  const alone = new Map<number, Node>();
  const behind = new Map<number, Node>();
  let lineBefore = 0;
  for (const node of walk(root)) {
    if (isComment(node) && lineOf(node) > lineBefore) alone.set(node.endPosition.row + 1, node);
    else if (isComment(node)) behind.set(lineOf(node), node);
    if (node.namedChildCount === 0) lineBefore = node.endPosition.row + 1;
  }
  return { alone, behind };
}

/** The comment above a definition, or behind one that fits on a line. */
function commentOf(comments: Comments, definition: Node): string {
  const above = commentAbove(comments.alone, definition);
  if (above !== '' || lastLineOf(definition) !== lineOf(definition)) return above;
  const behind = comments.behind.get(lineOf(definition));
  return behind === undefined ? '' : wordsOf(behind);
}

/** The comments that end on the line above the definition, as one text. */
function commentAbove(comments: ReadonlyMap<number, Node>, definition: Node): string {
  const words: string[] = [];
  let comment = comments.get(lineOf(definition) - 1);
  while (comment !== undefined) {
    words.unshift(wordsOf(comment));
    comment = comments.get(lineOf(comment) - 1);
  }
  return words.join(' ').trim();
}

/** Last line of the code below a node: the grammar counts the comment of what follows to it. */
function lastLineOf(node: Node): number {
  const last = childrenOf(node).findLast((child) => !isComment(child));
  return last === undefined ? node.endPosition.row + 1 : lastLineOf(last);
}
