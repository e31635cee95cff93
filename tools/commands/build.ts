import { spawnSync } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { FUNCTIONS, NODE } from '../paths.ts';

/** Bundles the functions into functions/lib, where the emulator loads them from. */
export function buildFunctions(): void {
  const result = spawnSync(NODE, ['build.mjs'], { cwd: FUNCTIONS, encoding: 'utf8' });
  // After the bundler's own message comes the stack trace of its process.
  const [message = ''] = result.stderr.split(/^(?=\/.+:\d+$)/m);
  if (result.status !== 0) throw new UserError(`The functions do not build:\n${message.trim()}`);
}

/** Builds again after every change of the functions' source; the emulator reloads what it finds. */
export function rebuildOnChange(report: (line: string) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const rebuild = () => {
    try {
      buildFunctions();
      report('Functions built again.');
    } catch (error) {
      report(error instanceof Error ? error.message : String(error));
    }
  };
  const watcher = watch(join(FUNCTIONS, 'src'), { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(rebuild, 200);
  });
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}
