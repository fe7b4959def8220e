/**
 * `replay --explain`: why each replica is in its state after a step, in the words of a running server. Said twice, of the code
 * that was replayed and of the state that the trace holds, and the two must be equal.
 */
import { type Explanation, explanationText, type Paint } from '../../machines/explanation.ts';
import type { Component, Explain } from '../component.ts';
import type { Constants } from '../driver.ts';

export interface ExplainedStep {
  readonly index: number;
  readonly label: string;
  readonly ofCode: readonly Explanation[];
  readonly ofSpec: readonly Explanation[];
}

/** Explains one step of a replay: called after each, it keeps the wanted one, or the last. */
export class StepExplainer {
  readonly #component: Component;
  readonly #constants: Constants;
  readonly #explain: Explain;
  readonly #topic: string;
  readonly #wanted: number | undefined;
  #explained: ExplainedStep | undefined;

  constructor(component: Component, constants: Constants, explain: Explain, topic: string, wanted: number | undefined) {
    this.#component = component;
    this.#constants = constants;
    this.#explain = explain;
    this.#topic = topic;
    this.#wanted = wanted;
  }

  get explained(): ExplainedStep | undefined {
    return this.#explained;
  }

  /** @param code the driver's state: explained now, since it may be gone after the next step */
  onStep(index: number, label: string, texts: Readonly<Record<string, string>>, code: unknown): void {
    const { explanation } = this.#component;
    if (explanation === undefined || (this.#wanted !== undefined && index !== this.#wanted)) return;
    const all = (replicas: ReturnType<typeof explanation.ofCode>): readonly Explanation[] =>
      replicas.map((replica) => this.#explain.explain(this.#topic, replica));
    const ofCode = all(explanation.ofCode(code));
    this.#explained = { index, label, ofCode, ofSpec: all(explanation.ofSpec(texts, this.#constants)) };
  }
}

/** The text of every replica or of this one, then whether the spec's state says the same. */
export function explainedLines(
  { index, label, ofCode, ofSpec }: ExplainedStep,
  paint?: Paint,
  replica?: number,
): string[] {
  const textOf = (explanation: Explanation | undefined): string =>
    explanation === undefined ? '' : explanationText(explanation, undefined, true).join('\n');
  const lines = [`after step ${index}, ${label}`];
  for (const [at, explanation] of ofCode.entries())
    if (replica === undefined || replica === at) lines.push('', ...explanationText(explanation, paint));
  const differing = ofCode.flatMap((explanation, at) => (textOf(explanation) === textOf(ofSpec[at]) ? [] : [at]));
  lines.push(
    '',
    differing.length === 0
      ? 'the state in the trace explains itself in the same words'
      : `the state in the trace explains itself otherwise at ${differing.join(', ')}:`,
  );
  for (const at of differing) lines.push('', textOf(ofSpec[at]));
  return lines;
}

export function explainsAlike({ ofCode, ofSpec }: ExplainedStep): boolean {
  return JSON.stringify(ofCode) === JSON.stringify(ofSpec);
}
