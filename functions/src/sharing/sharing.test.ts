import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { at, moment as now } from '../../test/money.ts';
import { freshSession, guest } from '../../test/sharing-world.ts';
import type { Caller } from '../runtime/caller.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { shareSessionInput, type InviteDoc } from './schema.ts';
import { inviteIdOf, judgeInvite, newInvite, parseInvite, toInvite, toLink, withMember, withoutMember, type Membership } from './sharing.ts';

const secret = randomBytes(24).toString('base64url');
const session = freshSession({ limits: { maxMembers: 3 } });
const ended: SessionDoc = { ...session, status: 'ended', closeReason: 'idle' };
const overdue: SessionDoc = { ...session, expiresAt: at(now) };
const full: SessionDoc = { ...session, ...['u3', 'u4'].reduce<Membership>((members, uid) => withMember(members, uid, 'player', null), session) };
const invite = newInvite({ role: 'player', email: null, capDOFs: 40, createdBy: 'u1', createdAt: at(now), expiresAt: at(now + 1) });
const ada = guest('u2', { email: 'Ada@Example.com', emailVerified: true });
const removed = withoutMember(withMember(session, 'u2', 'player', null), 'u2', at(now));
const invalid = { name: 'AppError', code: 'not-found', message: 'This invite is not valid, or not for this account. Ask for a new one.', details: { reason: 'invite_invalid' } };

describe('sharing: an invite', () => {
  it('is kept as the SHA-256 of its secret', () => {
    assert.equal(inviteIdOf(secret), createHash('sha256').update(secret).digest('base64url'));
    assert.ok(!JSON.stringify(invite).includes(secret));
  });

  it('names its session and its document', () => {
    assert.deepEqual(parseInvite(toInvite('s1', secret)), { sessionId: 's1', inviteId: inviteIdOf(secret) });
    assert.deepEqual(parseInvite(toInvite('x'.repeat(64), secret))?.sessionId, 'x'.repeat(64));
  });

  it('is none in any other form', () => {
    const texts = ['', '.', 's1', secret, `s1${secret}`, `.${secret}`, `s1.${secret.slice(1)}`, `s1.${secret}x`, `s1.${secret} `, `s1.${secret}\n`, ` s1.${secret}`, `s1..${secret}`, `s1.${secret}.${secret}`, `a/b.${secret}`, `__x__.${secret}`,
      `hasOwnProperty.${secret}`, `${'x'.repeat(65)}.${secret}`, `s1.${inviteIdOf(secret)}`, `s1.${secret.slice(2)}==`, `s1.${'ä'.repeat(32)}`, `https://join.example/#s1.${secret}`, 'x'.repeat(1_000_000)];
    for (const text of texts) assert.equal(parseInvite(text), null, text.slice(0, 80));
  });

  it('has a link where a page takes it, and stands behind the #', () => {
    assert.equal(toLink('https://join.example/app', 's1.x'), 'https://join.example/app#s1.x');
    for (const none of [null, undefined, '']) assert.equal(toLink(none, 's1.x'), null);
  });
});

describe('sharing: who joins', () => {
  const judge = (parts: Partial<InviteDoc> | null = {}, where: SessionDoc | null = session, who: Caller = ada) => judgeInvite(parts && { ...invite, ...parts }, where, who, now);
  const joins = { kind: 'join', role: 'player', capDOFs: 40 };

  it('is who has a good invite', () => {
    assert.deepEqual(judge(), joins);
    assert.deepEqual(judge({ role: 'spectator', capDOFs: null }), { kind: 'join', role: 'spectator', capDOFs: null });
  });

  it('is who has the verified address that the invite is for, however it is written', () => {
    for (const email of ['ada@example.com', 'ADA@EXAMPLE.COM']) assert.deepEqual(judge({ email: 'ada@example.com' }, session, { ...ada, email }), joins);
  });

  const bad: [string, () => unknown][] = [
    ['an unknown one', () => judge(null)],
    ['one of a session that is gone', () => judge({}, null)],
    ['one that has just expired', () => judge({ expiresAt: at(now) })],
    ['one that was revoked', () => judge({ revokedAt: at(now) })],
    ['one that somebody else has used', () => judge({ usedBy: 'u9', usedAt: at(now) })],
    ['one that the caller has used before being removed', () => judge({ usedBy: 'u2', usedAt: at(now) })],
    ['one for another address', () => judge({ email: 'eve@example.com' })],
    ['one for an address of which the caller has a part', () => judge({ email: 'ada@example.com.example' })],
    ['one for an address that is not verified', () => judge({ email: 'ada@example.com' }, session, { ...ada, emailVerified: false })],
    ['one for an address, with an account that has none', () => judge({ email: 'ada@example.com' }, session, guest('u2', { emailVerified: true }))],
    ['one that is used by an account whose id fits no key', () => judge({}, session, guest('a.b'))],
    ['one from before the caller was removed', () => judge({}, { ...session, ...removed })],
    ['a bad one of a full session', () => judge({ revokedAt: at(now) }, full)],
    ['a bad one of an ended session', () => judge({ revokedAt: at(now) }, ended)],
    ['an unknown one of an ended session', () => judge(null, ended)],
  ];
  for (const [what, attempt] of bad) it(`is nobody with ${what}, by the one answer`, () => assert.throws(attempt, invalid));

  it('is who was removed and is invited again, and who left by itself with any invite', () => {
    assert.deepEqual(judge({ createdAt: at(now + 1) }, { ...session, ...removed }), joins);
    assert.deepEqual(withMember(removed, 'u2', 'player', null).removedAt, {}, 'nothing is held against who is back');
    assert.deepEqual(judge({}, { ...session, ...withoutMember(withMember(session, 'u2', 'player', null), 'u2', null) }), joins);
  });

  it('is nobody when the session is over, whose time may be over before its end is noticed', () => {
    assert.throws(() => judge({}, ended), { code: 'failed-precondition', details: { reason: 'session_closed', closeReason: 'idle' } });
    assert.throws(() => judge({}, overdue), { code: 'failed-precondition', details: { reason: 'session_closed', closeReason: 'expired' } });
  });

  it('is nobody when the session is full, the owner counted', () => {
    assert.throws(() => judge({}, full), { code: 'failed-precondition', details: { reason: 'session_full' } });
    assert.deepEqual(judge({}, { ...full, ...withoutMember(full, 'u4', null) }), joins);
  });

  it('is a member already, whatever the invite, also of a full session', () => {
    for (const parts of [{}, null, { usedBy: 'u3', usedAt: at(now) }, { revokedAt: at(now) }, { expiresAt: at(0) }, { email: 'eve@example.com' }]) {
      assert.deepEqual(judge(parts, full, guest('u3')), { kind: 'member', role: 'player' });
      assert.deepEqual(judge(parts, full, guest('u1')), { kind: 'member', role: 'owner' });
    }
    assert.throws(() => judge(null, ended, guest('u1')), { details: { reason: 'session_closed', closeReason: 'idle' } });
  });

  it('is no member by a name that every object has', () => {
    for (const uid of ['constructor', 'toString', 'valueOf']) {
      assert.throws(() => judge(null, session, guest(uid)), invalid);
      assert.deepEqual(judge({}, session, guest(uid)), joins);
    }
  });
});

describe('sharing: the members', () => {
  // Few uids, so that they come and go often; some that every object has a property of.
  const uids = fc.constantFrom('u2', 'u3', 'u4', 'constructor', 'toString', 'valueOf');
  const steps = fc.array(fc.record({ uid: uids, joins: fc.boolean(), role: fc.constantFrom('player' as const, 'spectator' as const), cap: fc.option(fc.integer({ min: 1, max: 9 })) }), { maxLength: 40 });

  it('are the same in all three fields, whoever comes and goes', () => {
    fc.assert(fc.property(steps, (all) => {
      let now: Membership = session;
      const expected = new Map<string, { role: string; cap: number | null }>([['u1', { role: 'owner', cap: null }]]);
      for (const { uid, joins, role, cap } of all) {
        const before = structuredClone({ members: now.members, memberIds: now.memberIds, memberCaps: now.memberCaps });
        const capDOFs = role === 'player' ? cap : null;
        let after = now;
        if (joins && !expected.has(uid)) {
          after = withMember(now, uid, role, capDOFs);
          expected.set(uid, { role, cap: capDOFs });
        } else if (!joins) {
          after = withoutMember(now, uid, null);
          expected.delete(uid);
        }
        assert.deepEqual({ members: now.members, memberIds: now.memberIds, memberCaps: now.memberCaps }, before, 'what was there is not changed');
        now = after;
        assert.deepEqual(now.memberIds, [...expected.keys()], 'each once, as they joined');
        assert.deepEqual(now.members, Object.fromEntries([...expected].map(([id, { role: is }]) => [id, is])));
        assert.deepEqual(now.memberCaps, Object.fromEntries([...expected].flatMap(([id, { cap: most }]) => (most === null ? [] : [[id, most]]))));
      }
    }));
  });

  it('always have the owner', () => {
    assert.throws(() => withoutMember(full, 'u1', null), { code: 'failed-precondition', details: { reason: 'owner_stays' } });
  });
});

describe('shareSession input', () => {
  const parse = (value: object) => shareSessionInput.safeParse({ sessionId: 's1', ...value });

  it('makes players for a day unless asked', () => assert.deepEqual(parse({}).data, { sessionId: 's1', role: 'player', ttlMinutes: 1_440 }));

  it('takes an address as lower case', () => assert.equal(parse({ email: 'Ada@Example.COM' }).data?.email, 'ada@example.com'));

  it('caps players only', () => {
    assert.ok(parse({ capDOFs: 1 }).success && parse({ role: 'player', capDOFs: 50_000 }).success && parse({ role: 'spectator' }).success);
    assert.deepEqual(parse({ role: 'spectator', capDOFs: 1 }).error?.issues.map(({ path }) => path), [['capDOFs']]);
  });

  it('refuses everything else', () => {
    const bad = [{ role: 'owner' }, { role: 'admin' }, { email: 'ada' }, { email: '' }, { email: `${'a'.repeat(250)}@x.example` }, { capDOFs: 0 }, { capDOFs: -1 }, { capDOFs: 1.5 }, { ttlMinutes: 4 }, { ttlMinutes: 10_081 }, { ttlMinutes: 7.5 }, { ttlMinutes: '60' }, { sessionId: 'a/b' },
      { inviteId: 'x' }, { createdBy: 'u1' }];
    for (const value of bad) assert.ok(!parse(value).success, JSON.stringify(value));
    for (const ttlMinutes of [5, 10_080]) assert.ok(parse({ ttlMinutes }).success);
  });
});
