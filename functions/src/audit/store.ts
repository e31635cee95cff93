import { FieldPath, Timestamp, type DocumentReference, type DocumentSnapshot, type QuerySnapshot } from 'firebase-admin/firestore';
import type { AgentDoc, UserDoc } from '../agents/schema.ts';
import { agentRef, agentsRef, userRef } from '../agents/store.ts';
import { grantsRef, holdsRef, ledgerRef, writeResolvedHold } from '../credits/store.ts';
import { agentSubject, newEvent } from '../events/events.ts';
import { outboxRef, toOutbox } from '../events/store.ts';
import { commitIfUnchanged, unchanged } from '../runtime/commit.ts';
import { AppError, describeError } from '../runtime/errors.ts';
import { db } from '../runtime/firebase.ts';
import { lines } from '../runtime/lines.ts';
import { log, userTag, type Subject } from '../runtime/log.ts';
import { now } from '../runtime/system.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { sessionRef } from '../sessions/store.ts';
import { auditAgent } from './audit.ts';
import type { AgentFacts, Drift } from './facts.ts';
import { describeRepair, planRepair, type Repair } from './repair.ts';

type Ref = DocumentReference<AgentDoc>;

/** What the audit of one agent came to. */
export interface AgentAudit {
  ref: Ref;
  drifts: Drift[];
  entries: number;
  sessions: number;
  /** Something looked wrong, but its documents changed each time they were read: nothing can be said of it now. */
  unsteady: boolean;
}

/** Up to `limit` agents after a cursor, by path, and the cursor of the next ones; null when there are none. */
export async function agentsAfter(cursor: string | null, limit: number): Promise<{ refs: Ref[]; cursor: string | null }> {
  const all = db().collectionGroup('agents').orderBy(FieldPath.documentId()).limit(limit);
  const { docs } = await (cursor === null ? all : all.startAfter(db().doc(cursor))).get();
  return { refs: docs.map(({ ref }) => ref as Ref), cursor: docs.length < limit ? null : docs.at(-1)!.ref.path };
}

/** The agents of a user, or one of them, whether it exists or not. */
export async function agentsOf(userId: string, agentInstanceId: string | null): Promise<Ref[]> {
  if (agentInstanceId !== null) return [agentRef(userId, agentInstanceId)];
  return (await agentsRef(userId).get()).docs.map(({ ref }) => ref);
}

/**
 * Agents whose document is gone although they have been granted something, among up to `limit` grants after a cursor:
 * the agents themselves cannot be listed any more. Reads only.
 */
export async function missingAgents(cursor: string | null, limit: number): Promise<{ drifts: Drift[]; cursor: string | null }> {
  const all = db().collectionGroup('grants').orderBy(FieldPath.documentId()).limit(limit);
  const { docs } = await (cursor === null ? all : all.startAfter(db().doc(cursor))).get();
  const agents = [...new Map(docs.map(({ ref }) => [ref.parent.parent!.path, ref.parent.parent!])).values()];
  const found = agents.length === 0 ? [] : await db().getAll(...agents);
  const drifts = found.filter(({ exists }) => !exists).map(({ ref }): Drift => ({ kind: 'agent.missing', documents: [ref.path], expected: 'a document', found: null, repairable: false }));
  return { drifts, cursor: docs.length < limit ? null : docs.at(-1)!.ref.path };
}

/** Audits up to `limit` agents after a cursor. Reads only. */
export async function auditPage(cursor: string | null, limit: number): Promise<{ audits: AgentAudit[]; cursor: string | null }> {
  const page = await agentsAfter(cursor, limit);
  return { audits: await auditSome(page.refs), cursor: page.cursor };
}

/** Audits these agents; one that does not exist is left out. Reads only. */
export async function auditSome(refs: Ref[]): Promise<AgentAudit[]> {
  return (await Promise.all(refs.map(auditOne))).filter((audit) => audit !== null);
}

/**
 * The documents of an agent are read one after the other, while others change them. What looks wrong is reported only
 * when two readings in a row found every document in the same version: then all of them were so at one moment.
 */
async function auditOne(ref: Ref): Promise<AgentAudit | null> {
  let reading = await read(ref);
  for (let readings = 1; reading; readings++) {
    const { facts, sessions } = reading;
    const drifts = auditAgent(facts);
    const audit = { ref, drifts, entries: Object.keys(facts.ledger).length, sessions: sessions.length, unsteady: false };
    if (drifts.length === 0) return audit;
    if (readings > maxReadings) return { ...audit, drifts: [], unsteady: true };
    const again = await read(ref);
    if (again?.versions === reading.versions) return audit;
    reading = again;
  }
  return null;
}
const maxReadings = 6;

/** One agent and everything about its money, as it was read. */
interface Reading {
  facts: AgentFacts;
  /** Version of every document. */
  versions: string;
  agent: DocumentSnapshot<AgentDoc>;
  user: DocumentSnapshot<UserDoc>;
  sessions: DocumentSnapshot<SessionDoc>[];
}

/** Null when there is no such agent. One round trip for the agent, one for its parts, one for sessions that only others name. */
async function read(ref: Ref): Promise<Reading | null> {
  const agent = await ref.get();
  const data = agent.data();
  const userId = ref.parent.parent?.id;
  if (!data || userId === undefined) return null;
  const ofAgent = db().collection('sessions').where('agentInstanceId', '==', ref.id).get() as Promise<QuerySnapshot<SessionDoc>>;
  const [ledger, grants, holds, own, user] = await Promise.all([ledgerRef(ref).get(), grantsRef(ref).get(), holdsRef(ref).get(), ofAgent, userRef(userId).get()]);
  const others = new Set([
    ...Object.values(data.holds ?? {}).map((hold) => hold?.sessionId), ...ledger.docs.map((entry) => entry.data().sessionId), ...Object.keys(user.data()?.activeSessions ?? {}),
  ].filter((id): id is string => typeof id === 'string' && id !== '' && !id.includes('/')));
  for (const { id } of own.docs) others.delete(id);
  const named = others.size === 0 ? [] : await db().getAll(...[...others].map(sessionRef)) as DocumentSnapshot<SessionDoc>[];
  const sessions = [...own.docs, ...named.filter(({ exists }) => exists)];
  const all: DocumentSnapshot[] = [agent, user, ...ledger.docs, ...grants.docs, ...holds.docs, ...sessions];
  return {
    facts: {
      userId, agentInstanceId: ref.id, agent: data, ledger: byId(ledger.docs), grants: byId(grants.docs), resolvedHolds: byId(holds.docs),
      sessions: byId(sessions), user: user.data() ?? null, at: now(),
    },
    versions: all.map((snapshot) => `${snapshot.ref.path} ${snapshot.updateTime?.seconds}.${snapshot.updateTime?.nanoseconds}`).sort().join('\n'),
    agent, user, sessions,
  };
}

function byId<T>(snapshots: DocumentSnapshot<T>[]): Record<string, T> {
  return Object.fromEntries(snapshots.map((snapshot) => [snapshot.id, snapshot.data()!]));
}

/** A reading during which nothing changed. @throws AppError `aborted` (contention) when something always did. */
async function readSteady(ref: Ref): Promise<Reading | null> {
  let reading = await read(ref);
  for (let readings = 1; readings <= maxReadings; readings++) {
    const again = await read(ref);
    if (again?.versions === reading?.versions) return again;
    reading = again;
  }
  throw new AppError('aborted', 'Too many calls change this agent at once. Try again in a moment.', { reason: 'contention' });
}

/**
 * Puts the projections of one agent right, in one commit that applies only while everything it writes to is as it was
 * read; the event `agent.balance_repaired` goes out with it. Null when there was nothing to repair.
 * @throws AppError `aborted` (contention).
 */
export async function repairAgent(ref: Ref): Promise<Repair | null> {
  return commitIfUnchanged(async () => {
    const reading = await readSteady(ref);
    const repair = reading && planRepair(reading.facts);
    if (!reading || !repair) return { result: null };
    const { facts: { userId, agentInstanceId, agent: { version } }, agent, user, sessions } = reading;
    const data = { userId, agentInstanceId, ...describeRepair(reading.facts, repair) };
    const event = newEvent({ type: 'agent.balance_repaired', subject: agentSubject({ userId, agentInstanceId }), sequence: version + 1, data });
    return { result: repair, write(batch) {
      batch.update(agent.ref, { ...repair.agent, version: version + 1 }, unchanged(agent));
      for (const hold of repair.released) writeResolvedHold(batch, agent.ref, hold);
      for (const session of sessions) {
        const correction = repair.sessions[session.id];
        if (correction) batch.update(session.ref, correction, unchanged(session));
      }
      if (repair.activeSessions) batch.update(user.ref, { activeSessions: repair.activeSessions }, unchanged(user));
      batch.create(outboxRef(event.eventId), toOutbox(event));
    } };
  });
}

/** ops/audit: how far the audit of the sweep has come. */
interface AuditProgress {
  /** Path of the last agent; null: begin again. */
  cursor: string | null;
  /** Times that all agents have been audited. */
  rounds: number;
  at: Timestamp;
  /** When the round began: there is one a day, since it reads every ledger. */
  roundAt: Timestamp;
}
const sliceSize = 25;
const roundEveryMs = 24 * 60 * 60_000;

/**
 * Audits the next agents after those of the last call, all around once a day, and logs what is wrong with them. For the sweep:
 * calls follow on each other. An agent that cannot be read is logged and left to the next round; the others of its slice are not.
 */
export async function auditSlice(clock: () => number): Promise<{ audited: number; drifted: number }> {
  const progressRef = db().collection('ops').doc('audit') as DocumentReference<AuditProgress>;
  const { cursor = null, rounds = 0, roundAt } = (await progressRef.get()).data() ?? {};
  const at = clock();
  if (cursor === null && roundAt && at < roundAt.toMillis() + roundEveryMs) return { audited: 0, drifted: 0 };
  const page = await agentsAfter(cursor, sliceSize);
  await progressRef.set({ cursor: page.cursor, rounds: page.cursor === null ? rounds + 1 : rounds, at: Timestamp.fromMillis(at), roundAt: cursor === null || !roundAt ? Timestamp.fromMillis(at) : roundAt });
  const settled = await Promise.allSettled(page.refs.map(auditOne));
  settled.forEach((each, index) => {
    if (each.status === 'rejected') log.write({ severity: 'ERROR', message: 'audit failed', ...aboutAgent(page.refs[index]!), error: describeError(each.reason) });
  });
  const audits = settled.flatMap((each) => (each.status === 'fulfilled' && each.value ? [each.value] : []));
  // What is wrong with a user concerns all of its agents.
  const distinct = new Map(audits.flatMap(({ ref, drifts }) => drifts.map((drift) => [JSON.stringify(drift), { ref, drift }])));
  for (const { ref, drift } of distinct.values()) lines.ledgerDrift.write({ ...driftLine(drift), ...aboutAgent(ref) }, 'ERROR');
  return { audited: audits.length, drifted: audits.filter(({ drifts }) => drifts.length > 0).length };
}

function aboutAgent(ref: Ref): Subject {
  return { agentInstanceId: ref.id, user: userTag(ref.parent.parent?.id ?? '') };
}

/** A drift as it is logged: numbers and ids of the books, not whose they are. `npm run audit` tells everything. */
function driftLine({ kind, documents, expected, found, repairable }: Drift): Parameters<typeof lines.ledgerDrift.write>[0] {
  const numbers = typeof expected === 'number' && typeof found === 'number' ? { expected, found } : {};
  return { kind, documents: documents.map((path) => path.replace(/^users\/[^/]+\/?/, '') || 'user'), repairable, ...numbers };
}
