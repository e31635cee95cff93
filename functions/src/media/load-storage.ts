import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mediaBucket } from '../runtime/firebase.ts';
import { mediaBucketName, mediaFolderName, onEmulators } from '../runtime/params.ts';
import { parseServerConfig, serverConfigRef } from '../sessions/store.ts';
import type { MediaStorage } from './storage.ts';

let replaced: MediaStorage | null = null;

/** Makes this process keep media elsewhere; null goes back to the project's storage. For tests and simulations. */
export function useStorage(storage: MediaStorage | null): void {
  replaced = storage;
}

let loaded: Promise<MediaStorage> | undefined;

/** Where kept media are; loaded on first use, so that no function's start pays for it. @throws Error as mediaBucket does. */
export async function loadStorage(): Promise<MediaStorage> {
  return replaced ?? (loaded ??= load());
}

/** The folder of kept media; null where they are in Cloud Storage, as they are unless this is an emulator and no bucket is named: its Storage emulator needs rules that only a download can evaluate. */
export function mediaFolder(): string | null {
  if (!onEmulators() || mediaBucketName.value() !== '') return null;
  return mediaFolderName.value() || join(tmpdir(), `jiga-media-${process.env['GCLOUD_PROJECT']}`);
}

async function load(): Promise<MediaStorage> {
  const folder = mediaFolder();
  if (folder === null) {
    const { bucketStorage } = await import('./store-bucket.ts');
    return bucketStorage(await mediaBucket());
  }
  const { folderStorage } = await import('./store-folder.ts');
  return folderStorage(folder, async () => parseServerConfig(await serverConfigRef().get()).endpoints.apiBaseUrl);
}
