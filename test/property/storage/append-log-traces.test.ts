/**
 * The committed traces of AppendLog. Goal: each tells the code from the fault that it is named after. Method: replay on both.
 */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { appendLogComponent } from '../../../conformance/components/append-log.ts';
import { parseCfg } from '../../../conformance/engines/cfg.ts';
import { readItf } from '../../../conformance/replay/itf.ts';
import { replay } from '../../../conformance/replay/replay.ts';
import { kebab } from '../../../conformance/report/save-divergence.ts';

const { driver, faults } = appendLogComponent;

test.each(faults.map((fault) => [fault.name, fault] as const))(
  'the trace of %s: the code takes it, the fault does not',
  (name, fault) => {
    const path = `traces/append-log/${kebab(name)}.itf.json`;
    expect(existsSync(path)).toBe(true);
    const trace = readItf(readFileSync(path, 'utf8'));
    const { constants } = parseCfg(readFileSync(`specs/${trace.cfg}`, 'utf8'));
    expect(replay(trace, driver, constants, {}).failure).toBeUndefined();
    expect(replay(trace, fault.driver, constants, {}).failure).toBeDefined();
  },
);
