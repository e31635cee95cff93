import { constants } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { BrokenFile } from './broken.ts';

const maxDepth = 8;
const maxFiles = 20_000;

/**
 * Every file below a folder, by its path relative to it with `/`, in order.
 * @throws BrokenFile for symbolic links, which are never followed, for what is no regular file, for folders that cannot be
 *   read or are nested too deep, and for more files than a session ever had.
 */
export async function listFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  const folders = [''];
  for (let inside = folders.pop(); inside !== undefined; inside = folders.pop()) {
    for (const entry of await entriesIn(folder, inside)) {
      const path = inside === '' ? entry.name : `${inside}/${entry.name}`;
      if (entry.isSymbolicLink()) throw new BrokenFile(path, 'is a symbolic link');
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) files.push(path);
      else throw new BrokenFile(path, 'is no regular file');
      if (path.split('/').length > maxDepth) throw new BrokenFile(path, `is nested deeper than ${maxDepth} folders`);
      if (files.length > maxFiles) throw new BrokenFile(inside || '.', `has more than ${maxFiles} files`);
    }
  }
  return files.sort();
}

async function entriesIn(folder: string, inside: string) {
  try {
    return await readdir(join(folder, inside), { withFileTypes: true });
  } catch (error) {
    throw unreadable(inside || '.', error);
  }
}

/**
 * The bytes of a file of {@link listFiles}; null when it has more than `maxBytes`, of which no more are read.
 * @throws BrokenFile when it cannot be read, or has become something else than a regular file in its place since.
 */
export async function readBytes(folder: string, path: string, maxBytes: number): Promise<Buffer | null> {
  try {
    const base = await realpath(folder);
    const full = join(base, path);
    if (!full.startsWith(join(base, sep))) throw new BrokenFile(path, 'lies outside the folder');
    if (await realpath(full) !== full) throw new BrokenFile(path, 'is a symbolic link');
    // Without O_NONBLOCK a pipe that has taken the file's place would be waited for.
    const handle = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw new BrokenFile(path, 'is no regular file');
      if (stats.size > maxBytes) return null;
      const buffer = Buffer.alloc(stats.size + 1);
      let length = 0;
      for (let read = -1; read !== 0 && length < buffer.length; length += read) read = (await handle.read(buffer, length, buffer.length - length)).bytesRead;
      if (length > stats.size) throw new BrokenFile(path, 'is being written');
      return buffer.subarray(0, length);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw error instanceof BrokenFile ? error : unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): BrokenFile {
  return new BrokenFile(path, `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
}
