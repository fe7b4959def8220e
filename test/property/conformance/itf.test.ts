/**
 * Goal: a saved trace says exactly what was found, so a divergence that was fixed stays fixed.
 * Method: random values and events through ITF and back; the example counter's own path replayed, then bent.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  eventToJson,
  fromItf,
  ItfError,
  readItf,
  type Trace,
  toItf,
  writeItf,
} from '../../../conformance/replay/itf.ts';
import { replay } from '../../../conformance/replay/replay.ts';
import { parseTla } from '../../../conformance/values/parse-tla.ts';
import { tlaInteger } from '../../../conformance/values/tla-value.ts';
import { Counter, counterComponent, counterDriverOver, counterMachine } from '../../../docs/example/counter.ts';

const COUNTER: Trace = {
  component: counterComponent.name,
  cfg: 'Counter_small.cfg',
  about: 'count, save, crash, restart',
  states: [
    { action: undefined, label: 'Init', event: undefined, values: { count: '0', saved: '0', status: '"up"' } },
    {
      action: 'Increment',
      label: 'Increment',
      event: { type: 'Increment' },
      values: { count: '1', saved: '0', status: '"up"' },
    },
    { action: 'Crash', label: 'Crash', event: undefined, values: { count: '0', saved: '0', status: '"down"' } },
  ],
  refused: { type: 'Save' },
};

describe('ITF traces', () => {
  test('every kind of value survives', () => {
    const texts = [
      '-1',
      '123456789012345678901',
      'TRUE',
      '"a\\"b"',
      'm1',
      '{1, {}}',
      '<<1, <<>>>>',
      '[a |-> 1]',
      '(0 :> {} @@ 1 :> m1)',
    ];
    for (const text of texts)
      expect(fromItf(JSON.parse(JSON.stringify(toItf(parseTla(text))))).text).toBe(parseTla(text).text);
  });

  test('events with big integers, bytes, maps and sets survive', () => {
    const event = {
      type: 'E',
      op: 2n ** 70n,
      body: new Uint8Array([1, 255]),
      map: new Map([[1, new Set(['x'])]]),
      list: [1, null],
    };
    const read = readItf(writeItf({ ...COUNTER, refused: event }));
    expect(read.refused).toEqual(event);
    expect(eventToJson(read.refused)).toEqual(eventToJson(event));
  });

  test('write and read is the identity on traces', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(), { minLength: 1, maxLength: 5 }), (counts) => {
        const states = counts.map((count, index) => ({
          action: index === 0 ? undefined : 'Increment',
          label: index === 0 ? 'Init' : `Increment ${index}`,
          event: index === 0 ? undefined : { type: 'Increment' },
          values: { count: tlaInteger(count).text },
        }));
        const trace: Trace = { component: 'Counter', cfg: 'a.cfg', about: 'b', states };
        expect(readItf(writeItf(trace))).toEqual(trace);
      }),
    );
  });

  test('a file that is no trace is refused with what is missing', () => {
    expect(() => readItf('{')).toThrow(ItfError);
    expect(() => readItf('[]')).toThrow(/not an object/);
    expect(() => readItf('{"#meta":{},"vars":[],"states":[{}]}')).toThrow(/names no component/);
    expect(() => readItf(writeItf(COUNTER).replace('"count": 1', '"other": 1'))).toThrow(/no variable count/);
  });
});

describe('replay', () => {
  const driver = counterDriverOver(counterMachine);
  const constants = { Limit: tlaInteger(2) };

  test('the real code reproduces its own trace, the refusal at the end included', () => {
    expect(replay(COUNTER, driver, constants)).toEqual({ steps: 2 });
  });

  test('another state, a refused step and a step taken against the spec each fail, with the guards', () => {
    const bent = COUNTER.states.map((state, index) =>
      index === 1 ? { ...state, values: { ...state.values, count: '2' } } : state,
    );
    expect(replay({ ...COUNTER, states: bent }, driver, constants).failure).toMatchObject({
      at: 1,
      actual: { count: '1' },
    });
    const refusing = counterDriverOver(counterMachine.provide({ guards: { BelowLimit: () => false } }));
    expect(replay(COUNTER, refusing, constants).failure).toMatchObject({
      at: 1,
      guards: [{ guard: 'BelowLimit', holds: false }],
    });
    const forbidden: Trace = { ...COUNTER, refused: { type: 'Restart' } };
    expect(replay(forbidden, driver, constants).failure?.message).toMatch(/took Restart/);
    expect(Counter.open(2).status).toBe('up');
  });
});
