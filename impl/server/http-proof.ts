/**
 * `GET /v1/streams/:name/proof`: what a reader needs to verify an event without trusting this server (impl/crypto/log-proof.ts
 * does it): the event's place in its entry, and every entry from there up to a head, a page at a time. The hash of an entry
 * covers its body, so a link is the whole entry. Mirrors no spec module.
 */
import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { LogProof, ProofLink } from '../crypto/log-proof.ts';
import { assert } from '../ports/assert.ts';
import type { Prepare } from '../vsr/prepare.ts';
import type { Failure } from '../wire/answer.ts';
import { failure } from './failure.ts';
import { commitId, eventJson, hash, hex, ref, responses } from './http-answers.ts';
import type { HttpApiOptions } from './http-api-options.ts';
import { answering } from './http-routes.ts';
import { type ProofQuery, proofQuerySchema, StreamName, streamName, whole } from './http-schemas.ts';
import type { Outcome } from './requests.ts';
import type { StreamState } from './stream-state.ts';

/** Links of one answer; their bodies together stop at READ_BYTES_MAX, with at least one. */
const PROOF_LINKS_MAX = 1_000;

const closed = { additionalProperties: false } as const;
const Head = Type.Object({ commitId, hash }, closed);
const ProofLinkAnswer = Type.Object(
  {
    commitId,
    view: whole('The view whose primary made the entry.'),
    parent: hash,
    hash,
    timestamp: whole('Milliseconds since the epoch, by that primary.'),
    client: Type.String({ pattern: '^[0-9]{1,20}$', description: 'u64.' }),
    request: whole('u32.'),
    bodyBase64: Type.String({ contentEncoding: 'base64', description: 'The batch of commands, as it was hashed.' }),
  },
  {
    $id: 'ProofLink',
    ...closed,
    description:
      'hash = SHA-256 over parent (32 bytes), commitId u64, view u32, timestamp u64, client u64, request u32, body; little endian.',
  },
);

export const ProofAnswer = Type.Object(
  {
    event: Type.Object(
      {
        stream: streamName,
        offset: whole('Place in the stream.'),
        command: whole('Which command of the entry’s batch, from 0.'),
        index: whole('Which event of that command, from 0.'),
        data: Type.Optional(Type.String()),
        dataBase64: Type.Optional(Type.String({ contentEncoding: 'base64' })),
        type: Type.Optional(Type.String()),
        contentType: Type.Optional(Type.String()),
        timestamp: whole('Milliseconds since the epoch.'),
        commitId,
        hash,
      },
      closed,
    ),
    links: Type.Array(ref(ProofLinkAnswer), { description: 'By commit id, without a gap.' }),
    head: Type.Object(Head.properties, { ...closed, description: 'The last entry that is committed here.' }),
    next: Type.Optional(whole('Ask again with from=next: the links do not reach the head yet.')),
    notes: Type.Array(Type.String(), { description: 'What this proof does not show.' }),
  },
  { $id: 'Proof', ...closed },
);
export const NAMED_PROOF_ANSWERS = [ProofLinkAnswer, ProofAnswer];

const NOTES: readonly string[] = [
  'head is not signed: there is no component Checkpoint yet; compare it with the hash of that commit id from a source you trust, such as another replica',
  'the links show that the entry holds the command; that it was not refused when applied, and its offset, shows only a replay of the log',
];

export function proofRoute(server: FastifyInstance, options: HttpApiOptions): void {
  const { requests, limits, state, prepareAt } = options;
  const answer = answering(options);
  server.get<{ Params: StreamName; Querystring: ProofQuery }>(
    '/v1/streams/:name/proof',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'proveEvent',
        summary: 'What shows that an event stands in the log',
        description:
          'Entries from the event’s own up to the head, as many as fit: verify them, then go on with from=next. ' +
          'impl/crypto/log-proof.ts is the verifier, for Node and browsers.',
        tags: ['proofs'],
        params: StreamName,
        querystring: proofQuerySchema(PROOF_LINKS_MAX),
        response: responses(200, 'The event, and links that begin with its entry.', ref(ProofAnswer), [404]),
      },
    },
    (request, reply) => {
      const { offset, from, limit } = request.query;
      const stream = request.params.name;
      const read = { operation: 'read', stream, from: offset, limit: 1, linearizable: false } as const;
      return answer<unknown>(
        reply,
        'proof',
        200,
        (proof) => proof,
        (done) =>
          requests.read(read, 0, (outcome) => {
            if ('failure' in outcome) return done(outcome);
            const [event] = outcome.applied.events;
            const place = state.placeOf(stream, offset);
            if (event === undefined || place === undefined) return done({ failure: noOffset(stream, offset) });
            done(proofOf(event, place));
          }),
      );

      function proofOf(
        event: Parameters<typeof eventJson>[0],
        { command, index }: NonNullable<ReturnType<StreamState['placeOf']>>,
      ): Outcome<unknown> {
        const first = from ?? event.commitId;
        const headAt = state.commit;
        if (first < event.commitId || first > headAt) {
          const message = `no link of this proof has commit id ${first}: they go from ${event.commitId}, the entry of the event, to ${headAt}, the head`;
          const evidence = { field: 'from', from: first, minimum: event.commitId, maximum: headAt };
          return { failure: failure('NOT_FOUND', message, evidence) };
        }
        const links = linksFrom(first, headAt, limit);
        const last = links.at(-1)?.commitId ?? headAt;
        const head = prepareAt(headAt);
        assert(head !== undefined, 'a committed op is in the log');
        const proof: LogProof & Record<string, unknown> = {
          event: { stream, command, index, ...(eventJson(event) as { readonly commitId: number }) },
          links,
          head: { commitId: headAt, hash: hex(head.hash) },
          ...(last < headAt ? { next: last + 1 } : {}),
          notes: NOTES,
        };
        return { applied: proof };
      }
    },
  );

  function linksFrom(first: number, last: number, count: number): readonly ProofLink[] {
    const links: ProofLink[] = [];
    let bytes = 0;
    for (let op = first; op <= last && links.length < count; op++) {
      const prepare = prepareAt(op);
      assert(prepare !== undefined, 'a committed op is in the log');
      bytes += prepare.body.byteLength;
      if (links.length > 0 && bytes > limits.READ_BYTES_MAX) break;
      links.push(linkOf(prepare));
    }
    return links;
  }
}

function linkOf({ op, view, parent, hash: own, timestamp, client, request, body }: Prepare): ProofLink {
  return {
    commitId: op,
    view,
    parent: hex(parent),
    hash: hex(own),
    timestamp,
    client: client.toString(),
    request,
    bodyBase64: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64'),
  };
}

function noOffset(stream: string, offset: number): Failure {
  const message = `stream ${stream} has no event with offset ${offset} here: read it, nextOffset is its end`;
  return failure('OFFSET_NOT_FOUND', message, { stream, offset });
}
