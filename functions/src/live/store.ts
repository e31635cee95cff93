import type { Database, Reference } from 'firebase-admin/database';
import { liveDatabase, liveDatabases } from '../runtime/firebase.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { now } from '../runtime/system.ts';
import { ownerBack } from '../presence/pause.ts';
import { onlineAmong, type LivePresence } from '../presence/presence.ts';
import { spendableLeft, withMembers, type Meter } from './meter.ts';
import type { SessionContext } from './schema.ts';
import { showPause } from './store-pause.ts';
import { transact, transactLive, whenLiveIsFree } from './transact.ts';

/** The live nodes of one session; all of them live in the same database. */
function liveRefs(sessionId: string): Record<'meter' | 'live' | 'context' | 'requests', Reference> {
  const database = liveDatabase(sessionId);
  return {
    meter: database.ref(`meters/${sessionId}`),
    live: database.ref(`live/${sessionId}`),
    context: database.ref(`contexts/${sessionId}`),
    requests: database.ref(`requests/${sessionId}`),
  };
}

/**
 * Opens the live state of a session: context, live node and meter, each only if it is not there yet, so that a
 * repeat after a crash completes what is missing and never resets a meter. With `resume` an open meter also learns the
 * session's generation, that its owner is there, and counts as used just now. Returns the meter as it is.
 */
export async function openLive(session: SessionDoc, { resume = false } = {}): Promise<Meter> {
  const { meter, context } = liveRefs(session.sessionId);
  const expiresAt = session.expiresAt.toMillis();
  const fresh: Meter = {
    open: true,
    generation: session.generation,
    limit: session.settledDOFs + session.heldDOFs,
    spendable: Math.min(session.startingDOFs, session.config.limits.maxDOFsPerSession),
    consumed: session.consumedDOFs,
    checkpointed: session.settledDOFs,
    expiresAt,
    dueAt: now() + session.config.limits.idleTimeoutMinutes * 60_000,
    ...playersOf(session),
  };
  await Promise.all([
    context.set({ ownerId: session.ownerId, agentInstanceId: session.agentInstanceId, settleEveryDOFs: session.settleEveryDOFs, config: JSON.stringify(session.config) } satisfies StoredContext),
    transactLive<object>(session.sessionId, (current) => current ?? {
      owner: session.ownerId,
      agentInstanceId: session.agentInstanceId,
      status: session.status,
      members: session.members,
      dofs: { starting: session.startingDOFs, consumed: session.consumedDOFs, remaining: spendableLeft(fresh, session.consumedDOFs) },
      turn: { state: 'idle' },
      lastActivityAt: session.startedAt.toMillis(),
      expiresAt,
      version: session.version,
    }),
  ]);
  let wasAway = false;
  const opened = await transact<Meter>(meter, (current) => {
    if (current === null) return fresh;
    if (!current.open || !resume) return undefined;
    wasAway ||= current.ownerAway !== undefined;
    const attended = ownerBack(current);
    return { ...attended, generation: Math.max(current.generation, fresh.generation), dueAt: Math.max(attended.dueAt ?? 0, fresh.dueAt ?? 0) };
  });
  if (wasAway) await showPause(session.sessionId, now);
  return opened!;
}

/** The members of a session beside its owner, as its meter needs them; and the version that they are from. */
function playersOf({ members, memberCaps, version }: SessionDoc): Pick<Meter, 'members' | 'membersVersion'> {
  const others = Object.entries(members).flatMap(([uid, role]) => (role === 'owner' ? [] : [[uid, { role, ...(Object.hasOwn(memberCaps, uid) ? { cap: memberCaps[uid]! } : {}) }] as const]));
  return { ...(others.length === 0 ? {} : { members: Object.fromEntries(others) }), membersVersion: version };
}

/** Whether somebody is a member beside the owner. One read. */
export async function isMember(sessionId: string, uid: string): Promise<boolean> {
  return (await liveRefs(sessionId).meter.child(`members/${uid}/role`).get()).exists();
}

/**
 * Brings `live/` in line with a committed session. Events may arrive late or twice: an older version changes nothing.
 */
export async function mirrorLive(session: SessionDoc): Promise<void> {
  const { status, closeReason, members, version, consumedDOFs, startingDOFs, generation } = session;
  const over = status === 'ended';
  await transactLive<LivePresence & { version?: number; dofs?: object | undefined }>(session.sessionId, (current) => {
    // Without a version it is not there, or all that this process knows of it is a write of its own that is on its way.
    if (current?.version === undefined) return current;
    if (current.version >= version) return undefined;
    const dofs = over ? { starting: startingDOFs, consumed: consumedDOFs, remaining: 0 } : current.dofs;
    return { ...current, status, closeReason, members, version, dofs, online: over ? {} : onlineAmong(current.online, members), ...(over ? { turn: { state: 'idle' }, pausedAt: null } : {}) };
  });
  await updateMeter(session.sessionId, (current) => {
    if (!current) return undefined;
    if (over) return ended(current);
    if (!current.open) return undefined;
    const next = withMembers({ ...current, generation: Math.max(current.generation, generation) }, playersOf(session).members ?? {}, version);
    return next.generation === current.generation && next.membersVersion === current.membersVersion ? undefined : next;
  });
}

/**
 * Changes the meter in a transaction. `change` gets the meter (null when there is none) and returns the new one, or
 * undefined to leave it; it runs again whenever somebody else was faster. Answers the meter afterwards.
 */
export async function updateMeter(sessionId: string, change: (meter: Meter | null) => Meter | undefined): Promise<Meter | null> {
  return transact<Meter>(liveRefs(sessionId).meter, change);
}

/** The meter of a session that has ended: nothing is due, and nobody takes turns. */
function ended({ dueAt: _dueAt, members: _members, membersVersion: _version, ...meter }: Meter): Meter {
  return { ...meter, open: false };
}

/** Calls `seen` with the meter now and after every change until the returned function is called. */
export function watchMeter(sessionId: string, seen: (meter: Meter | null) => void): () => void {
  const { meter } = liveRefs(sessionId);
  const listener = meter.on('value', (snapshot) => seen(snapshot.val() as Meter | null));
  return () => meter.off('value', listener);
}

/** Notes that everything up to this total has been checkpointed. */
export async function markCheckpointed(sessionId: string, total: number): Promise<void> {
  await updateMeter(sessionId, (meter) => (meter && meter.checkpointed < total ? { ...meter, checkpointed: total } : undefined));
}

/** Lets the meter spend up to `limit`. */
export async function raiseLimit(sessionId: string, limit: number): Promise<void> {
  await updateMeter(sessionId, (meter) => (meter && meter.limit < limit ? { ...meter, limit } : undefined));
}

/** Takes back what a turn that was given up has shown late: an ended session has no turn. */
export async function showEnded(sessionId: string): Promise<void> {
  await transactLive<{ status?: string; turn?: object }>(sessionId, (current) => (current?.status === 'ended' ? { ...current, turn: { state: 'idle' } } : current));
}

/** What the player is trying to achieve, as members see it; null when it was never set. */
export async function readObjective(sessionId: string): Promise<string | null> {
  return (await liveRefs(sessionId).live.child('objective/text').get()).val() as string | null;
}

/** Sets it, as long as the session is open. */
export async function setObjective(sessionId: string, objective: string): Promise<void> {
  await transactLive<{ status?: string; objective?: object }>(sessionId, (current) => {
    if (current === null) return null;
    return current.status === 'active' ? { ...current, objective: { text: objective, at: now() } } : undefined;
  });
}

/** contexts/{sessionId} as stored: the config as JSON, since the database drops nulls and empty lists. */
interface StoredContext {
  ownerId: string;
  agentInstanceId: string;
  settleEveryDOFs: number;
  config: string;
}
/** Contexts never change, so an instance reads each once; kept with its connection. */
const contextsOf = new WeakMap<Database, Map<string, SessionContext>>();
const maxContexts = 1_000;

/** What a turn needs to know of its session; null when the session has no live state. */
export async function readContext(sessionId: string): Promise<SessionContext | null> {
  const database = liveDatabase(sessionId);
  const contexts = contextsOf.get(database) ?? new Map<string, SessionContext>();
  contextsOf.set(database, contexts);
  const known = contexts.get(sessionId);
  if (known) return known;
  const stored = (await liveRefs(sessionId).context.get()).val() as StoredContext | null;
  if (!stored) return null;
  const context = { ...stored, config: JSON.parse(stored.config) as SessionContext['config'] };
  if (contexts.size >= maxContexts) contexts.delete(contexts.keys().next().value!);
  contexts.set(sessionId, context);
  return context;
}

/** Sessions that the sweep must look at: idle ones, and ends that were cut short. */
export async function dueSessions(now: number, limit: number): Promise<{ sessionId: string; meter: Meter }[]> {
  const due = await Promise.all(liveDatabases().map(async (database: Database) => {
    const snapshot = await database.ref('meters').orderByChild('dueAt').startAt(1).endAt(now).limitToFirst(limit).get();
    return Object.entries((snapshot.val() ?? {}) as Record<string, Meter>).map(([sessionId, meter]) => ({ sessionId, meter }));
  }));
  return due.flat();
}

/** Removes everything live of a session. */
export async function removeLive(sessionId: string): Promise<void> {
  const busy = whenLiveIsFree(sessionId);
  if (busy) await busy;
  const roots = ['live', 'meters', 'contexts', 'requests', 'streams', 'summaries', 'presence'];
  await liveDatabase(sessionId).ref().update(Object.fromEntries(roots.map((root) => [`${root}/${sessionId}`, null])));
}
