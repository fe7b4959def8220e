/** Lays charts out beside the page, so that no click waits for one. Its messages are those of chart-source.ts. */
import type { Definition } from './answers.ts';
import { chartOf } from './chart-layout.ts';

export interface ChartWanted {
  readonly id: number;
  readonly states: Definition['states'];
  readonly transitions: Definition['transitions'];
  readonly brief: boolean;
}

addEventListener('message', ({ data }: MessageEvent<ChartWanted>) => {
  const begin = performance.now();
  const chart = chartOf(data, data.brief);
  postMessage({ id: data.id, chart, ms: performance.now() - begin });
});
