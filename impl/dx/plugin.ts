/**
 * The DX API of server.md as a fastify plugin over DxSource: read-only, deterministic, removable. Nothing outside impl/dx
 * imports it; a server without this folder, or with --no-dx, writes the same log. Mirrors no spec module.
 */
import type { FastifyInstance } from 'fastify';
import type { DxSource } from '../server/dx-source.ts';
import { prepareDxRoutes } from './dx-answers.ts';
import { explainRoutes } from './explain-routes.ts';
import { machineRoutes } from './machine-routes.ts';
import { allowClusterPages, pagePlugin } from './page/plugin.ts';
import { sessionRoutes } from './session-routes.ts';
import { stateRoutes } from './state-routes.ts';

export async function dxPlugin(app: FastifyInstance, { source }: { readonly source: DxSource }): Promise<void> {
  prepareDxRoutes(app);
  allowClusterPages(app, source);
  await app.register(pagePlugin, { source });
  stateRoutes(app, source);
  machineRoutes(app, source);
  explainRoutes(app, source);
  sessionRoutes(app, source);
}
