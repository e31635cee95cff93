import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { auditSome, agentsOf } from '../src/audit/store.ts';
import type { LedgerDoc } from '../src/credits/schema.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import type { VoiceTokenDoc } from '../src/voice/schema.ts';
import { refusedWith, snapshotOf } from './evidence.ts';
import { admin, apiUrl, closeClients, eventually, fireSchedule, givePlayer, read, readAgent, readAll, readUser, refusal, startWith, sums, type Player } from './harness.ts';

after(closeClients);

/** A product with voice chat; without a key its tokens come from the offline provider. */
const productId = 'gemini-legend';

async function start(player: Player): Promise<{ sessionId: string; perMinute: number; config: SessionDoc['config'] }> {
  const { sessionId, config } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
  return { sessionId, config, perMinute: config.dofRates.voiceMinute! };
}

const tokenOf = (sessionId: string, requestId: string) => read<VoiceTokenDoc>(`sessions/${sessionId}/voiceTokens/${requestId}`);
const eventsOf = async (player: Player, sessionId: string): Promise<string[]> => {
  const { docs } = await admin().firestore.collection('outbox').where('subject', 'in', [sessionId, `${player.uid}:${player.agentInstanceId}`]).get();
  return docs.map((doc) => String(doc.get('type'))).filter((type) => /hold|voice/.test(type)).sort();
};
const driftsOf = async ({ uid, agentInstanceId }: Player) => (await auditSome(await agentsOf(uid, agentInstanceId))).flatMap(({ drifts }) => drifts);

/** Everything that is stored anywhere. */
async function everythingStored(): Promise<string> {
  const emulators = { headers: { authorization: 'Bearer owner' } };
  const root = `projects/${process.env['GCLOUD_PROJECT']}/databases/(default)/documents`;
  const documents = await fetch(`http://${process.env['FIRESTORE_EMULATOR_HOST']}/v1/${root}:runQuery`, { ...emulators, method: 'POST', body: JSON.stringify({ structuredQuery: { from: [{ allDescendants: true }] } }) });
  const nodes = await fetch(`http://${process.env['FIREBASE_DATABASE_EMULATOR_HOST']}/.json?ns=${process.env['GCLOUD_PROJECT']}-default-rtdb`, emulators);
  assert.deepEqual([documents.status, nodes.status], [200, 200]);
  return await documents.text() + await nodes.text();
}

/** Lets the time of a hold pass, then sweeps until it is resolved. */
async function expire({ uid, agentInstanceId }: Player, holdId: string): Promise<void> {
  const past = new Date(Date.now() - 1_000);
  await admin().firestore.doc(`users/${uid}/agents/${agentInstanceId}`).update({ [`holds.${holdId}.expiresAt`]: past, dueAt: past });
  await eventually(async () => {
    await fireSchedule('sweep');
    return (await read(`users/${uid}/agents/${agentInstanceId}/holds/${holdId}`)) !== undefined;
  }, 'the sweep resolves the hold');
}

describe('a voice token', () => {
  it('is paid for in advance, charged when it expires, and shown on the receipt', async () => {
    const player = await givePlayer({ productId, dofs: 20_000 });
    const { sessionId, perMinute, config } = await start(player);
    const heldBefore = (await readAgent(player))!.heldDOFs;
    const minted = await player.call('mintVoiceToken', { sessionId, requestId: 'talk', minutes: 3 });
    const price = 3 * perMinute;
    const { token, url, expiresAt, ...rest } = minted;
    assert.deepEqual(rest, { provider: 'offline', model: config.modelRouting.live, voice: config.voiceId, heldDOFs: price, tokensLeftToday: config.limits.voiceTokensPerDay - 1 });
    assert.ok(token.length > 10 && url.length > 0);
    const stored = (await tokenOf(sessionId, 'talk'))!;
    assert.deepEqual([stored.state, stored.expiresAt.toDate().toISOString(), stored.heldDOFs], ['minted', expiresAt, price]);
    const left = stored.expiresAt.toMillis() - Date.now();
    assert.ok(left > 2 * 60_000 && left <= 3 * 60_000, `${left} ms left`);
    const { amount, onExpiry, expiresAt: until } = (await readAgent(player))!.holds[stored.holdId]!;
    assert.deepEqual([amount, onExpiry, until.toMillis() - stored.startedAt.toMillis()], [price, 'post', 4 * 60_000]);
    assert.deepEqual(await sums(player), { ledger: 20_000, lots: 20_000, balance: 20_000, held: heldBefore + price });
    const receipt = await player.call('getReceipt', { sessionId });
    assert.deepEqual([receipt.consumedDOFs, receipt.voiceTokens.map(({ requestId, costDOFs, entryId }) => [requestId, costDOFs, entryId])], [0, [['talk', price, null]]]);
    assert.deepEqual(await driftsOf(player), []);

    await player.call('endSession', { sessionId });
    await eventually(async () => (await read<SessionDoc>(`sessions/${sessionId}`))?.settlement === 'done', 'the settlement');
    assert.deepEqual(await sums(player), { ledger: 20_000, lots: 20_000, balance: 20_000, held: price }, 'ending the session does not give it back');
    await expire(player, stored.holdId);
    assert.deepEqual(await sums(player), { ledger: 20_000 - price, lots: 20_000 - price, balance: 20_000 - price, held: 0 });
    const entry = (await read<LedgerDoc>(`users/${player.uid}/agents/${player.agentInstanceId}/ledger/post-${stored.holdId}`))!;
    assert.deepEqual([entry.type, entry.amount, entry.sessionId], ['post', -price, sessionId]);
    assert.equal((await player.call('getReceipt', { sessionId })).voiceTokens[0]?.entryId, `post-${stored.holdId}`);
    assert.deepEqual(await eventsOf(player, sessionId), ['hold.placed', 'hold.posted', 'session.voice_token_minted']);
    assert.deepEqual(await driftsOf(player), []);
  });

  it('is kept nowhere but by who asked for it', async function () {
    this.timeout(60_000);
    const player = await givePlayer({ productId, dofs: 20_000 });
    const { sessionId } = await start(player);
    const { token } = await player.call('mintVoiceToken', { sessionId, requestId: 'talk' });
    const again = await refusedWith(player.call('mintVoiceToken', { sessionId, requestId: 'talk' }));
    assert.equal((again.details as { reason: string }).reason, 'request_conflict');
    await eventually(async () => (await admin().firestore.collection('outbox').where('subject', '==', sessionId).where('published', '==', false).get()).empty, 'every event is published');
    const stored = await everythingStored();
    assert.ok(stored.includes('voiceTokens') && stored.includes('session.voice_token_minted'), 'what belongs to it was searched');
    const shown = [stored, JSON.stringify(again), JSON.stringify(await player.call('getReceipt', { sessionId })), JSON.stringify(await player.call('getSession', { sessionId }))];
    const log = process.env['JIGA_EMULATOR_LOG'];
    if (log !== undefined && existsSync(log)) shown.push(readFileSync(log, 'utf8'));
    for (const text of shown) assert.ok(!text.includes(token));
  });

  it('is the only one of its session, for 8 callers at once too', async () => {
    const player = await givePlayer({ productId, dofs: 20_000 });
    const { sessionId, perMinute } = await start(player);
    const calls = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => player.call('mintVoiceToken', { sessionId, requestId: `talk-${index}`, minutes: 1 })));
    const minted = calls.flatMap((call) => (call.status === 'fulfilled' ? [call.value] : []));
    assert.equal(minted.length, 1);
    const later = await refusedWith(player.call('mintVoiceToken', { sessionId, requestId: 'later' }));
    assert.deepEqual([later.code, later.details], ['failed-precondition', { reason: 'voice_token_active', expiresAt: minted[0]!.expiresAt }]);
    const holds = Object.values((await readAgent(player))!.holds).filter(({ originSessionId }) => originSessionId === sessionId);
    assert.deepEqual(holds.map(({ amount }) => amount), [perMinute]);
    assert.equal((await readUser(player.uid))?.voiceTokens?.count, 1);
    assert.deepEqual(await driftsOf(player), []);
  });

  it('is one of so many a day', async () => {
    const player = await givePlayer({ productId, dofs: 20_000 });
    const first = await startWith(player, { limits: { voiceTokensPerDay: 1 } });
    assert.equal((await player.call('mintVoiceToken', { sessionId: first.sessionId, requestId: 'r1' })).tokensLeftToday, 0);
    await player.call('endSession', { sessionId: first.sessionId });
    const { sessionId } = await startWith(player, { limits: { voiceTokensPerDay: 1 } });
    const money = async () => {
      const { user, agents, nested } = await snapshotOf(player, sessionId);
      return { user, agents, nested };
    };
    const before = await money();
    const refused = await refusedWith(player.call('mintVoiceToken', { sessionId, requestId: 'r1' }));
    const { reason, retryAfterMs } = refused.details as { reason: string; retryAfterMs: number };
    assert.deepEqual([refused.code, reason], ['resource-exhausted', 'voice_quota']);
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 24 * 60 * 60_000);
    assert.deepEqual(await money(), before);
    assert.deepEqual(await readAll(`sessions/${sessionId}/voiceTokens`), []);
  });

  it('is refused where there is nothing to talk to, and nothing is held', async () => {
    const [silent, poor, stranger] = [await givePlayer({ productId: 'gemini-rookie' }), await givePlayer({ productId, dofs: 10 }), await givePlayer({ productId })];
    const [quiet, short] = [await start(silent), await start(poor)];
    const ask = (player: Player, sessionId: string, minutes?: number) => refusal(player.call('mintVoiceToken', { sessionId, requestId: 'r1', ...(minutes === undefined ? {} : { minutes }) })).then(({ code, reason }) => [code, reason]);
    assert.deepEqual(await ask(silent, quiet.sessionId), ['failed-precondition', 'voice_unavailable']);
    assert.deepEqual(await ask(poor, short.sessionId), ['resource-exhausted', 'insufficient_dofs']);
    assert.deepEqual(await ask(poor, short.sessionId, short.config.limits.voiceTokenMinutes + 1), ['invalid-argument', 'bad_input']);
    assert.deepEqual(await ask(poor, short.sessionId, 0), ['invalid-argument', 'bad_input']);
    assert.deepEqual(await ask(stranger, short.sessionId), ['not-found', 'not_found']);
    await poor.call('endSession', { sessionId: short.sessionId });
    assert.deepEqual(await ask(poor, short.sessionId), ['failed-precondition', 'session_closed']);
    assert.deepEqual([await readAll(`sessions/${short.sessionId}/voiceTokens`), (await readUser(poor.uid))?.voiceTokens], [[], undefined]);
  });

  it('comes over REST as well', async () => {
    const player = await givePlayer({ productId, dofs: 20_000 });
    const { sessionId } = await start(player);
    const post = async () => {
      const response = await fetch(`${apiUrl}/v1/sessions/${sessionId}/voice-tokens`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${await player.idToken()}` }, body: JSON.stringify({ requestId: 'talk', minutes: 1 }) });
      return { status: response.status, body: await response.json() as { token?: string; error?: { details: { reason: string } } } };
    };
    const [first, again] = [await post(), await post()];
    assert.deepEqual([first.status, typeof first.body.token], [200, 'string']);
    assert.deepEqual([again.status, again.body.error?.details.reason], [409, 'request_conflict']);
  });
});
