/**
 * Entry of the build: `node bundle-main.js APP_FOLDER FILE` writes the page as a module of two texts, which page-assets.ts
 * loads. Mirrors no spec module.
 */
import { build } from 'esbuild';
import { bundlePage } from './bundle.ts';

const [folder, file] = process.argv.slice(2);
if (folder === undefined || file === undefined) {
  process.stderr.write('usage: bundle-main.js APP_FOLDER FILE\n');
  process.exit(2);
}
const { script, style } = await bundlePage(folder);
const contents = `export const script = ${JSON.stringify(script)};\nexport const style = ${JSON.stringify(style)};\n`;
await build({ stdin: { contents }, outfile: file, format: 'esm', charset: 'utf8', logLevel: 'warning' });
