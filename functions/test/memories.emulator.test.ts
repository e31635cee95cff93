import assert from 'node:assert/strict';
import type { QueryDocumentSnapshot, Timestamp } from 'firebase-admin/firestore';
import { setLogLevel } from 'firebase/app';
import { collection, deleteDoc, doc, getDocsFromServer, setDoc, updateDoc } from 'firebase/firestore';
import functionsTest from 'firebase-functions-test';
import { factId } from '../src/memory/memory.ts';
import { recall } from '../src/memory/recall.ts';
import type { MemoryDoc } from '../src/memory/schema.ts';
import { rememberFact, rememberTurn } from '../src/memory/store.ts';
import { embedMemory } from '../src/memory/triggers.ts';
import { loadEmbeddings } from '../src/providers/registry.ts';
import { embeddingDimension } from '../src/providers/types.ts';
import { admin, apiUrl, clientOf, closeClients, eventually, givePlayer, read, readAll, refusal, type Client, type Player } from './harness.ts';

after(closeClients);

// The client SDK prints a warning for every refusal.
setLogLevel('silent');

const wanted = { provider: 'gemini', model: 'gemini-embedding-2' } as const;
const facts = ['The player is afraid of spiders.', 'The player wants to finish the castle before Friday.', 'The favourite weapon is a bow.'];
const pathOf = ({ uid, agentInstanceId }: Player): string => `users/${uid}/agents/${agentInstanceId}/memories`;
const sourceOf = ({ uid, agentInstanceId }: Player) => ({ uid, agentInstanceId, sessionId: 'session', turnId: 'turn' });
const stored = (player: Player): Promise<MemoryDoc[]> => readAll<MemoryDoc>(pathOf(player));

async function tell(player: Player, texts: string[]): Promise<void> {
  for (const text of texts) assert.equal(await rememberFact(sourceOf(player), text, wanted), 'remembered');
  await eventually(async () => (await stored(player)).every(({ embeddedWith }) => embeddedWith !== null), 'every memory is embedded');
}

async function remembered(player: Player, query: string, model: string = wanted.model): Promise<string[]> {
  return recall(player, query, { embeddings: await loadEmbeddings('offline'), model, signal: new AbortController().signal });
}

/** Calls a route of the API. */
async function rest(method: string, path: string, as: Client): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${apiUrl}/v1${path}`, { method, headers: { authorization: `Bearer ${await as.idToken()}` } });
  return { status: response.status, body: await response.json() as Record<string, unknown> };
}

describe('what agents remember', () => {
  let player: Player;
  let stranger: Player;
  before(async () => {
    [player, stranger] = await Promise.all([givePlayer({ productId: 'gemini-veteran' }), givePlayer()]);
    await tell(player, facts);
    await tell(stranger, ['The stranger is afraid of spiders.']);
  });

  it('is embedded by a trigger, with the model that really did it', async () => {
    const memories = await stored(player);
    assert.deepEqual(memories.map(({ text }) => text).sort(), facts.toSorted());
    for (const { embeddedWith, embedding, wanted: asked } of memories) assert.deepEqual([embeddedWith, embedding!.toArray().length, asked], [`offline/${wanted.model}`, embeddingDimension, wanted]);
  });

  it('is recalled by what it is about, for its own agent and model only', async () => {
    assert.equal((await remembered(player, 'Is the player afraid of spiders?'))[0], facts[0]);
    assert.equal((await remembered(player, 'Which weapon is the favourite?'))[0], facts[2]);
    assert.deepEqual(await remembered(player, 'Is the player afraid of spiders?', 'another-model'), []);
    assert.deepEqual(await remembered(stranger, 'Is the player afraid of spiders?'), ['The stranger is afraid of spiders.']);
  });

  it('is not recalled when it has expired', async () => {
    const other = await givePlayer();
    await rememberTurn(sourceOf(other), { instruction: 'Where is the bow?', reply: 'In the castle.' }, wanted);
    await eventually(async () => (await stored(other))[0]?.embeddedWith !== null, 'the turn is embedded');
    assert.deepEqual(await remembered(other, 'Where is the bow?'), ['Player: Where is the bow? Agent: In the castle.']);
    const ref = admin().firestore.doc(`${pathOf(other)}/turn`);
    const { createdAt } = (await ref.get()).data() as MemoryDoc;
    await ref.update({ expiresAt: createdAt });
    assert.deepEqual(await remembered(other, 'Where is the bow?'), []);
  });

  it('is not embedded again by an event that comes twice, nor brought back when it was deleted', async () => {
    const { wrap, firestore, cleanup } = functionsTest({ projectId: process.env['GCLOUD_PROJECT'] ?? 'demo-jiga' });
    const memoryId = factId(facts[0]!);
    const updatedAt = async (id: string): Promise<Timestamp | undefined> => (await admin().firestore.doc(`${pathOf(player)}/${id}`).get()).updateTime;
    const before = await updatedAt(memoryId);
    for (const id of [memoryId, 'gone']) {
      const created = firestore.makeDocumentSnapshot({ kind: 'fact', text: facts[0], wanted, embeddedWith: null }, `${pathOf(player)}/${id}`) as QueryDocumentSnapshot;
      await wrap(embedMemory)({ data: created, params: { uid: player.uid, agentInstanceId: player.agentInstanceId, memoryId: id } });
    }
    assert.deepEqual([await updatedAt(memoryId), await updatedAt('gone')], [before, undefined]);
    cleanup();
  });

  it('is listed for its owner, newest first and without vectors, over REST as well', async () => {
    const whole = await player.call('listMemories', { agentInstanceId: player.agentInstanceId });
    assert.deepEqual(whole.memories.map(({ text }) => text), facts.toReversed());
    assert.equal(whole.nextCursor, null);
    for (const memory of whole.memories) assert.deepEqual(Object.keys(memory).sort(), ['createdAt', 'expiresAt', 'kind', 'memoryId', 'sessionId', 'text', 'turnId']);
    const pages: unknown[] = [];
    for (let cursor: unknown = null; pages.length === 0 || cursor !== null;) {
      const { status, body } = await rest('GET', `/agents/${player.agentInstanceId}/memories?limit=2${cursor === null ? '' : `&cursor=${cursor as string}`}`, player);
      assert.equal(status, 200);
      pages.push(body['memories']);
      cursor = body['nextCursor'];
    }
    assert.deepEqual([pages.length, pages.flat()], [2, whole.memories]);
  });

  it('is nobody else\'s to see or delete, and a foreign agent is like a missing one', async () => {
    const administrator = await clientOf(`admin-${player.uid}`, { admin: true });
    for (const [name, input] of [['listMemories', {}], ['deleteMemory', { memoryId: factId(facts[0]!) }], ['deleteAllMemories', {}]] as const) {
      const missing = await refusal(stranger.callRaw(name, { agentInstanceId: 'missing', ...input }));
      assert.deepEqual([missing.code, missing.reason], ['not-found', 'not_found']);
      for (const client of [stranger, administrator]) assert.deepEqual(await refusal(client.callRaw(name, { agentInstanceId: player.agentInstanceId, ...input })), missing);
    }
    assert.equal((await refusal((await clientOf(null)).callRaw('listMemories', { agentInstanceId: player.agentInstanceId }))).reason, 'signed_out');
    assert.equal((await stored(player)).length, facts.length);
  });

  it('is out of the reach of clients, its owner included', async () => {
    const path = `${pathOf(player)}/${factId(facts[0]!)}`;
    const before = await read<MemoryDoc>(path);
    const administrator = await clientOf(`admin-${player.uid}`, { admin: true });
    for (const { firestore } of [player, stranger, administrator]) {
      const attempts = [
        () => getDocsFromServer(collection(firestore, pathOf(player))), () => updateDoc(doc(firestore, path), { text: 'The player is an administrator.' }), () => deleteDoc(doc(firestore, path)),
        () => setDoc(doc(firestore, `${pathOf(player)}/forged`), { kind: 'fact', text: 'The player is an administrator.', embeddedWith: null }),
      ];
      for (const attempt of attempts) assert.equal((await refusal(attempt())).code, 'permission-denied');
    }
    assert.deepEqual(await read(path), before);
    assert.equal(await read(`${pathOf(player)}/forged`), undefined);
  });

  it('refuses bad ids and cursors', async () => {
    const { agentInstanceId } = player;
    for (const [name, input] of [
      ['listMemories', { agentInstanceId, cursor: 'x' }], ['listMemories', { agentInstanceId, limit: 101 }], ['listMemories', { agentInstanceId: '../a' }],
      ['deleteMemory', { agentInstanceId, memoryId: 'a/b' }], ['deleteMemory', { agentInstanceId }], ['deleteAllMemories', { agentInstanceId, uid: stranger.uid }],
    ] as const) assert.equal((await refusal(player.callRaw(name, input))).reason, 'bad_input', JSON.stringify(input));
  });

  it('is forgotten one by one, as often as asked, and then altogether', async () => {
    const { agentInstanceId } = player;
    const memoryId = factId(facts[1]!);
    for (let times = 0; times < 2; times++) assert.deepEqual(await player.call('deleteMemory', { agentInstanceId, memoryId }), { memoryId });
    assert.deepEqual(await rest('DELETE', `/agents/${agentInstanceId}/memories/${factId(facts[2]!)}`, player), { status: 200, body: { memoryId: factId(facts[2]!) } });
    assert.deepEqual((await stored(player)).map(({ text }) => text), [facts[0]]);
    await tell(player, ['One more.']);
    assert.deepEqual(await rest('DELETE', `/agents/${agentInstanceId}/memories`, player), { status: 200, body: { deleted: 2 } });
    assert.deepEqual(await player.call('deleteAllMemories', { agentInstanceId }), { deleted: 0 });
    assert.deepEqual(await stored(player), []);
    assert.equal((await stored(stranger)).length, 1);
  });
});
