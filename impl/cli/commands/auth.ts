/**
 * `lockstep auth`: makes an API key, which is shown once, and lists those of a file; makes a cluster secret, which is never
 * shown.
 */
import type { Command } from 'commander';
import { RealClock } from '../../ports/real-clock.ts';
import { RealRandom } from '../../ports/real-random.ts';
import { makeApiKey, parseApiKeys } from '../../server/api-keys.ts';
import { isRole, ROLES, type Role } from '../../server/roles.ts';
import { CliError } from '../cli-error.ts';
import { exitsWith, Output } from '../command.ts';
import { appendSecretLine, readSecretFile, writeNewSecretFile } from '../secret-files.ts';

const FILE = 'lockstep-keys.jsonl';
const SECRET_FILE = 'lockstep-cluster.secret';
/** Of a cluster secret, before they are written as text. */
const SECRET_BYTES = 32;
const NAME = /^[\x20-\x7e]{1,64}$/;

interface AddKeyOptions {
  readonly role: string;
  readonly name: string;
  readonly file: string;
}

export function configure(command: Command): void {
  command
    .command('add-key')
    .description('make an API key, print it once, and add its hash to the file of keys')
    .requiredOption('--role <list>', 'what it may do: read, write, admin or dx, commas between')
    .option('--name <text>', 'whose it is, for people', 'unnamed')
    .option('--file <file>', 'file of keys, as --auth-keys of the server names it', FILE)
    .action(
      exitsWith((options: AddKeyOptions) => {
        const out = new Output(command);
        const { name, file } = options;
        const roles = rolesOf(options.role, '--role');
        if (!NAME.test(name)) throw new CliError('CLI_USAGE', '--name takes 1 to 64 printable characters', { name });
        const { text, kept } = makeApiKey(name, roles, new RealRandom(), new RealClock().wallMs());
        appendSecretLine(file, JSON.stringify(kept));
        out.value({ key: text, id: kept.id, name, roles, file });
        out.line(text);
        out.note(`This key is shown once; ${file} has its hash only. Servers read the file at SIGHUP.`);
        return undefined;
      }),
    );
  command
    .command('make-secret')
    .description('make a cluster secret: what replicas prove to each other that they know')
    .option('--file <file>', 'file to write, as --auth-cluster-secret of the server names it', SECRET_FILE)
    .action(
      exitsWith(({ file }: { readonly file: string }) => {
        const out = new Output(command);
        const secret = Buffer.from(new RealRandom().bytes(SECRET_BYTES)).toString('base64url');
        writeNewSecretFile(file, `${secret}\n`);
        out.value({ file });
        out.line(file);
        out.note('Give every replica of the cluster the same file, and nobody else.');
        return undefined;
      }),
    );
  command
    .command('list-keys')
    .description('show whose keys a file holds')
    .option('--file <file>', 'file of keys', FILE)
    .action(
      exitsWith(({ file }: { readonly file: string }) => {
        const out = new Output(command);
        for (const { id, name, roles, createdMs } of parseApiKeys(readSecretFile(file, '--file'), file).values()) {
          out.value({ id, name, roles, createdMs });
          out.line(`${id}  ${roles.join(',')}  ${name}`);
        }
        return undefined;
      }),
    );
}

/** @param option names it in the error */
export function rolesOf(text: string, option: string): readonly Role[] {
  const roles = text.split(',').map((role) => role.trim());
  if (roles.every(isRole)) return roles;
  throw new CliError('CLI_USAGE', `${option} ${text} is no list of ${ROLES.join(', ')}`, { roles: text });
}
