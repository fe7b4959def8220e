/** `make fuzz-frames`: malformed bytes on every port of a real cluster; prints what was sent, how it ended, and what it did. */
import { Command } from 'commander';
import { TestCluster } from '../e2e/cluster-harness.ts';
import { campaign, type Latencies } from './frame-campaign.ts';

const { frames, seed, idle, slow } = new Command('fuzz-frames')
  .option('--frames <n>', 'malformed frames and requests, over all ports', Number, 1_000_000)
  .option('--seed <n>', 'of what is sent', Number, 1)
  .option('--idle <n>', 'connections that say nothing, on each port', Number, 3_000)
  .option('--slow <n>', 'connections that send one byte at a time, of each kind', Number, 500)
  .parse()
  .opts<{ frames: number; seed: number; idle: number; slow: number }>();

const cluster = await TestCluster.start();
try {
  console.log(`seed ${seed}; again: make fuzz-frames N=${frames} A='--seed ${seed}'`);
  const report = await campaign(cluster, { frames, seed, idle, slow, say: (line) => console.log(line) });
  const byKind: Record<string, number> = {};
  const byEnding: Record<string, number> = {};
  for (const attack of report.attacks) {
    for (const [kind, count] of Object.entries(attack.byKind)) add(byKind, `${attack.port}: ${kind}`, count);
    for (const [ending, count] of Object.entries(attack.byEnding)) add(byEnding, `${attack.port}: ${ending}`, count);
  }
  table(`\n${report.frames} malformed frames and requests, by kind`, byKind);
  table('how connections ended, how requests were answered', byEnding);
  table('what the replicas counted', report.refused);
  console.log('\nconnections that stay');
  for (const { what, opened, closedByServer, longestMs } of report.lingering) {
    console.log(`  ${what}: ${opened} opened, ${closedByServer} closed by the server, the last after ${longestMs} ms`);
  }
  console.log('\na client that behaves');
  latencies('alone', report.undisturbed);
  latencies('beside the attack', report.served);
  latencies('beside connections that stay, connecting anew each time', report.servedAmongLingering);
  console.log('\nstate, nobody else asking (op, commit, hash of the state)');
  for (const [replica, before] of report.quietBefore.entries()) {
    const after = report.quietAfter[replica];
    const same = JSON.stringify(before) === JSON.stringify(after) ? 'unmoved' : `MOVED to ${JSON.stringify(after)}`;
    console.log(`  replica ${replica}: ${before.op}, ${before.commit}, ${before.stateHash.slice(0, 16)}: ${same}`);
    if (same !== 'unmoved') process.exitCode = 1;
  }
  console.log(`resident MiB of the largest replica, from before to after: ${report.residentMiB.join(', ')}`);
  console.log(report.faults.length === 0 ? 'faults: none' : `FAULTS:\n${report.faults.slice(0, 20).join('\n')}`);
  if (report.faults.length > 0) process.exitCode = 1;
} finally {
  await cluster.close();
}

function add(counts: Record<string, number>, key: string, count: number): void {
  counts[key] = (counts[key] ?? 0) + count;
}

function table(title: string, counts: Readonly<Record<string, number>>): void {
  console.log(`\n${title}`);
  for (const [key, count] of Object.entries(counts).sort()) console.log(`  ${String(count).padStart(9)}  ${key}`);
}

function latencies(what: string, { operations, failures, p50Ms, p99Ms, maxMs }: Latencies): void {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  console.log(
    `  ${what}: ${operations} times, p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}, max ${ms(maxMs)}, ${failures.length} failed`,
  );
  for (const failure of failures.slice(0, 3)) console.log(`    ${failure}`);
}
