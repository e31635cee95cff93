import assert from 'node:assert/strict';
import { freshSession, SharingWorld } from '../../test/sharing-world.ts';
import { endSession } from '../sessions/lifecycle.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { requireContext } from './context.ts';

const members: SessionDoc['members'] = { u1: 'owner', p1: 'player', s1: 'spectator' };
const foreign = { code: 'not-found', details: { reason: 'not_found' } };
const closed = { code: 'failed-precondition', details: { reason: 'session_closed', closeReason: 'user' } };

describe('live: what a turn knows of its session', () => {
  let world: SharingWorld;

  beforeEach(async () => {
    world = new SharingWorld();
    await world.seed({ ...freshSession(), members, memberIds: Object.keys(members) });
  });
  afterEach(() => world.close());

  it('is told to its members, and to nobody else', async () => {
    for (const uid of Object.keys(members)) assert.equal((await requireContext(uid, 's1')).ownerId, 'u1');
    for (const uid of ['x1', 'constructor', 'p1/role', '']) await assert.rejects(requireContext(uid, 's1'), foreign);
    await assert.rejects(requireContext('u1', 's2'), foreign);
  });

  for (const known of [true, false]) {
    it(`is that it has ended, to all who were its members then, ${known ? 'also on an instance that knows it' : 'wherever they ask'}`, async () => {
      if (known) await requireContext('p1', 's1');
      await endSession('s1', 'user', () => world.now);
      for (const uid of ['p1', 's1']) await assert.rejects(requireContext(uid, 's1'), closed);
      await assert.rejects(requireContext('x1', 's1'), foreign);
      await world.firestore.doc('sessions/s1').update({ members: { u1: 'owner', s1: 'spectator' } });
      await assert.rejects(requireContext('p1', 's1'), foreign);
    });
  }

  it('is told to a member of whom the meter has not heard, and the meter hears of it; who was removed stays so', async () => {
    await requireContext('p1', 's1');
    await world.firestore.doc('sessions/s1').update({ members: { u1: 'owner', p2: 'player' }, version: 2 });
    assert.equal((await requireContext('p2', 's1')).ownerId, 'u1');
    assert.deepEqual(world.database.dump('meters/s1/members'), { p2: { role: 'player' } });
    await assert.rejects(requireContext('p1', 's1'), foreign);
  });
});
