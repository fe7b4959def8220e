/** The words of a `lockstep sim` that asks for the same again, to be printed and pasted. Mirrors no spec module. */
import type { RunSettings } from './messages.ts';

export function commandOf(settings: RunSettings, ...more: readonly string[]): string {
  const { name, replicaCount, workload, beyond, canary, without } = settings;
  const words = [
    ...(name === undefined ? [] : ['--scenario', name]),
    ...(replicaCount === undefined ? [] : ['--replicas', String(replicaCount)]),
    ...(workload === undefined ? [] : ['--workload', workload]),
    ...(beyond === true ? ['--beyond'] : []),
    ...(canary === undefined ? [] : ['--canary', canary]),
    ...(without === undefined || without.length === 0 ? [] : ['--without', without.join(',')]),
  ];
  return ['lockstep', 'sim', ...more, ...words].join(' ');
}
