import { FieldPath, Timestamp, type CollectionReference, type DocumentSnapshot } from 'firebase-admin/firestore';
import type { Media } from '../providers/types.ts';
import { deleteAllOf } from '../runtime/commit.ts';
import { db } from '../runtime/firebase.ts';
import { now } from '../runtime/system.ts';
import { isDeleted } from '../sessions/members.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { sessionRef } from '../sessions/store.ts';
import { loadStorage } from './load-storage.ts';
import { folderOf, nameOf, pathOf } from './media.ts';
import type { KeptMedia, MediaDoc } from './schema.ts';

/** sessions/{sessionId}/media */
const mediaRef = (sessionId: string) => sessionRef(sessionId).collection('media') as CollectionReference<MediaDoc>;

/** The turn that something is kept of. */
export interface KeptTurn {
  sessionId: string;
  turnId: string;
  /** The member whose turn it was. */
  by: string;
}

/**
 * Keeps a file of a turn: the bytes first, so that there is no document without its file, then the document. Who deletes
 * a session marks it and then removes what was kept; a file that comes after that removes itself. A repeat changes
 * nothing.
 * @returns how the file is named; null when its session is gone.
 */
export async function keepMedia({ sessionId, turnId, by }: KeptTurn, { mime, bytes }: Media): Promise<KeptMedia | null> {
  const storage = await loadStorage();
  const name = nameOf(turnId, mime);
  await storage.put(pathOf(sessionId, name), bytes, mime);
  await mediaRef(sessionId).doc(name.file).set({ ...name, mimeType: mime, bytes: bytes.length, turnId, by, createdAt: Timestamp.fromMillis(now()) });
  const session = (await sessionRef(sessionId).get()).data();
  if (session && !isDeleted(session)) return name;
  await removeMedia(sessionId);
  return null;
}

/** A session and what is known of one of its files, read at one moment; undefined where there is none. One round trip. */
export async function readMedia(sessionId: string, file: string): Promise<{ session: SessionDoc | undefined; media: MediaDoc | undefined }> {
  const [session, media] = await db().getAll(sessionRef(sessionId), mediaRef(sessionId).doc(file)) as [DocumentSnapshot<SessionDoc>, DocumentSnapshot<MediaDoc>];
  return { session: session.data(), media: media.data() };
}

/** One page of what is kept of a session, newest first, from what comes after `after` (ms and file). */
export async function listMedia(sessionId: string, limit: number, after: { createdAt: number; file: string } | null): Promise<MediaDoc[]> {
  const newestFirst = mediaRef(sessionId).orderBy('createdAt', 'desc').orderBy(FieldPath.documentId(), 'desc').limit(limit);
  const page = after ? newestFirst.startAfter(Timestamp.fromMillis(after.createdAt), after.file) : newestFirst;
  return (await page.get()).docs.map((doc) => doc.data());
}

const documentsPerRead = 100;

/** What is known of the files that are kept of a session, oldest first, some at a time. */
export async function* allMedia(sessionId: string): AsyncGenerator<MediaDoc[]> {
  const oldestFirst = mediaRef(sessionId).orderBy('createdAt').limit(documentsPerRead);
  for (let next = oldestFirst; ;) {
    const { docs } = await next.get();
    if (docs.length > 0) yield docs.map((doc) => doc.data());
    if (docs.length < documentsPerRead) return;
    next = oldestFirst.startAfter(docs.at(-1)!);
  }
}

/**
 * Removes everything that is kept of a session, the files first: what a call that was cut short leaves are documents that
 * say what may still be there. Repeating it finishes that, and else changes nothing. Mark the session as deleted before,
 * so that what a turn in flight keeps goes too. A session whose product keeps nothing needs no storage.
 */
export async function removeMedia(sessionId: string): Promise<void> {
  const [session, known] = await Promise.all([sessionRef(sessionId).get(), mediaRef(sessionId).limit(1).get()]);
  const config = session.data()?.config;
  if (config && (config.keptMedia ?? []).length === 0 && known.empty) return;
  await (await loadStorage()).removeAll(folderOf(sessionId));
  await deleteAllOf(mediaRef(sessionId));
}
