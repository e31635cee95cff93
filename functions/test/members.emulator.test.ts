import assert from 'node:assert/strict';
import { frames } from './frames.ts';
import { admin, closeClients, eventually, givePlayer, refusal, watch, type Player } from './harness.ts';
import { join, share } from './shared.ts';

after(closeClients);

const consumedOf = async (sessionId: string): Promise<number> => (await admin().database.ref(`meters/${sessionId}/consumed`).get()).val() as number;

describe('turns of several members in one session', () => {
  it('come out one after the other, are seen by all, and are paid by the owner\'s agent', async () => {
    const shared = await share();
    const { owner, sessionId, livePath } = shared;
    const [guest, spectator] = [await join(shared), await join(shared, { role: 'spectator' })];
    const seen = watch(spectator, livePath);
    const streams = watch(spectator, `streams/${sessionId}`);
    // The same request id from two members: two requests.
    const ask = async (player: Player): Promise<{ turnId: string; costDOFs: number; consumedDOFs: number }> => {
      for (;;) {
        const answer = await player.call('processFrame', { sessionId, requestId: 'r1', instruction: 'Hello there' }).catch((error: { details?: { reason?: string } }) => {
          if (error.details?.reason !== 'turn_in_progress') throw error;
        });
        if (answer) return answer;
      }
    };
    const [first, second] = await Promise.all([ask(owner), ask(guest)]);
    assert.notEqual(first.turnId, second.turnId);
    const total = first.costDOFs + second.costDOFs;
    assert.equal(Math.max(first.consumedDOFs, second.consumedDOFs), total);
    await eventually(() => (seen.values.at(-1) as { dofs: { consumed: number } } | undefined)?.dofs.consumed === total, 'the spectator sees both');
    const heard = streams.values.at(-1) as Record<string, Record<string, { type: string; by?: string }>>;
    const whoSpoke = (turnId: string) => [...new Set(Object.values(heard[turnId]!).flatMap(({ by }) => by ?? []))];
    assert.deepEqual([whoSpoke(first.turnId), whoSpoke(second.turnId)], [[owner.uid], [guest.uid]]);
    assert.deepEqual([...seen.errors, ...streams.errors], []);

    await owner.call('endSession', { sessionId });
    const { lines, consumedDOFs } = await owner.call('getReceipt', { sessionId });
    assert.deepEqual([lines.map(({ memberId }) => memberId).toSorted(), consumedDOFs], [[guest.uid, null].toSorted(), total]);
  });

  it('are refused to spectators, strangers and who was removed, and change nothing', async () => {
    const shared = await share();
    const { owner, sessionId } = shared;
    const [guest, spectator, stranger] = [await join(shared), await join(shared, { role: 'spectator' }), await givePlayer()];
    const turn = (player: Player) => refusal(player.call('processFrame', { sessionId, requestId: 'r1', frameData: frames[0] })).then(({ code, reason }) => [code, reason]);
    assert.deepEqual(await turn(spectator), ['permission-denied', 'spectator']);
    assert.deepEqual(await turn(stranger), ['not-found', 'not_found']);
    await owner.call('removeMember', { sessionId, userId: guest.uid });
    assert.deepEqual(await turn(guest), ['not-found', 'not_found']);
    const lost = watch(guest, shared.livePath);
    await eventually(() => lost.errors.length === 1, 'the removed member sees nothing any more');
    assert.deepEqual([await consumedOf(sessionId), (await admin().database.ref(`requests/${sessionId}`).get()).val()], [0, null]);
  });

  it('stop at the cap of the member, while others go on', async () => {
    const shared = await share();
    const { owner, sessionId } = shared;
    const guest = await join(shared, { capDOFs: 40 });
    let spent = 0;
    let refused: Awaited<ReturnType<typeof refusal>> | null = null;
    for (let index = 0; index < 20 && !refused; index++) {
      const answer = await guest.call('processFrame', { sessionId, requestId: `r${index}`, frameData: frames[index] }).catch((error: unknown) => error);
      if (answer instanceof Error) refused = await refusal(Promise.reject(answer));
      else spent += (answer as { costDOFs: number }).costDOFs;
    }
    assert.deepEqual([refused?.code, refused?.reason], ['resource-exhausted', 'member_cap']);
    assert.ok(spent > 0 && spent <= 40, String(spent));
    assert.equal(await consumedOf(sessionId), spent);
    const { costDOFs } = await owner.call('processFrame', { sessionId, requestId: 'mine', frameData: frames[30] });
    assert.equal(await consumedOf(sessionId), spent + costDOFs);
  });
});
