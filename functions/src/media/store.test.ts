import assert from 'node:assert/strict';
import { MemoryMedia } from '../../test/memory/media.ts';
import { openGate } from '../../test/memory/io.ts';
import { at } from '../../test/money.ts';
import { freshSession, SharingWorld } from '../../test/sharing-world.ts';
import { useStorage } from './load-storage.ts';
import type { MediaDoc } from './schema.ts';
import { keepMedia, removeMedia } from './store.ts';

const turn = { sessionId: 's1', turnId: 't1', by: 'u1' };
const frame = { mime: 'image/jpeg', bytes: Buffer.from('frame') };
const path = 'sessions/s1/images/t1.jpg';
const broken = new Error('the connection broke');

describe('kept media: the store', () => {
  let world: SharingWorld;
  let media: MemoryMedia;
  beforeEach(async () => {
    world = new SharingWorld();
    media = new MemoryMedia();
    useStorage(media);
    await seed('s1');
  });
  afterEach(async () => {
    useStorage(null);
    await world.close();
  });
  const seed = async (sessionId: string, keptMedia: string[] = ['images', 'audio']): Promise<void> => {
    const session = freshSession({ sessionId });
    await world.firestore.doc(`sessions/${sessionId}`).set({ ...session, config: { ...session.config, keptMedia } });
  };
  const documents = (sessionId = 's1'): string[] => Object.keys(world.firestore.dump(`sessions/${sessionId}/media`)).sort();
  const files = (): string[] => [...media.files.keys()].sort();
  const markDeleted = (): Promise<unknown> => world.firestore.doc('sessions/s1').update({ deletedAt: at(world.now), members: {}, memberIds: [] } as object);
  /** As deleteSession does: it marks the session, then removes. */
  const deleteSession = async (): Promise<void> => {
    await markDeleted();
    await removeMedia('s1');
  };

  describe('keeping', () => {
    it('writes the file and then its document, once however often it is repeated', async () => {
      assert.deepEqual(await keepMedia(turn, frame), { type: 'images', file: 't1.jpg' });
      const kept = world.firestore.dump('sessions/s1/media');
      assert.deepEqual(kept, { 'sessions/s1/media/t1.jpg': { type: 'images', file: 't1.jpg', mimeType: 'image/jpeg', bytes: 5, turnId: 't1', by: 'u1', createdAt: at(world.now) } satisfies MediaDoc });
      assert.deepEqual(await keepMedia(turn, frame), { type: 'images', file: 't1.jpg' });
      assert.deepEqual([world.firestore.dump('sessions/s1/media'), [...media.files]], [kept, [[path, { bytes: frame.bytes, mimeType: 'image/jpeg' }]]]);
    });

    it('leaves no document where the file could not be written', async () => {
      media.before = () => Promise.reject(broken);
      await assert.rejects(keepMedia(turn, frame), broken);
      assert.deepEqual([documents(), files()], [[], []]);
    });

    it('that dies before its document is written leaves a file that goes with its session', async () => {
      world.commitsMeet(() => Promise.reject(broken));
      await assert.rejects(keepMedia(turn, frame), broken);
      assert.deepEqual([documents(), files()], [[], [path]]);
      await deleteSession();
      assert.deepEqual(files(), []);
    });

    it('for a session that was deleted, or never was, keeps nothing', async () => {
      await markDeleted();
      assert.equal(await keepMedia(turn, frame), null);
      assert.equal(await keepMedia({ ...turn, sessionId: 'none' }, frame), null);
      assert.deepEqual([documents(), documents('none'), files()], [[], [], []]);
    });

    // The gates of Firestore and the storage are passed by one of the two at a time, so these are all the orders.
    for (const [when, arrange] of [
      ['before the file is written', (act: () => Promise<void>) => { media.before = once((call) => call.startsWith('put'), act); }],
      ['between file and document', (act: () => Promise<void>) => { gate('commit', act); }],
      ['between document and the look at the session', (act: () => Promise<void>) => { gate('get', act); }],
    ] as const) {
      it(`leaves nothing when its session is deleted ${when}`, async () => {
        let happened = false;
        arrange(async () => {
          happened = true;
          await deleteSession();
        });
        assert.equal(await keepMedia(turn, frame), null);
        assert.ok(happened);
        assert.deepEqual([documents(), files()], [[], []]);
      });
    }

    it('leaves nothing when its session is marked, and only later cleared', async () => {
      gate('commit', () => markDeleted().then(() => undefined));
      assert.equal(await keepMedia(turn, frame), null);
      await removeMedia('s1');
      assert.deepEqual([documents(), files()], [[], []]);
    });

    function once(matches: (call: string) => boolean, act: () => Promise<void>): (call: string) => Promise<void> {
      let left = true;
      return async (call) => {
        if (!left || !matches(call)) return;
        left = false;
        await act();
      };
    }

    /** Acts right before the first request of this kind arrives. */
    function gate(kind: 'commit' | 'get', act: () => Promise<void>): void {
      let left = true;
      world.gate = async (io, apply) => {
        if (left && io.kind === kind) {
          left = false;
          await act();
        }
        return apply();
      };
    }
  });

  describe('removing', () => {
    const keep = async (sessionId: string, count: number): Promise<void> => {
      for (let index = 0; index < count; index++) await keepMedia({ ...turn, sessionId, turnId: `t${index}` }, frame);
    };

    it('takes files and documents of one session, in commits of at most 400, and nothing of any other', async () => {
      for (const other of ['s', 's10', 's1-']) await seed(other);
      for (const sessionId of ['s', 's10', 's1-']) await keep(sessionId, 2);
      await keep('s1', 801);
      const others = files().filter((each) => !each.startsWith('sessions/s1/'));
      const commits: number[] = [];
      world.gate = (io, apply) => {
        if (io.kind === 'commit') commits.push(io.paths.length);
        return openGate(io, apply);
      };
      await removeMedia('s1');
      assert.deepEqual([documents(), files(), commits], [[], others, [400, 400, 1]]);
      assert.deepEqual([documents('s').length, documents('s10').length, documents('s1-').length, others.length], [2, 2, 2, 6]);
      assert.equal(world.session().sessionId, 's1');
    });

    it('again changes nothing', async () => {
      await keep('s1', 2);
      await removeMedia('s1');
      const after = world.firestore.dump();
      await removeMedia('s1');
      assert.deepEqual([world.firestore.dump(), files()], [after, []]);
    });

    it('that fails at the files leaves the documents, which say what is there', async () => {
      await keep('s1', 2);
      media.before = () => Promise.reject(broken);
      await assert.rejects(removeMedia('s1'), broken);
      assert.deepEqual([documents().length, files().length], [2, 2]);
    });

    it('that dies among the documents is finished by its repetition', async () => {
      await keep('s1', 401);
      world.commitsMeet(openGate, () => Promise.reject(broken));
      await assert.rejects(removeMedia('s1'), broken);
      assert.deepEqual([documents().length, files()], [1, []]);
      await removeMedia('s1');
      assert.deepEqual(documents(), []);
    });

    it('needs no storage for a session whose product keeps nothing', async () => {
      await seed('s2', []);
      const { keptMedia: _setting, ...older } = freshSession().config;
      await world.firestore.doc('sessions/s3').set({ ...freshSession({ sessionId: 's3' }), config: older });
      media.before = () => assert.fail('there is no bucket');
      for (const sessionId of ['s2', 's3']) await removeMedia(sessionId);
    });

    it('takes what is there even if the session says that it keeps nothing, or is gone', async () => {
      await keep('s1', 1);
      await world.firestore.doc('sessions/s1').update({ 'config.keptMedia': [] } as object);
      await removeMedia('s1');
      assert.deepEqual([documents(), files()], [[], []]);
      await media.put('sessions/gone/images/t1.jpg', frame.bytes, frame.mime);
      await removeMedia('gone');
      assert.deepEqual(files(), []);
    });
  });
});
