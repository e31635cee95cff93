import type { MediaStorage } from '../media/storage.ts';
import type { SessionConfig } from '../sessions/schema.ts';
import type { ImportedMedia, ImportedSession, ImportOutcome } from './schema.ts';
import { commitImport, judgeStored } from './store.ts';

/** What an import needs beside the session itself. */
export interface ImportDeps {
  config: SessionConfig;
  storage: MediaStorage;
  /** The bytes of a file of the session, asked for one file at a time. */
  load: (media: ImportedMedia) => Promise<Uint8Array>;
}

/**
 * Imports a session: first its media, then its turns, last the document that makes it visible. Doing so again repairs
 * what was cut short, and changes nothing of a session that is here already.
 * @throws AppError `aborted` (contention), and whatever `load` and the storage throw.
 */
export async function importSession(imported: ImportedSession, { config, storage, load }: ImportDeps): Promise<ImportOutcome> {
  const verdict = await judgeStored(imported);
  if (verdict !== 'create' && verdict !== 'replace') return verdict;
  const folder = `sessions/${imported.sessionId}/`;
  for (const media of imported.media) await storage.put(`${folder}${media.type}/${media.file}`, await load(media), media.mimeType);
  const outcome = await commitImport(imported, config);
  // Its owner was faster: nothing of a deleted session may be left.
  if (outcome === 'deleted') await storage.removeAll(folder);
  return outcome;
}
