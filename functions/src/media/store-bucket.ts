import type { Bucket } from '../runtime/firebase.ts';
import { mediaCacheControl, type MediaStorage } from './storage.ts';

/** Files that are listed, and then removed at once. */
const filesPerPage = 100;

/** `IdempotencyStrategy.RetryAlways` of the SDK, which this package knows through firebase-admin only. */
const retryAlways = 0;

/**
 * Kept media in a bucket of Cloud Storage. What fails for want of a connection, by 408, 429 or 5xx is tried again by the
 * SDK, three times at most: without preconditions it would do so for reads only, and turn retries off for whatever else
 * this instance does meanwhile. Here a repeat is harmless, since a file of one name is always the same file.
 */
export function bucketStorage(bucket: Bucket): MediaStorage {
  bucket.storage.retryOptions.idempotencyStrategy = retryAlways;
  return {
    async put(path, bytes, mimeType) {
      // One request: a resumable upload would be two for files as small as these.
      await bucket.file(path).save(Buffer.from(bytes), { resumable: false, contentType: mimeType, metadata: { cacheControl: mediaCacheControl } });
    },
    async signedUrl(path, expiresAt) {
      const [url] = await bucket.file(path).getSignedUrl({ version: 'v4', action: 'read', expires: expiresAt });
      return url;
    },
    async removeAll(folder) {
      for (let pageToken: string | undefined; ;) {
        const [files, next] = await bucket.getFiles({ prefix: `${folder}/`, maxResults: filesPerPage, autoPaginate: false, ...(pageToken === undefined ? {} : { pageToken }) });
        // Somebody else may remove them too.
        await Promise.all(files.map((file) => file.delete({ ignoreNotFound: true })));
        pageToken = (next as { pageToken?: string } | null)?.pageToken;
        if (pageToken === undefined) return;
      }
    },
  };
}
