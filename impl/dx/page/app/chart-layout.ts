/**
 * A machine's states and transitions as boxes and lines, placed by dagre: transitions between states share a line with the names
 * of their events, those that stay are listed inside their state, as statecharts have it. Depends on the definition alone, so a
 * chart is laid out once and only coloured afterwards. Mirrors no spec module.
 */
import { Graph, layout } from '@dagrejs/dagre';
import type { Definition } from './answers.ts';

/** Sizes in pixels; the style sheet has the same ones. */
const CHARACTER_PX = 7.3;
const EVENT_ROW_PX = 22;
const STATE_HEAD_PX = 38;
const PADDING_PX = 12;
const COLUMN_GAP_PX = 14;
/** More events than this inside one state stand in two columns. */
const EVENTS_OF_ONE_COLUMN_MAX = 6;
const LABEL_PADDING_PX = 12;
/** A closed menu that says how many events it has. */
const EVENT_MENU_PX = 92;
const NAME_CHARACTERS_OF_NARROW_MAX = 8;

export interface ChartState {
  readonly state: string;
  readonly events: readonly string[];
  readonly columns: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface ChartLine {
  readonly from: string;
  readonly to: string;
  readonly events: readonly string[];
  /** SVG path. */
  readonly path: string;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Chart {
  readonly width: number;
  readonly height: number;
  readonly states: readonly ChartState[];
  readonly lines: readonly ChartLine[];
}

/** @param brief names of events are left out: their count stands for them */
export function chartOf({ states, transitions }: Pick<Definition, 'states' | 'transitions'>, brief: boolean): Chart {
  const graph = new Graph({ multigraph: true });
  const gaps = brief ? { nodesep: 10, ranksep: 26, edgesep: 6 } : { nodesep: 16, ranksep: 34, edgesep: 6 };
  // Of dagre's three ways to rank states this one gives the narrowest charts: a page is higher than wide.
  graph.setGraph({ rankdir: 'TB', ranker: 'longest-path', ...gaps, marginx: 4, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  const inside = new Map(states.map((state) => [state, [] as string[]]));
  const between = new Map<string, { from: string; to: string; events: string[] }>();
  for (const { from, to, event } of transitions) {
    if (from === to) inside.get(from)?.push(event);
    else {
      const key = `${from}>${to}`;
      const line = between.get(key) ?? { from, to, events: [] };
      line.events.push(event);
      between.set(key, line);
    }
  }
  const columnsOf = new Map<string, number>();
  for (const [state, events] of inside) {
    const columns = brief || events.length <= EVENTS_OF_ONE_COLUMN_MAX ? 1 : 2;
    columnsOf.set(state, columns);
    graph.setNode(state, stateSize(state, events, columns, brief));
  }
  for (const [key, { from, to, events }] of between)
    graph.setEdge(from, to, { ...labelSize(events, brief), labelpos: 'c' }, key);
  layout(graph);

  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    states: [...inside].map(([state, events]) => ({
      state,
      events,
      columns: columnsOf.get(state) ?? 1,
      ...boxOf(graph.node(state) as Placed),
    })),
    lines: [...between].map(([key, line]) => {
      const placed = graph.edge({ v: line.from, w: line.to, name: key }) as Placed & { points: readonly Point[] };
      return { ...line, path: pathOf(placed.points), ...boxOf(placed) };
    }),
  };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Placed extends Point {
  readonly width: number;
  readonly height: number;
}

function stateSize(
  state: string,
  events: readonly string[],
  columns: number,
  brief: boolean,
): { width: number; height: number } {
  const head = state.length * 9 + 2 * PADDING_PX + 20;
  if (brief || events.length === 0)
    return { width: Math.max(head, 110), height: brief && events.length > 0 ? STATE_HEAD_PX + 26 : STATE_HEAD_PX };
  const rows = Math.ceil(events.length / columns);
  const longest = Math.max(...events.map((event) => event.length)) * CHARACTER_PX;
  const width = Math.max(head, longest * columns + COLUMN_GAP_PX * (columns - 1) + 2 * PADDING_PX + 10);
  return { width, height: STATE_HEAD_PX + rows * EVENT_ROW_PX + PADDING_PX };
}

/** Whether a narrow chart shows these events of a line as a menu: several, or one with a long name. */
export function isMenu(events: readonly string[]): boolean {
  return events.length > 1 || (events[0]?.length ?? 0) > NAME_CHARACTERS_OF_NARROW_MAX;
}

function labelSize(events: readonly string[], brief: boolean): { width: number; height: number } {
  if (brief && isMenu(events)) return { width: EVENT_MENU_PX, height: EVENT_ROW_PX + 4 };
  const width = Math.max(...events.map((event) => event.length)) * CHARACTER_PX + LABEL_PADDING_PX;
  return { width, height: events.length * EVENT_ROW_PX };
}

function boxOf({ x, y, width, height }: Placed): { left: number; top: number; width: number; height: number } {
  return { left: x - width / 2, top: y - height / 2, width, height };
}

/** Through the middles of the bends, so that the line has no corner. */
function pathOf(points: readonly Point[]): string {
  const [start, ...rest] = points;
  const end = rest.at(-1);
  if (start === undefined || end === undefined) return '';
  const text = ({ x, y }: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
  const middles = rest.slice(0, -1).map((point, index) => {
    const next = rest[index + 1] as Point;
    const middle = index === rest.length - 2 ? end : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    return `Q${text(point)} ${text(middle)}`;
  });
  return middles.length === 0 ? `M${text(start)}L${text(end)}` : `M${text(start)}${middles.join('')}`;
}
