/** `lockstep tls init`: certificates for development. Existing files are never overwritten. */
import type { Command } from 'commander';
import { RealClock } from '../../ports/real-clock.ts';
import { CliError } from '../cli-error.ts';
import { clusterId } from '../cluster-id.ts';
import { exitsWith, Output } from '../command.ts';
import { REPLICAS_MAX } from '../settings-schema.ts';
import { clientFiles, makeTlsFiles, replicaFiles } from '../tls-files.ts';
import { wholeNumber } from '../whole-number.ts';
import { rolesOf } from './auth.ts';

/** What replicas of a cluster on one machine are reached by. */
const LOCAL_HOSTS = 'localhost,127.0.0.1,::1';
const FOLDER = 'lockstep-tls';

interface InitOptions {
  readonly cluster: bigint;
  readonly replicaCount: number;
  readonly hosts: string;
  readonly clientName: string;
  readonly clientRole: string;
}

export function configure(command: Command): void {
  command
    .command('init')
    .description('make an authority, a certificate for each replica and one for a client')
    .argument('[dir]', 'folder to write them to', FOLDER)
    .requiredOption('--cluster <id>', 'number of the cluster that the certificates are for', clusterId)
    .option('--replica-count <n>', 'how many replicas', wholeNumber(1, REPLICAS_MAX), 3)
    .option('--hosts <list>', 'names and addresses by which replicas are reached, commas between', LOCAL_HOSTS)
    .option('--client-name <name>', 'who the client is, in logs', 'client')
    .option('--client-role <list>', 'what it may do: read, write, admin or dx, commas between', 'admin')
    .action(
      exitsWith(async (folder: string, options: InitOptions) => {
        const out = new Output(command);
        const { cluster, replicaCount: replicas, clientName } = options;
        if (!/^[A-Za-z0-9._-]{1,64}$/.test(clientName)) {
          const message = `--client-name ${clientName} is no name: use letters, digits and . _ -, 64 at most`;
          throw new CliError('CLI_USAGE', message, { name: clientName });
        }
        const clientRole = rolesOf(options.clientRole, '--client-role').join(',');
        const hosts = options.hosts.split(',').map((host) => host.trim());
        const identity = { cluster, replicas, hosts, clientName, clientRole };
        const files = await makeTlsFiles(folder, identity, new RealClock().wallMs());
        const { authority, certificate, key } = replicaFiles(folder, 0);
        out.value({ folder, files, cluster, replicas, hosts });
        for (const file of files) out.line(file);
        out.line('');
        out.line('Each replica gets its own pair, and the authority without its key:');
        out.line(`  lockstep server --tls-authority ${authority} --tls-certificate ${certificate} --tls-key ${key} …`);
        out.line(`A client trusts ${authority}, and may show ${clientFiles(folder).certificate}.`);
        out.line('These are for development: keep the key of an authority that matters on no server.');
        return undefined;
      }),
    );
}
