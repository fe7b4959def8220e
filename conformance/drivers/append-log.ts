/**
 * The real AppendLog of specs/AppendLog.tla: append-log-world.ts is a state, append-log-events.ts the alphabet,
 * append-log-disk.ts the disk. project() names every variable. Translates, decides nothing.
 */
import { appendLogMachine } from '../../machines/append-log.ts';
import { appendLogInvariants } from '../../machines/append-log-invariants.ts';
import { evaluate } from '../../machines/stepper.ts';
import type { Driver } from '../driver.ts';
import { type TlaValue, tlaBoolean, tlaInteger, tlaSequence, tlaString } from '../values/tla-value.ts';
import { CellReader, tlaCells } from './append-log-cells.ts';
import { type AppendLogModelEvent, boundsOf, describeEvent } from './append-log-events.ts';
import type { AppendLogSetting } from './append-log-setting.ts';
import { LogWorld } from './append-log-world.ts';

export function appendLogDriver(setting: AppendLogSetting): Driver<LogWorld, AppendLogModelEvent> {
  return {
    initial: (constants) => LogWorld.create({ bounds: boundsOf(constants), setting, reader: new CellReader() }),
    alphabet: (state) => state.alphabet(),
    step: (state, event) => {
      const next = state.fork();
      const happened = next.deliver(event);
      const refused = happened !== event.type;
      // Another action than the one delivered, or none: then this event did not happen, and nothing may have changed by a refusal.
      if (!refused || (happened === undefined && !sameView(next, state))) return next;
      next.dispose();
      return state;
    },
    project,
    guards: (state, event) => {
      const asked = state.machineEvent(event);
      return asked === undefined
        ? []
        : evaluate(state.world.setting.machine ?? appendLogMachine, state.snapshot, asked);
    },
    invariants: Object.fromEntries(
      Object.entries(appendLogInvariants).map(([name, holds]) => [name, (state: LogWorld) => holds(state.view)]),
    ),
    describe: describeEvent,
    dispose: (state) => state.dispose(),
  };
}

function sameView(a: LogWorld, b: LogWorld): boolean {
  return JSON.stringify(a.view) === JSON.stringify(b.view);
}

function project({ view }: LogWorld): Readonly<Record<string, TlaValue>> {
  return {
    status: tlaString(view.status),
    written: tlaInteger(view.written),
    durable: tlaInteger(view.durable),
    head: tlaInteger(view.head),
    owed: tlaInteger(view.owed),
    allocated: tlaInteger(view.allocated),
    file: tlaCells(view.file),
    medium: tlaCells(view.medium),
    forgotten: tlaBoolean(view.forgotten),
    spaceLeft: tlaBoolean(view.spaceLeft),
    appended: tlaInteger(view.appended),
    acknowledged: tlaSequence(view.acknowledged.map(tlaInteger)),
    cuts: tlaInteger(view.cuts),
    reported: tlaInteger(view.reported),
    damage: tlaInteger(view.damage),
    damageAtOpen: tlaInteger(view.damageAtOpen),
  };
}
