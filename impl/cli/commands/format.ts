/** `lockstep format`: makes the data directory of one replica. What is formatted already is never touched. */
import type { Command } from 'commander';
import { clusterId } from '../cluster-id.ts';
import { exitsWith, Output } from '../command.ts';
import { formatDirectory } from '../data-directories.ts';
import { REPLICAS_MAX } from '../settings-schema.ts';
import { wholeNumber } from '../whole-number.ts';

interface FormatOptions {
  readonly cluster: bigint;
  readonly replica: number;
  readonly replicaCount: number;
}

export function configure(command: Command): void {
  command
    .argument('<dir>', 'folder to make; it may exist when it is empty')
    .requiredOption(
      '--cluster <id>',
      'number of the cluster, from 1 to 2^64-1, the same for all its replicas',
      clusterId,
    )
    .requiredOption('--replica <n>', 'number of this replica, from 0', wholeNumber(0, REPLICAS_MAX - 1))
    .requiredOption('--replica-count <n>', 'how many replicas the cluster has', wholeNumber(1, REPLICAS_MAX))
    .action(
      exitsWith((directory: string, options: FormatOptions, self: Command) => {
        const out = new Output(self);
        const { cluster, replica, replicaCount } = options;
        formatDirectory(directory, { cluster, replica, replicaCount });
        out.value({ directory, cluster, replica, replicaCount });
        out.line(`${directory} is formatted for replica ${replica} of ${replicaCount} of cluster ${cluster}`);
        return undefined;
      }),
    );
}
