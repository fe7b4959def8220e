/**
 * Holds an XState machine against the actions of a spec, both ways: action and event, named conjunct and guard in the same
 * order on the transition of every status that the action names, status value and state node. Looks at names only; that the
 * things named alike also behave alike is bisimulation's part.
 */
import type { AnyStateMachine } from 'xstate';
import { conjunctsOf } from '../../machines/stepper.ts';
import type { SpecAction, SpecModule } from '../spec-parser/spec-module.ts';
import type { MirrorFinding } from './finding.ts';

export interface MachineMirror {
  readonly actions: number;
  readonly guards: number;
  readonly findings: readonly MirrorFinding[];
}

/** @param outside actions that no event of the machine stands for, with the reason. */
export function mirrorMachine(
  spec: SpecModule,
  machine: AnyStateMachine,
  outside: Readonly<Record<string, string>> = {},
): MachineMirror {
  const findings: MirrorFinding[] = [];
  const nodes = Object.keys(machine.states);
  findings.push(...compareStatuses(spec, machine, nodes), ...hiddenTransitions(machine, nodes));
  const used = new Set<string>();
  let actions = 0;
  let guards = 0;
  findings.push(...outsideFindings(spec, machine, nodes, outside));
  for (const action of spec.actions) {
    if (action.name in outside) continue;
    const compared = compareAction(spec, action, machine, nodes);
    findings.push(...compared.findings);
    if (compared.found) actions++;
    guards += compared.guards;
    for (const name of compared.used) used.add(name);
  }
  const known = new Set(spec.actions.map(({ name }) => name));
  const events = new Set(nodes.flatMap((node) => [...(machine.states[node]?.transitions.keys() ?? [])]));
  for (const event of events) {
    if (known.has(event)) continue;
    const message = `the machine takes ${event}, and Next of ${spec.file} has no such action`;
    findings.push({ kind: 'event-without-action', action: event, message });
  }
  for (const name of Object.keys(machine.implementations.guards)) {
    if (used.has(name)) continue;
    const message = `guard ${name} is on no transition: remove it, or name it where the spec does`;
    findings.push({ kind: 'guard-unused', message });
  }
  return { actions, guards, findings };
}

/** What a component says is outside its machine must be an action, must have a reason and must indeed be outside. */
function outsideFindings(
  spec: SpecModule,
  machine: AnyStateMachine,
  nodes: readonly string[],
  outside: Readonly<Record<string, string>>,
): readonly MirrorFinding[] {
  const findings: MirrorFinding[] = [];
  const add = (action: string, what: string): void =>
    void findings.push({ kind: 'outside-machine', action, message: `outsideMachine lists ${action}: ${what}` });
  for (const [action, reason] of Object.entries(outside)) {
    if (reason.trim() === '') add(action, 'give the reason');
    if (!spec.actions.some(({ name }) => name === action)) add(action, `Next of ${spec.file} has no such action`);
    if (nodes.some((node) => machine.states[node]?.transitions.has(action)))
      add(action, 'but the machine has that event; take it off the list');
  }
  return findings;
}

function compareStatuses(
  spec: SpecModule,
  machine: AnyStateMachine,
  nodes: readonly string[],
): readonly MirrorFinding[] {
  if (!spec.variables.some(({ name }) => name === 'status')) {
    if (nodes.length === 1) return [];
    const message = `${machine.id} has nodes ${nodes.join(', ')}, and ${spec.file} has no variable status`;
    return [{ kind: 'node-without-status', message }];
  }
  const lacking = spec.statuses.filter((value) => !nodes.includes(value));
  const extra = nodes.filter((node) => !spec.statuses.includes(node));
  return [
    ...lacking.map((value): MirrorFinding => {
      const message = `${spec.file} has the status "${value}", and ${machine.id} has no node of that name`;
      return { kind: 'status-without-node', message };
    }),
    ...extra.map((node): MirrorFinding => {
      const message = `${machine.id} has the node ${node}, and ${spec.file} never gives status that value`;
      return { kind: 'node-without-status', message };
    }),
  ];
}

/** Ways to move that no event shows: the root's own transitions, always, after, invoke, nested nodes. */
function hiddenTransitions(machine: AnyStateMachine, nodes: readonly string[]): readonly MirrorFinding[] {
  const findings: MirrorFinding[] = [];
  const add = (where: string, what: string): void => {
    findings.push({
      kind: 'hidden-transition',
      message: `${machine.id}: ${where} has ${what}; every step is an event`,
    });
  };
  if (machine.root.transitions.size > 0) add('the root', 'transitions of its own');
  for (const name of nodes) {
    const node = machine.states[name];
    if (node === undefined) continue;
    if ((node.always?.length ?? 0) > 0) add(name, 'always');
    if (node.after.length > 0) add(name, 'after');
    if (node.invoke.length > 0) add(name, 'invoke');
    if (Object.keys(node.states).length > 0) add(name, 'nodes inside');
  }
  return findings;
}

interface ComparedAction {
  readonly found: boolean;
  readonly guards: number;
  readonly used: readonly string[];
  readonly findings: readonly MirrorFinding[];
}

function compareAction(
  spec: SpecModule,
  action: SpecAction,
  machine: AnyStateMachine,
  nodes: readonly string[],
): ComparedAction {
  const findings: MirrorFinding[] = [];
  const at = `${action.name} (${spec.file}:${action.line})`;
  const add = (kind: MirrorFinding['kind'], message: string): void =>
    void findings.push({ kind, action: action.name, message });
  for (const conjunct of action.conjuncts) {
    if (conjunct.kind !== 'anonymous') continue;
    const line = `${spec.file}:${conjunct.line}`;
    add(
      'guard-anonymous',
      `${line}: ${action.name} asks ${oneLine(conjunct.text)}: give it a name, so that a guard can have it`,
    );
  }
  const wanted = action.conjuncts.filter(({ kind }) => kind === 'guard').map(({ name }) => name);
  const statuses = statusesOf(action, nodes);
  const used: string[] = [];
  let guards = 0;
  let found = false;
  for (const node of nodes) {
    let has: readonly string[] | undefined;
    try {
      has = conjunctsOf(machine, node, action.name);
    } catch (cause) {
      add('ambiguous-event', cause instanceof Error ? cause.message : String(cause));
      found = true;
      continue;
    }
    if (has === undefined) {
      if (statuses.includes(node) && nodes.some((other) => machine.states[other]?.transitions.has(action.name)))
        add('event-in-wrong-status', `${at} may happen in status "${node}", and the node ${node} does not take it`);
      continue;
    }
    found = true;
    used.push(...has);
    if (!hasEffect(machine, node, action.name))
      add(
        'event-without-effect',
        `${node}.${action.name} has neither target nor action, so it never counts as enabled`,
      );
    if (!statuses.includes(node)) {
      add('event-in-wrong-status', `the node ${node} takes ${action.name}, and ${at} does not allow status "${node}"`);
      continue;
    }
    guards += wanted.filter((name) => has.includes(name)).length;
    compareGuards(at, node, wanted, has, add);
  }
  if (!found) add('action-without-event', `${at} has no event of that name in ${machine.id}`);
  return { found, guards, used, findings };
}

function hasEffect(machine: AnyStateMachine, node: string, event: string): boolean {
  const [transition] = machine.states[node]?.transitions.get(event) ?? [];
  return transition !== undefined && (transition.target !== undefined || transition.actions.length > 0);
}

function compareGuards(
  at: string,
  node: string,
  wanted: readonly string[],
  has: readonly string[],
  add: (kind: MirrorFinding['kind'], message: string) => void,
): void {
  const lacking = wanted.filter((name) => !has.includes(name));
  const extra = has.filter((name) => !wanted.includes(name));
  for (const name of lacking) add('guard-missing', `${at} asks ${name}, and the transition in ${node} does not`);
  for (const name of extra) add('guard-extra', `the transition in ${node} asks ${name}, and ${at} does not`);
  if (lacking.length > 0 || extra.length > 0 || wanted.join() === has.join()) return;
  add(
    'guard-order',
    `${at} asks ${wanted.join(', ')}, and the transition in ${node} asks ${has.join(', ')}: same order`,
  );
}

/** Nodes in which the action may happen; all of them when it does not ask. */
function statusesOf(action: SpecAction, nodes: readonly string[]): readonly string[] {
  let allowed = nodes;
  for (const { statuses } of action.conjuncts)
    if (statuses !== undefined) allowed = allowed.filter((node) => statuses.includes(node));
  return allowed;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 80);
}
