/** Where kept media are: Cloud Storage, or a folder on the emulators. Paths are `sessions/{sessionId}/{type}/{file}`. */
export interface MediaStorage {
  /** Writes a file whole; one that is there is replaced. */
  put(path: string, bytes: Uint8Array, mimeType: string): Promise<void>;
  /** An address from which anybody who has it can read the file until `expiresAt` (ms since the epoch). Whether the file is there is not looked at. */
  signedUrl(path: string, expiresAt: number): Promise<string>;
  /** Removes every file below a folder such as `sessions/{sessionId}`, and none of another folder whose name begins alike; none is no error. */
  removeAll(folder: string): Promise<void>;
}

/** How long (s) a browser may show a file again without asking: as long as an address of it is valid, as a session that was deleted is meant to be gone. */
export const mediaCacheControl = 'private, max-age=600';
