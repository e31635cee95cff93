import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { SessionDoc } from '../src/sessions/schema.ts';
import { deploy, endInstances, type Instance } from './deployed.ts';
import { frames } from './frames.ts';
import { clientOf, closeClients, eventually, givePlayer, read, readAgent, readAll, readUser, sums } from './harness.ts';

after(async () => {
  await endInstances();
  await closeClients();
});

const at = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, index) => act(index)));

describe('calls that arrive together', () => {
  let starting: Instance[];
  let framing: Instance[];
  let ending: Instance;
  let joining: Instance[];

  before(async () => {
    [starting, framing, ending, joining] = await Promise.all([at(2, () => deploy('startSession')), at(2, () => deploy('processFrame')), deploy('endSession'), at(2, () => deploy('joinSession'))]);
  });

  it('64 starts for one user make exactly one session', async () => {
    const player = await givePlayer({ dofs: 900 });
    const token = await player.idToken();
    const answers = await at(64, (index) => starting[index % 2]!.call(token, { agentInstanceId: player.agentInstanceId }));
    assert.deepEqual(answers.filter(({ error }) => error), []);
    assert.equal(new Set(answers.map(({ result }) => result?.['sessionId'])).size, 1);
    assert.equal(answers.filter(({ result }) => result?.['resumed'] === false).length, 1);
    assert.equal(Object.keys((await readUser(player.uid))?.activeSessions ?? {}).length, 1);
    assert.equal((await readAgent(player))?.heldDOFs, 900, 'held once');
  });

  it('64 starts with different agents leave one session and refuse the rest by name', async () => {
    const player = await givePlayer({ agents: 4 });
    const token = await player.idToken();
    const answers = await at(64, (index) => starting[index % 2]!.call(token, { agentInstanceId: player.agentInstanceId.replace(/0$/, String(index % 4)) }));
    const started = new Set(answers.flatMap(({ result }) => (result ? [result['sessionId']] : [])));
    assert.equal(started.size, 1);
    assert.ok(answers.every(({ result, error }) => result !== undefined || error?.details?.reason === 'session_limit'));
  });

  it('64 guests with one invite: exactly one joins, and all others get the same answer', async () => {
    const owner = await givePlayer();
    const { sessionId } = await owner.call('startSession', { agentInstanceId: owner.agentInstanceId });
    const { invite } = await owner.call('shareSession', { sessionId });
    const guests = await at(64, async () => {
      const guest = await clientOf(`guest-${randomUUID().slice(0, 13)}`);
      return { uid: guest.uid, token: await guest.idToken() };
    });
    const answers = await at(64, (index) => joining[index % 2]!.call(guests[index]!.token, { invite }));
    const joined = guests.filter((_, index) => answers[index]!.result !== undefined);
    assert.equal(joined.length, 1);
    assert.deepEqual([...new Set(answers.flatMap(({ error }) => (error ? [error.details?.reason] : [])))], ['invite_invalid']);
    assert.deepEqual((await read<SessionDoc>(`sessions/${sessionId}`))?.memberIds, [owner.uid, joined[0]!.uid]);
  });

  it('the same frame sent twice at once is charged once', async () => {
    const player = await givePlayer();
    const { sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
    const token = await player.idToken();
    const request = { sessionId, requestId: 'twin', frameData: frames[0] };
    const answers = await at(2, (index) => framing[index]!.call(token, request));
    for (const { result, error } of answers) assert.ok(result !== undefined || error?.details?.reason === 'request_in_progress', JSON.stringify(error));
    const cost = answers.find(({ result }) => result?.['replayed'] === false)?.result?.['costDOFs'];
    const again = await framing[0]!.call(token, request);
    assert.deepEqual([again.result?.['replayed'], again.result?.['costDOFs']], [true, cost]);
    assert.equal((await player.call('endSession', { sessionId })).consumedDOFs, cost);
  });

  it('turns of one session take turns: one at a time, and the meter adds up', async () => {
    const player = await givePlayer({ dofs: 20_000 });
    const { sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
    const token = await player.idToken();
    const answers = await at(24, (index) => framing[index % 2]!.call(token, { sessionId, requestId: `r${index}`, frameData: frames[index] }));
    for (const { result, error } of answers) assert.ok(result !== undefined || error?.details?.reason === 'turn_in_progress', JSON.stringify(error));
    const spent = answers.reduce((sum, { result }) => sum + Number(result?.['costDOFs'] ?? 0), 0);
    assert.ok(spent > 0);
    assert.equal((await player.call('endSession', { sessionId })).consumedDOFs, spent);
  });

  it('an end in the middle of a turn stops it, settles what it cost and nothing else', async () => {
    const player = await givePlayer({ dofs: 5_000 });
    const { sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
    const token = await player.idToken();
    const [turns, ends] = await Promise.all([
      at(6, (index) => framing[index % 2]!.call(token, { sessionId, requestId: `r${index}`, frameData: frames[index] })),
      at(3, () => ending.call(token, { sessionId })),
    ]);
    const totals = new Set(ends.map(({ result }) => result?.['consumedDOFs']));
    assert.equal(totals.size, 1, 'every end tells the same total');
    const charged = turns.reduce((sum, { result }) => sum + Number(result?.['costDOFs'] ?? 0), 0);
    assert.equal([...totals][0], charged);
    for (const { result, error } of turns) assert.ok(result !== undefined || ['turn_in_progress', 'session_closed'].includes(error?.details?.reason ?? ''), JSON.stringify(error));
    await eventually(async () => (await read(`sessions/${sessionId}`))?.['settlement'] === 'done', 'the settlement');
    assert.deepEqual(await sums(player), { ledger: 5_000 - charged, lots: 5_000 - charged, balance: 5_000 - charged, held: 0 });
    assert.equal((await readAll(`sessions/${sessionId}/checkpoints`)).filter((checkpoint) => checkpoint['final']).length, 1);
  });
});
