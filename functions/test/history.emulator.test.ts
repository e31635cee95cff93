import assert from 'node:assert/strict';
import { Timestamp, type DocumentReference } from 'firebase-admin/firestore';
import type { TurnView } from '../src/history/schema.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import { admin, apiUrl, closeClients, eventually, fireSchedule, givePlayer, read, readAll, refusal, type Player } from './harness.ts';

after(closeClients);

const briefly = ({ code, reason }: { code: string; reason: string | undefined }) => [code, reason];
const liveRoots = ['live', 'meters', 'contexts', 'requests', 'streams', 'summaries', 'presence'];

/** A session in which an owner and a guest talk by turns. */
interface Talk {
  sessionId: string;
  owner: Player;
  guest: Player;
}

const lines = Array.from({ length: 5 }, (_, index) => `Sentence number ${index}, which nobody else says.`);

async function talk(): Promise<Talk> {
  const [owner, guest] = await Promise.all([givePlayer({ dofs: 5_000, productId: 'gemini-veteran' }), givePlayer()]);
  const { sessionId, missedTurns } = await owner.call('startSession', { agentInstanceId: owner.agentInstanceId });
  assert.deepEqual(missedTurns, []);
  await guest.call('joinSession', { invite: (await owner.call('shareSession', { sessionId })).invite });
  await owner.call('shareSession', { sessionId, email: 'invited@jiga.example' });
  for (const [index, instruction] of lines.entries()) await (index % 2 === 0 ? owner : guest).call('processFrame', { sessionId, requestId: `r${index}`, instruction });
  return { sessionId, owner, guest };
}

/** All turns of a session, newest first, in pages of this size. */
async function listed(as: Player, sessionId: string, limit: number): Promise<TurnView[]> {
  const turns: TurnView[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await as.call('listTurns', { sessionId, limit, cursor });
    turns.push(...page.turns);
    if (page.nextCursor === null) return turns;
    cursor = page.nextCursor;
  }
}

async function end({ owner, sessionId }: Talk): Promise<void> {
  await owner.call('endSession', { sessionId });
  await eventually(async () => (await read<SessionDoc>(`sessions/${sessionId}`))?.settlement === 'done', 'the settlement');
}

/** Lets the sweep do what is due an hour after the end: moves the end back by as much. */
async function sweepAnHourLater(sessionId: string): Promise<void> {
  await admin().firestore.doc(`sessions/${sessionId}`).update({ endedAt: Timestamp.fromMillis(Date.now() - 3_600_000), cleanupAt: Timestamp.fromMillis(Date.now() - 1) });
  await eventually(async () => {
    await fireSchedule('sweep');
    return (await read<SessionDoc>(`sessions/${sessionId}`))?.cleanupAt === null;
  }, 'the sweep is done with the session');
}

/** Roots of the live state that still know a session. */
async function liveOf(sessionId: string): Promise<string[]> {
  const found = await Promise.all(liveRoots.map((root) => admin().database.ref(`${root}/${sessionId}`).get()));
  return liveRoots.filter((_, index) => found[index]!.exists());
}

/** Paths of every document below one. */
async function below(ref: DocumentReference): Promise<string[]> {
  const collections = await ref.listCollections();
  const documents = (await Promise.all(collections.map((collection) => collection.listDocuments()))).flat();
  return [...documents.map(({ path }) => path), ...(await Promise.all(documents.map(below))).flat()];
}

async function exported(as: Player, sessionId: string): Promise<{ status: number; disposition: string | null; lines: Record<string, unknown>[] }> {
  const response = await fetch(`${apiUrl}/v1/sessions/${sessionId}/export`, { headers: { authorization: `Bearer ${await as.idToken()}` } });
  const text = await response.text();
  return { status: response.status, disposition: response.headers.get('content-disposition'), lines: text.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('the history of a session', () => {
  it('is listed to its members, told on resuming, archived, exported, and deleted for good', async function () {
    this.timeout(300_000);
    const scene = await talk();
    const { sessionId, owner, guest } = scene;

    const turns = await listed(owner, sessionId, 3);
    assert.deepEqual(turns.map(({ said, memberId }) => [said, memberId]), lines.map((line, index) => [line, (index % 2 === 0 ? owner : guest).uid]).toReversed());
    assert.ok(turns.every(({ reply, costDOFs }) => reply.startsWith('[offline]') && costDOFs! > 0));
    assert.deepEqual(await listed(guest, sessionId, 2), turns.map((turn) => ({ ...turn, costDOFs: null })));
    const { nextCursor } = await owner.call('listTurns', { sessionId, limit: 2 });

    const resumed = await owner.call('startSession', { agentInstanceId: owner.agentInstanceId, seenTurnId: turns[2]!.turnId });
    assert.deepEqual([resumed.sessionId, resumed.resumed, resumed.missedTurns], [sessionId, true, turns.slice(0, 2).toReversed()]);
    assert.deepEqual((await owner.call('startSession', { agentInstanceId: owner.agentInstanceId })).missedTurns, turns.toReversed());
    assert.deepEqual(briefly(await refusal(owner.call('deleteSession', { sessionId }))), ['failed-precondition', 'session_open']);

    await end(scene);
    assert.deepEqual(await listed(owner, sessionId, 100), turns);
    const before = await exported(owner, sessionId);
    assert.deepEqual([before.status, before.disposition], [200, `attachment; filename="session-${sessionId}.jsonl"`]);
    assert.deepEqual(before.lines.slice(1), [...turns.toReversed().map((turn) => ({ type: 'turn', ...turn })), { type: 'end', turns: lines.length, media: 0 }]);
    assert.deepEqual([before.lines[0]!['type'], before.lines[0]!['sessionId'], (before.lines[0]!['members'] as object[]).length], ['session', sessionId, 2]);

    await sweepAnHourLater(sessionId);
    assert.deepEqual(await liveOf(sessionId), []);
    assert.deepEqual([await listed(owner, sessionId, 3), await listed(guest, sessionId, 100)], [turns, turns.map((turn) => ({ ...turn, costDOFs: null }))]);
    assert.deepEqual((await owner.call('listTurns', { sessionId, cursor: nextCursor! })).turns, turns.slice(2), 'a cursor from before goes on');
    assert.deepEqual((await exported(owner, sessionId)).lines.slice(1), before.lines.slice(1));

    const receipt = await owner.call('getReceipt', { sessionId });
    const ledger = await owner.call('listLedger', { agentInstanceId: owner.agentInstanceId });
    const memories = `users/${owner.uid}/agents/${owner.agentInstanceId}/memories`;
    assert.ok((await readAll(memories)).length > 0);
    assert.deepEqual(briefly(await refusal(guest.call('deleteSession', { sessionId }))), ['permission-denied', 'not_owner']);
    assert.deepEqual(await owner.call('deleteSession', { sessionId }), { sessionId });
    assert.deepEqual(await owner.call('deleteSession', { sessionId }), { sessionId });
    for (const as of [owner, guest]) {
      for (const name of ['getSession', 'listTurns', 'listMembers', 'exportSession', 'endSession']) assert.deepEqual(briefly(await refusal(as.callRaw(name, { sessionId }))), ['not-found', 'not_found'], name);
      assert.deepEqual((await as.call('listMySessions', {})).sessions, []);
    }
    assert.deepEqual([...new Set((await below(admin().firestore.doc(`sessions/${sessionId}`))).map((path) => path.split('/')[2]))], ['checkpoints']);
    assert.deepEqual([await liveOf(sessionId), await readAll(memories)], [[], []]);
    assert.deepEqual([await owner.call('getReceipt', { sessionId }), await owner.call('listLedger', { agentInstanceId: owner.agentInstanceId })], [receipt, ledger]);
  });

  it('is deleted right after the end as well, and looked at once more', async function () {
    this.timeout(300_000);
    const scene = await talk();
    const { sessionId, owner } = scene;
    await end(scene);
    await owner.call('deleteSession', { sessionId });
    const kept = (await read<SessionDoc>(`sessions/${sessionId}`))!;
    assert.deepEqual([kept.members, kept.memberIds, kept.deletedAt !== null, kept.cleanupAt!.toMillis() > Date.now()], [{}, [], true, true]);
    assert.deepEqual([await liveOf(sessionId), (await owner.call('getReceipt', { sessionId })).lines.length], [[], lines.length]);
    await sweepAnHourLater(sessionId);
    assert.deepEqual([...new Set((await below(admin().firestore.doc(`sessions/${sessionId}`))).map((path) => path.split('/')[2]))], ['checkpoints']);
  });
});
