import { folderOf, pathOf } from '../media/media.ts';
import type { MediaStorage } from '../media/storage.ts';
import type { SessionConfig } from '../sessions/schema.ts';
import type { ImportedMedia, ImportedSession, ImportOutcome } from './schema.ts';
import { commitImport, discardContents, judgeStored } from './store.ts';

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
  const { sessionId } = imported;
  for (const media of imported.media) await storage.put(pathOf(sessionId, media), await load(media), media.mimeType);
  const outcome = await commitImport(imported, config);
  // Its owner was faster: nothing of a deleted session may be left.
  if (outcome === 'deleted') await Promise.all([storage.removeAll(folderOf(sessionId)), discardContents(sessionId)]);
  return outcome;
}
