/** A flame graph of a CPU profile as one SVG, drawn by vega without a browser: width is time, callers are below. */
import { parse, type Spec, View } from 'vega';
import type { CpuProfile, Frame } from './cpu-profile.ts';

const WIDTH = 1_600;
const ROW_HEIGHT = 17;
/** Narrower than this it is left out: 0.1 % of the time. */
const SHARE_MIN = 0.001;
const DEPTH_MAX = 60;
/** Pixels of one letter, to know how much of a name fits. */
const LETTER_WIDTH = 6;

interface Bar {
  readonly x: number;
  readonly width: number;
  readonly depth: number;
  readonly area: string;
  readonly label: string;
  readonly title: string;
}

export async function flameGraph(profile: CpuProfile, title: string): Promise<string> {
  const bars = barsOf(profile);
  const rows = Math.max(...bars.map(({ depth }) => depth)) + 1;
  const y = { signal: `${(rows - 1) * ROW_HEIGHT} - datum.depth * ${ROW_HEIGHT}` };
  const spec: Spec = {
    title: { text: title, anchor: 'start' },
    background: 'white',
    width: WIDTH,
    height: rows * ROW_HEIGHT,
    padding: 8,
    data: [{ name: 'bars', values: [...bars] }],
    scales: [
      {
        name: 'area',
        type: 'ordinal',
        domain: { data: 'bars', field: 'area', sort: true },
        range: { scheme: 'tableau20' },
      },
    ],
    legends: [{ fill: 'area', orient: 'bottom', columns: 8 }],
    marks: [
      {
        type: 'rect',
        from: { data: 'bars' },
        encode: {
          enter: {
            x: { field: 'x' },
            width: { field: 'width' },
            y,
            height: { value: ROW_HEIGHT - 1 },
            fill: { scale: 'area', field: 'area' },
            fillOpacity: { value: 0.7 },
            tooltip: { field: 'title' },
            description: { field: 'title' },
          },
        },
      },
      {
        type: 'text',
        from: { data: 'bars' },
        encode: {
          enter: {
            x: { signal: 'datum.x + 3' },
            y: { signal: `${(rows - 1) * ROW_HEIGHT} - datum.depth * ${ROW_HEIGHT} + ${ROW_HEIGHT / 2}` },
            text: { field: 'label' },
            fontSize: { value: 10 },
            baseline: { value: 'middle' },
            fill: { value: '#111' },
          },
        },
      },
    ],
  };
  return new View(parse(spec), { renderer: 'none' }).toSVG();
}

function barsOf({ root, busyUs }: CpuProfile): readonly Bar[] {
  const bars: Bar[] = [];
  const place = (frame: Frame, startUs: number, depth: number): void => {
    const share = frame.totalUs / busyUs;
    if (share < SHARE_MIN || depth > DEPTH_MAX) return;
    const width = share * WIDTH;
    const title = `${frame.name}: ${(share * 100).toFixed(1)} %`;
    const fits = Math.floor((width - 6) / LETTER_WIDTH);
    const label = fits < 3 ? '' : frame.name.slice(0, fits);
    bars.push({ x: (startUs / busyUs) * WIDTH, width, depth, area: frame.area, label, title });
    let atUs = startUs;
    const below = [...frame.children.values()].sort((one, other) => other.totalUs - one.totalUs);
    for (const child of below) {
      place(child, atUs, depth + 1);
      atUs += child.totalUs;
    }
  };
  place(root, 0, 0);
  return bars;
}
