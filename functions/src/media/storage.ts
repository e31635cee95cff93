/** Where kept media are: Cloud Storage, or a folder on the emulators. Paths are `sessions/{sessionId}/{type}/{file}`. */
export interface MediaStorage {
  /** Writes a file whole; one that is there is replaced. */
  put(path: string, bytes: Uint8Array, mimeType: string): Promise<void>;
  /** An address from which anybody who has it can read the file until `expiresAt` (ms since the epoch). */
  signedUrl(path: string, expiresAt: number): Promise<string>;
  /** Removes every file whose path begins with `prefix`; none is no error. */
  removeAll(prefix: string): Promise<void>;
}
