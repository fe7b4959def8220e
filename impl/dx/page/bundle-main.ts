/**
 * Entry of the build: `node bundle-main.js APP_FOLDER FILE` writes the page as a module of texts, which page-assets.ts
 * loads. Mirrors no spec module.
 */
import { build } from 'esbuild';
import { bundlePage } from './bundle.ts';

const [folder, file] = process.argv.slice(2);
if (folder === undefined || file === undefined) {
  process.stderr.write('usage: bundle-main.js APP_FOLDER FILE\n');
  process.exit(2);
}
const assets = Object.entries(await bundlePage(folder));
const contents = assets.map(([name, text]) => `export const ${name} = ${JSON.stringify(text)};\n`).join('');
await build({ stdin: { contents }, outfile: file, format: 'esm', charset: 'utf8', logLevel: 'warning' });
