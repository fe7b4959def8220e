/** Every component of `make check`, in the order of its table. The only list; a component that is not here is not checked. */
import { counterComponent } from '../../docs/example/counter.ts';
import type { Component } from '../component.ts';
import { appendLogComponent } from './append-log.ts';
import { clientSessionsComponent } from './client-sessions.ts';
import { superblockComponent } from './superblock.ts';
import { vsrComponent } from './vsr.ts';

/** Forgets the types of state and event: the engine hands a driver only what came from that same driver. */
export function anyComponent<S, E extends { readonly type: string }>(component: Component<S, E>): Component {
  return component as unknown as Component;
}

export const components: readonly Component[] = [
  anyComponent(appendLogComponent),
  anyComponent(superblockComponent),
  anyComponent(vsrComponent),
  anyComponent(clientSessionsComponent),
  anyComponent(counterComponent),
];
