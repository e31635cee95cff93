import assert from 'node:assert/strict';
import { keptStreams } from '../src/live/kept-streams.ts';
import type { Meter } from '../src/live/meter.ts';
import type { RequestRecord } from '../src/live/requests.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import type { ShownLive, ShownStreams } from './crowd.ts';
import { deploy, endInstances, type Instance } from './deployed.ts';
import { admin, clientOf, closeClients, eventually, fireSchedule, givePlayer, read, refusal, sums, watch, type Client, type Player } from './harness.ts';
import { startMockVendor, type MockVendor } from './vendors/server.ts';

/** A model that begins to answer and never ends. */
let vendor: MockVendor;
before(async () => {
  vendor = await startMockVendor('stalled');
});
after(async () => {
  await endInstances();
  await Promise.all([vendor.close(), closeClients()]);
});

const node = async <T>(path: string): Promise<T> => (await admin().database.ref(path).get()).val() as T;
const meterOf = (sessionId: string): Promise<Meter> => node(`meters/${sessionId}`);
const totalOf = (costs: number[]): number => costs.reduce((sum, cost) => sum + cost, 0);

interface Shared {
  sessionId: string;
  owner: Player;
  guest: Client;
  /** What the guest is shown of the session. */
  live: () => ShownLive;
  streams: () => ShownStreams;
}

/** An open session with somebody who has joined it. */
async function share(): Promise<Shared> {
  const [owner, guest] = [await givePlayer({ dofs: 5_000 }), await clientOf(`guest-of-${Date.now()}`)];
  const { sessionId } = await owner.call('startSession', { agentInstanceId: owner.agentInstanceId });
  await guest.call('joinSession', { invite: (await owner.call('shareSession', { sessionId })).invite });
  const [live, streams] = [watch(guest, `live/${sessionId}`), watch(guest, `streams/${sessionId}`)];
  return { sessionId, owner, guest, live: () => live.values.at(-1) as ShownLive, streams: () => (streams.values.at(-1) ?? {}) as ShownStreams };
}

/** A turn of a client whose process is killed while the model is answering. Tells what the turn was, as the meter has it. */
async function killedTurn({ sessionId, streams }: Shared, client: Client, requestId = 'killed'): Promise<NonNullable<Meter['turn']>> {
  const instance = await deploy('processFrame', { GEMINI_API_KEY: 'mock-key', GEMINI_BASE_URL: vendor.url });
  const lost = client.streamAt(instance, { sessionId, requestId, instruction: 'Tell me a story' }).then(() => 'answered', () => 'lost');
  const turn = async (): Promise<Meter['turn']> => (await meterOf(sessionId)).turn;
  await eventually(async () => Object.values(streams()[(await turn())?.fence ?? ''] ?? {}).length > 0, 'the model has begun to answer');
  await instance.kill();
  assert.equal(await lost, 'lost');
  return (await turn())!;
}

/** Lets the time of the turn that holds the lease be over. */
const expire = (sessionId: string): Promise<void> => admin().database.ref(`meters/${sessionId}/turn`).update({ expiresAt: Date.now() - 1 });

describe('a session whose functions are killed between any two turns', () => {
  it('goes on as if nothing had happened: who pays, what was said and what is shown', async function () {
    this.timeout(240_000);
    const shared = await share();
    const { sessionId, owner, guest, live, streams } = shared;
    const turns = 7;
    const costs: number[] = [];
    const turnIds: string[] = [];
    let next: Promise<Instance<'processFrame'>> = deploy('processFrame');
    for (let index = 0; index < turns; index++) {
      const instance = await next;
      // The next one starts while this one works.
      if (index + 1 < turns) next = deploy('processFrame');
      const client = index % 2 === 0 ? owner : guest;
      if (index > 0) {
        // As a client does that never got the answer of the process that was killed.
        const again = await (client === owner ? guest : owner).streamAt(instance, { sessionId, requestId: `r${index - 1}`, instruction: `Turn ${index - 1}` });
        assert.deepEqual([again.data.replayed, again.data.turnId, again.data.costDOFs, again.chunks], [true, turnIds.at(-1), costs.at(-1), []]);
      }
      const { data } = await client.streamAt(instance, { sessionId, requestId: `r${index}`, instruction: `Turn ${index}` });
      await instance.kill();
      costs.push(data.costDOFs);
      turnIds.push(data.turnId);

      const { consumed, spent = {}, turn } = await meterOf(sessionId);
      const guests = totalOf(costs.filter((_, each) => each % 2 === 1));
      assert.deepEqual([consumed, spent[guest.uid] ?? 0, turn, data.consumedDOFs], [totalOf(costs), guests, undefined, totalOf(costs)]);
      assert.equal(Number(/I know (\d+) earlier/.exec(data.reply)?.[1] ?? 0), Math.min(index, 6), 'the model is told of the turns before');
      const records = Object.values(await node<Record<string, RequestRecord>>(`requests/${sessionId}`)).toSorted((a, b) => a.consumed! - b.consumed!);
      assert.deepEqual(records.map(({ said, turnId, by, cost }) => [said, turnId, by, cost]), turnIds.map((id, each) => [`Turn ${each}`, id, each % 2 === 1 ? guest.uid : undefined, costs[each]]));
      await eventually(() => live().dofs.consumed === consumed && live().turn.state === 'idle', 'the guest is shown the total');
      await eventually(() => turnIds.slice(-keptStreams).every((id) => Object.values(streams()[id] ?? {}).some(({ type }) => type === 'done')), 'the guest is shown the turn');
    }
    const { lines } = await owner.call('getReceipt', { sessionId });
    assert.deepEqual(lines.map(({ turnId, costDOFs }) => [turnId, costDOFs]), turnIds.map((id, each) => [id, costs[each]]));
    await owner.call('endSession', { sessionId });
    const left = 5_000 - totalOf(costs);
    assert.deepEqual(await sums(owner), { ledger: left, lots: left, balance: left, held: 0 });
  });
});

describe('a turn whose function is killed while the model answers', () => {
  it('is resolved by the next caller once its time is over, at the price of what was sent', async function () {
    this.timeout(120_000);
    const shared = await share();
    const { sessionId, owner, guest, live, streams } = shared;
    const { inputPrice, by, fence, requestId } = await killedTurn(shared, guest);
    assert.deepEqual([by, inputPrice > 0, live().turn], [guest.uid, true, { id: fence, state: 'speaking', by: guest.uid }]);
    const instance = await deploy('processFrame');
    const ask = { sessionId, requestId: 'next', instruction: 'Are you there?' };
    assert.equal((await refusal(owner.streamAt(instance, ask))).code, 'aborted', 'its time is not over');
    await expire(sessionId);
    const { data } = await owner.streamAt(instance, ask);
    assert.equal(data.consumedDOFs, inputPrice + data.costDOFs);
    const record = await node<RequestRecord>(`requests/${sessionId}/${requestId}`);
    assert.deepEqual([record.state, record.outcome, record.cost, record.estimated, record.by], ['done', 'cut', inputPrice, true, guest.uid]);

    const again = await guest.streamAt(instance, { sessionId, requestId: 'killed', instruction: 'Tell me a story' });
    assert.deepEqual([again.data.replayed, again.data.turnId, again.data.costDOFs, again.data.estimated], [true, fence, inputPrice, true]);
    const { consumed, spent, turn } = await meterOf(sessionId);
    assert.deepEqual([consumed, spent, turn], [data.consumedDOFs, { [guest.uid]: inputPrice }, undefined]);
    await eventually(() => live().dofs.consumed === consumed, 'the guest is shown the total');
    assert.deepEqual(Object.values(streams()[fence]!).map(({ type }) => type).at(-1), 'error');
    assert.deepEqual((await owner.call('getReceipt', { sessionId })).lines.map(({ memberId, costDOFs, estimated }) => [memberId, costDOFs, estimated]), [[guest.uid, inputPrice, true], [null, data.costDOFs, false]]);
    await instance.kill();
  });

  it('is resolved by the sweep, once, if nobody calls', async function () {
    this.timeout(120_000);
    const shared = await share();
    const { sessionId, owner, guest } = shared;
    const { inputPrice } = await killedTurn(shared, guest);
    await expire(sessionId);
    await admin().database.ref(`meters/${sessionId}`).update({ dueAt: 1 });
    for (const _ of [1, 2]) await fireSchedule('sweep');
    await eventually(async () => (await read<SessionDoc>(`sessions/${sessionId}`))?.settlement === 'done', 'the settlement');
    const left = 5_000 - inputPrice;
    assert.deepEqual(await sums(owner), { ledger: left, lots: left, balance: left, held: 0 });
    const { lines, consumedDOFs } = await owner.call('getReceipt', { sessionId });
    assert.deepEqual([consumedDOFs, lines.map(({ memberId, costDOFs }) => [memberId, costDOFs])], [inputPrice, [[guest.uid, inputPrice]]]);
  });

  it('does not keep another client of its player from taking the session over, after which the first is refused', async function () {
    this.timeout(120_000);
    const shared = await share();
    const { sessionId, owner } = shared;
    const { generation, inputPrice } = { generation: 1, ...await killedTurn(shared, owner) };
    const other = await clientOf(owner.uid);
    const resumed = await other.call('startSession', { agentInstanceId: owner.agentInstanceId, takeOver: true });
    assert.deepEqual([resumed.sessionId, resumed.resumed, resumed.generation], [sessionId, true, generation + 1]);
    await expire(sessionId);
    const instance = await deploy('processFrame');
    const late = await refusal(owner.streamAt(instance, { sessionId, requestId: 'late', generation, instruction: 'Hello?' }));
    assert.deepEqual([late.code, late.reason], ['failed-precondition', 'session_superseded']);
    const { data } = await other.streamAt(instance, { sessionId, requestId: 'other', generation: resumed.generation, instruction: 'Hello!' });
    assert.equal(data.consumedDOFs, inputPrice + data.costDOFs);
    await instance.kill();
  });
});
