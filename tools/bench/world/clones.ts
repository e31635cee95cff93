import { randomUUID } from 'node:crypto';
import { Timestamp, type DocumentData } from '../../../functions/test/sdk.ts';
import type { NewDocument } from '../../../functions/test/agent-documents.ts';
import type { OpenSession } from './calls.ts';
import type { Project } from './project.ts';

/** Nodes that an open session has in the Realtime Database. */
const liveRoots = ['live', 'meters', 'contexts'];
/** Sessions that are written to it in one update. */
const sessionsPerUpdate = 500;

/** An open session as it stands in both databases, as a startSession left it. */
export interface Template extends OpenSession {
  documents: NewDocument[];
  live: Record<string, unknown>;
}

/** Reads what a session that was really started consists of. */
export async function templateOf({ firestore, readLive }: Project, session: OpenSession): Promise<Template> {
  const { player: { uid, agentInstanceId }, sessionId } = session;
  const paths = [`users/${uid}`, `users/${uid}/agents/${agentInstanceId}`, `users/${uid}/agents/${agentInstanceId}/grants/lot-0`, `users/${uid}/agents/${agentInstanceId}/ledger/lot-0`, `sessions/${sessionId}`];
  const documents = await Promise.all(paths.map(async (path) => ({ path, data: (await firestore.doc(path).get()).data()! })));
  const live = Object.fromEntries(await Promise.all(liveRoots.map(async (root) => [root, await readLive(`${root}/${sessionId}`)] as const)));
  return { ...session, documents, live };
}

/** Writes copies of a session, each of another player. `expiresAt` (ms since the epoch) makes them sessions whose time is over then. */
export async function cloneSessions({ create, patchLive }: Project, template: Template, count: number, expiresAt?: number): Promise<void> {
  const { player: { uid }, sessionId, documents, live } = template;
  const ends = (documents.at(-1)!.data as { expiresAt: Timestamp }).expiresAt;
  const moved = expiresAt === undefined ? ends : Timestamp.fromMillis(expiresAt);
  for (let begin = 0; begin < count; begin += sessionsPerUpdate) {
    const names = Array.from({ length: Math.min(sessionsPerUpdate, count - begin) }, () => ({ uid: `clone-${randomUUID().slice(0, 13)}`, sessionId: randomUUID() }));
    const rename = (name: (typeof names)[number]) => (text: string): string => text.replaceAll(uid, name.uid).replaceAll(sessionId, name.sessionId);
    await create(names.flatMap((name) => documents.map(({ path, data }) => ({ path: rename(name)(path), data: copy(data, rename(name), (moment) => (moment.isEqual(ends) ? moved : moment)) as DocumentData }))));
    await patchLive(Object.fromEntries(names.flatMap((name) => Object.entries(live).map(([root, node]) => (
      [`${root}/${name.sessionId}`, JSON.parse(rename(name)(JSON.stringify(node)).replaceAll(String(ends.toMillis()), String(moved.toMillis())))])))));
  }
}

/** A value with its texts and field names renamed and its moments moved, at any depth. */
function copy(value: unknown, rename: (text: string) => string, move: (moment: Timestamp) => Timestamp): unknown {
  if (typeof value === 'string') return rename(value);
  if (value instanceof Timestamp) return move(value);
  if (Array.isArray(value)) return value.map((item) => copy(item, rename, move));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [rename(name), copy(field, rename, move)]));
}
