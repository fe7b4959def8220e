/**
 * A closed loop of appends over HTTP, in a process of its own as any load client: N requests in flight, each on a connection
 * that is kept. Prints one line of JSON with the fields of LoadResult. Words: addresses, in flight, bytes, warm s, s.
 */
import { randomBytes } from 'node:crypto';
import { Pool } from 'undici';

const QUANTILE_STEPS = 400;
const STREAM = 'bench-http';
/** Random text that the entries are cut from, so that none repeats another and lz4 finds little. */
const TEXT_BYTES = 4 * 1024 * 1024;
const JSON_BODY = { 'content-type': 'application/json' } as const;

const [addresses = '', ...numbers] = process.argv.slice(2);
const [inFlight = 1, bytes = 256, warmSeconds = 2, seconds = 5] = numbers.map(Number);
const text = randomBytes(TEXT_BYTES).toString('base64');

const origin = await primaryOf(addresses.split(','));
const pool = new Pool(origin, { connections: inFlight, pipelining: 1 });
await (
  await pool.request({ method: 'POST', path: '/v1/streams', headers: JSON_BODY, body: `{"name":"${STREAM}"}` })
).body.dump();
const warmUntilMs = performance.now() + warmSeconds * 1_000;
const untilMs = warmUntilMs + seconds * 1_000;
const samples: number[] = [];
let errors = 0;
await Promise.all(Array.from({ length: inFlight }, (_, loop) => run(loop)));
await pool.close();
const sorted = Float64Array.from(samples).sort();
const at = (share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
const result = {
  inFlight,
  opsPerSecond: samples.length / seconds,
  p50Ms: at(0.5),
  p99Ms: at(0.99),
  p999Ms: at(0.999),
  errors,
  quantiles: Array.from({ length: QUANTILE_STEPS }, (_, step) => at((step + 1) / QUANTILE_STEPS)),
};
process.stdout.write(`${JSON.stringify(result)}\n`);

async function run(loop: number): Promise<void> {
  let from = (loop * 7_919) % (TEXT_BYTES - bytes);
  for (;;) {
    const startedMs = performance.now();
    if (startedMs >= untilMs) return;
    from = (from + bytes) % (TEXT_BYTES - bytes);
    const body = `{"events":[{"data":"${text.slice(from, from + bytes)}"}]}`;
    const answer = await pool.request({
      method: 'POST',
      path: `/v1/streams/${STREAM}/events`,
      headers: JSON_BODY,
      body,
    });
    await answer.body.dump();
    const nowMs = performance.now();
    if (startedMs < warmUntilMs || nowMs > untilMs) continue;
    if (answer.statusCode === 200) samples.push(nowMs - startedMs);
    else errors++;
  }
}

/** The primary's address: a backup would hand each request on, and the peers are asked at their leaders, too. */
async function primaryOf(candidates: readonly string[]): Promise<string> {
  for (const candidate of candidates) {
    const answer = await fetch(`http://${candidate}/health`);
    const { replica, primary } = (await answer.json()) as { replica: number; primary: number };
    if (replica === primary) return `http://${candidate}`;
  }
  throw new Error(`none of ${candidates.join(', ')} is the primary`);
}
