import assert from 'node:assert/strict';
import { crashed, deaf, lossy, settled, unreachable } from '../../test/memory/gates.ts';
import type { Gate } from '../../test/memory/io.ts';
import { freshSession, guest, SharingWorld } from '../../test/sharing-world.ts';
import { AppError } from '../runtime/errors.ts';
import { commitRename, listSessions } from '../sessions/store.ts';
import { commitEnd } from '../sessions/store-lifecycle.ts';
import { maxOpenInvites } from './sharing.ts';
import { commitJoin, commitLeave, commitRemoval, createInvite, openInvites, revokeInvite } from './store.ts';

const reasonOf = (error: unknown): string => (error instanceof AppError ? error.details!.reason : String(error));
const refusedWith = (reason: string) => (error: unknown) => reasonOf(error) === reason;

describe('sharing: the store', () => {
  let world: SharingWorld;
  beforeEach(async () => {
    world = new SharingWorld();
    await world.seed();
  });
  afterEach(async () => {
    assertNumbered();
    await world.close();
  });

  const join = (text: string, uid: string) => commitJoin(text, guest(uid));
  const end = () => commitEnd('s1', 'user', { total: null, lines: [] }, world.now);
  const outcome = (attempt: Promise<unknown>): Promise<string> => attempt.then(() => 'done', reasonOf);
  const used = (inviteId: string) => world.stored(inviteId)?.usedBy;
  /** Every version of the session has its one event, and its members are the same in all fields. */
  function assertNumbered(): void {
    const { version, members, memberIds, memberCaps } = world.session();
    assert.deepEqual(world.events().map((event) => Number(event.split(' ')[0])), Array.from({ length: version - 1 }, (_, index) => index + 2));
    assert.deepEqual([...memberIds].sort(), Object.keys(members).sort());
    assert.deepEqual(Object.keys(memberCaps).filter((uid) => members[uid] !== 'player'), []);
  }

  describe('an invite', () => {
    it('is stored without its secret, and lets one person join', async () => {
      const { inviteId, text } = await world.invite({ capDOFs: 40, email: 'ada@example.com' });
      const { createdAt, expiresAt, ...rest } = world.stored(inviteId)!;
      assert.deepEqual(rest, { role: 'player', email: 'ada@example.com', capDOFs: 40, createdBy: 'u1', usedBy: null, usedAt: null, revokedAt: null });
      assert.equal(expiresAt.toMillis() - createdAt.toMillis(), 3_600_000);
      const joined = await commitJoin(text, guest('u2', { email: 'ada@example.com', emailVerified: true }));
      assert.deepEqual(joined, world.session());
      assert.deepEqual([joined.members, joined.memberIds, joined.memberCaps], [{ u1: 'owner', u2: 'player' }, ['u1', 'u2'], { u2: 40 }]);
      assert.deepEqual([world.stored(inviteId)?.usedBy, world.stored(inviteId)?.usedAt?.toMillis()], ['u2', world.now]);
      assert.deepEqual(world.events(), ['2 invite_created', '3 member_joined']);
      const everything = JSON.stringify(world.firestore.dump());
      assert.ok(!everything.includes(text.split('.')[1]!));
      assert.ok(!JSON.stringify([world.firestore.dump('outbox'), world.logged]).includes('ada@example.com'));
    });

    it('is made by the owner of an open session only', async () => {
      await join((await world.invite()).text, 'u2');
      const make = (uid: string, sessionId = 's1') => outcome(createInvite(uid, { sessionId, role: 'player', ttlMinutes: 5 }));
      assert.deepEqual([await make('u2'), await make('u3'), await make('u1', 'unknown')], ['not_owner', 'not_found', 'not_found']);
      world.now += 4 * 3_600_000;
      assert.equal(await make('u1'), 'session_closed');
      await end();
      assert.equal(await make('u1'), 'session_closed');
    });

    it('is one of twenty that are open at once, also for those who ask together', async () => {
      const made = [];
      for (let count = 0; count < maxOpenInvites - 2; count++) made.push(await world.invite());
      const asked = await Promise.all(Array.from({ length: 5 }, () => outcome(world.invite())));
      assert.deepEqual(asked.sort(), ['done', 'done', 'too_many_invites', 'too_many_invites', 'too_many_invites']);
      assert.equal(await outcome(world.invite()), 'too_many_invites');
      await revokeInvite('u1', 's1', made[0]!.inviteId);
      await join(made[1]!.text, 'u2');
      assert.deepEqual([await outcome(world.invite()), await outcome(world.invite({ ttlMinutes: 5 })), await outcome(world.invite())], ['done', 'done', 'too_many_invites']);
      world.now += 5 * 60_000;
      assert.equal(await outcome(world.invite()), 'done');
    });

    it('is listed as long as it can be used, the first to expire first', async () => {
      const [late, early, gone, taken, revoked] = [await world.invite({ ttlMinutes: 60 }), await world.invite({ ttlMinutes: 30 }), await world.invite({ ttlMinutes: 5 }), await world.invite(), await world.invite()];
      await join(taken.text, 'u2');
      await revokeInvite('u1', 's1', revoked.inviteId);
      const listed = async () => (await openInvites('s1', world.now)).map(({ inviteId }) => inviteId);
      assert.deepEqual(await listed(), [gone, early, late].map(({ inviteId }) => inviteId));
      world.now += 5 * 60_000;
      assert.deepEqual(await listed(), [early, late].map(({ inviteId }) => inviteId));
    });

    it('is revoked by the owner, once, and not when somebody has joined with it', async () => {
      const [one, other] = [await world.invite(), await world.invite()];
      await join(other.text, 'u2');
      const revoke = (uid: string, inviteId: string) => outcome(revokeInvite(uid, 's1', inviteId));
      assert.deepEqual([await revoke('u2', one.inviteId), await revoke('u3', one.inviteId), await revoke('u1', 'unknown'), await revoke('u1', other.inviteId)], ['not_owner', 'not_found', 'not_found', 'invite_used']);
      assert.deepEqual([await revoke('u1', one.inviteId), await revoke('u1', one.inviteId)], ['done', 'done']);
      assert.equal(await outcome(join(one.text, 'u4')), 'invite_invalid');
      assert.deepEqual(world.events(), ['2 invite_created', '3 invite_created', '4 member_joined', '5 invite_revoked']);
    });

    it('of another session lets nobody join this one', async () => {
      await world.firestore.doc('sessions/s2').set(freshSession({ sessionId: 's2' }));
      const { text } = await world.invite({ sessionId: 's2' });
      assert.equal(await outcome(join(text.replace('s2.', 's1.'), 'u2')), 'invite_invalid');
      assert.deepEqual(world.session('s2').memberIds, ['u1']);
    });

    it('of a session that was deleted is as bad as any other', async () => {
      const { text } = await world.invite();
      const before = world.session();
      await world.firestore.doc('sessions/s1').delete();
      assert.equal(await outcome(join(text, 'u2')), 'invite_invalid');
      await world.firestore.doc('sessions/s1').set(before);
    });
  });

  describe('joining again', () => {
    it('answers as before and uses nothing up, whatever the invite', async () => {
      const [first, second] = [await world.invite(), await world.invite({ role: 'spectator' })];
      const joined = await join(first.text, 'u2');
      const bad = `s1.${'y'.repeat(32)}`;
      for (const text of [first.text, second.text, bad]) assert.deepEqual((await join(text, 'u2')).members, joined.members);
      assert.equal((await join(second.text, 'u1')).members['u1'], 'owner');
      assert.deepEqual([used(second.inviteId), world.session().version], [null, 4]);
    });

    it('with any invite from before is refused for one who was removed', async () => {
      const [{ text }, spare] = [await world.invite(), await world.invite()];
      await join(text, 'u2');
      await commitRemoval('s1', 'u1', 'u2');
      for (const before of [text, spare.text]) assert.equal(await outcome(join(before, 'u2')), 'invite_invalid');
      assert.equal(used(spare.inviteId), null);
      world.now += 1;
      await join((await world.invite({ role: 'spectator' })).text, 'u2');
      assert.deepEqual(world.session().members, { u1: 'owner', u2: 'spectator' });
    });
  });

  describe('leaving', () => {
    beforeEach(async () => {
      for (const uid of ['u2', 'u3']) await join((await world.invite({ capDOFs: 9 })).text, uid);
    });

    it('takes a member and its cap away, also when the session has ended', async () => {
      assert.deepEqual((await commitLeave('s1', 'u2')).memberIds, ['u1', 'u3']);
      assert.deepEqual(world.session().memberCaps, { u3: 9 });
      await end();
      await commitRemoval('s1', 'u1', 'u3');
      assert.deepEqual([world.session().members, world.session().memberCaps, world.session().status], [{ u1: 'owner' }, {}, 'ended']);
      assert.deepEqual(world.events().slice(-3), ['6 member_left', '7 ended', '8 member_left']);
      const by = Object.values(world.firestore.dump('outbox')).filter(({ type }) => type === 'session.member_left').map(({ data }) => data as object);
      const about = { sessionId: 's1', userId: 'u1', agentInstanceId: 'a1', role: 'player' };
      assert.deepEqual(by, [{ ...about, memberId: 'u2', by: 'member' }, { ...about, memberId: 'u3', by: 'owner' }]);
    });

    it('is refused to the owner, to strangers, and in place of others', async () => {
      const before = world.session();
      assert.deepEqual(await Promise.all([commitLeave('s1', 'u1'), commitRemoval('s1', 'u1', 'u1'), commitLeave('s1', 'u9'), commitLeave('unknown', 'u2'), commitRemoval('s1', 'u2', 'u3'), commitRemoval('s1', 'u9', 'u3')].map(outcome)),
        ['owner_stays', 'owner_stays', 'not_found', 'not_found', 'not_owner', 'not_found']);
      assert.deepEqual(world.session(), before);
    });

    it('happens once: removing again changes nothing', async () => {
      await commitRemoval('s1', 'u1', 'u2');
      const before = world.session();
      assert.deepEqual(await commitRemoval('s1', 'u1', 'u2'), before);
      assert.deepEqual(world.session(), before);
    });
  });

  describe('in a race', () => {
    it('64 people with one invite are one member', async () => {
      const { inviteId, text } = await world.invite();
      const outcomes = await Promise.all(Array.from({ length: 64 }, (_, index) => outcome(join(text, `g${index}`))));
      assert.deepEqual([outcomes.filter((each) => each === 'done').length, outcomes.filter((each) => each === 'invite_invalid').length], [1, 63]);
      assert.deepEqual(world.session().memberIds, ['u1', used(inviteId)]);
      assert.deepEqual(world.events(), ['2 invite_created', '3 member_joined']);
    });

    it('one person with one invite from 8 clients is one member, and all of them are told so', async () => {
      const { text } = await world.invite();
      assert.deepEqual(await Promise.all(Array.from({ length: 8 }, () => outcome(join(text, 'u2')))), Array<string>(8).fill('done'));
      assert.deepEqual(world.session().memberIds, ['u1', 'u2']);
    });

    it('one person with two invites uses one of them up', async () => {
      const invites = [await world.invite(), await world.invite({ role: 'spectator' })];
      await Promise.all(invites.map(({ text }) => join(text, 'u2')));
      assert.deepEqual(invites.map(({ inviteId }) => used(inviteId)).sort(), ['u2', null].sort());
      assert.deepEqual(world.session().memberIds, ['u1', 'u2']);
    });

    it('joining and revoking: the first of them counts', async () => {
      const [one, other] = [await world.invite(), await world.invite()];
      world.overtake(() => revokeInvite('u1', 's1', one.inviteId));
      assert.equal(await outcome(join(one.text, 'u2')), 'invite_invalid');
      assert.deepEqual([used(one.inviteId), world.session().memberIds], [null, ['u1']]);
      world.overtake(() => join(other.text, 'u2'));
      assert.equal(await outcome(revokeInvite('u1', 's1', other.inviteId)), 'invite_used');
      assert.deepEqual([used(other.inviteId), world.stored(other.inviteId)?.revokedAt, world.session().memberIds], ['u2', null, ['u1', 'u2']]);
    });

    it('joining and the end of the session: who joined before is a member of what has ended', async () => {
      const [early, late] = [await world.invite(), await world.invite()];
      world.overtake(() => join(early.text, 'u2'));
      await end();
      assert.deepEqual([world.session().status, world.session().memberIds], ['ended', ['u1', 'u2']]);
      assert.equal(await outcome(join(late.text, 'u3')), 'session_closed');
    });

    it('the end of the session and joining: nobody joins what has ended, and the invite is not used up', async () => {
      const { inviteId, text } = await world.invite();
      world.overtake(end);
      assert.equal(await outcome(join(text, 'u2')), 'session_closed');
      assert.deepEqual([used(inviteId), world.session().memberIds], [null, ['u1']]);
    });

    it('an invite is used up, or revoked, only as it was read', async () => {
      const change = ({ inviteId }: { inviteId: string }, changes: object) => world.firestore.doc(`sessions/s1/invites/${inviteId}`).update(changes);
      const [one, other] = [await world.invite(), await world.invite()];
      world.overtake(() => change(one, { usedBy: 'u9' }));
      assert.equal(await outcome(join(one.text, 'u2')), 'invite_invalid');
      world.overtake(() => change(other, { usedBy: 'u9' }));
      assert.equal(await outcome(revokeInvite('u1', 's1', other.inviteId)), 'invite_used');
      assert.deepEqual([world.session().memberIds, world.stored(other.inviteId)?.revokedAt], [['u1'], null]);
    });

    it('joining and leaving: both happen', async () => {
      const [first, second] = [await world.invite(), await world.invite()];
      await join(first.text, 'u2');
      world.overtake(() => commitLeave('s1', 'u2'));
      await join(second.text, 'u3');
      assert.deepEqual(world.session().memberIds, ['u1', 'u3']);
      assert.deepEqual(world.events().slice(-2), ['5 member_left', '6 member_joined']);
    });

    it('joining and naming: both happen', async () => {
      const { text } = await world.invite();
      world.overtake(() => join(text, 'u2'));
      await commitRename('u1', 's1', 'Friday');
      assert.deepEqual([world.session().memberIds, world.session().name, world.session().version], [['u1', 'u2'], 'Friday', 4]);
    });

    it('leaving and being removed: it happens once, and both are told so', async () => {
      await join((await world.invite()).text, 'u2');
      world.overtake(() => commitRemoval('s1', 'u1', 'u2'));
      await commitLeave('s1', 'u2');
      world.now += 1;
      await join((await world.invite()).text, 'u2');
      world.overtake(() => commitLeave('s1', 'u2'));
      await commitRemoval('s1', 'u1', 'u2');
      assert.equal(world.events().filter((event) => event.endsWith('member_left')).length, 2);
    });

    it('for the last free place: one gets it, and the other keeps the invite', async () => {
      await world.firestore.doc('sessions/s1').update({ 'config.limits.maxMembers': 2 } as object);
      const invites = [await world.invite(), await world.invite()];
      const outcomes = await Promise.all(invites.map(({ text }, index) => outcome(join(text, `g${index}`))));
      assert.deepEqual(outcomes.toSorted(), ['done', 'session_full']);
      const loser = outcomes.indexOf('session_full');
      assert.equal(used(invites[loser]!.inviteId), null);
      await commitLeave('s1', `g${1 - loser}`);
      assert.equal(await outcome(join(invites[loser]!.text, `g${loser}`)), 'done');
    });
  });

  describe('a commit', () => {
    /** What each change begins with, what it is, and whether it has happened. */
    const changes: [what: string, prepare: () => Promise<{ act: () => Promise<unknown>; happened: () => boolean }>][] = [
      ['that makes an invite', () => {
        const before = Object.keys(world.firestore.dump('sessions/s1/invites')).length;
        return Promise.resolve({ act: () => world.invite(), happened: () => Object.keys(world.firestore.dump('sessions/s1/invites')).length > before });
      }],
      ['that revokes one', async () => {
        const { inviteId } = await world.invite();
        return { act: () => revokeInvite('u1', 's1', inviteId), happened: () => world.stored(inviteId)!.revokedAt !== null };
      }],
      ['that lets somebody join', async () => {
        const { text, inviteId } = await world.invite({ capDOFs: 5 });
        return { act: () => join(text, 'u2'), happened: () => {
          const facts = [world.session().members['u2'] === 'player', world.session().memberIds.includes('u2'), world.session().memberCaps['u2'] === 5, used(inviteId) === 'u2'];
          assert.equal(new Set(facts).size, 1, 'all of it or nothing');
          return facts[0]!;
        } };
      }],
      ['that lets somebody leave', async () => {
        await join((await world.invite()).text, 'u2');
        return { act: () => commitLeave('s1', 'u2'), happened: () => !world.session().memberIds.includes('u2') };
      }],
      ['that removes somebody', async () => {
        await join((await world.invite()).text, 'u2');
        return { act: () => commitRemoval('s1', 'u1', 'u2'), happened: () => !world.session().memberIds.includes('u2') };
      }],
      ['that gives a name', () => Promise.resolve({ act: () => commitRename('u1', 's1', 'Friday'), happened: () => world.session().name === 'Friday' })],
    ];
    const fates: [fate: string, gate: Gate, arrives: boolean, answers: boolean][] = [
      ['that never arrives', unreachable, false, true], ['whose answer is lost', lossy, true, true],
      ['before which the process dies', crashed, false, false], ['after which the process dies', deaf, true, false],
    ];
    for (const [what, prepare] of changes) {
      for (const [fate, gate, arrives, answers] of fates) {
        it(`${what}, ${fate}, is whole or nothing, and can be repeated`, async () => {
          const { act, happened } = await prepare();
          const before = world.session().version;
          const met: string[] = [];
          world.commitsMeet((io, apply) => { met.push(io.kind); return gate(io, apply); });
          const attempt = act();
          if (answers) await assert.rejects(attempt, { code: 14 });
          else for (let turns = 0; turns < 20 && met.length === 0; turns++) await settled();
          assert.deepEqual([met.length, happened(), world.session().version], [1, arrives, before + Number(arrives)]);
          assertNumbered();
          const repeated = await outcome(act());
          assert.equal(repeated, what === 'that lets somebody leave' && arrives ? 'not_found' : 'done');
          assert.ok(happened());
          const again = what === 'that makes an invite' && arrives ? 2 : 1;
          assert.equal(world.session().version, before + again);
        });
      }

      it(`${what}, that the SDK sends again because the answer was lost, happens once`, async () => {
        const { act, happened } = await prepare();
        const before = world.session().version;
        world.commitsMeet((_io, apply) => {
          apply();
          return Promise.resolve().then(apply);
        });
        await act();
        assert.deepEqual([happened(), world.session().version], [true, before + 1]);
      });
    }
  });

  describe('the list of sessions', () => {
    it('has those that a user owns or has joined, open ones first, newest first, each once on its pages', async () => {
      const minute = 60_000;
      for (let index = 2; index <= 9; index++) {
        const session = freshSession({ sessionId: `s${index}`, startedAt: world.now - index * minute });
        const [members, memberIds] = index % 2 === 0 ? [{ ...session.members, u2: 'player' as const }, ['u1', 'u2']] : [session.members, ['u1']];
        await world.firestore.doc(`sessions/s${index}`).set({ ...session, members, memberIds, status: index % 3 === 0 ? 'ended' : 'active' });
      }
      const ids = async (uid: string, limit = 100, after: Parameters<typeof listSessions>[2] = null) => (await listSessions(uid, limit, after)).map(({ sessionId }) => sessionId);
      assert.deepEqual(await ids('u1'), ['s1', 's2', 's4', 's5', 's7', 's8', 's3', 's6', 's9']);
      assert.deepEqual(await ids('u2'), ['s2', 's4', 's8', 's6']);
      assert.deepEqual(await ids('u3'), []);
      for (const limit of [1, 2, 3, 8]) {
        const seen: string[] = [];
        for (let after: Parameters<typeof listSessions>[2] = null; ;) {
          const page = await listSessions('u1', limit, after);
          if (page.length === 0) break;
          seen.push(...page.map(({ sessionId }) => sessionId));
          const { status, startedAt, sessionId } = page.at(-1)!;
          after = { status, startedAt: startedAt.toMillis(), sessionId };
        }
        assert.deepEqual(seen, ['s1', 's2', 's4', 's5', 's7', 's8', 's3', 's6', 's9'], `pages of ${limit}`);
      }
    });

    it('leaves out none that ends between two pages', async () => {
      for (let index = 2; index <= 4; index++) await world.firestore.doc(`sessions/s${index}`).set(freshSession({ sessionId: `s${index}`, startedAt: world.now - index }));
      const first = await listSessions('u1', 2, null);
      await world.firestore.doc('sessions/s3').update({ status: 'ended' } as object);
      const { status, startedAt, sessionId } = first.at(-1)!;
      const rest = await listSessions('u1', 9, { status, startedAt: startedAt.toMillis(), sessionId });
      assert.deepEqual([first, rest].map((page) => page.map((session) => session.sessionId)), [['s1', 's2'], ['s4', 's3']]);
    });
  });

  it('refuses a name from anybody but the owner', async () => {
    await join((await world.invite()).text, 'u2');
    const before = world.session();
    for (const [uid, reason] of [['u2', 'not_owner'], ['u3', 'not_found']] as const) await assert.rejects(commitRename(uid, 's1', 'Mine'), refusedWith(reason));
    assert.deepEqual(world.session(), before);
    for (const name of ['Friday', 'Friday', null]) assert.equal((await commitRename('u1', 's1', name)).name, name);
    assert.deepEqual(world.events().slice(-2), ['4 renamed', '5 renamed']);
  });
});
