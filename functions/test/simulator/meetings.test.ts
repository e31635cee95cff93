import assert from 'node:assert/strict';
import type { InviteDoc } from '../../src/sharing/schema.ts';
import { Stage } from './stage.ts';

const tenMinutes = 10 * 60_000;

/** Two calls that meet at ann's session, each on a process of its own. */
interface Meeting {
  /** What comes before, one after the other. */
  before: (stage: Stage) => Promise<unknown>;
  acts: [(stage: Stage) => Promise<unknown>, (stage: Stage) => Promise<unknown>];
  /** What must be so afterwards, whoever was first. */
  after: (stage: Stage) => void | Promise<void>;
}

const sessionOf = (stage: Stage): string => stage.clients.sessions.get('ann')!;
const invite = (stage: Stage, index = 0) => stage.clients.invites[index]!;
const members = (stage: Stage): string[] => stage.sessions()[0]!.memberIds;
const usedBy = (stage: Stage): (string | null)[] => Object.entries(stage.world.firestore.dump('sessions')).filter(([path]) => /\/invites\//.test(path)).map(([, data]) => (data as InviteDoc).usedBy);
const events = (stage: Stage, type: string): number => Object.values(stage.world.firestore.dump('outbox')).filter((event) => event['type'] === type).length;
const refused = (stage: Stage, reason: string): number => stage.clients.told.refusals.get(reason) ?? 0;
const told = (stage: Stage): number => [...stage.clients.told.turns.values()].reduce((sum, cost) => sum + cost, 0);

/** Whether a turn of somebody is answered now, which it must be for a player and for nobody else. */
async function mayAsk(stage: Stage, person: string): Promise<void> {
  const before = stage.clients.told.turns.size;
  await stage.play([() => stage.guestTurn(person, 'afterwards')]);
  const isMember = members(stage).includes(person);
  assert.deepEqual([stage.clients.told.turns.size - before, refused(stage, 'not_found') > 0], [isMember ? 1 : 0, !isMember]);
}

const share = (count = 1) => async (stage: Stage) => { for (let index = 0; index < count; index++) await stage.clients.share('ann'); };
const join = (person: string, index = 0) => (stage: Stage) => stage.clients.join(person, invite(stage, index));
const admit = (...people: string[]) => async (stage: Stage) => { for (const person of people) await stage.admit(person); };
const remove = (person: string) => (stage: Stage) => stage.clients.remove('ann', sessionOf(stage), person);
const end = (stage: Stage) => stage.clients.end('ann');
const turnOf = (person: string, requestId = 'met') => (stage: Stage) => stage.guestTurn(person, requestId);

const meetings: Record<string, Meeting> = {
  'joining and being removed: a member who may ask, or none who may': {
    before: share(), acts: [join('cat'), remove('cat')],
    after: async (stage) => {
      assert.deepEqual([usedBy(stage), events(stage, 'session.member_joined')], [['cat'], 1]);
      await mayAsk(stage, 'cat');
    },
  },
  'joining and the end of the session: an invite is used up by who is a member of it': {
    before: share(), acts: [join('cat'), end],
    after: (stage) => assert.deepEqual([stage.sessions()[0]!.status, usedBy(stage)], ['ended', [members(stage).includes('cat') ? 'cat' : null]]),
  },
  'joining and the invite being revoked: one of them comes too late': {
    before: share(), acts: [join('cat'), (stage) => stage.clients.revoke('ann', invite(stage))],
    after: (stage) => assert.deepEqual([usedBy(stage)[0] === 'cat', refused(stage, 'invite_used') + refused(stage, 'invite_invalid')], [members(stage).includes('cat'), 1]),
  },
  'two who join with one invite: one does': {
    before: share(), acts: [join('cat'), join('dan')],
    after: (stage) => assert.deepEqual([members(stage), refused(stage, 'invite_invalid')], [['ann', usedBy(stage)[0]], 1]),
  },
  'two who join at the last place: one does, and the other invite stays good': {
    before: async (stage) => { await admit('ben')(stage); await share(2)(stage); }, acts: [join('cat', 1), join('dan', 2)],
    after: (stage) => assert.deepEqual([members(stage).length, usedBy(stage).filter((uid) => uid === null).length, refused(stage, 'session_full')], [3, 1, 1]),
  },
  'leaving and being removed: gone, once': {
    before: admit('cat'), acts: [(stage) => stage.clients.leave('cat', sessionOf(stage)), remove('cat')],
    after: async (stage) => {
      assert.deepEqual([members(stage), events(stage, 'session.member_left')], [['ann'], 1]);
      stage.clients.told.refusals.clear();
      await mayAsk(stage, 'cat');
    },
  },
  'a turn of a member and its removal: gone, and nothing is charged that was not consumed': {
    before: admit('cat'), acts: [turnOf('cat'), remove('cat')],
    after: async (stage) => {
      assert.deepEqual(members(stage), ['ann']);
      stage.clients.told.refusals.clear();
      await mayAsk(stage, 'cat');
    },
  },
  'a turn of a member and the end of the session: one end, which covers the turn': {
    before: admit('cat'), acts: [turnOf('cat'), end],
    after: (stage) => assert.deepEqual([stage.sessions()[0]!.status, stage.sessions()[0]!.consumedDOFs >= told(stage)], ['ended', true]),
  },
  'turns of a member and of the owner under one id: both, one after the other': {
    before: admit('cat'), acts: [turnOf('cat'), turnOf('ann')],
    after: (stage) => assert.deepEqual([...stage.clients.told.turns.keys()].toSorted(), [`${sessionOf(stage)}/met/ann`, `${sessionOf(stage)}/met/cat`]),
  },
  'two turns of a member whose cap covers one: one, and the other is refused': {
    before: (stage) => stage.admit('cat', { capDOFs: 8 }), acts: [turnOf('cat', 'one'), turnOf('cat', 'other')],
    after: (stage) => assert.deepEqual([stage.clients.told.turns.size, refused(stage, 'member_cap')], [1, 1]),
  },
};

describe('two that meet at a shared session', function () {
  this.timeout(120_000);

  for (const [name, { before, acts, after }] of Object.entries(meetings)) {
    for (const skewMs of [0, tenMinutes, -tenMinutes]) {
      it(`${name}; clocks ${skewMs / 60_000} minutes apart`, async () => {
        for (let seed = 0; seed < 15; seed++) {
          const stage = new Stage({ seed });
          try {
            await stage.play([() => stage.clients.start('ann', 0, false), () => before(stage)]);
            stage.pool.push(stage.world.boot(skewMs));
            await stage.play(acts.map((act) => () => act(stage)), 2);
            await after(stage);
            await stage.curtain();
            const { consumedDOFs } = stage.sessions()[0]!;
            assert.ok(consumedDOFs >= told(stage) && stage.agent().currentDOFs === 100 - consumedDOFs);
          } catch (error) {
            throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
          } finally {
            await stage.world.close();
          }
        }
      });
    }
  }
});
