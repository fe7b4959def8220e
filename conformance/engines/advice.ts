/** What to do about the errors that people meet most, in their words; the engine's own message is kept beside it. */
import type { FailureKind } from './engine.ts';

const BY_MESSAGE: readonly (readonly [RegExp, string])[] = [
  [
    /Unknown operator|unknown identifier|undefined (?:variable|identifier)/i,
    'A name is used before it is defined: define it above its first use, or add its module to EXTENDS.',
  ],
  [
    /Was expecting|Encountered|Parse Error|unexpected/i,
    'The spec does not parse: look at the line named here and the one above it; most often a /\\ is not aligned, a == or a closing bracket is missing.',
  ],
  [
    /constant parameter .* is not assigned|constant .* (?:not assigned|has no value)|missing constant/i,
    'The cfg gives no value for a constant: add `CONSTANT Name = value` to it.',
  ],
  [
    /(?:successor|next) state is not completely specified|null is not a valid state|variables? .* (?:is|are) not assigned|not assigned in/i,
    "An action leaves a variable without a next value: add it to that action's UNCHANGED.",
  ],
  [
    /Attempted to (?:apply|access|select|check|evaluate|compare)|type mismatch|out of domain|not in the domain/i,
    'An expression was applied outside its domain: guard it with a conjunct before it, in the line named here.',
  ],
  [
    /(?:identifier|INVARIANT|PROPERTY|specification|specified in the configuration) .*(?:not (?:found|defined)|undefined)|not defined in the spec/i,
    'The cfg names an operator that the module does not define: correct the name in the cfg, or define it.',
  ],
];

const BY_KIND: Readonly<Record<FailureKind, string>> = {
  parse: 'The spec does not parse: look at the line named here and the one above it.',
  config: 'Correct the cfg: every name in it must be defined in the root module or what it extends.',
  assume: 'The cfg gives constants that an ASSUME forbids: change the constant or the ASSUME.',
  invariant:
    'Read the behaviour below: its last step is the first that breaks the invariant. Tighten that action, or correct the invariant.',
  property:
    'Read the behaviour below, which ends in a loop or stops: either the fairness that should break it is missing in Fairness, or the property is too strong.',
  deadlock:
    'The last state below has no successor. If the model simply ends there, give its wrapper the action ModelEdge; if not, a guard is too strong.',
  evaluation: 'The expression named here has no value in that state: guard it.',
  limit: 'The model has more states than this engine takes: make it smaller, or run it on TLC.',
  other: 'Run the model by hand with the command shown and read the whole output.',
};

export function adviceFor(kind: FailureKind, message: string, name?: string): string {
  if (kind === 'invariant' || kind === 'property' || kind === 'deadlock') {
    return name === undefined ? BY_KIND[kind] : `${name}: ${BY_KIND[kind]}`;
  }
  return BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1] ?? BY_KIND[kind];
}
