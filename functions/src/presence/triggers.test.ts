import assert from 'node:assert/strict';
import { guest, SharingWorld } from '../../test/sharing-world.ts';
import { mirrorLive } from '../live/store.ts';
import { commitJoin } from '../sharing/store.ts';
import { showConnected, showDisconnected } from './triggers.ts';

describe('presence: the triggers', () => {
  it('hear of connections that come and go, in every database, and of no heartbeat', () => {
    const endpoints = [showConnected, showDisconnected].map(({ __endpoint }) => __endpoint.eventTrigger);
    const of = { eventFilters: {}, eventFilterPathPatterns: { ref: 'presence/{sessionId}/{uid}/{connection}', instance: '*' }, retry: true };
    assert.deepEqual(endpoints, ['created', 'deleted'].map((kind) => ({ ...of, eventType: `google.firebase.database.ref.v1.${kind}` })));
  });

  it('show the member as it is by then', async () => {
    const world = new SharingWorld();
    await world.seed();
    await mirrorLive(await commitJoin((await world.invite()).text, guest('u2')));
    const run = async (trigger: typeof showConnected) => {
      await trigger.run({ params: { sessionId: 's1', uid: 'u2', connection: 'c1' } } as never);
      return world.database.dump('live/s1/online');
    };
    await world.database.ref('presence/s1/u2/c1').set({ at: world.now });
    assert.deepEqual([await run(showConnected), await run(showDisconnected)], [{ u2: true }, { u2: true }]);
    await world.database.ref('presence/s1/u2/c1').remove();
    assert.deepEqual([await run(showConnected), await run(showDisconnected)], [null, null]);
    await world.close();
  });
});
