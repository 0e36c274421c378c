// Makes the served snippet of its readable source: `npm run minify` writes it, a test compares.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { minify } from 'terser';

const SOURCE = new URL('../../src/web/assets/t.src.js', import.meta.url);
export const SERVED = new URL('../../src/web/assets/t.js', import.meta.url);

export async function minified() {
  const { code } = await minify(await readFile(SOURCE, 'utf8'), { ecma: 2018, compress: { passes: 3 }, mangle: true });
  return `${code}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(SERVED, await minified());
