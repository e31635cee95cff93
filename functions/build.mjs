// Bundles src/index.ts into lib/: our modules in one file, every lazily imported one in a chunk of its own. An instance
// starts with loading it, so it loads little (docs/benchmarks.md, P9).
import { build } from 'esbuild';
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Loads the SDKs of Firebase as CommonJS. Their ES modules name every export at once, and with that load what is kept for
 * its first use: both generations of Firestore's gRPC client, protobufjs, google-gax.
 *
 * @type {import('esbuild').Plugin}
 */
const lazySdks = {
  name: 'lazy SDKs',
  setup({ onResolve, onLoad }) {
    const namespace = 'commonjs';
    // A module of CommonJS that is imported when it is needed would come without its names.
    onResolve({ filter: /^firebase-(admin|functions)\// }, ({ path, namespace: from, kind }) => (from === namespace || kind === 'dynamic-import' ? { path, external: true } : { path, namespace }));
    onLoad({ filter: /./, namespace }, ({ path }) => ({ contents: `module.exports = require(${JSON.stringify(path)});` }));
  },
};

/**
 * Bundles the part of zod that is used: half of it are languages. What is used can be told only where zod is imported as a
 * namespace, so the name `z` of it becomes one.
 *
 * @type {import('esbuild').Plugin}
 */
const smallZod = {
  name: 'small zod',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^zod$/ }, () => ({ path: fileURLToPath(import.meta.resolve('zod')), sideEffects: false }));
    onLoad({ filter: /[\\/]functions[\\/]src[\\/].+\.ts$/ }, ({ path }) => ({ contents: readFileSync(path, 'utf8').replace("import { z } from 'zod'", "import * as z from 'zod'"), loader: 'ts' }));
  },
};

rmSync('lib', { recursive: true, force: true });
await build({
  entryPoints: ['src/index.ts'],
  outdir: 'lib',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  packages: 'external',
  plugins: [lazySdks, smallZod],
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  sourcemap: true,
  logLevel: 'warning',
});
