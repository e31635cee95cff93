import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { PubSub } from '@google-cloud/pubsub';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { getDatabaseWithUrl, type Database } from 'firebase-admin/database';
import { Firestore, getFirestore, Query, Timestamp, type WriteBatch } from 'firebase-admin/firestore';
import type { AgentDoc, UserDoc } from '../src/agents/schema.ts';
import type { Meter } from '../src/live/meter.ts';
import { runSweep, type SweepReport } from '../src/ops/sweep.ts';
import { useDatabases } from '../src/runtime/firebase.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import { databaseHost } from './harness.ts';
import { agent, at, hold, lot } from './money.ts';
import { freshSession } from './sharing-world.ts';

const minutes = (count: number): number => count * 60_000;
const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${name}-${index}`);

/** Sessions that a sweep has to end, and some that it must not although they would be due. */
const [idle, expired, busy] = [numbered('idle', 20), numbered('expired', 20), numbered('busy', 3)];
const ending = [...idle, ...expired];

/** What a sweep has read: documents of Firestore, and sessions that the query for due meters was given. */
interface Reads {
  documents: number;
  meters: number;
}

/** What is left when a sweep is through. */
interface Swept extends Reads {
  report: SweepReport;
  /** Sessions that have ended, with their reason. */
  ended: Record<string, string>;
  /** Other sessions whose document or meter is not as it was. */
  changed: string[];
}

/** Counts what the SDKs are given while something happens: each document that a get or a query brings, and each child of `meters/`. */
async function countReads(database: Database, act: () => Promise<unknown>): Promise<Reads> {
  const reads: Reads = { documents: 0, meters: 0 };
  const undo: (() => void)[] = [];
  const watch = <Target extends object>(target: Target, method: keyof Target & string, seen: (answer: never) => void): void => {
    const original = target[method] as (...args: unknown[]) => Promise<unknown>;
    const patched = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      const answer = await original.apply(this, args);
      seen(answer as never);
      return answer;
    };
    Object.defineProperty(target, method, { value: patched, configurable: true, writable: true });
    undo.push(() => Object.defineProperty(target, method, { value: original, configurable: true, writable: true }));
  };
  watch(Query.prototype, 'get', ({ size }: { size: number }) => { reads.documents += size; });
  // The SDK gets single documents by it as well.
  watch(Firestore.prototype, 'getAll', ({ length }: unknown[]) => { reads.documents += length; });
  const queries = Object.getPrototypeOf(database.ref().orderByKey()) as { get: () => Promise<unknown> };
  watch(queries, 'get', (snapshot: { key: string | null; numChildren: () => number }) => { if (snapshot.key === 'meters') reads.meters += snapshot.numChildren(); });
  try {
    await act();
  } finally {
    undo.forEach((each) => each());
  }
  return reads;
}

/** Everything that ends with a session: it, its owner, and the agent that holds DOFs for it. */
function writeWhole(batch: WriteBatch, firestore: Firestore, sessionId: string, now: number): void {
  const [ownerId, startedAt] = [`of-${sessionId}`, now - minutes(240)];
  const whole = freshSession({ sessionId, startedAt: expired.includes(sessionId) ? startedAt : now - minutes(60) });
  const session: SessionDoc = { ...whole, ownerId, members: { [ownerId]: 'owner' }, memberIds: [ownerId] };
  const user: UserDoc = { email: null, displayName: null, createdAt: at(startedAt), activeSessions: { [sessionId]: 'a1' } };
  const held: AgentDoc = agent({ ownerId, lots: { g: lot(100) }, holds: { [sessionId]: hold({ g: 100 }, { sessionId, expiresAt: session.expiresAt }) }, dueAt: session.expiresAt });
  batch.set(firestore.doc(`sessions/${sessionId}`), session);
  batch.set(firestore.doc(`users/${ownerId}`), user);
  batch.set(firestore.doc(`users/${ownerId}/agents/a1`), held);
}

function meterOf(sessionId: string, now: number): Meter {
  const meter: Meter = { open: true, generation: 1, limit: 100, consumed: 7, checkpointed: 0, expiresAt: now + minutes(180), dueAt: now + minutes(5) };
  if (idle.includes(sessionId)) return { ...meter, dueAt: now - 1 };
  if (expired.includes(sessionId)) return { ...meter, expiresAt: now - 1 };
  return busy.includes(sessionId) ? { ...meter, dueAt: now - 1, turn: { requestId: 'r1', fence: 'f1', held: 20, inputPrice: 1, expiresAt: now + minutes(1) } } : meter;
}

/** So many open sessions: whole ones that end, and for the others what queries could find of them. */
async function seed(firestore: Firestore, database: Database, sessionIds: string[], now: number): Promise<void> {
  for (let from = 0; from < sessionIds.length; from += 400) {
    const batch = firestore.batch();
    for (const sessionId of sessionIds.slice(from, from + 400)) {
      if (ending.includes(sessionId)) writeWhole(batch, firestore, sessionId, now);
      else batch.set(firestore.doc(`sessions/${sessionId}`), { sessionId, status: 'active', settlement: 'open', expiresAt: Timestamp.fromMillis(now + minutes(180)), endedAt: null, cleanupAt: null });
    }
    await batch.commit();
  }
  await database.ref('meters').set(Object.fromEntries(sessionIds.map((sessionId) => [sessionId, meterOf(sessionId, now)])));
}

/** Sweeps over so many open sessions, in a project of its own: no trigger hears of it, and no other test is in it. */
async function sweepOver(total: number): Promise<Swept> {
  const projectId = `demo-prune-${total}`;
  const app = initializeApp({ projectId }, projectId);
  const firestore = getFirestore(app);
  firestore.settings({ ignoreUndefinedProperties: true });
  // Every project of the emulator begins with the seed.
  assert.ok((await fetch(`http://${process.env['FIRESTORE_EMULATOR_HOST']}/emulator/v1/projects/${projectId}/databases/(default)/documents`, { method: 'DELETE' })).ok);
  const host = databaseHost.join(':');
  const rules = readFileSync(new URL('../../database.rules.json', import.meta.url), 'utf8');
  assert.ok((await fetch(`http://${host}/.settings/rules.json?ns=${projectId}`, { method: 'PUT', headers: { authorization: 'Bearer owner' }, body: rules })).ok);
  const database = getDatabaseWithUrl(`http://${host}?ns=${projectId}`, app);
  const sessionIds = [...ending, ...busy, ...numbered('open', total - ending.length - busy.length)];
  const state = async (): Promise<Record<string, string>> => {
    const [meters, documents] = await Promise.all([database.ref('meters').get(), firestore.collection('sessions').select('status', 'closeReason').get()]);
    const all = meters.val() as Record<string, Meter>;
    return Object.fromEntries(documents.docs.map((doc) => [doc.id, JSON.stringify([doc.updateTime.toMillis(), all[doc.id], doc.get('status'), doc.get('closeReason')])]));
  };
  useDatabases({ firestore, live: database, pubsub: undefined as unknown as PubSub });
  try {
    await seed(firestore, database, sessionIds, Date.now());
    const before = await state();
    assert.equal(Object.keys(before).length, total);
    let report: SweepReport | undefined;
    const reads = await countReads(database, async () => { report = await runSweep(Date.now); });
    const after = await state();
    const ended = sessionIds.map((sessionId) => ({ sessionId, parts: JSON.parse(after[sessionId]!) as unknown[] })).filter(({ parts }) => parts[2] === 'ended');
    return {
      ...reads, report: report!,
      ended: Object.fromEntries(ended.map(({ sessionId, parts }) => [sessionId, String(parts[3])])),
      changed: sessionIds.filter((sessionId) => !ending.includes(sessionId) && before[sessionId] !== after[sessionId]),
    };
  } finally {
    useDatabases(null);
    await deleteApp(app);
  }
}

describe('the sweep over many open sessions', function () {
  this.timeout(180_000);

  /** Each of them is read when it is ended and when it is settled, with its owner and its agent; an expired one also when it is found. */
  const documents = idle.length * 4 + expired.length * 5;
  const wanted: Swept = {
    documents,
    // Those that are idle, and those whose turn in flight keeps them.
    meters: idle.length + busy.length,
    report: { ended: ending.length, paused: 0, settled: 0, lapsed: 0, republished: 0, cleanedUp: 0, failed: 0, outboxAgeMs: 0 },
    ended: Object.fromEntries(ending.map((sessionId) => [sessionId, sessionId.split('-')[0]!])),
    changed: [],
  };

  for (const total of [ending.length + busy.length, 10_000]) {
    it(`of ${total} reads what it ends, ${documents / ending.length} documents for each, and keeps turns in flight`, async () => {
      assert.deepEqual(await sweepOver(total), wanted);
    });
  }
});
