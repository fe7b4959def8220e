/** Charts by machine, laid out once by a worker of the page (chart-worker.ts), which begins with the first chart. */
import type { Definition } from './answers.ts';
import type { Chart } from './chart-layout.ts';
import type { ChartWanted } from './chart-worker.ts';

interface ChartMade {
  readonly id: number;
  readonly chart: Chart;
  /** Of layout alone. */
  readonly ms: number;
}

const charts = new Map<string, Promise<Chart>>();
const waiting = new Map<number, (made: ChartMade) => void>();
let worker: Worker | undefined;
let nextId = 1;

/** The definition of a machine never changes while its process lives; another version of it is another chart. */
export function chartFor({ name, states, transitions }: Definition, brief: boolean): Promise<Chart> {
  const key = `${name} ${transitions.length} ${brief}`;
  const known = charts.get(key);
  if (known !== undefined) return known;
  const chart = laidOut({ id: nextId++, states, transitions, brief });
  charts.set(key, chart);
  return chart;
}

function laidOut(wanted: ChartWanted): Promise<Chart> {
  worker ??= newWorker();
  worker.postMessage(wanted);
  return new Promise((resolve) => {
    waiting.set(wanted.id, ({ chart, ms }) => {
      performance.measure('layout', { start: performance.now() - ms, duration: ms }); // for bench/page.ts
      resolve(chart);
    });
  });
}

function newWorker(): Worker {
  const { worker: address = '' } = document.getElementById('page')?.dataset ?? {};
  const made = new Worker(address);
  made.addEventListener('message', ({ data }: MessageEvent<ChartMade>) => {
    waiting.get(data.id)?.(data);
    waiting.delete(data.id);
  });
  return made;
}
