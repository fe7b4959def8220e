/**
 * Goal: the OpenAPI document is valid 3.1, has every route of the server and no other, and every route says who may use it.
 * Method: a real replica serves it; @seriousme/openapi-schema-validator judges it; its paths are compared with fastify's own.
 */
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dxPlugin } from '../../../impl/dx/plugin.ts';
import { type OneReplica, startOneReplica } from './one-replica.ts';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

const ROLES = ['open', 'read', 'write', 'admin', 'dx'];
/** Bodies of entries are what a reader of streams may read. */
const SHOWS_DATA = '/v1/dx/log/bodies';
let replica: OneReplica;
let document: Document;
beforeAll(async () => {
  replica = await startOneReplica({}, dxPlugin);
  document = (await (await fetch(`${replica.url}/openapi.json`)).json()) as Document;
});
afterAll(() => replica.close());

/** `GET /v1/streams/{name}`. HEAD comes with each GET, and OPTIONS is what a browser asks by itself. */
function described(): readonly string[] {
  return Object.entries(document.paths)
    .flatMap(([path, operations]) => Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`))
    .sort();
}

function routed(): readonly string[] {
  return replica.server.routes
    .flatMap(({ url, method }) => (['HEAD', 'OPTIONS'].includes(method) ? [] : [`${method} ${url}`]))
    .map((route) => route.replaceAll(/:(\w+)/g, '{$1}'))
    .sort();
}

describe('/openapi.json', () => {
  it('is a valid document of OpenAPI 3.1', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document) as never);
    expect({ valid, errors: errors ?? [] }).toEqual({ valid: true, errors: [] });
    expect(validator.version).toBe('3.1');
    expect(document.openapi).toBe('3.1.0');
  });

  it('the validator refuses a document that is none', async () => {
    const broken = { ...document, paths: { '/x': { get: { responses: { 200: {} } } } } };
    expect((await new Validator().validate(broken as never)).valid).toBe(false);
  });

  it('every operation has its id, its words, its answers and its failures', () => {
    const ids = new Set<string>();
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        const name = `${method} ${path}`;
        expect(operation.summary, name).toMatch(/\w/);
        expect(operation.operationId, name).toMatch(/^[a-z]\w+$/);
        expect(ids.has(operation.operationId as string), name).toBe(false);
        ids.add(operation.operationId as string);
        expect(Object.keys(operation.responses), name).toEqual(expect.arrayContaining(['400', '500', '503']));
      }
    }
  });

  it('has every route of the server, and the reverse', () => {
    expect(described()).toEqual(routed());
    expect(described()).toContain('GET /v1/dx/explain/recovery');
    expect(described().length).toBeGreaterThan(25);
  });

  it('without impl/dx has none of its routes', async () => {
    const bare = await startOneReplica();
    const { paths } = (await (await fetch(`${bare.url}/openapi.json`)).json()) as Document;
    await bare.close();
    expect(Object.keys(paths)).toContain('/v1/streams');
    expect(Object.keys(paths).filter((path) => path.startsWith('/v1/dx') || path === '/')).toEqual([]);
  });

  it('every route says who may use it', () => {
    for (const { url, method, role } of replica.server.routes) {
      expect(ROLES, `${method} ${url}`).toContain(role);
      if (url.startsWith('/v1/dx/') && method !== 'OPTIONS' && url !== SHOWS_DATA) expect(role, url).toBe('dx');
    }
  });

  it('every reference leads somewhere', () => {
    const names = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(([, target]) => target);
    expect(names.length).toBeGreaterThan(50);
    for (const name of new Set(names)) {
      expect(name).toMatch(/^#\/components\/schemas\/\w+$/);
      expect(Object.keys(document.components.schemas)).toContain(name?.split('/').at(-1));
    }
  });
});
