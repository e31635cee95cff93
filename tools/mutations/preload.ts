// Loaded by `node --import` before mocha: shows Node one source file without its guard. The file on disk stays as it is.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FUNCTIONS } from '../paths.ts';
import { mutate, type Mutation } from './mutation.ts';

const mutation = JSON.parse(process.env['JIGA_MUTANT'] ?? 'null') as Pick<Mutation, 'file' | 'find' | 'replace'> | null;

if (mutation) {
  const target = pathToFileURL(join(FUNCTIONS, 'src', mutation.file)).href;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== target) return loaded;
      // For the reporter: a mutant that no test loads proves nothing.
      process.env['JIGA_MUTANT_LOADED'] = 'yes';
      return { ...loaded, source: mutate(readFileSync(new URL(url), 'utf8'), mutation) };
    },
  });
}
