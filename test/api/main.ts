/**
 * `make test-api`: schemathesis asks a real cluster of three processes everything that its OpenAPI document allows, and much
 * that it does not, with every check on; a finding ends it with 1. It asks a backup, so that each request is handed on too.
 * Flags: --seed N (same cases again; a random one otherwise, printed), --cases N (at most, for each operation and phase).
 * schemathesis comes from PyPI into build/api-test/venv; without Python, pip or a way to PyPI it says so and ends with 2.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RealRandom } from '../../impl/ports/real-random.ts';
import { REPOSITORY, TestCluster } from '../e2e/cluster-harness.ts';

const SCHEMATHESIS = 'schemathesis==4.32.5';
const CASES_DEFAULT = 30;
const FOLDER = join(REPOSITORY, 'build', 'api-test');
const BIN = join(FOLDER, 'venv', 'bin');
const REPORT = join(FOLDER, 'events.ndjson');
const CONFIG = join(REPOSITORY, 'test', 'api', 'schemathesis.toml');
/** Following ends at once, so that a case does; the rest is as a user has it. */
const SERVER_ARGS = ['--limit', 'follow-ms-max=20'];
const EXIT_CANNOT_RUN = 2;

/** undefined: it is there. Otherwise why it cannot be. */
function installed(): string | undefined {
  if (existsSync(join(BIN, 'schemathesis'))) return undefined;
  mkdirSync(FOLDER, { recursive: true });
  const steps = [
    ['python3', ['-m', 'venv', join(FOLDER, 'venv')], 'Python 3 with its module venv is missing'],
    [join(BIN, 'python'), ['-m', 'pip', '--version'], 'pip is missing'],
    [join(BIN, 'python'), ['-m', 'pip', 'install', '--quiet', SCHEMATHESIS], `pip could not install ${SCHEMATHESIS}`],
  ] as const;
  for (const [command, args, otherwise] of steps) {
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    if (status !== 0) return `${otherwise}: install Python 3 with venv and pip.\n${stderr ?? ''}`;
  }
  return undefined;
}

async function prepared(url: string): Promise<void> {
  const post = async (path: string, body: unknown): Promise<void> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url + path, { method: 'POST', body: JSON.stringify(body), headers });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  };
  await post('/v1/streams', { name: 'a' });
  await post('/v1/streams/a/events', { events: [{ data: 'first' }, { dataBase64: 'AP8=', type: 'bytes' }] });
}

/** Requests that were sent, by what schemathesis wrote of its run. */
function casesOf(report: string): number {
  let cases = 0;
  for (const line of report.split('\n')) cases += line.match(/"status_code":/g)?.length ?? 0;
  return cases;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { seed: { type: 'string' }, cases: { type: 'string' } } });
  const why = installed();
  if (why !== undefined) {
    console.error(`test-api cannot run: ${why}`);
    return EXIT_CANNOT_RUN;
  }
  const seed = Number(values.seed ?? new RealRandom().below(2 ** 32));
  const cases = Number(values.cases ?? CASES_DEFAULT);
  const cluster = await TestCluster.start({ serverArgs: SERVER_ARGS });
  try {
    const primary = await cluster.primary();
    const url = cluster.urls[(primary + 1) % 3] as string;
    await prepared(url);
    console.log(`seed ${seed}: make test-api SEED=${seed} asks the same again`);
    const { status } = spawnSync(
      join(BIN, 'schemathesis'),
      [
        ...['--config-file', CONFIG, 'run', `${url}/openapi.json`, '--url', url, '--checks', 'all'],
        ...['--phases', 'examples,coverage,fuzzing,stateful', '--max-examples', `${cases}`, '--seed', `${seed}`],
        // One at a time: on Python 3.11 hypothesis fails now and then when two threads draw.
        ...['--workers', '1', '--request-timeout', '30', '--report', 'ndjson', '--report-ndjson-path', REPORT],
        ...['--suppress-health-check', 'all', '--continue-on-failure'],
      ],
      { stdio: 'inherit' },
    );
    console.log(`${casesOf(readFileSync(REPORT, 'utf8'))} requests were sent to three processes; seed ${seed}`);
    if (cluster.deaths.length > 0) console.error(`replicas ended:\n${cluster.deaths.join('\n')}`);
    await cluster.level();
    return status === 0 && cluster.deaths.length === 0 ? 0 : 1;
  } finally {
    await cluster.close();
  }
}

process.exitCode = await main();
