/**
 * The page as one script and one style, made by esbuild from app/. bin/lockstep has it made once, into dist/; from sources it is
 * made in memory when the server starts. Nothing is downloaded, then or later. Mirrors no spec module.
 */
import { build } from 'esbuild';

export interface PageAssets {
  readonly script: string;
  readonly style: string;
  /** What lays charts out. */
  readonly worker: string;
}

/** @param folder where main.tsx is */
export async function bundlePage(folder: string): Promise<PageAssets> {
  const { outputFiles } = await build({
    entryPoints: [`${folder}/main.tsx`, `${folder}/style.css`, `${folder}/chart-worker.ts`],
    outdir: 'page', // a name only: nothing is written
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'silent',
  });
  const textOf = (end: string): string => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? '';
  return { script: textOf('main.js'), style: textOf('.css'), worker: textOf('chart-worker.js') };
}
