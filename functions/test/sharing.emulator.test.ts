import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { doc, getDocFromServer } from 'firebase/firestore';
import type { SessionDoc } from '../src/sessions/schema.ts';
import type { InviteDoc } from '../src/sharing/schema.ts';
import { refusedWith } from './evidence.ts';
import { admin, apiUrl, clientOf, closeClients, eventually, givePlayer, read, readAll, refusal, watch, type Client, type Player } from './harness.ts';

after(closeClients);

/** Somebody with an account of its own and no agent. */
async function giveGuest({ email = `${randomUUID()}@jiga.example`, emailVerified = true }: { email?: string; emailVerified?: boolean } = {}): Promise<Client & { email: string }> {
  const uid = `guest-${randomUUID().slice(0, 13)}`;
  await admin().auth.createUser({ uid, email, emailVerified });
  return { ...await clientOf(uid), email };
}

async function start(owner: Player): Promise<string> {
  return (await owner.call('startSession', { agentInstanceId: owner.agentInstanceId })).sessionId;
}

async function rest(as: Client, method: string, path: string, body?: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${apiUrl}/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${await as.idToken()}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: await response.json() as Record<string, unknown> };
}

const membersOf = (value: unknown) => (value as { members?: Record<string, string> } | null)?.members;
const briefly = ({ code, reason }: { code: string; reason: string | undefined }) => [code, reason];
const session = async (sessionId: string) => (await read<SessionDoc>(`sessions/${sessionId}`))!;

/** Every version of a session has its one event, once all of them are published. */
async function assertNumbered(sessionId: string): Promise<string[]> {
  const events = (await admin().firestore.collection('outbox').where('subject', '==', sessionId).get()).docs.map((event) => event.data()).sort((a, b) => a['sequence'] - b['sequence']);
  assert.deepEqual(events.map(({ sequence }) => sequence as number), Array.from({ length: (await session(sessionId)).version }, (_, index) => index + 1));
  return events.map(({ type }) => String(type));
}

describe('a shared session', () => {
  it('is joined with an invite, watched by both, and left', async () => {
    const [owner, ada] = await Promise.all([givePlayer(), giveGuest()]);
    const sessionId = await start(owner);
    await owner.call('renameSession', { sessionId, name: 'Friday night' });
    const { invite, inviteId, link, role } = await owner.call('shareSession', { sessionId, capDOFs: 40, email: ada.email.toUpperCase() });
    assert.deepEqual([link, role], [null, 'player']);
    const before = watch(ada, `live/${sessionId}`);
    await eventually(() => before.errors.length === 1, 'the live state is closed before');

    const joined = await ada.call('joinSession', { invite });
    assert.deepEqual([joined.sessionId, joined.role, joined.name, joined.live.path], [sessionId, 'player', 'Friday night', `live/${sessionId}`]);
    const live = watch(ada, joined.live.path);
    await eventually(() => membersOf(live.values.at(-1))?.[ada.uid] === 'player', 'the new member reads at once');
    await assert.rejects(getDocFromServer(doc(ada.firestore, `sessions/${sessionId}`)), { code: 'permission-denied' }, 'the document has the owner\'s DOFs');
    assert.deepEqual(await ada.call('joinSession', { invite }), joined, 'again is harmless');
    assert.deepEqual(await ada.call('listMembers', { sessionId }), { members: [{ userId: owner.uid, role: 'owner', capDOFs: null, online: false }, { userId: ada.uid, role: 'player', capDOFs: 40, online: false }], invites: null });

    const [mine] = (await ada.call('listMySessions', {})).sessions;
    assert.deepEqual([mine?.sessionId, mine?.name, mine?.role, mine?.consumedDOFs, mine?.startingDOFs], [sessionId, 'Friday night', 'player', null, null]);
    assert.equal((await owner.call('getSession', { sessionId })).startingDOFs, 1_000);
    await ada.call('leaveSession', { sessionId });
    await eventually(() => live.errors.length === 1, 'who has left is not shown more');
    assert.deepEqual(briefly(await refusal(ada.call('getSession', { sessionId }))), ['not-found', 'not_found']);
    assert.deepEqual(briefly(await refusal(ada.call('joinSession', { invite }))), ['not-found', 'invite_invalid']);
    assert.deepEqual((await ada.call('listMySessions', {})).sessions, []);
    assert.equal((await read<InviteDoc>(`sessions/${sessionId}/invites/${inviteId}`))?.usedBy, ada.uid);
    assert.deepEqual(await assertNumbered(sessionId), ['session.started', 'session.renamed', 'session.invite_created', 'session.member_joined', 'session.member_left']);
  });

  it('is shared over REST as well', async () => {
    const [owner, ada] = await Promise.all([givePlayer(), giveGuest()]);
    const sessionId = await start(owner);
    const made = await rest(owner, 'POST', `/sessions/${sessionId}/invites`, { role: 'spectator' });
    const spare = await rest(owner, 'POST', `/sessions/${sessionId}/invites`, {});
    assert.deepEqual([made.status, made.body['role'], spare.body['role']], [200, 'spectator', 'player']);
    const joined = await rest(ada, 'POST', '/sessions/join', { invite: made.body['invite'] });
    assert.deepEqual([joined.status, joined.body['role']], [200, 'spectator']);
    const members = await rest(owner, 'GET', `/sessions/${sessionId}/members`);
    assert.deepEqual((members.body['invites'] as { inviteId: string }[]).map(({ inviteId }) => inviteId), [spare.body['inviteId']]);
    assert.equal((await rest(owner, 'DELETE', `/sessions/${sessionId}/invites/${spare.body['inviteId'] as string}`)).status, 200);
    const named = await rest(owner, 'PATCH', `/sessions/${sessionId}`, { name: 'Friday' });
    assert.deepEqual([named.status, named.body['name']], [200, 'Friday']);
    const refused = await rest(ada, 'POST', `/sessions/${sessionId}/end`, {});
    assert.deepEqual([refused.status, (refused.body['error'] as { details: object }).details], [403, { reason: 'not_owner' }]);
    const live = watch(ada, `live/${sessionId}`);
    await eventually(() => live.values.length > 0, 'the member reads');
    assert.equal((await rest(owner, 'DELETE', `/sessions/${sessionId}/members/${ada.uid}`)).status, 200);
    await eventually(() => live.errors.length === 1, 'the removed member reads no more');
    assert.equal((await rest(ada, 'POST', `/sessions/${sessionId}/leave`, {})).status, 404);
    await assertNumbered(sessionId);
  });
});

describe('an invite that is refused', () => {
  it('is answered in one way, whatever is wrong with it, and changes nothing', async () => {
    const [owner, ada, eve, unverified] = await Promise.all([givePlayer(), giveGuest(), giveGuest(), giveGuest({ emailVerified: false })]);
    const sessionId = await start(owner);
    const share = (parts: { email?: string } = {}) => owner.call('shareSession', { sessionId, ...parts });
    const [used, revoked, expired, bound, forUnverified] = [await share(), await share(), await share(), await share({ email: ada.email }), await share({ email: unverified.email })];
    await ada.call('joinSession', { invite: used.invite });
    await owner.call('revokeInvite', { sessionId, inviteId: revoked.inviteId });
    await admin().firestore.doc(`sessions/${sessionId}/invites/${expired.inviteId}`).update({ expiresAt: new Date(Date.now() - 1_000) });
    const before = await session(sessionId);
    const guessed = Buffer.from(randomUUID().replace(/-/g, '').slice(0, 24)).toString('base64url');
    const texts = [used.invite, revoked.invite, expired.invite, bound.invite, `${sessionId}.${guessed}`, `${sessionId}.${bound.inviteId}`, `unknown.${guessed}`, 'nonsense', ''];
    const answers = await Promise.all([...texts.map((invite) => refusedWith(eve.call('joinSession', { invite }))), refusedWith(unverified.call('joinSession', { invite: forUnverified.invite }))]);
    assert.deepEqual(answers, answers.map(() => answers[0]));
    assert.deepEqual([answers[0]?.code, answers[0]?.details], ['not-found', { reason: 'invite_invalid' }]);
    assert.deepEqual(await session(sessionId), before);
  });

  it('because the session is full or has ended says so', async () => {
    const [owner, ada] = await Promise.all([givePlayer(), giveGuest()]);
    const sessionId = await start(owner);
    const { invite } = await owner.call('shareSession', { sessionId });
    await admin().firestore.doc(`sessions/${sessionId}`).update({ 'config.limits.maxMembers': 1 });
    assert.deepEqual(briefly(await refusal(ada.call('joinSession', { invite }))), ['failed-precondition', 'session_full']);
    await owner.call('endSession', { sessionId });
    assert.deepEqual(briefly(await refusal(ada.call('joinSession', { invite }))), ['failed-precondition', 'session_closed']);
    assert.deepEqual(briefly(await refusal(owner.call('shareSession', { sessionId }))), ['failed-precondition', 'session_closed']);
  });
});

describe('what belongs to the owner of a shared session', () => {
  it('is refused to members and hidden from strangers', async () => {
    const [owner, ada, eve] = await Promise.all([givePlayer(), giveGuest(), giveGuest()]);
    const sessionId = await start(owner);
    await ada.call('joinSession', { invite: (await owner.call('shareSession', { sessionId })).invite });
    const { inviteId } = await owner.call('shareSession', { sessionId });
    const before = await session(sessionId);
    const calls: [string, object][] = [['shareSession', {}], ['revokeInvite', { inviteId }], ['removeMember', { userId: ada.uid }], ['renameSession', { name: 'Mine' }], ['endSession', {}]];
    for (const [name, input] of calls) {
      assert.deepEqual(briefly(await refusal(ada.callRaw(name, { sessionId, ...input }))), ['permission-denied', 'not_owner'], name);
      assert.deepEqual(briefly(await refusal(eve.callRaw(name, { sessionId, ...input }))), ['not-found', 'not_found'], name);
    }
    assert.deepEqual(briefly(await refusal(owner.call('leaveSession', { sessionId }))), ['failed-precondition', 'owner_stays']);
    assert.deepEqual(await session(sessionId), before);
  });

  it('is where the e-mail of an invite stays, and its secret is kept nowhere', async () => {
    const [owner, ada] = await Promise.all([givePlayer(), giveGuest()]);
    const sessionId = await start(owner);
    const { invite } = await owner.call('shareSession', { sessionId, email: ada.email });
    await ada.call('joinSession', { invite });
    const secret = invite.split('.')[1]!;
    const outbox = admin().firestore.collection('outbox').where('subject', '==', sessionId);
    await eventually(async () => (await outbox.where('published', '==', false).get()).empty, 'every event is published');
    const events = JSON.stringify((await outbox.get()).docs.map((event) => event.data()));
    const shown = [events, JSON.stringify(await ada.call('listMembers', { sessionId })), JSON.stringify((await admin().database.ref(`live/${sessionId}`).get()).val())];
    const log = process.env['JIGA_EMULATOR_LOG'];
    for (const text of shown) assert.ok(!text.includes(secret) && !text.includes(ada.email));
    if (log !== undefined && existsSync(log)) assert.ok(!readFileSync(log, 'utf8').includes(secret));
    assert.ok(!JSON.stringify([await readAll(`sessions/${sessionId}/invites`), await session(sessionId)]).includes(secret));
  });
});
