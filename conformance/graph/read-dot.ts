/**
 * Reads the dot of TLC (`-dump dot,actionlabels`) and of the embedded engine (`export_dot`) into a StateGraph.
 * Line-based; each distinct text of a variable is parsed once. Action names with parameters (newer TLC) lose them.
 * An edge without a name is refused: without it nothing can be replayed. TLC's dashed stuttering loops are no edges.
 */
import { parseTla } from '../values/parse-tla.ts';
import { type GraphEdge, keyOf, type StateGraph } from './state-graph.ts';

/** The dot is not what the engines write; says which line. */
export class DotError extends Error {}

const TLC_NODE = /^(-?\d+) \[label="(.*)"(,style = filled)?\];?$/;
const TLC_EDGE = /^(-?\d+) -> (-?\d+) \[(?:label="([^"]*)")?.*\];$/;
const EMBEDDED_NODE = /^(s\d+) \[label="(.*)"([^"]*)\];$/;
const EMBEDDED_EDGE = /^(s\d+) -> (s\d+)(?: \[label="([^"]*)"[^\]]*\])?;$/;

/** The embedded engine does not mark initial states: s0 is one, embedded.ts asks it for the others. */
export function readDot(dot: string): StateGraph {
  const build = new GraphBuilder(!dot.startsWith('digraph StateGraph'));
  const raw: { from: string; to: string; action: string }[] = [];
  let at = 0;
  while (at < dot.length) {
    let end = dot.indexOf('\n', at);
    if (end < 0) end = dot.length;
    const line = dot.slice(at, end).trim();
    at = end + 1;
    const edge = line.includes(' -> ') ? (TLC_EDGE.exec(line) ?? EMBEDDED_EDGE.exec(line)) : null;
    if (edge !== null && !isNode(line)) {
      const action = edge[3];
      if (action === undefined && line.includes('style="dashed"')) continue;
      if (action === undefined || action === '') throw new DotError(`an edge without an action: ${line.slice(0, 120)}`);
      const [from, to] = [edge[1] as string, edge[2] as string];
      for (const label of action.split(LABEL_END)) raw.push({ from, to, action: actionName(label) });
      continue;
    }
    const tlc = TLC_NODE.exec(line);
    if (tlc !== null) {
      build.addNode(tlc[1] as string, splitTlc(unescapeDot(tlc[2] as string)), tlc[3] !== undefined);
      continue;
    }
    const embedded = EMBEDDED_NODE.exec(line);
    if (embedded !== null)
      build.addNode(embedded[1] as string, unescapeDot(embedded[2] as string).split('\n'), embedded[1] === 's0');
  }
  return build.finish(raw);
}

/** `MCCrash(1)`, a bound on Crash in the model's wrapper as a newer TLC labels it, is the action Crash. */
export function actionName(label: string): string {
  return label.replace(/\(.*$/s, '').replace(/^MC(?=[A-Z])/, '');
}

/** The embedded engine puts all actions between two states on one edge, `Exit, Crash`; commas within parentheses are its own. */
const LABEL_END = /,\s*(?![^(]*\))/;

function isNode(line: string): boolean {
  return /^\S+ \[label="(\/\\\\|\w+=)/.test(line);
}

/** One assignment a variable; TLC breaks long values over lines, and only a new variable starts with `/\`. */
function splitTlc(label: string): string[] {
  const text = label.startsWith('/\\ ') ? label.slice(3) : label;
  return text.split(/\n\/\\ /);
}

function unescapeDot(label: string): string {
  return label.replace(/\\(.)/gs, (_, escaped: string) => (escaped === 'n' || escaped === 'l' ? '\n' : escaped));
}

class GraphBuilder {
  private variables: readonly string[] = [];
  private readonly position = new Map<string, number>();
  private readonly canonical = new Map<string, string>();
  private readonly states: string[][] = [];
  private readonly idByKey = new Map<string, number>();
  private readonly idByNode = new Map<string, number>();
  private readonly initial = new Set<number>();
  private readonly hasSelfLoops: boolean;

  constructor(hasSelfLoops: boolean) {
    this.hasSelfLoops = hasSelfLoops;
  }

  addNode(node: string, assignments: readonly string[], isInitial: boolean): void {
    const known = this.idByNode.get(node);
    if (known !== undefined) {
      if (isInitial) this.initial.add(known);
      return;
    }
    if (this.states.length === 0) this.setVariables(assignments.map(nameOf));
    if (assignments.length !== this.variables.length)
      throw new DotError(`a state with ${assignments.length} variables, wanted ${this.variables.length}: ${node}`);
    const texts = new Array<string>(this.variables.length).fill('');
    for (const assignment of assignments) {
      const slot = this.position.get(nameOf(assignment));
      if (slot === undefined) throw new DotError(`a state with an unknown variable: ${assignment.slice(0, 80)}`);
      texts[slot] = this.canonicalText(assignment.slice(assignment.indexOf('=') + 1));
    }
    const key = keyOf(texts);
    const same = this.idByKey.get(key);
    const id = same ?? this.states.push(texts) - 1;
    this.idByKey.set(key, id);
    this.idByNode.set(node, id);
    if (isInitial) this.initial.add(id);
  }

  finish(raw: readonly { from: string; to: string; action: string }[]): StateGraph {
    const outgoing: GraphEdge[][] = this.states.map(() => []);
    const actions = new Map<string, number>();
    const seen = new Set<string>();
    let edges = 0;
    for (const { from, to, action } of raw) {
      const source = this.idByNode.get(from);
      const target = this.idByNode.get(to);
      if (source === undefined || target === undefined) throw new DotError(`an edge to no state: ${from} -> ${to}`);
      const key = `${source} ${target} ${action}`;
      if (seen.has(key)) continue;
      seen.add(key);
      outgoing[source]?.push({ action, target });
      actions.set(action, (actions.get(action) ?? 0) + 1);
      edges++;
    }
    const idByKey = this.idByKey;
    return {
      variables: this.variables,
      states: this.states,
      initial: [...this.initial],
      outgoing,
      edges,
      hasSelfLoops: this.hasSelfLoops,
      actions,
      idOf: (texts) => idByKey.get(keyOf(texts)),
    };
  }

  private setVariables(names: readonly string[]): void {
    this.variables = names.toSorted();
    this.variables.forEach((name, index) => {
      this.position.set(name, index);
    });
  }

  private canonicalText(text: string): string {
    let canonical = this.canonical.get(text);
    if (canonical === undefined) {
      canonical = parseTla(text).text;
      this.canonical.set(text, canonical);
    }
    return canonical;
  }
}

function nameOf(assignment: string): string {
  return assignment.slice(0, assignment.indexOf('=')).trim();
}
