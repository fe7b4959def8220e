/**
 * The page at `/` as a fastify plugin: an empty document, one script, one style, one worker. It holds no data of the log: what it shows it
 * asks of /v1/dx and /v1/streams, with the reader's own key. Nothing but these files may run in it (see POLICY), and only
 * the pages of this cluster's own replicas may ask this one. Mirrors no spec module.
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DxSource } from '../../server/dx-source.ts';
import { textResponses } from '../../server/http-answers.ts';
import { DxError } from '../dx-error.ts';
import type { PageAssets } from './bundle.ts';
import { loadPageAssets } from './page-assets.ts';

/** Names of files carry their hash, so a browser may keep them for ever. */
const KEPT = 'public, max-age=31536000, immutable';
const HASH_DIGITS = 12;
const FILE_NAME_CHARACTERS_MAX = 64;
const ICON =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E%3Cg fill=%22%230b5cad%22%3E%3Crect y=%221%22 width=%2216%22 height=%224%22 rx=%221%22/%3E%3Crect y=%226%22 width=%2216%22 height=%224%22 rx=%221%22/%3E%3Crect y=%2211%22 width=%2212%22 height=%224%22 rx=%221%22/%3E%3C/g%3E%3C/svg%3E';

interface BuiltPage {
  readonly html: string;
  /** By path. */
  readonly files: ReadonlyMap<string, { readonly type: string; readonly text: string; readonly packed: Buffer }>;
}

export async function pagePlugin(app: FastifyInstance, { source }: { readonly source: DxSource }): Promise<void> {
  let building: Promise<BuiltPage> | undefined;
  const built = (): Promise<BuiltPage> => {
    building ??= loadPageAssets().then(builtPage);
    return building;
  };

  // Open to all: there is nothing in it, and a reader without a key must be told to give one.
  const page = {
    operationId: 'page',
    summary: 'The page that shows this replica and its cluster',
    tags: ['dx'],
    response: textResponses(200, 'HTML: one document, one script, one style.', 'text/html'),
  };
  app.get('/', { config: { role: 'open' }, schema: page }, async (_request, reply) => {
    const { html } = await built();
    return reply.headers(headersOf(source)).type('text/html; charset=utf-8').send(html);
  });

  const pageFile = {
    operationId: 'pageFile',
    summary: 'Script and style of the page, by the hash in their names',
    tags: ['dx'],
    params: Type.Object({ file: Type.String({ minLength: 1, maxLength: FILE_NAME_CHARACTERS_MAX }) }),
    response: {
      ...textResponses(200, 'Script or style.', 'text/javascript', [404]),
      200: {
        description: 'Script or style; kept for ever.',
        content: { 'text/javascript': { schema: Type.String() }, 'text/css': { schema: Type.String() } },
      },
    },
  };
  app.get<{ Params: { file: string } }>(
    '/page/:file',
    { config: { role: 'open' }, schema: pageFile },
    async (request, reply) => {
      const file = (await built()).files.get(request.params.file);
      if (file === undefined) throw new DxError('NOT_FOUND', 'the page has no such file: load it anew', {});
      void reply.headers({ 'cache-control': KEPT, 'x-content-type-options': 'nosniff', vary: 'accept-encoding' });
      void reply.type(file.type);
      const packs = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
      return packs ? reply.header('content-encoding', 'gzip').send(file.packed) : reply.send(file.text);
    },
  );
}

/** For the routes of impl/dx: the pages of this cluster's replicas may read each of them, and no other page may. */
export function allowClusterPages(app: FastifyInstance, source: DxSource): void {
  app.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    const { origin } = request.headers;
    if (origin === undefined || !isOfCluster(origin, source)) return;
    void reply.headers({ 'access-control-allow-origin': origin, vary: 'origin' });
  });
  app.options('/v1/dx/*', { config: { role: 'open' }, schema: { hide: true } }, async (_request, reply) =>
    reply
      .headers({ 'access-control-allow-methods': 'GET', 'access-control-allow-headers': 'authorization' })
      .code(204)
      .send(),
  );
}

function isOfCluster(origin: string, { identity }: DxSource): boolean {
  const known = new Set(identity.httpAddresses.map(withLoopbackName));
  return /^https?:\/\//.test(origin) && known.has(withLoopbackName(origin.replace(/^https?:\/\//, '')));
}

function withLoopbackName(address: string): string {
  return address.replace(/^(?:127\.0\.0\.1|\[::1\])(?=:|$)/, 'localhost');
}

/** No inline script or style, nothing from elsewhere; questions go to this replica and the others of its cluster. */
function headersOf({ identity }: DxSource): Record<string, string> {
  const others = identity.httpAddresses.flatMap((address) => [`http://${address}`, `https://${address}`]);
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "worker-src 'self'",
    'img-src data:',
    `connect-src 'self' ${others.join(' ')}`.trim(),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache',
  };
}

function builtPage({ script, style, worker }: PageAssets): BuiltPage {
  const scriptName = `page-${digestOf(script)}.js`;
  const workerName = `chart-${digestOf(worker)}.js`;
  const styleName = `page-${digestOf(style)}.css`;
  const file = (type: string, text: string) => ({ type, text, packed: gzipSync(text, { level: 9 }) });
  return {
    html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Lockstep</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="/page/${styleName}">
<script type="module" src="/page/${scriptName}"></script>
</head>
<body>
<div id="page" data-worker="/page/${workerName}"></div>
<noscript>This page needs JavaScript. The same answers come as text: lockstep status, lockstep explain replica.</noscript>
</body>
</html>
`,
    files: new Map([
      [scriptName, file('text/javascript; charset=utf-8', script)],
      [workerName, file('text/javascript; charset=utf-8', worker)],
      [styleName, file('text/css; charset=utf-8', style)],
    ]),
  };
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
}
