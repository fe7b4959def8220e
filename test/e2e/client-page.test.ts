/**
 * Goal: every example of docs/client.md works as it stands there, and has the types of the package. Method: all of them as one
 * program that imports the built package by its name: checked by the compiler, and run against three real replicas; what each
 * prints is what the page says.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { REPOSITORY, TestCluster } from './cluster-harness.ts';

const page = readFileSync(join(REPOSITORY, 'docs', 'client.md'), 'utf8');
const blocks = [...page.matchAll(/^```(ts|output)\n([\s\S]*?)^```$/gm)].map(([, kind, text]) => ({
  kind,
  text: text ?? '',
}));
/** In the repository: there the package knows itself by its name. */
let folder: string;
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
  mkdirSync(join(REPOSITORY, 'build'), { recursive: true });
  folder = mkdtempSync(join(REPOSITORY, 'build', 'client-page-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await cluster.close();
});

it('docs/client.md: the examples print what the page says', () => {
  const code = blocks.filter(({ kind }) => kind === 'ts').map(({ text }) => text);
  const expected = blocks.filter(({ kind }) => kind === 'output').map(({ text }) => text);
  expect(code.length).toBeGreaterThan(5);
  expect(expected.length).toBe(code.length);
  let program = code.map((text, index) => `${text}console.log('--- ${index}');\n`).join('');
  expect(program).toContain("from 'lockstep-log/client'");
  for (const [index, address] of cluster.addresses.entries()) {
    const port = `port: ${7200 + index} `;
    expect(program).toContain(port);
    program = program.replace(port, `port: ${address.split(':')[1]} `);
  }
  const file = join(folder, 'page.mts');
  writeFileSync(file, program);
  const options = {
    strict: true,
    module: 'NodeNext',
    target: 'ES2023',
    lib: ['ES2023'],
    types: ['node'],
    noEmit: true,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['page.mts'] }));
  const tsc = join(REPOSITORY, 'node_modules', 'typescript', 'bin', 'tsc');
  const types = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8', timeout: 60_000 });
  expect(types.stdout).toBe('');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(status, stderr).toBe(0);
  const printed = stdout.split(/^--- \d+\n/m).slice(0, -1);
  expect(printed).toEqual(expected);
});
