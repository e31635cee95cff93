import assert from 'node:assert/strict';
import { abilitiesWith } from '../../test/abilities.ts';
import { MemoryMedia } from '../../test/memory/media.ts';
import { guest, freshSession, SharingWorld } from '../../test/sharing-world.ts';
import { sampleFrame } from '../../test/vendors/collect.ts';
import { useStorage } from '../media/load-storage.ts';
import type { MediaDoc, MediaType } from '../media/schema.ts';
import { noUsage, type ModelEvent, type ModelProvider } from '../providers/types.ts';
import { AppError } from '../runtime/errors.ts';
import { useSystem } from '../runtime/system.ts';
import { commitJoin } from '../sharing/store.ts';
import type { Abilities } from './abilities.ts';
import { requireContext } from './context.ts';
import { abilities } from './equip.ts';
import { processFrameInput } from './schema.ts';
import { mirrorLive } from './store.ts';
import { processTurn } from './turn.ts';

const seen = { mime: 'image/jpeg', bytes: Buffer.from('as it was looked at') };
const sound = { mime: 'audio/wav' as const, bytes: Buffer.from('the reply as sound'), seconds: 1, characters: 5 };
const done: ModelEvent[] = [{ type: 'text', text: 'Left.' }, { type: 'done', outcome: 'complete', usage: noUsage }];
const busy = new AppError('unavailable', 'The model is busy.', { reason: 'provider_busy' });

function modelThat(play: () => Iterable<ModelEvent>): ModelProvider {
  return { name: 'gemini', generate: async function* () { await Promise.resolve(); yield* play(); } };
}

describe('what a product keeps of a turn', () => {
  let world: SharingWorld;
  let media: MemoryMedia;
  /** What happens when a timer is set. */
  let timersBegin: (ms: number, act: () => void) => void;
  beforeEach(() => {
    world = new SharingWorld();
    media = new MemoryMedia();
    useStorage(media);
    timersBegin = () => undefined;
    // Time does not pass by itself.
    useSystem({ now: () => world.now, newId: () => 'id', random: () => 0, after: (ms, act) => { timersBegin(ms, act); return () => undefined; } });
  });
  afterEach(async () => {
    useStorage(null);
    await world.close();
  });

  /** Opens the session s1 of u1 with a product that keeps this and speaks its answers. */
  async function open(keptMedia: MediaType[], parts: object = {}): Promise<void> {
    const session = freshSession();
    await world.seed({ ...session, config: { ...session.config, keptMedia, interactiveVoiceMode: true, ...parts } });
  }

  /** Takes a turn with a frame and words; what it needs beside the storage is played. */
  async function take({ uid = 'u1', model = modelThat(() => done), parts = {}, requestId = 'r1', instruction = 'Where to?' }: { uid?: string; model?: ModelProvider; parts?: Partial<Abilities>; requestId?: string; instruction?: string | null } = {}) {
    const input = processFrameInput.parse({ sessionId: 's1', requestId, frameData: sampleFrame(0).toString('base64'), ...(instruction === null ? {} : { instruction }) });
    const deps = {
      now: () => world.now, newId: () => `turn-${requestId}`,
      abilities: abilitiesWith(model, {
        see: () => Promise.resolve({ frame: seen, size: { width: 640, height: 360 }, fingerprint: Buffer.alloc(64, 100).toString('base64') }),
        speak: () => Promise.resolve({ speech: sound, degradations: [] }), keep: (about, by, files) => abilities.keep(about, by, files), ...parts,
      }),
      endSession: () => Promise.resolve(null),
    };
    return processTurn(input, await requireContext(uid, 's1'), deps, { uid, emit: () => undefined, signal: new AbortController().signal });
  }
  const stored = (): [string, string][] => [...media.files].map(([path, { bytes }]): [string, string] => [path, bytes.toString()]).sort();
  const documents = (): MediaDoc[] => Object.values(world.firestore.dump('sessions/s1/media')) as MediaDoc[];
  const [image, audio] = [{ type: 'images', file: 'turn-r1.jpg' }, { type: 'audio', file: 'turn-r1.wav' }] as const;
  const storedImage: [string, string] = ['sessions/s1/images/turn-r1.jpg', 'as it was looked at'];
  const storedAudio: [string, string] = ['sessions/s1/audio/turn-r1.wav', 'the reply as sound'];

  it('is the frame as it was looked at and the reply as it was spoken, named in the answer', async () => {
    await open(['images', 'audio']);
    const answer = await take();
    assert.deepEqual([answer.keptMedia, stored()], [[image, audio], [storedAudio, storedImage]]);
    assert.deepEqual(documents().map(({ file, type, mimeType, bytes, turnId, by }) => [file, type, mimeType, bytes, turnId, by]), [
      ['turn-r1.jpg', 'images', 'image/jpeg', seen.bytes.length, 'turn-r1', 'u1'], ['turn-r1.wav', 'audio', 'audio/wav', sound.bytes.length, 'turn-r1', 'u1'],
    ]);
  });

  it('is one of the two, or nothing, as the product says; then nobody asks the storage', async () => {
    await open(['audio']);
    assert.deepEqual([(await take()).keptMedia, stored()], [[audio], [storedAudio]]);
    await world.close();
    world = new SharingWorld();
    media.files.clear();
    media.calls.length = 0;
    await open([]);
    assert.deepEqual([(await take()).keptMedia, media.calls, documents()], [[], [], []]);
  });

  it('is kept of guests alike, in their name', async () => {
    await open(['images']);
    const session = await commitJoin((await world.invite()).text, guest('u2'));
    await mirrorLive(session);
    await take({ uid: 'u2' });
    assert.deepEqual(documents().map(({ file, by }) => [file, by]), [['turn-r1.jpg', 'u2']]);
  });

  it('costs nothing more', async () => {
    await open(['images', 'audio']);
    const { costDOFs } = await take();
    assert.equal(costDOFs, (await take({ requestId: 'r2', parts: { keep: () => Promise.resolve([]) } })).costDOFs);
  });

  it('is not there again in the answer to a repeated request, and not written again', async () => {
    await open(['images', 'audio']);
    const first = await take();
    media.calls.length = 0;
    assert.deepEqual([await take(), media.calls], [{ ...first, speech: { ...first.speech, audioData: null }, keptMedia: [], replayed: true }, []]);
  });

  it('is nothing of a turn that failed, and of one that was answered without a model', async () => {
    await open(['images', 'audio'], { skipUnchangedBelow: 0.5, dofRates: { ...freshSession().config.dofRates, frame: { standard: 0, burst: 0, continuous: 0, skipped: 0 } } });
    await assert.rejects(take({ model: modelThat(() => { throw busy; }) }), busy);
    assert.deepEqual([media.calls, documents()], [[], []]);
    assert.equal((await take({ requestId: 'r2', instruction: null })).outcome, 'complete');
    media.calls.length = 0;
    const { outcome, keptMedia } = await take({ requestId: 'r3', instruction: null });
    assert.deepEqual([outcome, keptMedia, media.calls], ['skipped', [], []]);
  });

  it('is the frame alone of a reply that was cut', async () => {
    await open(['images', 'audio']);
    const answer = await take({ model: modelThat(function* () { yield done[0]!; throw busy; }) });
    assert.deepEqual([answer.outcome, answer.keptMedia, stored()], ['cut', [image], [storedImage]]);
  });

  it('is waited for beside the posting, which it does not hold up', async () => {
    await open(['images']);
    let consumed: unknown;
    media.before = async () => {
      const idle = world.database.ref('meters/s1/turn');
      for (;;) {
        if (!(await idle.get()).exists()) break;
        await new Promise(setImmediate);
      }
      consumed = (await world.database.ref('meters/s1/consumed').get()).val();
    };
    const answer = await take();
    assert.deepEqual([consumed, answer.keptMedia], [answer.consumedDOFs, [image]]);
  });

  it('cannot fail the turn: what could not be kept is not named, and logged without any path', async () => {
    await open(['images', 'audio']);
    media.before = (call) => (call.includes('images') ? Promise.reject(Object.assign(new Error(`no bucket for ${call}`), { code: 404 })) : Promise.resolve());
    const answer = await take();
    assert.deepEqual([answer.outcome, answer.reply, answer.keptMedia, stored(), documents().map(({ file }) => file)], ['complete', 'Left.', [audio], [storedAudio], ['turn-r1.wav']]);
    const warned = world.logged.filter((entry) => (entry as { message: string }).message === 'media not kept');
    assert.deepEqual(warned, [{ message: 'media not kept', sessionId: 's1', turnId: 'turn-r1', reason: 'internal', code: 404 }]);
  });

  it('is given up when the storage does not answer, after ten seconds', async () => {
    await open(['images']);
    const waited: number[] = [];
    media.before = () => new Promise(() => undefined);
    timersBegin = (ms, act) => {
      waited.push(ms);
      if (ms === 10_000) setImmediate(act);
    };
    const answer = await take();
    assert.deepEqual([answer.outcome, answer.keptMedia, waited.filter((ms) => ms === 10_000)], ['complete', [], [10_000]]);
    assert.ok(JSON.stringify(world.logged).includes('media not kept'));
  });
});
