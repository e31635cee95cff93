// Bundles src/index.ts into lib/: our modules in one file, every lazily imported one in a chunk of its own.
import { build } from 'esbuild';
import { rmSync } from 'node:fs';

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
  sourcemap: true,
  logLevel: 'warning',
});
