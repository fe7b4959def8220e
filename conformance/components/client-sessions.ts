/** The row ClientSessions of `make check`: clients, one primary after another, and the table at apply. */
import { clientSessionsMachine } from '../../machines/client-sessions.ts';
import type { Component, ImplementationFault } from '../component.ts';
import {
  type ClientSessionsStep,
  clientSessionsDriver,
  clientSessionsDriverOver,
  type World,
} from '../drivers/client-sessions.ts';
import { brokenSessions } from '../drivers/client-sessions-broken.ts';

const RANDOM_TRACES = 200;
/** Steps: a registration and a request take eight. */
const RANDOM_DEPTH = 90;

type Fault = ImplementationFault<World, ClientSessionsStep>;

const faults: readonly Fault[] = brokenSessions.map(({ name, rule, cfg, canary, parts }) => {
  const driver = clientSessionsDriverOver(parts);
  return { name, rule, cfgs: [cfg], driver, ...(canary === undefined ? {} : { canary }) };
});

export const clientSessionsComponent: Component<World, ClientSessionsStep> = {
  name: 'ClientSessions',
  sources: {
    spec: 'specs/ClientSessions.tla',
    machine: 'machines/client-sessions.ts',
    implementation: [
      'impl/vsr/client-sessions.ts',
      'impl/vsr/session-table.ts',
      'impl/vsr/sessions-draft.ts',
      'impl/vsr/session-rules.ts',
      'impl/vsr/session-replies.ts',
      'impl/vsr/session-order.ts',
      'impl/vsr/sessions-in-flight.ts',
      'impl/wire/session-numbers.ts',
    ],
    driver: 'conformance/drivers/client-sessions.ts',
  },
  machine: clientSessionsMachine,
  driver: clientSessionsDriver,
  models: [
    { cfg: 'ClientSessions_window.cfg', module: 'MCClientSessions', kind: 'small', distinct: 4460 },
    { cfg: 'ClientSessions_view.cfg', module: 'MCClientSessions', kind: 'small', distinct: 2243 },
    { cfg: 'ClientSessions_crash.cfg', module: 'MCClientSessions', kind: 'small', distinct: 2871 },
    { cfg: 'ClientSessions_evict.cfg', module: 'MCClientSessions', kind: 'small', distinct: 1013 },
    { cfg: 'ClientSessions_oldest.cfg', module: 'MCClientSessions', kind: 'small', distinct: 3231 },
    { cfg: 'ClientSessions_slots.cfg', module: 'MCClientSessions', kind: 'small', distinct: 2334 },
    { cfg: 'ClientSessions_clients.cfg', module: 'MCClientSessions', kind: 'small', distinct: 1340 },
    { cfg: 'ClientSessions_patience.cfg', module: 'MCClientSessions', kind: 'deep', distinct: 58_716 },
    { cfg: 'ClientSessions_live.cfg', module: 'MCClientSessions', kind: 'live', distinct: 1424 },
  ],
  faults,
  abstracted: {},
  boundsWithoutCanary: {
    SlotsMax: 'room for every reply where no session is to go for one; ClientSessions_slots has the least there can be',
    MaxViews: 'two changes of primary show entries that are cut, sent again and cut again; each canary needs one',
  },
  random: {
    cfg: 'ClientSessions_random.cfg',
    module: 'MCClientSessions',
    driver: clientSessionsDriver,
    traces: RANDOM_TRACES,
    depth: RANDOM_DEPTH,
  },
  outsideMachine: {
    Commit: 'the log commits (Vsr): the driver counts one op more',
    CrashClient: 'nobody is left to take an event; the driver begins a new process, which knows nothing',
    ViewChange:
      'Vsr changes the view: the driver cuts the log and takes the table of another replica, the code forgets',
  },
};
