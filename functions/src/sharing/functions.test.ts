import assert from 'node:assert/strict';
import type { z } from 'zod';
import { openGate } from '../../test/memory/io.ts';
import { agent, at, hold, lot } from '../../test/money.ts';
import { freshSession, guest, SharingWorld } from '../../test/sharing-world.ts';
import { openLive } from '../live/store.ts';
import type { Operation } from '../runtime/operation.ts';
import { endSession, getSession, listMySessions, renameSession } from '../sessions/functions.ts';
import { commitEnd } from '../sessions/store-lifecycle.ts';
import { joinSession, leaveSession, listMembers, removeMember, revokeInvite, shareSession } from './functions.ts';

const owner = guest('u1');
const ada = guest('u2', { email: 'ada@example.com', emailVerified: true });
const eve = guest('u3', { email: 'eve@example.com' });
const refused = (call: Promise<unknown>) => call.then(() => 'accepted', ({ code, message, details }: { code: string; message: string; details: unknown }) => ({ code, message, details }));

describe('sharing: the operations', () => {
  let world: SharingWorld;
  beforeEach(async () => {
    world = new SharingWorld();
    await world.seed(freshSession({ endpoints: { joinUrl: 'https://join.example/' } }));
  });
  afterEach(() => world.close());

  const share = (parts: Partial<Parameters<typeof world.call<typeof shareSession.input, typeof shareSession.output>>[1]> = {}) => world.call(shareSession, { sessionId: 's1', ...parts }, owner);
  const join = (invite: string, caller = ada) => world.call(joinSession, { invite }, caller);

  it('let somebody join who may read at once, and who may not once removed', async () => {
    const { inviteId, invite, link, role, expiresAt } = await share({ capDOFs: 40 });
    assert.deepEqual([link, role, expiresAt], [`https://join.example/#${invite}`, 'player', new Date(world.now + 86_400_000).toISOString()]);
    assert.deepEqual(world.liveMembers(), { u1: 'owner' });
    const joined = await join(invite);
    const { config, ...rest } = joined;
    assert.deepEqual(rest, { sessionId: 's1', role: 'player', name: null, live: { databaseUrl: 'https://live.example', path: 'live/s1', streamsPath: 'streams/s1' }, expiresAt: world.session().expiresAt.toDate().toISOString() });
    assert.deepEqual(config, world.session().config);
    assert.deepEqual(world.liveMembers(), { u1: 'owner', u2: 'player' });
    assert.deepEqual(await join(invite), joined);
    await world.database.ref('presence/s1/u1/laptop').set({ at: world.now });
    assert.deepEqual(await world.call(listMembers, { sessionId: 's1' }, ada), { members: [{ userId: 'u1', role: 'owner', capDOFs: null, online: true }, { userId: 'u2', role: 'player', capDOFs: 40, online: false }], invites: null });
    assert.deepEqual(await world.call(removeMember, { sessionId: 's1', userId: 'u2' }, owner), { sessionId: 's1', userId: 'u2' });
    assert.deepEqual(world.liveMembers(), { u1: 'owner' });
    assert.ok(!JSON.stringify([world.logged, world.firestore.dump('outbox')]).includes(invite.split('.')[1]!));
    assert.ok(world.stored(inviteId));
  });

  it('make a member readable whose joining died before', async () => {
    const { invite } = await share();
    await join(invite);
    await world.database.ref('live/s1').update({ members: { u1: 'owner' }, version: 1 });
    await join(invite);
    assert.deepEqual(world.liveMembers(), { u1: 'owner', u2: 'player' });
  });

  it('let a member leave, after which the session is none of its own', async () => {
    await join((await share({ role: 'spectator' })).invite);
    assert.deepEqual((await world.call(listMySessions, {}, ada)).sessions.map(({ sessionId, role }) => [sessionId, role]), [['s1', 'spectator']]);
    await world.call(leaveSession, { sessionId: 's1' }, ada);
    assert.deepEqual(world.liveMembers(), { u1: 'owner' });
    assert.deepEqual((await world.call(listMySessions, {}, ada)).sessions, []);
    for (const op of [getSession, listMembers, leaveSession, endSession]) assert.deepEqual(((await refused(world.call<typeof op.input, z.ZodType>(op as Operation<typeof op.input>, { sessionId: 's1' }, ada))) as { details: object }).details, { reason: 'not_found' }, op.name);
  });

  it('keep out who was removed before a start that died was completed, from what it has read', async () => {
    await join((await share()).invite);
    const read = world.session();
    await world.database.ref().remove();
    await world.call(removeMember, { sessionId: 's1', userId: 'u2' }, owner);
    await openLive(read, { resume: true });
    assert.deepEqual([world.liveMembers(), world.database.dump('meters/s1/members')], [{ u1: 'owner' }, null]);
  });

  it('do not show a member again who leaves between the end of the session and its settlement', async () => {
    await join((await share()).invite);
    await world.firestore.doc('users/u1/agents/a1').set(agent({ lots: { g: lot(100) }, holds: { s1: hold({ g: 100 }, { sessionId: 's1' }) } }));
    world.commitsMeet(openGate, async (_io, apply) => {
      await world.call(leaveSession, { sessionId: 's1' }, ada);
      return apply();
    });
    assert.equal((await world.call(endSession, { sessionId: 's1' }, owner)).settlement, 'done');
    assert.deepEqual(Object.keys(world.session().members), ['u1']);
    assert.deepEqual(world.liveMembers(), { u1: 'owner' });
  });

  it('show the open invites to the owner only, and no secret', async () => {
    const { invite, inviteId, expiresAt } = await share({ email: 'Ada@Example.com', capDOFs: 7 });
    const { inviteId: revoked } = await share();
    await world.call(revokeInvite, { sessionId: 's1', inviteId: revoked }, owner);
    const listed = await world.call(listMembers, { sessionId: 's1' }, owner);
    assert.deepEqual(listed.invites, [{ inviteId, role: 'player', email: 'ada@example.com', capDOFs: 7, createdAt: new Date(world.now).toISOString(), expiresAt }]);
    assert.ok(!JSON.stringify(listed).includes(invite.split('.')[1]!));
    await join(invite);
    assert.ok(world.logged.length > 0);
    assert.doesNotMatch(JSON.stringify([world.logged, world.firestore.dump('outbox')]), /example\.com/i);
  });

  it('answer every bad invite in one and the same way', async () => {
    const [used, revoked, bound, foreign, good] = [await share(), await share(), await share({ email: 'ada@example.com' }), await share({ email: 'other@example.com' }), await share()];
    await join(used.invite);
    await world.call(revokeInvite, { sessionId: 's1', inviteId: revoked.inviteId }, owner);
    const expired = await share({ ttlMinutes: 5 });
    world.now += 5 * 60_000;
    const before = world.session();
    const bad = [used.invite, revoked.invite, bound.invite, foreign.invite, expired.invite, `s1.${'z'.repeat(32)}`, `unknown.${good.invite.split('.')[1]!}`, `s1.${good.inviteId}`, good.inviteId, good.link!, '', 's1', 'x'.repeat(100_000)];
    const unverified = guest('u4', { email: 'ada@example.com' });
    const answers = await Promise.all([...bad.map((invite) => refused(join(invite, eve))), refused(join(bound.invite, unverified))]);
    const one = { code: 'not-found', message: 'This invite is not valid, or not for this account. Ask for a new one.', details: { reason: 'invite_invalid' } };
    assert.deepEqual(answers, answers.map(() => one));
    await world.firestore.doc('sessions/s1').delete();
    assert.deepEqual(await refused(join(good.invite, eve)), one);
    await world.firestore.doc('sessions/s1').set(before);
    assert.deepEqual(world.session(), before);
    assert.equal((await join(good.invite, eve)).role, 'player');
  });

  it('say of a good invite that the session is full, or that it has ended', async () => {
    const { invite } = await share();
    await world.firestore.doc('sessions/s1').update({ 'config.limits.maxMembers': 1 } as object);
    assert.deepEqual(((await refused(join(invite))) as { details: object }).details, { reason: 'session_full' });
    await commitEnd('s1', 'user', { total: null, lines: [] }, world.now);
    assert.deepEqual(((await refused(join(invite))) as { details: object }).details, { reason: 'session_closed', closeReason: 'user' });
  });

  it('keep what is the owner\'s from members, and the session from strangers', async () => {
    await join((await share()).invite);
    const { inviteId } = await share();
    const calls: [string, (caller: typeof ada) => Promise<unknown>][] = [
      ['shareSession', (caller) => world.call(shareSession, { sessionId: 's1' }, caller)], ['revokeInvite', (caller) => world.call(revokeInvite, { sessionId: 's1', inviteId }, caller)],
      ['removeMember', (caller) => world.call(removeMember, { sessionId: 's1', userId: 'u2' }, caller)], ['renameSession', (caller) => world.call(renameSession, { sessionId: 's1', name: 'Mine' }, caller)],
      ['endSession', (caller) => world.call(endSession, { sessionId: 's1' }, caller)],
    ];
    const before = world.firestore.dump();
    for (const [what, call] of calls) {
      assert.deepEqual(await refused(call(ada)), { code: 'permission-denied', message: 'Only the owner of the session may do this.', details: { reason: 'not_owner' } }, what);
      assert.deepEqual(await refused(call(eve)), { code: 'not-found', message: 'You have no session with this id.', details: { reason: 'not_found' } }, what);
    }
    assert.deepEqual(world.firestore.dump(), before);
    assert.equal(((await refused(world.call(leaveSession, { sessionId: 's1' }, owner))) as { code: string }).code, 'failed-precondition');
  });

  it('show a member the session without its DOFs, and the owner with them', async () => {
    await join((await share()).invite);
    await world.call(renameSession, { sessionId: 's1', name: ' Friday ' }, owner);
    const money = ({ name, role, startingDOFs, consumedDOFs, settledDOFs, gameContext }: Awaited<ReturnType<typeof world.call<typeof getSession.input, typeof getSession.output>>>) => ({ name, role, startingDOFs, consumedDOFs, settledDOFs, gameContext });
    const hidden = { name: 'Friday', role: 'player', startingDOFs: null, consumedDOFs: null, settledDOFs: null, gameContext: null };
    assert.deepEqual([await world.call(getSession, { sessionId: 's1' }, ada), (await world.call(listMySessions, {}, ada)).sessions[0]!].map(money), [hidden, hidden]);
    assert.deepEqual(money(await world.call(getSession, { sessionId: 's1' }, owner)), { name: 'Friday', role: 'owner', startingDOFs: 100, consumedDOFs: 0, settledDOFs: 0, gameContext: { platform: 'pc' } });
  });

  it('page through open sessions, then ended ones', async () => {
    for (let index = 2; index <= 5; index++) {
      const session = freshSession({ sessionId: `s${index}`, startedAt: world.now - index });
      await world.firestore.doc(`sessions/s${index}`).set(index > 2 ? session : { ...session, status: 'ended', endedAt: at(world.now) });
    }
    const pages: string[][] = [];
    for (let cursor: string | undefined; ;) {
      const page = await world.call(listMySessions, { limit: 2, cursor }, owner);
      pages.push(page.sessions.map(({ sessionId }) => sessionId));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    assert.deepEqual(pages, [['s1', 's3'], ['s4', 's5'], ['s2']]);
  });
});
