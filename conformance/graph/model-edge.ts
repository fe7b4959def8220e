/**
 * Where a model's bound ends its behaviours, the wrapper has the action ModelEdge, which changes nothing: deadlock checking
 * then sees an end that is meant. It is no step of the component, so the graph that the code walks does not have it.
 */
import type { StateGraph } from './state-graph.ts';

export const MODEL_EDGE = 'ModelEdge';

/** The graph without ModelEdge; `moves` counts those that wrongly change the state. */
export function withoutModelEdge(graph: StateGraph): { readonly graph: StateGraph; readonly moves: number } {
  const count = graph.actions.get(MODEL_EDGE);
  if (count === undefined) return { graph, moves: 0 };
  let moves = 0;
  let removed = 0;
  const outgoing = graph.outgoing.map((edges, state) => {
    const kept = edges.filter(({ action }) => action !== MODEL_EDGE);
    removed += edges.length - kept.length;
    moves += edges.filter(({ action, target }) => action === MODEL_EDGE && target !== state).length;
    return kept.length === edges.length ? edges : kept;
  });
  const actions = new Map([...graph.actions].filter(([name]) => name !== MODEL_EDGE));
  return { graph: { ...graph, outgoing, actions, edges: graph.edges - removed }, moves };
}
