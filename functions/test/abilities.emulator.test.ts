import assert from 'node:assert/strict';
import sharp from 'sharp';
import type { DomainEvent } from '../src/events/events.ts';
import { audioSeconds, sniffAudio } from '../src/providers/media/media.ts';
import type { ServerConfig } from '../src/sessions/schema.ts';
import { snapshotOf } from './evidence.ts';
import { frames } from './frames.ts';
import { admin, closeClients, eventually, givePlayer, givePlayerOf, read, refusal, startWith, watch, type Player } from './harness.ts';

after(closeClients);

async function start(player: Player): Promise<string> {
  return (await player.call('startSession', { agentInstanceId: player.agentInstanceId })).sessionId;
}

describe('a reply that is spoken', () => {
  it('comes with its sound, which is charged by its characters and not kept', async () => {
    const player = await givePlayer({ productId: 'gemini-elite', dofs: 5_000 });
    const sessionId = await start(player);
    const said = { sessionId, requestId: 'aloud', instruction: 'Hello there' };
    const { speech, reply, costDOFs, ...answer } = await player.call('processFrame', said);
    assert.ok(speech?.audioData);
    const bytes = Buffer.from(speech.audioData, 'base64');
    assert.equal(sniffAudio(bytes), speech.mimeType);
    assert.ok(Math.abs(audioSeconds(bytes, speech.mimeType) - speech.seconds) < 0.01 && speech.seconds > 1);
    assert.equal(speech.characters, reply.length);
    assert.deepEqual(await player.call('processFrame', said), { ...answer, reply, costDOFs, speech: { ...speech, audioData: null }, replayed: true });

    const [line] = (await player.call('getReceipt', { sessionId })).lines;
    assert.deepEqual([line?.usage.spokenCharacters, line?.costDOFs], [speech.characters, costDOFs]);
    const quiet = await player.call('processFrame', { sessionId, requestId: 'quiet', instruction: 'Hello there', speak: false });
    assert.equal(quiet.speech, null);
    assert.ok(!JSON.stringify(await snapshotOf(player, sessionId)).includes(speech.audioData.slice(100, 200)));
  });

  it('is what a commentator says of a frame, and not what it answers', async () => {
    const player = await givePlayer({ productId: 'google-veteran', dofs: 5_000 });
    const sessionId = await start(player);
    assert.ok((await player.call('processFrame', { sessionId, requestId: 'r1', frameData: frames[0] })).speech);
    assert.equal((await player.call('processFrame', { sessionId, requestId: 'r2', instruction: 'Hello there' })).speech, null);
  });
});

describe('a frame', () => {
  it('that has not changed is answered without a model, marked and priced as such', async () => {
    const player = await givePlayer({ productId: 'gemini-legend', dofs: 5_000 });
    const sessionId = await start(player);
    const first = await player.call('processFrame', { sessionId, requestId: 'r1', frameData: frames[0], speak: false });
    const again = await player.call('processFrame', { sessionId, requestId: 'r2', frameData: frames[0], speak: false });
    assert.deepEqual([again.outcome, again.reply, again.costDOFs, again.consumedDOFs], ['skipped', '', 1, first.costDOFs + 1]);
    const asked = await player.call('processFrame', { sessionId, requestId: 'r3', frameData: frames[0], instruction: 'Look again', speak: false });
    const changed = await player.call('processFrame', { sessionId, requestId: 'r4', frameData: frames[12], speak: false });
    assert.deepEqual([asked.outcome, changed.outcome], ['complete', 'complete']);
    const { lines } = await player.call('getReceipt', { sessionId });
    assert.deepEqual(lines.map(({ outcome }) => outcome), ['complete', 'skipped', 'complete', 'complete']);
  });

  it('costs by how closely it is looked at, and is scaled to that', async () => {
    const player = await givePlayer({ productId: 'gemini-veteran', dofs: 5_000 });
    const sessionId = await start(player);
    const large = await sharp({ create: { width: 3_000, height: 1_500, channels: 3, background: '#26f' } }).jpeg().toBuffer();
    const frameData = large.toString('base64');
    const standard = await player.call('processFrame', { sessionId, requestId: 'r1', frameData });
    const detail = await player.call('processFrame', { sessionId, requestId: 'r2', frameData, visionMode: 'detail' });
    assert.match(standard.reply, /picture of 1024 by 512 pixels/);
    assert.match(detail.reply, /picture of 2048 by 1024 pixels/);
    assert.ok(detail.costDOFs - standard.costDOFs >= 36 - 12, `${standard.costDOFs}, ${detail.costDOFs}`);
  });
});

describe('the toolkit', () => {
  it('remembers a fact for good, recalls it in another session and shows it to its owner alone', async () => {
    const player = await givePlayer({ productId: 'gemini-veteran', dofs: 5_000 });
    const [first, other] = [await start(player), await givePlayer({ productId: 'gemini-veteran' })];
    await player.call('processFrame', { sessionId: first, requestId: 'r1', instruction: 'Remember that the north gate needs two levers' });
    const memories = async () => (await player.call('listMemories', { agentInstanceId: player.agentInstanceId })).memories;
    const fact = (await memories()).find(({ kind }) => kind === 'fact');
    assert.match(fact?.text ?? '', /north gate needs two levers/);
    const place = `users/${player.uid}/agents/${player.agentInstanceId}/memories`;
    await eventually(async () => (await admin().firestore.doc(`${place}/${fact!.memoryId}`).get()).get('embeddedWith') !== null, 'the fact is embedded');
    await player.call('endSession', { sessionId: first });

    const second = await start(player);
    const { reply } = await player.call('processFrame', { sessionId: second, requestId: 'r1', instruction: 'What do you remember about the north gate?' });
    assert.match(reply, /two levers/);
    assert.equal((await refusal(other.call('listMemories', { agentInstanceId: player.agentInstanceId }))).reason, 'not_found');
    await player.call('deleteAllMemories', { agentInstanceId: player.agentInstanceId });
    assert.deepEqual(await memories(), []);
  });

  it('sets the objective where members see it, and looks things up in the guide', async () => {
    const player = await givePlayer({ productId: 'gemini-elite', dofs: 5_000 });
    const { sessionId, live } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
    const seen = watch(player, live.path);
    await player.call('processFrame', { sessionId, requestId: 'r1', instruction: 'My objective is to open the north gate', speak: false });
    await eventually(() => (seen.values.at(-1) as { objective?: { text: string } } | undefined)?.objective?.text === 'to open the north gate', 'the objective');
    const { reply } = await player.call('processFrame', { sessionId, requestId: 'r2', instruction: 'Look up the shield', speak: false });
    assert.match(reply, /three hits/);
  });

  it('knows the turns before', async () => {
    const player = await givePlayer({ productId: 'gemini-rookie', dofs: 5_000 });
    const sessionId = await start(player);
    const replies = [];
    for (const requestId of ['r1', 'r2', 'r3']) replies.push((await player.call('processFrame', { sessionId, requestId, instruction: 'Hello there' })).reply);
    assert.notEqual(replies[1], replies[0]);
    assert.match(replies[2]!, /2 earlier turns/);
  });
});

describe('what a session cannot be started with', () => {
  const cases: [string, Record<string, unknown>, RegExp][] = [
    ['an unknown provider', { provider: 'acme' }, /provider "acme", which does not exist/],
    ['an unknown model', { model: 'gone-1' }, /model "gone-1".*config\/server\.modelRouting\.gemini\.models/],
    ['a voice that its provider lacks', { hasVoiceChat: true, voiceId: 'alloy' }, /voice "alloy", which the gemini provider does not have/],
  ];
  for (const [what, parts, message] of cases) {
    it(`${what}: the exact error, and nothing is written`, async () => {
      const player = await givePlayerOf('gemini-rookie', parts);
      const agent = admin().firestore.doc(`users/${player.uid}/agents/${player.agentInstanceId}`);
      const before = await agent.get();
      const refused = await refusal(player.call('startSession', { agentInstanceId: player.agentInstanceId }));
      assert.deepEqual([refused.code, refused.reason], ['failed-precondition', 'provider_configuration']);
      assert.match(refused.message, message);
      assert.ok((await agent.get()).updateTime!.isEqual(before.updateTime!));
    });
  }
});

describe('a turn that went without something', () => {
  it('says so in its answer and as an event', async () => {
    const player = await givePlayer({ productId: 'gemini-elite', dofs: 5_000 });
    const { modelRouting } = (await read<ServerConfig>('config/server'))!;
    const { tts: _tts, ...gemini } = modelRouting.gemini;
    const { sessionId } = await startWith(player, { modelRouting: { ...modelRouting, gemini } });
    const { turnId, speech, degraded } = await player.call('processFrame', { sessionId, requestId: 'r1', instruction: 'Hello there' });
    assert.deepEqual([speech, degraded], [null, [{ what: 'speech', because: 'provider_configuration' }]]);
    const events = (await admin().firestore.collection('outbox').where('subject', '==', turnId).get()).docs.map((doc) => doc.data() as DomainEvent);
    assert.deepEqual(events.map(({ type, data }) => [type, data['degradations']]), [['turn.degraded', degraded]]);
  });
});
