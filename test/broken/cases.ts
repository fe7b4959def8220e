/**
 * One broken triple for each verdict of `make check`: what is changed in the example counter, the one problem code that must
 * come out, and the exit code. Each breaks one thing only.
 */

import type { ProblemCode } from '../../conformance/check/outcome.ts';
import type { CheckSettings } from '../../conformance/check/run-check.ts';
import type { Change } from './counter-copy.ts';

export interface BrokenCase {
  readonly name: string;
  readonly changes: readonly Change[];
  readonly code: ProblemCode;
  readonly exit: 1 | 2;
  /** Part of a message, where the code alone does not say what was broken. */
  readonly says?: RegExp;
  readonly engine?: CheckSettings['engine'];
  readonly env?: NodeJS.ProcessEnv;
}

const SPEC = 'Counter.tla';
const CFG = 'Counter_small.cfg';
const CODE = 'counter.ts';
const NOTHING: NodeJS.ProcessEnv = { PATH: '' };

/** A mutant file that replaces one text of the spec. */
function mutant(name: string, killedBy: string, old: string, instead: string): Change {
  const text = `component = "Counter"
name = "${name}"
rule = "broken for a test"
model = "${CFG}"
module = "Counter"
killed_by = "${killedBy}"

[[replace]]
old = '''${old}'''
new = '''${instead}'''
`;
  return [`mutants/Counter-${name}.toml`, '', text];
}

/** A definition more in the spec, before its invariants. */
const define = (text: string): Change => [SPEC, '\\* Forbids a disk', `${text}\n\n\\* Forbids a disk`];

export const cases: readonly BrokenCase[] = [
  // Spec and code part.
  {
    name: 'missing',
    changes: [[CODE, 'context.count < context.limit', 'context.count + 1 < context.limit']],
    code: 'missing',
    exit: 1,
  },
  {
    name: 'extra',
    changes: [[CODE, 'context.count !== context.saved', 'true']],
    code: 'extra',
    exit: 1,
  },
  {
    name: 'different',
    changes: [[CODE, 'saved: context.count }', 'saved: 0 }']],
    code: 'different',
    exit: 1,
  },
  {
    name: 'initial',
    changes: [[CODE, 'limit: input.limit, count: 0, saved: 0', 'limit: input.limit, count: 1, saved: 0']],
    code: 'initial',
    exit: 1,
  },
  {
    name: 'error',
    changes: [
      [
        CODE,
        'load: assign(({ context }) => ({ count: context.saved }))',
        'load: assign(({ context }) => loaded(context))',
      ],
      [
        CODE,
        'const counterSetup',
        "function loaded(context: CounterContext): { count: number } {\n  if (context.saved > 1) throw new Error('disk');\n  return { count: context.saved };\n}\nconst counterSetup",
      ],
    ],
    code: 'error',
    exit: 1,
  },
  {
    name: 'invariant-in-code',
    changes: [[CODE, "status !== 'up' || context.saved <= context.count", 'context.saved <= context.count']],
    code: 'invariant-in-code',
    exit: 1,
  },
  {
    name: 'variable-not-compared',
    changes: [[CODE, '      saved: tlaInteger(counter.context.saved),\n', '']],
    code: 'variable-not-compared',
    exit: 1,
  },
  {
    name: 'driver-lacks-action',
    changes: [[CODE, "  { type: 'Crash' },\n", '']],
    code: 'alphabet-lacks-action',
    exit: 1,
  },

  // The spec by itself.
  {
    name: 'invariant',
    changes: [[SPEC, 'SavedWasCounted == status = "up" => saved <= count', 'SavedWasCounted == saved <= count']],
    code: 'invariant',
    exit: 1,
  },
  {
    name: 'deadlock',
    changes: [
      [SPEC, '    /\\ status = "down"\n', '    /\\ status = "down"\n    /\\ WasSaved\n'],
      [SPEC, 'Unsaved == count # saved\n', 'Unsaved == count # saved\nWasSaved == saved > 0\n'],
      [CODE, '    Unsaved: (', '    WasSaved: ({ context }) => context.saved > 0,\n    Unsaved: ('],
      [CODE, "Restart: { target: 'up'", "Restart: { guard: and(['WasSaved']), target: 'up'"],
    ],
    code: 'deadlock',
    exit: 1,
  },
  {
    name: 'property',
    changes: [[SPEC, 'ComesBack == status = "down" ~> status = "up"', 'ComesBack == status = "up" ~> saved = 2']],
    code: 'property',
    exit: 1,
  },
  {
    name: 'liveness-needs-no-fairness',
    changes: [[SPEC, 'ComesBack == status = "down" ~> status = "up"', 'ComesBack == status = "up" ~> count <= Limit']],
    code: 'liveness-without-fairness',
    exit: 1,
  },
  {
    name: 'property-with-constraint',
    changes: [define('Small == count <= Limit'), [CFG, 'CHECK_DEADLOCK TRUE', 'CONSTRAINT Small\nCHECK_DEADLOCK TRUE']],
    code: 'property-with-constraint',
    exit: 1,
  },
  { name: 'distinct-moved', changes: [[CODE, 'distinct: 9', 'distinct: 10']], code: 'distinct-moved', exit: 1 },
  {
    name: 'cfg-first-line',
    changes: [[CFG, '\\* Shows every', '\n\\* Shows every']],
    code: 'cfg-first-line',
    exit: 1,
  },
  {
    name: 'zero-edges',
    changes: [
      [CODE, "models: [{ cfg: 'Counter_small.cfg', module: 'Counter', kind: 'small', distinct: 9 }]", 'models: []'],
    ],
    code: 'zero-edges',
    exit: 1,
  },
  {
    name: 'vacuous-action',
    changes: [
      [
        SPEC,
        'Next ==\n',
        'Reset ==\n    /\\ status = "up"\n    /\\ BelowLimit\n    /\\ AtLimit\n    /\\ count\' = 0\n    /\\ UNCHANGED <<status, saved>>\n\nNext ==\n    \\/ Reset\n',
      ],
      [SPEC, 'Unsaved == count # saved\n', 'Unsaved == count # saved\nAtLimit == count = Limit\n'],
      [CODE, '    Unsaved: (', '    AtLimit: ({ context }) => context.count === context.limit,\n    Unsaved: ('],
      [
        CODE,
        '        Crash: {',
        "        Reset: { guard: and(['BelowLimit', 'AtLimit']), actions: 'forget' },\n        Crash: {",
      ],
      [CODE, "  | { readonly type: 'Save' }", "  | { readonly type: 'Save' }\n  | { readonly type: 'Reset' }"],
      [CODE, "  { type: 'Save' },", "  { type: 'Save' },\n  { type: 'Reset' },"],
    ],
    code: 'vacuous-action',
    exit: 1,
  },

  // Evidence.
  {
    name: 'guard-never-false',
    changes: [
      [SPEC, '    /\\ BelowLimit\n', '    /\\ BelowLimit\n    /\\ NotNegative\n'],
      [SPEC, 'Unsaved == count # saved\n', 'Unsaved == count # saved\nNotNegative == count >= 0\n'],
      [CODE, '    Unsaved: (', '    NotNegative: ({ context }) => context.count >= 0,\n    Unsaved: ('],
      [CODE, "and(['BelowLimit'])", "and(['BelowLimit', 'NotNegative'])"],
    ],
    code: 'guard-never-false',
    exit: 1,
  },
  {
    name: 'guard-never-true',
    changes: [
      [SPEC, '    /\\ Unsaved\n', '    /\\ Unsaved\n    /\\ Negative\n'],
      [SPEC, 'Unsaved == count # saved\n', 'Unsaved == count # saved\nNegative == count < 0\n'],
      [CODE, '    Unsaved: (', '    Negative: ({ context }) => context.count < 0,\n    Unsaved: ('],
      [CODE, "and(['Unsaved'])", "and(['Unsaved', 'Negative'])"],
      [CODE, 'distinct: 9', 'distinct: 4'],
    ],
    code: 'guard-never-true',
    exit: 1,
  },
  {
    name: 'unkillable-invariant',
    changes: [
      define('CountIsCount == count = count'),
      [CFG, 'INVARIANT TypeOK', 'INVARIANT TypeOK\nINVARIANT CountIsCount'],
      [
        CODE,
        '      TypeOK: (',
        '      CountIsCount: ({ context }) => context.count === context.count,\n      TypeOK: (',
      ],
    ],
    code: 'unkilled-invariant',
    exit: 1,
    says: /CountIsCount/,
  },
  {
    name: 'surviving-mutant',
    changes: [mutant('harmless', 'SavedWasCounted', 'count # saved', 'saved # count')],
    code: 'mutant-survives',
    exit: 1,
    says: /harmless.*survives: SavedWasCounted holds/,
  },
  {
    name: 'mutant-killed-by-another-rule',
    changes: [mutant('other', 'SavedWasCounted', '    /\\ BelowLimit\n', '')],
    code: 'mutant-survives',
    exit: 1,
    says: /first broke TypeOK/,
  },
  {
    name: 'surviving-fault',
    changes: [
      [
        CODE,
        'driver: counterDriverOver(counterMachine.provide({ guards: { Unsaved: () => true } }))',
        'driver: counterDriverOver(counterMachine.provide({}))',
      ],
    ],
    code: 'fault-survives',
    exit: 1,
  },
  {
    name: 'unjustified-bound',
    changes: [['mutants/Counter-one-is-enough.toml', 'needs = ["Limit >= 2"]\n', '']],
    code: 'bound-unjustified',
    exit: 1,
  },
  {
    name: 'stale-exception',
    changes: [[CODE, '  abstracted: {},', "  abstracted: {},\n  unbreakable: { TypeOK: 'nobody tried' },"]],
    code: 'exception-stale',
    exit: 1,
  },

  // The mirror.
  {
    name: 'renamed-guard',
    changes: [
      [CODE, '    BelowLimit: (', '    UnderLimit: ('],
      [CODE, "and(['BelowLimit'])", "and(['UnderLimit'])"],
    ],
    code: 'mirror',
    exit: 1,
    says: /guard-missing: Increment.*asks BelowLimit/,
  },
  {
    name: 'restated-constant',
    changes: [[CODE, 'Number(constants.Limit?.text)', 'Number(constants.Limit?.text ?? 2)']],
    code: 'mirror',
    exit: 1,
    says: /constant-restated: .*counter\.ts:\d+ gives Limit/,
  },
  {
    name: 'renamed-event',
    changes: [
      [CODE, '        Crash: {', '        Stop: {'],
      [CODE, "  | { readonly type: 'Crash' }", "  | { readonly type: 'Crash' }\n  | { readonly type: 'Stop' }"],
      [
        CODE,
        'deliver(event: CounterEvent): Counter {',
        "deliver(given: CounterEvent): Counter {\n    const event: CounterEvent = given.type === 'Crash' ? { type: 'Stop' } : given;",
      ],
      [
        CODE,
        'guards: (counter, event) => evaluate(machine, counter.snapshot, event)',
        'guards: (counter, event) => event.type === "Crash" ? [] : evaluate(machine, counter.snapshot, event)',
      ],
    ],
    code: 'mirror',
    exit: 1,
    says: /action-without-event: Crash/,
  },

  // Traces.
  {
    name: 'random',
    changes: [[CODE, 'count: context.saved }))', 'count: context.saved > 2 ? 2 : context.saved }))']],
    code: 'random',
    exit: 1,
    says: /the spec takes a step, its \d+th, that no event of the code takes/,
  },
  {
    name: 'validation',
    changes: [[CODE, 'context.count < context.limit', 'context.count < context.limit + (context.limit > 2 ? 1 : 0)']],
    code: 'validation',
    exit: 1,
    says: /the code took Increment, as its step \d+, which the spec does not allow/,
  },

  // The engines.
  {
    name: 'engines-disagree',
    changes: [
      [
        SPEC,
        'BelowLimit == count < Limit\n',
        'BelowLimit == count < Limit - (IF (CHOOSE s \\in {"up", "down"} : TRUE) = "down" THEN 1 ELSE 0)\n',
      ],
    ],
    code: 'engines-disagree',
    exit: 1,
  },
  { name: 'parse-error', changes: [[SPEC, "saved' = count", "saved' = = count"]], code: 'parse', exit: 2 },
  {
    name: 'unknown-constant',
    changes: [[CFG, 'CONSTANT Limit = 2', 'CONSTANT Limits = 2']],
    code: 'config',
    exit: 2,
  },
  {
    name: 'mutant-does-not-fit',
    changes: [mutant('misfit', 'TypeOK', 'count # savings', 'TRUE')],
    code: 'config',
    exit: 2,
    says: /Counter-misfit\.toml: old occurs 0 times/,
  },
  {
    name: 'no-docker',
    changes: [],
    code: 'no-engine',
    exit: 2,
    engine: 'docker',
    env: NOTHING,
    says: /docker client is missing/,
  },
  {
    name: 'model-needs-absent-tlc',
    changes: [[CODE, "kind: 'small', distinct: 9", "kind: 'small', distinct: 9, embeddedSkipped: 'INSTANCE'"]],
    code: 'engine',
    exit: 2,
    env: NOTHING,
    says: /TLC only: INSTANCE/,
  },
];
