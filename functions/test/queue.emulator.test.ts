import assert from 'node:assert/strict';
import type { Meter } from '../src/live/meter.ts';
import { headStartMs } from '../src/live/queue.ts';
import { deploy, endInstances, type Instance } from './deployed.ts';
import { admin, closeClients, eventually, type Player } from './harness.ts';
import { join, share, type Shared } from './shared.ts';

after(async () => {
  await endInstances();
  await closeClients();
});

type Answer = Awaited<ReturnType<Instance['call']>>;
const refused = ({ error }: Answer): unknown[] => [error?.status, error?.details?.reason];
const billOf = ({ result, error }: Answer): { consumedDOFs: number; costDOFs: number; waitedMs: number } => {
  assert.equal(error, undefined);
  return result as ReturnType<typeof billOf>;
};

describe('turns that wait for each other', () => {
  let instances: [Instance, Instance];
  let shared: Shared;
  let guest: Player;

  before(async () => { instances = await Promise.all([deploy('processFrame'), deploy('processFrame')]); });
  beforeEach(async () => {
    // As long as it takes on a slow machine.
    shared = await share({ limits: { maxQueueSeconds: 60 } });
    guest = await join(shared);
    // Somebody else's turn, which ends when a test says so.
    await meterRef().update({ turn: { requestId: 'other', fence: 'other', held: 0, inputPrice: 0, expiresAt: Date.now() + 600_000 } });
  });

  const meterRef = () => admin().database.ref(`meters/${shared.sessionId}`);
  const meter = async () => (await meterRef().get()).val() as Meter;
  const records = async () => Object.keys(((await admin().database.ref(`requests/${shared.sessionId}`).get()).val() ?? {}) as object);
  const otherEnds = () => meterRef().update({ turn: null, freeAt: Date.now() });
  const waiting = async () => Object.keys((await meter()).queue ?? {}).length;
  const inLine = (count: number) => eventually(async () => await waiting() === count, `${count} to wait`);
  const turn = (parts: object) => ({ sessionId: shared.sessionId, instruction: 'Hello there', queue: true, ...parts });

  it('take place in the order of arrival, whoever asks and whichever instance answers', async () => {
    const tokens = [await shared.owner.idToken(), await guest.idToken()];
    const calls: Promise<Answer>[] = [];
    for (let index = 0; index < 5; index++) {
      calls.push(instances[index % 2]!.call(tokens[index % 3 === 0 ? 0 : 1]!, turn({ requestId: `r${index}` })));
      await inLine(index + 1);
    }
    assert.deepEqual([(await meter()).consumed, (await records()).length], [0, 5]);
    await otherEnds();
    const bills = (await Promise.all(calls)).map(billOf);
    bills.reduce((consumed, { consumedDOFs, costDOFs, waitedMs }) => {
      assert.ok(costDOFs > 0 && waitedMs > 0);
      assert.equal(consumedDOFs, consumed + costDOFs);
      return consumedDOFs;
    }, 0);
    const { consumed, queue, turn: lease } = await meter();
    assert.deepEqual([consumed, queue, lease], [bills.at(-1)!.consumedDOFs, undefined, undefined]);
    const ended = await shared.owner.call('endSession', { sessionId: shared.sessionId });
    assert.equal(ended.consumedDOFs, consumed);
  });

  it('without queue are refused at once, also while others only wait', async () => {
    const token = await guest.idToken();
    const call = () => instances[0].call(token, turn({ requestId: 'r', queue: false }));
    assert.deepEqual(refused(await call()), ['ABORTED', 'turn_in_progress']);
    const patient = instances[1].call(await shared.owner.idToken(), turn({ requestId: 'r' }));
    await inLine(1);
    assert.deepEqual(refused(await call()), ['ABORTED', 'turn_in_progress']);
    assert.deepEqual(await records(), ['r']);
    await otherEnds();
    billOf(await patient);
  });

  it('are skipped and charged nothing when their caller leaves, or when their instance dies', async () => {
    const [ownersToken, token] = [await shared.owner.idToken(), await guest.idToken()];
    const doomed = await deploy('processFrame');
    const caller = new AbortController();
    const gone = fetch(instances[0].url, {
      method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify({ data: turn({ requestId: 'gone' }) }), signal: caller.signal,
    }).catch(() => 'left');
    await inLine(1);
    const lost = doomed.call(token, turn({ requestId: 'lost' })).catch(() => 'lost');
    await inLine(2);
    const next = instances[1].call(ownersToken, turn({ requestId: 'next' }));
    await inLine(3);
    caller.abort();
    assert.equal(await gone, 'left');
    await inLine(2);
    await doomed.kill();
    assert.equal(await lost, 'lost');
    const freeAt = Date.now();
    await otherEnds();
    const { consumedDOFs, costDOFs } = billOf(await next);
    assert.ok(Date.now() - freeAt >= headStartMs, 'the dead one had its head start');
    assert.deepEqual([consumedDOFs, (await meter()).consumed], [costDOFs, costDOFs]);
    assert.deepEqual((await records()).toSorted(), [`lost:${guest.uid}`, 'next'], 'only the dead one could not forget its request');
    const again = billOf(await instances[0].call(token, turn({ requestId: 'gone' })));
    assert.equal(again.consumedDOFs, costDOFs + again.costDOFs);
  });
});
