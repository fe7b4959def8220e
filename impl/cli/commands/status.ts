/** `lockstep status`: role, view, op and commit of each replica that --url names. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import type { LockstepError } from '../../ports/lockstep-error.ts';
import { EXIT_DONE, EXIT_FAILED } from '../cli-error.ts';
import { addClientOptions, httpClientOf } from '../client-options.ts';
import { colors as pc } from '../colors.ts';
import { exitsWith, Output } from '../command.ts';
import { dxAnswerOf, inline, withoutDx } from '../dx-answer.ts';
import { fieldOf } from '../http-client.ts';

const COLUMNS = ['replica', 'role', 'status', 'view', 'log_view', 'op', 'commit'] as const;

export function configure(command: Command): void {
  addClientOptions(command)
    .addHelpText('after', '\nExit codes: 0 every replica answered, 1 at least one did not.')
    .action(
      exitsWith(async (_options: object, self: Command) => {
        const out = new Output(self);
        const client = httpClientOf(self);
        const table = new Table({ head: ['url', ...COLUMNS], style: { head: [], border: [], compact: true } });
        let silent = 0;
        /** A refusal says more than silence. */
        let said: LockstepError | undefined;
        const messages: string[] = [];
        const answers = await Promise.all(
          client.urls.map((url) => client.askOne(url, { method: 'GET', path: '/v1/dx/status', patient: false })),
        );
        for (const [index, answer] of answers.entries()) {
          const url = client.urls[index] as string;
          if ('error' in answer) {
            silent += 1;
            const error = withoutDx(answer.error);
            const { code, message } = error;
            if (code !== 'CLI_UNREACHABLE') said = error;
            if (silent === client.urls.length) throw said ?? client.unreachable(error);
            const shown = code === 'CLI_UNREACHABLE' ? 'unreachable' : code;
            table.push([url, '-', '-', pc.red(shown), ...COLUMNS.slice(3).map(() => '-')]);
            messages.push(message);
            out.value({ url, error: { code, message, evidence: error.evidence } });
            continue;
          }
          const { data } = dxAnswerOf(answer.value);
          table.push([url, ...COLUMNS.map((name) => inline(fieldOf(data, name)))]);
          out.value({ url, ...(answer.value as object) });
        }
        out.line(table.toString());
        for (const message of messages) out.line(message);
        return silent === 0 ? EXIT_DONE : EXIT_FAILED;
      }),
    );
}
