/**
 * A failure that was found and fixed stays: its shrunk scenario under traces/sim, which a test runs for ever after and which
 * must not fail again. Plain JSON, keys sorted, so that a change of it reads well as a diff. Mirrors no spec module.
 */
import { existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Bundle } from './bundle.ts';
import { BundleError } from './bundle-error.ts';
import { failureStem, replaceFile } from './bundle-file.ts';
import type { Scenario } from './plan.ts';
import type { SimFailure } from './run-result.ts';
import { failureFault, isFailure, isScenario, scenarioFault } from './scenario-schema.ts';

const ENDING = '.scenario.json';

export interface Regression {
  readonly scenario: Scenario;
  /** How it failed. */
  readonly was: SimFailure;
  /** What mended it: the commit's first line, or a sentence. */
  readonly fixedBy: string;
}

export interface KeptRegression extends Regression {
  readonly file: string;
}

export interface SaveRegression {
  /** Such as traces/sim; is made when it is not there. */
  readonly folder: string;
  readonly fixedBy: string;
  /** Of the file, before `.scenario.json`; unless given, the failure and the seed. */
  readonly name?: string;
}

/** Again the same scenario: replaced. @returns the file @throws BundleError */
export function saveRegression({ scenario, failure }: Bundle, { folder, fixedBy, name }: SaveRegression): string {
  if (scenario.canary !== undefined)
    throw new BundleError(
      'SIM_REGRESSION_OF_CANARY',
      `The bundle is of the canary ${scenario.canary}, which is broken on purpose and stays so. Give a bundle of the real code.`,
      { canary: scenario.canary },
    );
  const regression: Regression = { scenario, was: failure, fixedBy };
  const file = join(folder, `${name ?? `${failureStem(failure)}-${scenario.seed}`}${ENDING}`);
  if (existsSync(file) && canonical(readRegression(file).scenario) !== canonical(scenario))
    throw new BundleError(
      'SIM_REGRESSION_EXISTS',
      `${file} is there already, about another scenario. Give this one another name.`,
      { file },
    );
  mkdirSync(folder, { recursive: true });
  replaceFile(file, Buffer.from(canonical(regression)), { openSync, writeSync, fsyncSync, renameSync });
  return file;
}

/** In order of their names; none when there is no such folder. @throws BundleError for the first that is damaged */
export function regressionsIn(folder: string): readonly KeptRegression[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith(ENDING));
  return files.sort().map((file) => ({ file: join(folder, file), ...readRegression(join(folder, file)) }));
}

/** @throws BundleError */
export function readRegression(file: string): Regression {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw damaged(file, error instanceof Error ? error.message : String(error), error);
  }
  if (typeof value !== 'object' || value === null) throw damaged(file, 'it is no object');
  const { scenario, was, fixedBy, ...others } = value as Readonly<Record<string, unknown>>;
  if (!isScenario(scenario) || scenarioFault(scenario) !== undefined)
    throw damaged(file, scenarioFault(scenario) ?? 'scenario is none');
  if (!isFailure(was)) throw damaged(file, `was: ${failureFault(was)}`);
  if (typeof fixedBy !== 'string' || fixedBy.trim() === '') throw damaged(file, 'fixedBy does not say what mended it');
  const [stranger] = Object.keys(others);
  if (stranger !== undefined) throw damaged(file, `${stranger} is no field of a regression`);
  return { scenario, was, fixedBy };
}

function damaged(file: string, fault: string, cause?: unknown): BundleError {
  return new BundleError(
    'SIM_REGRESSION_DAMAGED',
    `${file} is no regression: ${fault}. Mend it, or take it from git again.`,
    { file, fault },
    cause,
  );
}

/** One text for one value: keys sorted, two spaces. */
function canonical(value: unknown): string {
  return `${JSON.stringify(value, (_, field: unknown) => (isRecord(field) ? sorted(field) : field), 2)}\n`;
}

function sorted(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).sort(([left], [right]) => (left < right ? -1 : 1)));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
