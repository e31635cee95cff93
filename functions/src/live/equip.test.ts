import assert from 'node:assert/strict';
import { saidRecord } from '../../test/history.ts';
import { createMemoryDatabase } from '../../test/memory/database.ts';
import { startMockVendor, type MockVendor } from '../../test/vendors/server.ts';
import { useDatabases, type Databases } from '../runtime/firebase.ts';
import { useLog } from '../runtime/log.ts';
import { useSystem } from '../runtime/system.ts';
import { serverConfigSchema, type SessionConfig } from '../sessions/schema.ts';
import type { TurnAbout } from './abilities.ts';
import { abilities } from './equip.ts';

const { limits } = serverConfigSchema.omit({ modelRouting: true }).parse({ endpoints: { apiBaseUrl: '', liveDatabaseUrl: '' } });
const modelRouting = { vision: 'm', chat: 'm', tts: 'tts-1', embedding: 'text-embedding-3-small', ttsFallbacks: [{ provider: 'gemini' as const, model: 'gemini-3.8-flash-lite-tts', voice: 'Puck' }] };
const config = { provider: 'openai', voiceId: 'alloy', hasMemory: true, toolkit: [], limits, modelRouting } as unknown as SessionConfig;
const about: TurnAbout = { sessionId: 's1', turnId: 't1', ownerId: 'u1', agentInstanceId: 'a1', config, deadlineAt: 40_000, signal: new AbortController().signal };

/** A live database in which nothing has happened yet. */
const nothing = { exists: () => false, val: () => null };
const node = { child: () => node, orderByChild: () => node, startAt: () => node, endAt: () => node, limitToLast: () => node, get: () => Promise.resolve(nothing) };

describe('abilities whose vendor hangs', () => {
  let openai: MockVendor;
  let gemini: MockVendor;
  const waited: number[] = [];
  const warned: object[] = [];
  const environment = { ...process.env };

  before(async () => {
    [openai, gemini] = [await startMockVendor('slow'), await startMockVendor('ok')];
    Object.assign(process.env, { FUNCTIONS_EMULATOR: 'true', OPENAI_API_KEY: 'k1', OPENAI_BASE_URL: `${openai.url}/v1`, GEMINI_API_KEY: 'k2', GEMINI_BASE_URL: gemini.url });
  });
  after(async () => {
    process.env = environment;
    await Promise.all([openai.close(), gemini.close()]);
  });
  beforeEach(() => {
    waited.length = 0;
    warned.length = 0;
    useDatabases({ live: { ref: () => node } } as unknown as Databases);
    useLog({ info: () => undefined, warn: (message, fields) => warned.push({ message, ...fields }), write: () => undefined });
    // Time does not pass by itself: what waits for the vendor is over as soon as the vendor has been asked.
    useSystem({ now: () => 0, newId: () => 'id', random: () => 0, after: (ms, act) => {
      waited.push(ms);
      let cancelled = false;
      void openai.next().then(() => { if (!cancelled) act(); });
      return () => { cancelled = true; };
    } });
  });
  afterEach(() => {
    useDatabases(null);
    useLog(null);
    useSystem(null);
  });

  it('a voice leaves time for the one that steps in, and the log names it', async () => {
    const { speech, degradations } = await abilities.speak(about, 'Left, now.');
    assert.equal(speech.mime, 'audio/wav');
    assert.deepEqual(degradations, [{ what: 'speech', from: 'openai/tts-1', to: 'gemini/gemini-3.8-flash-lite-tts', because: 'provider_timeout' }]);
    assert.deepEqual(waited, [10_000, 10_000]);
    assert.deepEqual(warned.map((entry) => (entry as { model: string }).model), ['openai/tts-1']);
    assert.equal(gemini.requests.length, 1);
  });

  it('memory is given up long before the turn is, so that the model still answers', async () => {
    assert.deepEqual(await abilities.background(about, 'Hello'), { history: [], notes: [], degradations: [{ what: 'memory', because: 'provider_timeout' }] });
    assert.deepEqual(waited, [3_000]);
    waited.length = 0;
    await abilities.background({ ...about, deadlineAt: 8_000 }, 'Hello');
    assert.deepEqual(waited, [2_000]);
  });

  it('a summary is given up and put together without it, whoever has left', async () => {
    const database = createMemoryDatabase();
    try {
      useDatabases({ live: database } as unknown as Databases);
      await database.ref('requests/s1/r1').set(saidRecord({ turnId: 't1', saidAt: 5 }));
      await abilities.summarize({ ...about, signal: AbortSignal.abort() }, { summary: null, through: 9 });
      assert.deepEqual(waited, [5_000]);
      assert.deepEqual(database.dump('summaries/s1'), { text: 'Player: What about t1? Agent: This is t1.', through: 5 });
    } finally {
      await database.close();
    }
  });
});
