import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { MediaStorage } from '../../functions/src/media/storage.ts';

/** Media in a folder of this machine. Prefixes are those of folders. */
export function folderStorage(folder: string): MediaStorage {
  return {
    async put(path, bytes) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), bytes);
    },
    signedUrl: (path) => Promise.resolve(pathToFileURL(join(folder, path)).href),
    removeAll: (prefix) => rm(join(folder, prefix), { recursive: true, force: true }),
  };
}
