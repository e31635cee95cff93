import assert from 'node:assert/strict';
import type { DocumentData } from 'firebase-admin/firestore';
import { lossy, unreachable } from '../../test/memory/gates.ts';
import { openGate } from '../../test/memory/io.ts';
import { moment } from '../../test/money.ts';
import { freshSession, guest, SharingWorld } from '../../test/sharing-world.ts';
import { auditSome, agentsOf } from '../audit/store.ts';
import { getSession, listMySessions } from '../sessions/functions.ts';
import { commitRename } from '../sessions/store.ts';
import { serverConfigSchema } from '../sessions/schema.ts';
import { getReceipt } from '../usage/functions.ts';
import { importSession } from './lifecycle.ts';
import type { ImportedMedia, ImportedSession } from './schema.ts';
import { judgeStored, readImportedConfig } from './store.ts';

const model = { vision: 'm', chat: 'm' };
const server = serverConfigSchema.parse({ endpoints: { apiBaseUrl: '', liveDatabaseUrl: '' }, modelRouting: { gemini: model, google: model, openai: model } });
const picture = (file: string): ImportedMedia => ({ file, type: 'images', mimeType: 'image/png', bytes: 4, turnId: 't0', by: 'u1', createdAt: moment });

function session(parts: Partial<ImportedSession> = {}, turns = 3, reply = 'Hi'): ImportedSession {
  return {
    sessionId: 'campaign_1', ownerId: 'u1', playerIds: ['u2'], name: 'Mine', startedAt: moment, endedAt: moment + turns, media: [picture('a.png'), picture('b.png')],
    turns: Array.from({ length: turns }, (_, index) => ({ turnId: `t${index}`, by: 'u1', at: moment + index, said: 'Hello', reply, outcome: 'complete', costDOFs: 0 })), ...parts,
  };
}
/** So long that it takes three commits. */
const long = (parts: Partial<ImportedSession> = {}) => session(parts, 60, 'x'.repeat(290_000));

describe('importing a session', () => {
  let world: SharingWorld;
  let stored: Map<string, string>;
  /** Writes to the media storage that fail, counted from 1; 0 for none. */
  let failingPut: number;

  async function begin(): Promise<void> {
    world = new SharingWorld();
    stored = new Map();
    failingPut = 0;
    await world.firestore.doc('config/server').set(server);
  }
  beforeEach(begin);
  afterEach(() => world.close());

  let puts = 0;
  const storage = {
    put(path: string, bytes: Uint8Array): Promise<void> {
      if (++puts === failingPut) return Promise.reject(new Error('no storage'));
      stored.set(path, Buffer.from(bytes).toString());
      return Promise.resolve();
    },
    signedUrl: () => Promise.reject(new Error('nobody asks')),
    removeAll(prefix: string): Promise<void> {
      for (const path of stored.keys()) if (path.startsWith(prefix)) stored.delete(path);
      return Promise.resolve();
    },
  };
  const run = async (imported: ImportedSession) => importSession(imported, { config: await readImportedConfig(), storage, load: ({ file }) => Promise.resolve(Buffer.from(file)) });
  const dump = (): Record<string, DocumentData> => world.firestore.dump();
  /** In the order of their paths, without the moment of the event, which the server chooses. */
  const documents = (): unknown => Object.entries(dump()).sort(([one], [other]) => (one < other ? -1 : 1)).map(([path, data]) => [path, path.startsWith('outbox') ? { ...data, createdAt: null } : data]);
  const below = (collection: string): string[] => Object.keys(world.firestore.dump(`sessions/campaign_1/${collection}`)).map((path) => path.split('/').at(-1)!);

  it('stores the session, its turns, its media and one event', async () => {
    assert.equal(await run(session()), 'imported');
    assert.deepEqual(Object.keys(dump()), [
      'config/server', 'sessions/campaign_1/turns/00000000', 'sessions/campaign_1/media/a.png', 'sessions/campaign_1/media/b.png', 'sessions/campaign_1', 'sessions/campaign_1/imports/legacy',
      'outbox/campaign_1-000001-session.imported',
    ]);
    assert.deepEqual(world.firestore.snapshotAt('sessions/campaign_1/turns/00000000').data(), { turns: session().turns, firstAt: session().turns[0]!.at });
    assert.deepEqual([...stored], [['sessions/campaign_1/images/a.png', 'a.png'], ['sessions/campaign_1/images/b.png', 'b.png']]);
    const { data } = world.firestore.snapshotAt('outbox/campaign_1-000001-session.imported').data()!;
    assert.deepEqual(data, { sessionId: 'campaign_1', userId: 'u1', agentInstanceId: 'imported', turns: 3, media: 2 });
  });

  it('gives it to its owner and its members: list, look, receipt; the audit knows nothing of it', async () => {
    await world.seed();
    await run(session());
    for (const uid of ['u1', 'u2']) {
      const { sessions } = await world.call(listMySessions, { limit: 20 }, guest(uid));
      assert.equal(sessions.find(({ sessionId }) => sessionId === 'campaign_1')?.status, 'ended');
      assert.equal((await world.call(getSession, { sessionId: 'campaign_1' }, guest(uid))).name, 'Mine');
    }
    await assert.rejects(world.call(getSession, { sessionId: 'campaign_1' }, guest('u3')), { code: 'not-found' });
    const receipt = await world.call(getReceipt, { sessionId: 'campaign_1' }, guest('u1'));
    assert.deepEqual([receipt.consumedDOFs, receipt.settledDOFs, receipt.lines], [0, 0, []]);
    assert.deepEqual(await auditSome(await agentsOf('u1', null)), []);
  });

  it('writes nothing the second time', async () => {
    await run(session());
    const before = [dump(), new Map(stored)];
    world.now += 1_000;
    assert.equal(await run(session()), 'unchanged');
    assert.deepEqual([dump(), stored], before);
  });

  it('only says what it would do when asked to judge', async () => {
    assert.equal(await judgeStored(session()), 'create');
    assert.deepEqual(Object.keys(dump()), ['config/server']);
  });

  it('replaces what has changed there, with all that belonged to it', async () => {
    await run(long({ name: 'Long' }));
    assert.equal(below('turns').length, 60);
    assert.equal(await run(session({ playerIds: ['u3'], media: [picture('b.png'), picture('c.png')] })), 'imported');
    assert.deepEqual([below('turns'), below('media')], [['00000000'], ['b.png', 'c.png']]);
    const { members, name, version } = world.session('campaign_1');
    assert.deepEqual([members, name, version], [{ u1: 'owner', u3: 'player' }, 'Mine', 2]);
    assert.deepEqual(world.events('campaign_1'), ['1 imported', '2 imported']);
    assert.equal(await run(session({ playerIds: ['u3'], media: [picture('b.png'), picture('c.png')] })), 'unchanged');
  });

  it('leaves a session alone that its owner has changed since', async () => {
    await run(session());
    await commitRename('u1', 'campaign_1', 'My own name');
    const before = [dump(), new Map(stored)];
    assert.equal(await run(session({ name: 'Other', media: [picture('c.png')] })), 'differs');
    assert.deepEqual([dump(), stored], before);
  });

  it('leaves a session alone whose owner is faster', async () => {
    await run(session());
    world.overtake(() => commitRename('u1', 'campaign_1', 'My own name'));
    assert.equal(await run(session({ name: 'Other' }, 5)), 'differs');
    assert.equal(world.session('campaign_1').name, 'My own name');
    assert.equal(world.firestore.snapshotAt('sessions/campaign_1/turns/00000000').get('firstAt'), session().turns[0]!.at);
  });

  it('replaces nothing that does not fit into one commit', async () => {
    await run(session());
    const before = [dump(), new Map(stored)];
    assert.equal(await judgeStored(long()), 'differs');
    assert.equal(await run(long()), 'differs');
    assert.deepEqual([dump(), stored], before);
  });

  it('never brings back what its owner has deleted', async () => {
    await run(session());
    await world.firestore.doc('sessions/campaign_1').update({ deletedAt: new Date(moment), members: {}, memberIds: [] });
    const before = dump();
    for (const again of [session(), session({ name: 'Other' })]) assert.equal(await run(again), 'deleted');
    assert.deepEqual(dump(), before);
  });

  it('leaves no media of a session that is deleted meanwhile', async () => {
    await run(session());
    world.overtake(() => world.firestore.doc('sessions/campaign_1').update({ deletedAt: new Date(moment), version: 2 }));
    assert.equal(await run(session({ name: 'Other' })), 'deleted');
    assert.deepEqual([...stored], []);
  });

  it('never touches a session that was played here', async () => {
    await world.seed(freshSession({ sessionId: 'campaign_1' }));
    const before = dump();
    assert.equal(await run(session()), 'taken');
    assert.deepEqual([dump(), [...stored]], [before, []]);
  });

  it('knows its own commit again when the answer was lost', async () => {
    world.commitsMeet(async (io, apply) => {
      await lossy(io, apply).catch(() => undefined);
      // As the SDK hears it when it sends the commit again.
      throw Object.assign(new Error('exists'), { code: 6 });
    });
    assert.equal(await run(session()), 'imported');
    assert.equal(await run(session()), 'unchanged');
    assert.deepEqual(world.events('campaign_1'), ['1 imported']);
  });

  describe('that is cut short', () => {
    const visible = async (): Promise<boolean> => (await world.firestore.doc('sessions/campaign_1').get()).exists;

    for (let commit = 1; commit <= 3; commit++) {
      it(`at commit ${commit} of 3 is invisible, and complete after the next run`, async () => {
        await run(long());
        const undisturbed = [documents(), stored];
        await world.close();
        await begin();
        world.commitsMeet(...Array<typeof openGate>(commit - 1).fill(openGate), ...Array<typeof openGate>(12).fill(unreachable));
        await assert.rejects(run(long()));
        assert.equal(await visible(), false);
        world.commitsMeet();
        assert.equal(await run(long()), 'imported');
        assert.deepEqual([documents(), stored], undisturbed);
      });
    }

    for (let put = 1; put <= 2; put++) {
      it(`at file ${put} of 2 is invisible, and complete after the next run`, async () => {
        puts = 0;
        failingPut = put;
        await assert.rejects(run(session()), /no storage/);
        assert.deepEqual(Object.keys(dump()), ['config/server']);
        failingPut = 0;
        assert.equal(await run(session()), 'imported');
        assert.equal(stored.size, 2);
      });
    }

    it('and has changed by the next run leaves nothing of what it was', async () => {
      world.commitsMeet(openGate, ...Array<typeof openGate>(12).fill(unreachable));
      await assert.rejects(run(long()));
      assert.notEqual(below('turns').length, 0);
      world.commitsMeet();
      assert.equal(await run(session()), 'imported');
      assert.deepEqual([below('turns'), below('media')], [['00000000'], ['a.png', 'b.png']]);
    });
  });
});
