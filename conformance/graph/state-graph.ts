/**
 * The bounded state graph of one model: every state with its variables as canonical texts, every edge with its action.
 * States and texts are interned: equality of states is equality of ids. Read from either engine's dot (read-dot.ts).
 */

/** One edge: the action's name and the id of the state that it leads to. A self-loop by an action is an edge. */
export interface GraphEdge {
  readonly action: string;
  readonly target: number;
}

export interface StateGraph {
  /** Names of the variables, in the order of `states[i]`. */
  readonly variables: readonly string[];
  /** Per state the canonical text of each variable. */
  readonly states: readonly (readonly string[])[];
  readonly initial: readonly number[];
  /** Per state its outgoing edges, without duplicates. */
  readonly outgoing: readonly (readonly GraphEdge[])[];
  readonly edges: number;
  /** False when the engine leaves out edges from a state to itself (the embedded one does): a stutter is then not judged. */
  readonly hasSelfLoops: boolean;
  /** Edges by action; an action that never occurs is absent. */
  readonly actions: ReadonlyMap<string, number>;
  /** Id of a state by the key of its texts (keyOf), or undefined. */
  readonly idOf: (texts: readonly string[]) => number | undefined;
}

/** Two states are equal when their keys are; no TLA+ text holds a line break. */
export function keyOf(texts: readonly string[]): string {
  return texts.join('\n');
}

/** A step of a shortest path: the action taken and the state it led to (the first has no action). */
export interface PathStep {
  readonly action: string | undefined;
  readonly state: number;
}

/** Breadth-first: for each state the step before it on a shortest path, and its depth (1 for an initial state). */
export interface BreadthFirst {
  readonly order: readonly number[];
  readonly parent: Int32Array;
  readonly parentAction: readonly (string | undefined)[];
  readonly depth: number;
}

export function breadthFirst(graph: StateGraph): BreadthFirst {
  const parent = new Int32Array(graph.states.length).fill(-2);
  const parentAction: (string | undefined)[] = new Array<string | undefined>(graph.states.length).fill(undefined);
  const level = new Int32Array(graph.states.length);
  const order: number[] = [];
  let depth = 0;
  for (const state of graph.initial) {
    if (parent[state] !== -2) continue;
    parent[state] = -1;
    level[state] = 1;
    order.push(state);
  }
  for (let head = 0; head < order.length; head++) {
    const state = order[head] as number;
    depth = level[state] as number;
    for (const edge of graph.outgoing[state] ?? []) {
      if (parent[edge.target] !== -2) continue;
      parent[edge.target] = state;
      parentAction[edge.target] = edge.action;
      level[edge.target] = depth + 1;
      order.push(edge.target);
    }
  }
  return { order, parent, parentAction, depth };
}

/** The shortest path from an initial state to this one. */
export function pathTo(search: BreadthFirst, state: number): readonly PathStep[] {
  const path: PathStep[] = [];
  for (let at = state; at >= 0; at = search.parent[at] ?? -1) path.push({ action: search.parentAction[at], state: at });
  return path.reverse();
}
