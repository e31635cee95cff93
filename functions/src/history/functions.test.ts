import assert from 'node:assert/strict';
import type { z } from 'zod';
import { saidRecord } from '../../test/history.ts';
import { at } from '../../test/money.ts';
import { freshSession, guest, SharingWorld } from '../../test/sharing-world.ts';
import type { Caller } from '../runtime/caller.ts';
import { runOperation, type Operation } from '../runtime/operation.ts';
import { endSession, getSession, listMySessions, renameSession } from '../sessions/functions.ts';
import { joinSession, leaveSession, listMembers, removeMember, revokeInvite, shareSession } from '../sharing/functions.ts';
import { cleanUp } from './cleanup.ts';
import { deleteSession, exportSession, listTurns } from './functions.ts';
import { commitDeletion } from './store-delete.ts';

const [owner, ada, eve] = [guest('u1'), guest('u2'), guest('u3')];
const refused = (call: Promise<unknown>) => call.then(() => 'accepted', ({ code, details }: { code: string; details: { reason: string } }) => [code, details.reason]);
const notFound = ['not-found', 'not_found'];

describe('history: the operations', () => {
  let world: SharingWorld;
  beforeEach(async () => {
    world = new SharingWorld();
    const session = freshSession();
    await world.seed({ ...session, members: { u1: 'owner', u2: 'spectator' }, memberIds: ['u1', 'u2'] });
    await world.database.ref('requests/s1').set({ one: saidRecord({ turnId: 't1', saidAt: 1_000 }), two: saidRecord({ turnId: 't2', saidAt: 2_000, by: 'u2', outcome: 'cut' }), three: saidRecord({ turnId: 't3', saidAt: 2_000, cost: 0 }) });
  });
  afterEach(() => world.close());

  const end = () => world.firestore.doc('sessions/s1').update({ status: 'ended', closeReason: 'user', settlement: 'done', endedAt: at(world.now - 3_600_000), cleanupAt: at(world.now) });
  const archive = async () => void await cleanUp(world.session(), () => world.now);
  const view = (turnId: string, ms: number, parts: object = {}) => ({ turnId, memberId: 'u1', at: new Date(ms).toISOString(), said: `What about ${turnId}?`, reply: `This is ${turnId}.`, outcome: 'complete', costDOFs: 2, ...parts });
  const all = [view('t3', 2_000, { costDOFs: 0 }), view('t2', 2_000, { memberId: 'u2', outcome: 'cut' }), view('t1', 1_000)];

  /** The lines of an export. */
  async function exported({ leavesAtOnce = false } = {}): Promise<{ lines: Record<string, unknown>[]; output: unknown }> {
    const gone = new AbortController();
    let text = '';
    const output = await runOperation(exportSession, { sessionId: 's1' }, owner, { signal: gone.signal, emit: (chunk) => {
      text += (chunk as { text: string }).text;
      if (leavesAtOnce) gone.abort();
    } });
    return { output, lines: text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>) };
  }

  it('list what was said, newest first, with its price for the owner only, and the same once it is archived', async () => {
    const list = async (caller: Caller) => {
      const first = await world.call(listTurns, { sessionId: 's1', limit: 2 }, caller);
      const second = await world.call(listTurns, { sessionId: 's1', limit: 2, cursor: first.nextCursor! }, caller);
      assert.deepEqual([first.turns.length, second.nextCursor], [2, null]);
      return [...first.turns, ...second.turns];
    };
    const hidden = all.map((turn) => ({ ...turn, costDOFs: null }));
    assert.deepEqual([await list(owner), await list(ada)], [all, hidden]);
    const { nextCursor } = await world.call(listTurns, { sessionId: 's1', limit: 2 }, ada);
    await end();
    assert.deepEqual([await list(owner), await list(ada)], [all, hidden]);
    await archive();
    assert.deepEqual([world.database.dump('requests/s1'), world.session().cleanupAt], [null, null]);
    assert.deepEqual([await list(owner), await list(ada)], [all, hidden]);
    assert.deepEqual((await world.call(listTurns, { sessionId: 's1', cursor: nextCursor! }, ada)).turns, hidden.slice(2), 'a cursor from before goes on');
    assert.deepEqual(await refused(world.call(listTurns, { sessionId: 's1', cursor: 'x' }, owner)), ['invalid-argument', 'bad_input']);
  });

  it('export everything, oldest first, between a head and a count', async () => {
    await world.firestore.doc('sessions/s1/media/t1.jpg').set({ file: 't1.jpg', type: 'images', mimeType: 'image/jpeg', bytes: 9, turnId: 't1', by: 'u2', createdAt: at(1_500) });
    const media = { type: 'media', file: 't1.jpg', kind: 'images', mimeType: 'image/jpeg', bytes: 9, turnId: 't1', memberId: 'u2', createdAt: '1970-01-01T00:00:01.500Z' };
    const members = [{ userId: 'u1', role: 'owner', capDOFs: null }, { userId: 'u2', role: 'spectator', capDOFs: null }];
    for (const step of [() => Promise.resolve(), end, archive]) {
      await step();
      const { lines, output } = await exported();
      assert.deepEqual(lines[0], { type: 'session', ...await world.call(getSession, { sessionId: 's1' }, owner), members });
      assert.deepEqual(lines.slice(1), [...all.toReversed().map((turn) => ({ type: 'turn', ...turn })), media, { type: 'end', turns: 3, media: 1 }]);
      assert.deepEqual(output, { turns: 3, media: 1 });
    }
  });

  it('export without an end once the caller has gone', async () => {
    const { lines, output } = await exported({ leavesAtOnce: true });
    assert.deepEqual([lines.map(({ type }) => type), output], [['session'], { turns: 0, media: 0 }]);
  });

  it('are the owner\'s, but for the list, and tell strangers nothing', async () => {
    await end();
    const before = [world.firestore.dump(), world.database.dump()];
    for (const op of [exportSession, deleteSession] as Operation[]) {
      assert.deepEqual(await refused(world.call(op, { sessionId: 's1' }, ada)), ['permission-denied', 'not_owner'], op.name);
    }
    for (const op of [listTurns, exportSession, deleteSession] as Operation[]) {
      for (const sessionId of ['s1', 'unknown']) assert.deepEqual(await refused(world.call(op, { sessionId }, eve)), notFound, op.name);
    }
    assert.deepEqual([world.firestore.dump(), world.database.dump()], before);
  });

  it('delete a session for everybody, owner included', async () => {
    const { inviteId, text } = await world.invite();
    await end();
    assert.deepEqual(await world.call(deleteSession, { sessionId: 's1' }, owner), { sessionId: 's1' });
    const calls: [Operation, object][] = [
      [getSession, {}], [endSession, {}], [renameSession, { name: 'Again' }], [listTurns, {}], [exportSession, {}], [shareSession, {}], [revokeInvite, { inviteId }], [leaveSession, {}], [removeMember, { userId: 'u2' }], [listMembers, {}],
    ];
    for (const caller of [owner, ada, eve]) {
      for (const [op, input] of calls) assert.deepEqual(await refused(world.call<z.ZodType, z.ZodType>(op, { sessionId: 's1', ...input }, caller)), notFound, `${op.name} by ${caller.uid}`);
      assert.deepEqual((await world.call(listMySessions, {}, caller)).sessions, []);
      assert.deepEqual(await refused(world.call(joinSession, { invite: text }, caller)), ['not-found', 'invite_invalid']);
    }
    assert.deepEqual(await refused(world.call(deleteSession, { sessionId: 's1' }, ada)), notFound);
    assert.deepEqual(await world.call(deleteSession, { sessionId: 's1' }, owner), { sessionId: 's1' });
    assert.equal(world.events().at(-1), `${world.session().version} deleted`);
    assert.deepEqual(Object.keys(world.firestore.dump('sessions')), ['sessions/s1']);
  });

  it('delete a session as it is by then, and are overtaken by nobody', async () => {
    await end();
    world.overtake(() => world.firestore.doc('sessions/s1').update({ closeReason: 'idle', version: 7 }));
    await world.call(deleteSession, { sessionId: 's1' }, owner);
    assert.deepEqual([world.session().closeReason, world.session().version, world.events().at(-1)], ['idle', 8, '8 deleted']);
  });

  it('delete a session for good although it is being archived', async () => {
    await end();
    world.overtake(() => world.call(deleteSession, { sessionId: 's1' }, owner));
    assert.equal(await cleanUp(world.session(), () => world.now), null);
    assert.deepEqual([Object.keys(world.firestore.dump('sessions')), world.database.dump()], [['sessions/s1'], null]);
  });

  it('delete a session that the sweep was about to call done', async () => {
    await world.invite();
    await world.database.ref('requests').remove();
    await end();
    const died = () => commitDeletion('u1', 's1', world.now);
    world.overtake(died);
    assert.equal(await cleanUp(world.session(), () => world.now), null);
    assert.notEqual(world.session().cleanupAt, null);
    await cleanUp(world.session(), () => world.now);
    assert.deepEqual([Object.keys(world.firestore.dump('sessions')), world.session().cleanupAt], [['sessions/s1'], null]);
  });

  it('let nobody join a deleted session by an invite that is still there', async () => {
    const { inviteId, text } = await world.invite();
    const invite = world.stored(inviteId)!;
    await end();
    await world.call(deleteSession, { sessionId: 's1' }, owner);
    await world.firestore.doc(`sessions/s1/invites/${inviteId}`).set(invite);
    assert.deepEqual(await refused(world.call(joinSession, { invite: text }, eve)), ['not-found', 'invite_invalid']);
  });
});
