import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { sign } from './file-address.ts';
import type { MediaStorage } from './storage.ts';

/**
 * Kept media in a folder of this machine, for the emulators. Addresses are those of the function `api`, see
 * folder-route.ts; `apiBaseUrl` answers where it is.
 */
export function folderStorage(folder: string, apiBaseUrl: () => Promise<string>): MediaStorage {
  return {
    async put(path, bytes) {
      const file = placeIn(folder, path);
      // Written aside: who reads meanwhile gets one file or the other.
      const aside = `${file}.${randomUUID()}`;
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(aside, bytes, { mode: 0o600 });
      await rename(aside, file);
    },
    async signedUrl(path, expiresAt) {
      placeIn(folder, path);
      const query = new URLSearchParams({ ...sign(await keyOf(folder), path, expiresAt) });
      return `${await apiBaseUrl()}/media-files/${path}?${query.toString()}`;
    },
    async removeAll(path) {
      await rm(placeIn(folder, path), { recursive: true, force: true });
    },
  };
}

/** Where a path is in a folder. @throws Error for one that leads out of it, or to the folder itself. */
export function placeIn(folder: string, path: string): string {
  const place = resolve(folder, path);
  if (!place.startsWith(resolve(folder) + sep)) throw new Error('the path leads out of the media folder');
  return place;
}

/** What the addresses of a folder are signed with: made once, by whichever process is the first to need it. */
export async function keyOf(folder: string): Promise<Buffer> {
  const file = join(folder, 'key');
  return readFile(file).catch(unless('ENOENT')).then((key) => key ?? makeKey(folder, file));
}

async function makeKey(folder: string, file: string): Promise<Buffer> {
  const aside = `${file}.${randomUUID()}`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(aside, randomBytes(32), { flag: 'wx', mode: 0o600 });
  // Linked, not written: it appears whole, and only where there is none.
  await link(aside, file).catch(unless('EEXIST'));
  await rm(aside);
  return readFile(file);
}

/** Undefined for a failure with this code; any other is thrown again. */
function unless(code: string): (error: NodeJS.ErrnoException) => undefined {
  return (error) => {
    if (error.code !== code) throw error;
  };
}
