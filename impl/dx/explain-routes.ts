/** Routes of the DX API that explain, one a topic: each takes the facts that its question needs and no others. */
import type { FastifyInstance } from 'fastify';
import { definitionOf } from '../../machines/definition.ts';
import type { VsrAction } from '../../machines/vsr-context.ts';
import type { DxSource, HistoryRecord } from '../server/dx-source.ts';
import { ref } from '../server/http-answers.ts';
import { appliedRule } from './applied-rules.ts';
import { machineOf, send } from './dx-answers.ts';
import { DxError } from './dx-error.ts';
import { CommitQuery, dxSchema, ExplanationAnswer, ReadQuery, RefusalQuery } from './dx-schemas.ts';
import { explain, type Question, type Topic } from './explain.ts';
import { explainKernelRefusal, KERNEL_NOTE, noKernelRefusal } from './explain-kernel-refusal.ts';
import { explainRecovery, RECOVERY_NOTES } from './explain-recovery.ts';
import type { PastRefusal } from './explain-refusal.ts';
import { type Answer, explained } from './explained-replica.ts';
import { connectionNotes, type Envelope, envelope, explainedReplica, REPLICA_MACHINE } from './observed.ts';

const config = { role: 'dx' } as const;
const data = ref(ExplanationAnswer);

interface RefusalFacts {
  readonly event?: string;
  readonly sequence?: number;
  readonly commit_id?: number;
  readonly command?: number;
}

export function explainRoutes(app: FastifyInstance, source: DxSource): void {
  const replica = () => explainedReplica(source, machineOf(source, REPLICA_MACHINE));
  const ofTopic = (topic: Topic, question: Question = {}, notes: readonly string[] = [], part?: unknown): Envelope =>
    envelope(source, explain(topic, replica(), question), [...connectionNotes(source), ...notes], part);
  const ofAnswer = (topic: string, answer: Answer, notes: readonly string[], part?: unknown): Envelope =>
    envelope(source, explained(topic, replica(), answer), [...connectionNotes(source), ...notes], part);

  app.get(
    '/v1/dx/explain/replica',
    { config, schema: dxSchema('explainReplica', 'Why this replica is in its state, and what it would take', data) },
    async (_request, reply) => send(reply, ofTopic('replica')),
  );

  app.get<{ Querystring: { commit_id?: number } }>(
    '/v1/dx/explain/commit',
    {
      config,
      schema: dxSchema('explainCommit', 'Why an op is committed here, or what is missing', data, {
        querystring: CommitQuery,
      }),
    },
    async ({ query }, reply) => send(reply, ofTopic('commit', { commitId: query.commit_id })),
  );

  app.get<{ Querystring: { min_commit_id?: number } }>(
    '/v1/dx/explain/read',
    {
      config,
      schema: dxSchema('explainRead', 'How a read would be answered here, or what it waits for', data, {
        querystring: ReadQuery,
      }),
    },
    async ({ query }, reply) => send(reply, ofTopic('read', { minCommitId: query.min_commit_id })),
  );

  app.get(
    '/v1/dx/explain/view-change',
    { config, schema: dxSchema('explainViewChange', 'Where a view change stands, and what it waits for', data) },
    async (_request, reply) => send(reply, ofTopic('view-change')),
  );

  app.get(
    '/v1/dx/explain/recovery',
    { config, schema: dxSchema('explainRecovery', 'What was on the disk, and how this replica came back', data) },
    async (_request, reply) => send(reply, ofAnswer('recovery', explainRecovery(replica(), source), RECOVERY_NOTES)),
  );

  app.get<{ Querystring: RefusalFacts }>(
    '/v1/dx/explain/refusal',
    {
      config,
      schema: dxSchema('explainRefusal', 'Why an event was refused, or would be; or a command, by the kernel', data, {
        querystring: RefusalQuery,
      }),
    },
    async ({ query }, reply) => {
      const { commit_id: commitId, command, event, sequence } = query;
      if (commitId === undefined && command === undefined) return send(reply, ofEvent(event, sequence));
      if (event !== undefined || sequence !== undefined) {
        const message =
          'no refusal is of the machine and of the kernel: give event and sequence, or commit_id and command';
        throw new DxError('NOT_FOUND', message, {});
      }
      const found = source
        .refusals()
        .findLast((one) => one.commitId === (commitId ?? one.commitId) && one.command === (command ?? one.command));
      const answer =
        found === undefined ? noKernelRefusal(replica(), commitId, command) : explainKernelRefusal(replica(), found);
      return send(reply, ofAnswer('refusal', answer, [KERNEL_NOTE], [commitId, found?.command, command]));
    },
  );

  function ofEvent(event: string | undefined, sequence: number | undefined): Envelope {
    const { events } = definitionOf(machineOf(source, REPLICA_MACHINE).machine);
    if (event !== undefined && !events.includes(event))
      throw new DxError('NOT_FOUND', `Vsr has no event ${event}: it has ${events.join(', ')}`, { event });
    const past = pastRefusal(source, event, sequence);
    const asked = `no refusal of ${event ?? 'ClientRequest'} is in the history: the event was put to the machine as it is now, as a question`;
    const notes = past === undefined ? [asked] : [];
    const kernel = source.refusals().at(-1);
    if (kernel !== undefined) {
      const { rule, commitId, command } = kernel;
      notes.push(`the kernel refused a command last by ${rule}: add commit_id=${commitId}&command=${command}`);
    }
    const question = { event: event as VsrAction | undefined, past };
    return ofTopic('refusal', question, notes, [past?.sequence, kernel?.commitId, kernel?.command]);
  }
}

/** The refusal of this number, or the latest one of this event, a client's request unless another is named. */
function pastRefusal(source: DxSource, event = 'ClientRequest', sequence?: number): PastRefusal | undefined {
  const found =
    sequence === undefined
      ? source.lastRefusal(REPLICA_MACHINE, event)
      : source
          .history(REPLICA_MACHINE, Number.MAX_SAFE_INTEGER)
          .find((record) => !record.taken && record.sequence === sequence);
  if (sequence !== undefined && found === undefined)
    throw new DxError('NOT_FOUND', `no refusal ${sequence} is in the history: lockstep machines Vsr --history 50`, {
      sequence,
    });
  return found && refusalOf(found);
}

function refusalOf(record: HistoryRecord): PastRefusal {
  const { sequence, event, peer, from } = record;
  const rules = record.guards().map((answer) => appliedRule(REPLICA_MACHINE, event, answer));
  return { sequence, event, from: peer, status: from, rules };
}
