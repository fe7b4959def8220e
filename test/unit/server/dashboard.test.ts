/**
 * Goal: no panel of the dashboard and no alert asks for what no replica tells. Method: three real replicas in this process,
 * one of each thing done to them; every metric and every label named in a query must then be at their /metrics.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import getPort from 'get-port';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatDirectory } from '../../../impl/cli/data-directories.ts';
import { RealRandom } from '../../../impl/ports/real-random.ts';
import { makeApiKey } from '../../../impl/server/api-keys.ts';
import { startReplicaServer } from '../../../impl/server/replica-server.ts';
import type { RunningServer } from '../../../impl/server/server-config.ts';
import { encodeFrame, FRAME_KINDS } from '../../../impl/wire/frame.ts';
import { encodeHello } from '../../../impl/wire/hello.ts';

/** Given by Prometheus when it scrapes, or by the alert itself. */
const FROM_PROMETHEUS = new Set(['job', 'instance']);
const OPS = new URL('../../../ops/', import.meta.url);
const admin = makeApiKey('admin', ['admin'], new RealRandom(), 0);
const headers = { authorization: `Bearer ${admin.text}`, 'content-type': 'application/json' };
const folder = mkdtempSync(join(tmpdir(), 'lockstep-dashboard-'));
const servers: RunningServer[] = [];
/** Labels of each metric that has a sample, and every metric that is declared. */
const labelsOf = new Map<string, Set<string>>();
const declared = new Set<string>();

beforeAll(async () => {
  const addresses = await Promise.all([0, 1, 2].map(async () => ({ host: '127.0.0.1', port: await getPort() })));
  for (const replica of [0, 1, 2]) {
    const directory = join(folder, String(replica));
    formatDirectory(directory, { cluster: 7n, replica, replicaCount: 3 });
    const auth = {
      apiKeys: () => ({ file: 'keys', text: JSON.stringify(admin.kept) }),
      ...{ jwtKeys: undefined, issuer: undefined, audience: undefined, skewSeconds: 0, certificates: false },
    };
    const http = { host: '127.0.0.1', port: 0 };
    const config = { directory, addresses, http, dx: false, limits: {}, auth };
    servers.push(await startReplicaServer(config, { logger: pino({ level: 'silent' }) }));
  }
  const { httpAddress, peerAddress } = servers[0] as RunningServer;
  const url = `http://${httpAddress.host}:${httpAddress.port}`;
  const created = await fetch(`${url}/v1/streams`, { method: 'POST', headers, body: '{"name":"s"}' });
  expect(created.status).toBe(201);
  await fetch(`${url}/v1/streams/s/events`, { method: 'POST', headers, body: '{"events":[{"data":"x"}]}' });
  await fetch(`${url}/v1/streams/s/events`, { headers });
  await fetch(`${url}/v1/streams`);
  // Bytes that are none of ours: the listener counts them before it closes.
  await untilClosed(peerAddress, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  // A message that is none, in a peer's name: the replica drops it, and the wrong frame after it ends the connection.
  const hello = encodeHello({ role: 'peer', replica: 1, replicaCount: 3, to: 0, cluster: 7n });
  const rubbish = encodeFrame(FRAME_KINDS.replica, Buffer.alloc(300, 7));
  await untilClosed(
    peerAddress,
    Buffer.concat([encodeFrame(FRAME_KINDS.hello, hello), rubbish, Buffer.alloc(64, 255)]),
  );
  await followed(`${url}/v1/streams/s/events?follow=true`);
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  for (const line of text.split('\n')) {
    const [, name = ''] = /^# TYPE (\w+)/.exec(line) ?? [];
    if (name !== '') declared.add(name);
    const [, sample, labels = ''] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (sample === undefined) continue;
    const known = labelsOf.get(sample) ?? new Set<string>();
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
    labelsOf.set(sample, known);
  }
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

function untilClosed({ host, port }: { host: string; port: number }, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write(bytes));
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
  });
}

/** Follows until the first event, then goes; settles when the server has noticed. */
async function followed(url: string): Promise<void> {
  const gone = new AbortController();
  const answer = await fetch(url, { headers, signal: gone.signal });
  await answer.body?.getReader().read();
  gone.abort();
  const metrics = url.replace(/\/v1.*/, '/metrics');
  for (let look = 0; look < 500; look++) {
    const text = await (await fetch(metrics, { headers })).text();
    if (/lockstep_followers_ended_total\{.*\} [1-9]/.test(text)) return;
  }
  throw new Error('the server has not noticed that its reader is gone');
}

interface Query {
  readonly where: string;
  readonly expr: string;
}

function dashboardQueries(): readonly Query[] {
  const { panels, templating } = JSON.parse(readFileSync(new URL('grafana/lockstep.json', OPS), 'utf8')) as {
    panels: { title: string; targets: { expr: string; legendFormat: string }[] }[];
    templating: { list: { query: string | { query: string } }[] };
  };
  const queries = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: title, expr })));
  const variables = templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [query.query]));
  return [...queries, ...variables.map((expr) => ({ where: 'variable', expr }))];
}

function alertQueries(): readonly Query[] {
  const text = readFileSync(new URL('prometheus/alerts.yml', OPS), 'utf8');
  return [...text.matchAll(/- alert: (\w+)\n\s+expr: (.*)\n/g)].map(([, where = '', expr = '']) => ({ where, expr }));
}

/** `metric{label="x"}` with what `by (…)` around it names; enough of PromQL for queries that name one metric a selector. */
function namesIn(expr: string): readonly { readonly metric: string; readonly labels: readonly string[] }[] {
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(',').map((one) => one.trim()),
  );
  return [...expr.matchAll(/\b(lockstep_\w+)(?:\{([^}]*)\})?/g)].map(([, metric = '', matchers = '']) => ({
    metric,
    labels: [...[...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label), ...grouped],
  }));
}

describe('what operators look at', () => {
  it.each([
    ['dashboard', dashboardQueries, 25],
    ['alerts', alertQueries, 9],
  ] as const)('Metrics: every metric and label of the %s is there', (_, queries, leastQueries) => {
    expect(queries().length).toBeGreaterThanOrEqual(leastQueries);
    const wrong: string[] = [];
    for (const { where, expr } of queries()) {
      for (const { metric, labels } of namesIn(expr)) {
        const base = metric.replace(/_(?:bucket|sum|count)$/, '');
        const known = labelsOf.get(metric);
        if (!declared.has(metric) && !declared.has(base)) wrong.push(`${where}: no metric ${metric}`);
        else if (known === undefined) wrong.push(`${where}: ${metric} has no sample here`);
        else
          for (const label of labels)
            if (!FROM_PROMETHEUS.has(label) && !known.has(label))
              wrong.push(`${where}: ${metric} has no label ${label}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('Metrics: every query is PromQL, by the grammar of Prometheus itself', () => {
    const faultsOf = (expr: string): number => {
      let faults = 0;
      const plain = expr.replaceAll('$__rate_interval', '5m').replaceAll('$job', 'lockstep');
      parser.parse(plain).iterate({
        enter: ({ type }) => {
          if (type.isError) faults++;
        },
      });
      return faults;
    };
    expect(faultsOf('sum by (le (rate(x[5m]))')).toBeGreaterThan(0);
    const queries = [...dashboardQueries(), ...alertQueries()].filter(({ where }) => where !== 'variable');
    expect(queries.filter(({ expr }) => faultsOf(expr) > 0)).toEqual([]);
  });

  it('Metrics: every metric of our own is on the dashboard, or says here why not', () => {
    const shown = new Set(
      [...dashboardQueries(), ...alertQueries()].flatMap(({ expr }) =>
        namesIn(expr).map(({ metric }) => metric.replace(/_(?:bucket|sum|count)$/, '')),
      ),
    );
    const library = /^lockstep_(?:process|nodejs)_/;
    expect([...declared].filter((metric) => !shown.has(metric) && !library.test(metric))).toEqual([]);
  });

  it('Metrics: names follow the conventions of Prometheus', () => {
    for (const metric of declared) expect(metric, metric).toMatch(/^lockstep_[a-z0-9_]+$/);
  });
});
