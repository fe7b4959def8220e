/**
 * Goal: from sources, without any build, a server has its page, and the page names nothing that lies elsewhere.
 * Method: the bundle as a server makes it, read.
 */
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { prepareDxRoutes } from '../../../../impl/dx/dx-answers.ts';
import { loadPageAssets } from '../../../../impl/dx/page/page-assets.ts';
import { pagePlugin } from '../../../../impl/dx/page/plugin.ts';

/** Names of XML, and nothing that is fetched. */
const NAMESPACE = /^http:\/\/www\.w3\.org\//;

test('script, style and worker are there, and no address of another host in them', async () => {
  const assets = await loadPageAssets();
  for (const text of [assets.script, assets.style, assets.worker]) {
    expect(text.length).toBeGreaterThan(1_000);
    const addresses = text.match(/https?:\/\/[\w.-]+[^"'`\s)]*/g) ?? [];
    expect(addresses.filter((address) => !NAMESPACE.test(address))).toEqual([]);
    expect(text).not.toMatch(/\beval\(|new Function\(/);
  }
});

test('the document names exactly its files, each is there, and nothing inline runs', async () => {
  const app = fastify();
  prepareDxRoutes(app);
  const source = { identity: { httpAddresses: ['a:7100', 'b:7100'] } };
  await app.register(pagePlugin, { source: source as never });
  const home = await app.inject({ method: 'GET', url: '/' });
  expect(home.statusCode).toBe(200);
  const policy = String(home.headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("connect-src 'self' http://a:7100 https://a:7100 http://b:7100 https://b:7100");
  expect(policy).not.toContain('unsafe');
  expect(home.body).not.toMatch(/<style|<script(?![^>]* src=)| on\w+=| style=/);
  const files = [...home.body.matchAll(/"(\/page\/[^"]+)"/g)].map(([, path]) => String(path));
  expect(files).toHaveLength(3);
  for (const url of files) expect((await app.inject({ method: 'GET', url })).statusCode).toBe(200);
  expect((await app.inject({ method: 'GET', url: '/page/else.js' })).json()).toMatchObject({
    error: { code: 'NOT_FOUND' },
  });
  await app.close();
});
