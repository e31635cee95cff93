import { Timestamp, type CollectionReference, type DocumentReference, type DocumentSnapshot } from 'firebase-admin/firestore';
import { pageIdOf, pagesOf } from '../history/history.ts';
import type { TurnPageDoc } from '../history/schema.ts';
import type { MediaDoc } from '../media/schema.ts';
import { commitIfUnchanged, deleteAllOf, unchanged, type Plan } from '../runtime/commit.ts';
import { db } from '../runtime/firebase.ts';
import { now } from '../runtime/system.ts';
import type { SessionConfig, SessionDoc } from '../sessions/schema.ts';
import { parseServerConfig, serverConfigRef, sessionRef, writeEvent } from '../sessions/store.ts';
import { digestOf, importedConfig, inCommits, judgeImport, toSessionDoc } from './imports.ts';
import type { ImportDoc, ImportedSession, ImportOutcome, ImportVerdict } from './schema.ts';

/** sessions/{sessionId}/imports/legacy */
const importRef = (sessionId: string) => sessionRef(sessionId).collection('imports').doc('legacy') as DocumentReference<ImportDoc>;
const turnsRef = (sessionId: string) => sessionRef(sessionId).collection('turns') as CollectionReference<TurnPageDoc>;
const mediaRef = (sessionId: string) => sessionRef(sessionId).collection('media') as CollectionReference<MediaDoc>;

/** The config that imported sessions get. One read. @throws AppError `unavailable` (not_ready) as parseServerConfig does. */
export async function readImportedConfig(): Promise<SessionConfig> {
  return importedConfig(parseServerConfig(await serverConfigRef().get()));
}

/** What importing this session would come to now. Reads only. */
export async function judgeStored(imported: ImportedSession): Promise<ImportVerdict> {
  const [session, known] = await read(imported.sessionId);
  const verdict = judgeImport(session.data() ?? null, known.data() ?? null, digestOf(imported));
  // What members can read already is replaced as a whole or not at all.
  return verdict === 'replace' && inCommits(contentsOf(imported)).length > 1 ? 'differs' : verdict;
}

async function read(sessionId: string): Promise<[session: DocumentSnapshot<SessionDoc>, known: DocumentSnapshot<ImportDoc>]> {
  return await db().getAll(sessionRef(sessionId), importRef(sessionId)) as [DocumentSnapshot<SessionDoc>, DocumentSnapshot<ImportDoc>];
}

/** A document below the session. */
type Content = { ref: DocumentReference<TurnPageDoc>; data: TurnPageDoc } | { ref: DocumentReference<MediaDoc>; data: MediaDoc };

function contentsOf({ sessionId, turns, media }: ImportedSession): Content[] {
  let written = 0;
  const pages = pagesOf(turns).map((page) => {
    const ref = turnsRef(sessionId).doc(pageIdOf(written));
    written += page.length;
    return { ref, data: { turns: page, firstAt: page[0]!.at } };
  });
  return [
    ...pages,
    ...media.map((file) => ({ ref: mediaRef(sessionId).doc(file.file), data: { ...file, createdAt: Timestamp.fromMillis(file.createdAt) } })),
  ];
}

/** Documents below the session that are no part of these contents: of an import that was cut short, or of the one that is replaced. */
async function staleContents(sessionId: string, contents: Content[]): Promise<DocumentReference[]> {
  const wanted = new Set(contents.map(({ ref }) => ref.path));
  const [turns, media] = await Promise.all([turnsRef(sessionId).select().get(), mediaRef(sessionId).select().get()]);
  return [...turns.docs, ...media.docs].map(({ ref }) => ref).filter(({ path }) => !wanted.has(path));
}

/**
 * Stores an imported session with its event. Of a new one all but the last commit write below a session that is not
 * there yet, which nobody can see; the last one makes it visible, so whatever dies before can simply be done again. A
 * replacement is a single commit, which applies only while nobody has changed the session.
 * @throws AppError `aborted` (contention).
 */
export async function commitImport(imported: ImportedSession, config: SessionConfig): Promise<ImportOutcome> {
  const { sessionId } = imported;
  const digest = digestOf(imported);
  const groups = inCommits(contentsOf(imported));
  const last = groups.pop()!;
  for (const group of groups) await commitContents(group);
  let sent = false;
  return commitIfUnchanged(async (): Promise<Plan<ImportOutcome>> => {
    const [snapshot, known] = await read(sessionId);
    const before = snapshot.data() ?? null;
    const verdict = judgeImport(before, known.data() ?? null, digest);
    // The SDK sends a commit again whose answer was lost.
    if (verdict !== 'create' && verdict !== 'replace') return { result: sent && verdict === 'unchanged' ? 'imported' : verdict };
    const stale = await staleContents(sessionId, [...groups.flat(), ...last]);
    const session = toSessionDoc(imported, config, { startedAt: Timestamp.fromMillis(imported.startedAt), endedAt: Timestamp.fromMillis(imported.endedAt), version: (before?.version ?? 0) + 1 });
    sent = true;
    return { result: 'imported', write: (batch) => {
      for (const { ref, data } of last) batch.set(ref as DocumentReference, data);
      for (const ref of stale) batch.delete(ref);
      if (before) batch.update(snapshot.ref, { ...session }, unchanged(snapshot));
      else batch.create(snapshot.ref, session);
      batch.set(known.ref, { digest, version: session.version, importedAt: Timestamp.fromMillis(now()) });
      writeEvent(batch, session, 'session.imported', { turns: imported.turns.length, media: imported.media.length });
    } };
  });
}

async function commitContents(contents: Content[]): Promise<void> {
  const batch = db().batch();
  for (const { ref, data } of contents) batch.set(ref as DocumentReference, data);
  await batch.commit();
}

/** Removes what an import has written below a session that its owner has deleted meanwhile. */
export async function discardContents(sessionId: string): Promise<void> {
  await Promise.all([turnsRef(sessionId), mediaRef(sessionId)].map((contents) => deleteAllOf(contents)));
}
