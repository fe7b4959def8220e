/** Edges a second that the last `make check` stepped on the real code of each component: read from its report, not measured again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CheckedEdges {
  readonly component: string;
  readonly edges: number;
  /** Of one core. */
  readonly perSecond: number;
}

interface CheckReport {
  readonly components: readonly {
    readonly name: string;
    readonly bisimulation: { readonly executed: number; readonly seconds: number };
  }[];
}

/** Empty when there is no report. */
export function checkedEdges(root: string): readonly CheckedEdges[] {
  let text: string;
  try {
    text = readFileSync(join(root, 'build', 'report', 'check.json'), 'utf8');
  } catch {
    return [];
  }
  const { components } = JSON.parse(text) as CheckReport;
  return components.map(({ name, bisimulation: { executed, seconds } }) => ({
    component: name,
    edges: executed,
    perSecond: seconds > 0 ? executed / seconds : 0,
  }));
}
