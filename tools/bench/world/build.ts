import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { CACHE, FUNCTIONS } from '../../paths.ts';

/** Baselines that can be served like functions. */
export type Baseline = 'hello' | 'naive';

/**
 * Builds a baseline the way functions/build.mjs builds the functions, beside the same packages.
 * @returns the folder to serve it from
 */
export async function buildBaseline(name: Baseline): Promise<string> {
  const folder = join(CACHE, 'bench', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(import.meta.dirname, '..', 'baselines', `${name}.ts`)],
    outfile: join(folder, 'index.js'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    logLevel: 'warning',
    // Of the SDKs only what the baseline uses: an import that nobody needs would be loaded all the same.
    plugins: [{ name: 'sdks', setup: (steps) => { steps.onResolve({ filter: /^firebase-/ }, ({ path }) => ({ path, external: true, sideEffects: false })); } }],
  });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', main: 'index.js' }));
  const packages = join(folder, 'node_modules');
  if (!existsSync(packages)) symlinkSync(join(FUNCTIONS, 'node_modules'), packages, 'junction');
  return folder;
}
