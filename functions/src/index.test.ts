import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import manifest from '../package.json' with { type: 'json' };
import { operations } from './operations.ts';

/** Loads the deployed surface in a fresh process, calls every callable with nonsense, and reports what it saw as its last line. */
const script = `
  import { createRequire, registerHooks } from 'node:module';
  import { pathToFileURL } from 'node:url';
  const modules = new Set();
  registerHooks({ load(url, context, next) { modules.add(url); return next(url, context); } });
  const index = await import('./src/index.ts');
  for (const path of Object.keys(createRequire(import.meta.url).cache)) modules.add(pathToFileURL(path).href);
  const loaded = [...modules];
  const callables = [];
  for (const [name, value] of Object.entries(index)) {
    if (!value.__endpoint.callableTrigger) continue;
    callables.push(name);
    console.log(JSON.stringify({ calling: name }));
    await value.run({ data: 'nonsense', rawRequest: { headers: {} } }).catch(() => undefined);
  }
  console.log(JSON.stringify({ loaded, callables }));
`;

/** The environment without anything that points to a project, an account or an emulator; its calls are few enough to be counted without a database. */
const bare = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', GCLOUD_PROJECT: 'demo-unit', RATE_LIMIT_PER_ADDRESS: '100000' };

interface Line {
  calling?: string;
  operation?: string;
  loaded?: string[];
  callables?: string[];
}

describe('the deployed surface', () => {
  let lines: Line[] = [];
  let packages: string[] = [];
  let sources: string[] = [];

  before(async function () {
    this.timeout(60_000);
    const args = ['--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: new URL('..', import.meta.url), env: bare, maxBuffer: 16_000_000 });
    lines = stdout.trim().split('\n').map((line) => JSON.parse(line) as Line);
    const loaded = lines.at(-1)?.loaded ?? [];
    packages = loaded.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []);
    sources = loaded.flatMap((url) => /\/functions\/src\/(.*)$/.exec(url.split('?')[0]!)?.[1] ?? []);
  });

  it('offers exactly the operations as callables', () => {
    assert.deepEqual(lines.at(-1)?.callables?.toSorted(), Object.keys(operations).toSorted());
  });

  it('offers each operation under its own name', () => {
    for (const name of Object.keys(operations)) assert.equal(lines[lines.findIndex((line) => line.calling === name) + 1]?.operation, name);
  });

  it('sees what is loaded, as a module or as CommonJS', () => {
    for (const name of ['firebase-functions', 'zod', 'firebase-admin', '@google-cloud/firestore']) assert.ok(packages.includes(name), name);
    for (const source of ['index.ts', 'api.ts', 'runtime/operation.ts', 'providers/registry.ts']) assert.ok(sources.includes(source), source);
  });

  it('loads nothing heavy before it is needed', () => {
    for (const name of ['sharp', '@google/generative-ai', '@google/genai', 'openai', '@google-cloud/text-to-speech', 'cockatiel', 'express', 'compression', '@google-cloud/pubsub'] as const) {
      assert.ok(name in manifest.dependencies, `${name} is no dependency any more`);
      assert.ok(!packages.includes(name), `${name} is loaded with index.ts`);
    }
  });

  it('loads no storage of media before something is kept or shown', () => {
    assert.deepEqual([packages.filter((name) => name === '@google-cloud/storage'), sources.filter((source) => /^media\/(store-|folder-)/.test(source))], [[], []]);
    assert.ok(sources.includes('media/load-storage.ts'));
  });

  it('loads neither the router nor a provider before its first request', () => {
    assert.deepEqual(sources.filter((source) => /^(runtime\/(rest|openapi)|providers\/(google\/|openai\/|offline\/|media\/(decode|scene|vision)))/.test(source)), []);
  });
});
