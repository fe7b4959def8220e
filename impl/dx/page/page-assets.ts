/**
 * Script and style of the page: what the build left beside this file, or, from sources, bundled now. Both modules are loaded
 * by name at run time, since a build has no esbuild and sources have no bundle. Mirrors no spec module.
 */
import { fileURLToPath } from 'node:url';
import type { PageAssets } from './bundle.ts';

const BUILT: string = './page-bundle.js';
const BUNDLER: string = './bundle.ts';

/** @throws when the page was not built and cannot be built here */
export async function loadPageAssets(): Promise<PageAssets> {
  try {
    return (await import(BUILT)) as PageAssets;
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND')) throw cause;
  }
  const { bundlePage } = (await import(BUNDLER)) as typeof import('./bundle.ts');
  return bundlePage(fileURLToPath(new URL('./app', import.meta.url)));
}
