import assert from 'node:assert/strict';
import type { Database } from 'firebase-admin/database';
import type { PubSub } from '@google-cloud/pubsub';
import { createMemoryFirestore } from '../../test/memory/firestore.ts';
import { agent, at, moment } from '../../test/money.ts';
import { embeddingDimension, type EmbeddingProvider, type EmbeddingRequest } from '../providers/types.ts';
import { AppError, type ErrorReason } from '../runtime/errors.ts';
import { useDatabases } from '../runtime/firebase.ts';
import { useLog, userTag } from '../runtime/log.ts';
import { useSystem } from '../runtime/system.ts';
import { embedStored } from './embed.ts';
import { factId } from './memory.ts';
import { recall } from './recall.ts';
import type { MemoryDoc } from './schema.ts';
import { deleteAllMemories, deleteMemory, listMemories, rememberFact, rememberTurn } from './store.ts';

const place = { uid: 'u1', agentInstanceId: 'a1' };
const source = { ...place, sessionId: 's1', turnId: 't1' };
const wanted = { provider: 'gemini', model: 'e1' } as const;
const day = 24 * 3_600_000;
const fact = 'The player likes maps';

/** A vector that points where the words of a text do, in a few dimensions of many. */
function vectorOf(text: string): number[] {
  const subjects = [/map/, /dragon/, /key/];
  const vector = Array.from({ length: embeddingDimension }, (_, index) => (subjects[index]?.test(text.toLowerCase()) ? 1 : 0) + (index === 3 ? 0.1 : 0));
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

describe('memories: the store', () => {
  let firestore: ReturnType<typeof createMemoryFirestore>;
  let now = moment;
  let asked: EmbeddingRequest[];
  let warnings: [string, object | undefined][];

  beforeEach(async () => {
    now = moment;
    asked = [];
    warnings = [];
    firestore = createMemoryFirestore({});
    useDatabases({ firestore, live: undefined as unknown as Database, pubsub: undefined as unknown as PubSub });
    useSystem({ now: () => now, newId: () => 'id', random: () => 0, after: () => () => undefined });
    useLog({ info: () => undefined, warn: (message, fields) => { warnings.push([message, fields]); }, write: () => undefined });
    for (const uid of ['u1', 'u2']) await firestore.doc(`users/${uid}/agents/a1`).set(agent({ ownerId: uid }));
  });
  afterEach(() => {
    useDatabases(null);
    useSystem(null);
    useLog(null);
  });

  const embeddings: EmbeddingProvider = { name: 'gemini', embed: (request) => {
    asked.push(request);
    return Promise.resolve(request.texts.map(vectorOf));
  } };
  const failing = (error: unknown): EmbeddingProvider => ({ name: 'gemini', embed: () => { throw error; } });
  const stored = (uid = 'u1') => firestore.dump(`users/${uid}/agents/a1/memories`) as Record<string, MemoryDoc>;
  const texts = () => Object.values(stored()).map(({ text }) => text);
  const embed = (memoryId: string, provider = embeddings, uid = 'u1') => embedStored({ uid, agentInstanceId: 'a1', memoryId }, () => Promise.resolve(provider));
  const told = async (text: string, provider = embeddings): Promise<void> => {
    await rememberFact(source, text, wanted);
    await embed(factId(text), provider);
  };
  const recalled = (query: string, model = 'e1') => recall(place, query, { embeddings, model, signal: new AbortController().signal });

  describe('remembering', () => {
    it('keeps a fact for ever, with where it comes from and who is to embed it', async () => {
      assert.equal(await rememberFact(source, '  The player\nlikes maps ', wanted), 'remembered');
      assert.deepEqual(stored(), { [`users/u1/agents/a1/memories/${factId(fact)}`]: { kind: 'fact', text: fact, sessionId: 's1', turnId: 't1', wanted, embeddedWith: null, createdAt: at(moment), expiresAt: null } });
    });

    it('keeps a fact once, as it was first told', async () => {
      await told(fact);
      const before = stored();
      now += day;
      assert.equal(await rememberFact({ ...source, turnId: 't2' }, 'the player LIKES maps', { provider: 'openai', model: 'x' }), 'known');
      assert.deepEqual(stored(), before);
      assert.deepEqual((await Promise.all(['one', 'one', 'one'].map((text) => rememberFact(source, text, wanted)))).sort(), ['known', 'known', 'remembered']);
    });

    it('takes 200 facts of an agent, turns beside them, and knows them still when it is full', async () => {
      for (let index = 0; index < 199; index++) await rememberFact(source, `fact ${index}`, wanted);
      await rememberTurn(source, { instruction: 'a', reply: 'b' }, wanted);
      assert.equal(await rememberFact(source, 'the last', wanted), 'remembered');
      assert.equal(await rememberFact(source, 'one more', wanted), 'full');
      assert.equal(await rememberFact(source, 'fact 7', wanted), 'known');
      await deleteMemory(place, factId('fact 7'));
      assert.equal(await rememberFact(source, 'one more', wanted), 'remembered');
      assert.equal(await rememberFact({ ...source, uid: 'u2' }, 'one more', wanted), 'remembered', 'another agent of the same id');
    });

    it('keeps what was said in a turn for 90 days, once', async () => {
      await rememberTurn(source, { instruction: 'Where?', reply: 'There.' }, wanted);
      now += day;
      await rememberTurn(source, { instruction: 'Else?', reply: 'No.' }, wanted);
      assert.deepEqual(stored(), { 'users/u1/agents/a1/memories/t1': { kind: 'turn', text: 'Player: Where? Agent: There.', sessionId: 's1', turnId: 't1', wanted, embeddedWith: null, createdAt: at(moment), expiresAt: at(moment + 90 * day) } });
    });
  });

  describe('embedding', () => {
    it('stores the vector and the model that made it', async () => {
      await told(fact, { ...embeddings, name: 'offline' });
      const [memory] = Object.values(stored());
      assert.deepEqual([memory!.embeddedWith, memory!.embedding!.toArray()], ['offline/e1', vectorOf(fact)]);
      assert.deepEqual(asked.map(({ model, texts: given, purpose }) => ({ model, given, purpose })), [{ model: 'e1', given: [fact], purpose: 'document' }]);
    });

    it('asks no model again for what is embedded or gone', async () => {
      await told(fact);
      await embed(factId(fact));
      await embed('unknown');
      assert.equal(asked.length, 1);
    });

    it('brings back nothing that was deleted while the model was thinking, and overwrites nothing that was made anew', async () => {
      for (const again of [false, true]) {
        await rememberFact(source, fact, wanted);
        await embed(factId(fact), { name: 'gemini', embed: async () => {
          await deleteMemory(place, factId(fact));
          if (again) await rememberFact(source, fact, wanted);
          return [vectorOf(fact)];
        } });
        assert.deepEqual(Object.values(stored()).map(({ embeddedWith }) => embeddedWith), again ? [null] : []);
      }
    });

    it('is tried again after what passes by itself', async () => {
      await rememberFact(source, fact, wanted);
      for (const reason of ['provider_busy', 'provider_unavailable', 'provider_timeout'] as const) {
        await assert.rejects(embed(factId(fact), failing(new AppError('unavailable', 'Later.', { reason }))), { details: { reason } });
      }
      await assert.rejects(embed(factId(fact), failing(new Error('the database'))), /the database/);
      await embed(factId(fact));
      assert.equal(Object.values(stored())[0]!.embeddedWith, 'gemini/e1');
    });

    it('is logged and given up when the model cannot be asked, and the memory stays', async () => {
      await rememberFact(source, fact, wanted);
      for (const reason of ['provider_configuration', 'bad_input'] satisfies ErrorReason[]) await embed(factId(fact), failing(new AppError('failed-precondition', 'There is no key.', { reason })));
      await embedStored({ ...place, memoryId: factId(fact) }, () => { throw new AppError('failed-precondition', 'There is no key.', { reason: 'provider_configuration' }); });
      assert.deepEqual(warnings, Array.from({ length: 3 }, () => ['memory not embedded', { agentInstanceId: place.agentInstanceId, user: userTag(place.uid), because: 'There is no key.' }]));
      assert.deepEqual(texts(), [fact]);
    });

    it('gives the model 20 seconds', async () => {
      let late: (() => void) | null = null;
      useSystem({ now: () => now, newId: () => 'id', random: () => 0, after: (ms, act) => {
        assert.equal(ms, 20_000);
        late = act;
        return () => undefined;
      } });
      await rememberFact(source, fact, wanted);
      const hanging: EmbeddingProvider = { name: 'gemini', embed: ({ signal }) => new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        late!();
      }) };
      await assert.rejects(embed(factId(fact), hanging), { code: 'deadline-exceeded', details: { reason: 'provider_timeout' } });
    });
  });

  describe('recalling', () => {
    it('finds what has to do with the question, nearest first', async () => {
      for (const text of ['Maps and keys', 'A dragon', fact, 'Weather']) await told(text);
      assert.deepEqual(await recalled(' Which\nmap? '), [fact, 'Maps and keys']);
      assert.deepEqual(asked.at(-1), { model: 'e1', texts: ['Which map?'], purpose: 'query', signal: asked.at(-1)!.signal });
    });

    it('gives five at most', async () => {
      for (let index = 0; index < 12; index++) await told(`map ${index}`);
      assert.equal((await recalled('map')).length, 5);
    });

    it('compares only vectors of the same model', async () => {
      await told('map one');
      await told('map two', { ...embeddings, name: 'offline' });
      assert.deepEqual(await recalled('map'), ['map one']);
      assert.deepEqual(await recalled('map', 'e2'), []);
    });

    it('leaves out what has expired, what has no vector yet and what others remember', async () => {
      await rememberTurn(source, { instruction: 'map?', reply: 'old' }, wanted);
      await embed('t1');
      now += day;
      await rememberTurn({ ...source, turnId: 't2' }, { instruction: 'map?', reply: 'new' }, wanted);
      await embed('t2');
      await rememberFact(source, 'map without a vector', wanted);
      await rememberFact({ ...source, uid: 'u2' }, 'map of another', wanted);
      await embed(factId('map of another'), embeddings, 'u2');
      assert.equal((await recalled('map')).length, 2);
      now = moment + 90 * day;
      assert.deepEqual(await recalled('map'), ['Player: map? Agent: new']);
    });

    it('asks no model about nothing', async () => {
      assert.deepEqual(await recalled(' \u200B\n'), []);
      assert.deepEqual(asked, []);
    });

    it('fails as the model does', async () => {
      const error = new AppError('unavailable', 'Busy.', { reason: 'provider_busy' });
      await assert.rejects(recall(place, 'map', { embeddings: failing(error), model: 'e1', signal: new AbortController().signal }), error);
    });
  });

  describe('the owner', () => {
    const notFound = { code: 'not-found', message: 'You own no agent with this id.' };

    it('sees the newest first, in pages, ties by id', async () => {
      for (const [turnId, later] of [['b', 0], ['a', 0], ['c', 1], ['d', 2]] as const) {
        now = moment + later;
        await rememberTurn({ ...source, turnId }, { instruction: turnId, reply: 'x' }, wanted);
        await embed(turnId);
      }
      const seen: string[] = [];
      for (let after: { order: number; id: string } | null = null; ;) {
        const page: Awaited<ReturnType<typeof listMemories>> = await listMemories(place, 1, after);
        if (page.length === 0) break;
        after = { order: page[0]!.createdAt.toMillis(), id: page[0]!.memoryId };
        seen.push(page[0]!.memoryId);
      }
      assert.deepEqual(seen, ['d', 'c', 'b', 'a']);
      assert.deepEqual(Object.keys((await listMemories(place, 1, null))[0]!).sort(), ['createdAt', 'expiresAt', 'kind', 'memoryId', 'sessionId', 'text', 'turnId']);
    });

    it('deletes one, as often as it likes', async () => {
      await rememberFact(source, 'one', wanted);
      await rememberFact(source, 'two', wanted);
      await deleteMemory(place, factId('one'));
      await deleteMemory(place, factId('one'));
      assert.deepEqual(texts(), ['two']);
    });

    it('deletes all, of this agent only, however many', async () => {
      const batch = firestore.batch();
      for (let index = 0; index < 450; index++) batch.create(firestore.doc(`users/u1/agents/a1/memories/m${index}`), { kind: 'turn' });
      batch.create(firestore.doc('users/u2/agents/a1/memories/m'), { kind: 'turn' });
      await batch.commit();
      assert.deepEqual([await deleteAllMemories(place), await deleteAllMemories(place)], [450, 0]);
      assert.deepEqual([Object.keys(stored()).length, Object.keys(stored('u2')).length], [0, 1]);
      assert.ok(firestore.snapshotAt('users/u1/agents/a1').exists);
    });

    it('is told the same of a missing and a foreign agent, and nothing is deleted', async () => {
      await firestore.doc('users/u2/agents/a2').set(agent({ agentInstanceId: 'a2', ownerId: 'u2' }));
      await rememberFact({ ...source, uid: 'u2', agentInstanceId: 'a2' }, fact, wanted);
      for (const agentInstanceId of ['a2', 'a3']) {
        const other = { uid: 'u1', agentInstanceId };
        await assert.rejects(listMemories(other, 1, null), notFound);
        await assert.rejects(deleteMemory(other, factId(fact)), notFound);
        await assert.rejects(deleteAllMemories(other), notFound);
      }
      assert.equal(Object.keys(firestore.dump('users/u2/agents/a2/memories')).length, 1);
    });
  });
});
