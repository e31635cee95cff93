import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { z } from 'zod';
import { operations } from '../src/operations.ts';
import { errorReasons } from '../src/runtime/errors.ts';
import type { Operation } from '../src/runtime/operation.ts';
import { startAppCheckService, type AppCheckService } from './app-check-service.ts';
import { Canary, type Told } from './canary/canary.ts';
import { startLeakyFirestore } from './canary/leaky-firestore.ts';
import { provocations, type Stage } from './canary/provocations.ts';
import { deploy, endInstances } from './deployed.ts';
import { listenToTopics } from './evidence.ts';
import { frames } from './frames.ts';
import { examplesOf, type Own } from './fuzz/examples.ts';
import { fuzzSeed } from './fuzz/seed.ts';
import { admin, clientOf, closeClients, eventually, givePlayer, startWith, type Player } from './harness.ts';
import { startMockCloudSpeech } from './vendors/cloud-speech.ts';
import { startMockVendor, vendorModes, type MockVendor } from './vendors/server.ts';
import { geminiToken, openaiToken } from './vendors/tokens.ts';

after(async () => {
  await endInstances();
  await closeClients();
});

type Name = keyof typeof operations;
const all = Object.entries(operations) as [Name, Operation][];
const keys = { GEMINI_API_KEY: 'planted-gemini-51c8/2a+9e4f-key', GOOGLE_API_KEY: 'planted-google-e07d/6b+3c12-key', OPENAI_API_KEY: 'planted-openai-84af/1d+7b90-key' };
const streamToken = 'planted-stream-2f6e-81ab-token';
const spoken = 'My cat is called Zwieback-8151, tell nobody.';
/** Modes in which the vendor answers in its own time; those that never end are provoked by themselves. */
const modes = vendorModes.filter((mode) => !['ok', 'tools', 'slow', 'stalled', 'oversized'].includes(mode));

/** An input that the schema takes, with no more in it than there has to be. */
function smallest(input: z.ZodType, own: Own): object {
  const taken = fc.sample(examplesOf(input, own), { seed: fuzzSeed, numRuns: 200 }).filter((example) => input.safeParse(example).success) as object[];
  return taken.toSorted((one, other) => Object.keys(one).length - Object.keys(other).length)[0]!;
}

describe('a key that is planted', () => {
  const canary = new Canary();
  const closing: (() => unknown)[] = [];
  let stage: Stage;
  let vendor: MockVendor;
  let appCheck: AppCheckService;

  before(async function () {
    this.timeout(120_000);
    canary.planted.push(...Object.entries(keys).map(([what, text]) => ({ what, text })));
    canary.planted.push({ what: 'a stream token', text: streamToken, mayBe: (place) => /^(document sessions\/[^/]+|answer ok of \w+)$/.test(place) });
    canary.planted.push(...[geminiToken, openaiToken].map((text) => ({ what: 'a voice token', text, mayBe: (place: string) => place === 'answer ok of mintVoiceToken' })));
    canary.planted.push({ what: 'what a player said', text: spoken, mayBe: (place) => /^(document users\/[^/]+\/agents\/[^/]+\/memories\/|Realtime Database|answer ok )/.test(place) });
    vendor = await startMockVendor();
    appCheck = await startAppCheckService();
    const [speech, firestore, stop] = await Promise.all([startMockCloudSpeech('unauthorized'), startLeakyFirestore(`${Object.values(keys).join(' ')} Bearer ${streamToken}`), listenToTopics('canary', canary.messages)]);
    closing.push(() => vendor.close(), appCheck.close, () => speech.close(), firestore.close, stop);
    const env = { ...keys, GEMINI_BASE_URL: vendor.url, GOOGLE_BASE_URL: vendor.url, OPENAI_BASE_URL: `${vendor.url}/v1`, GOOGLE_SPEECH_BASE_URL: speech.url, MEDIA_FOLDER: '/dev/null/nowhere', RATE_LIMIT_PER_ADDRESS: '100000' };
    const [api, limited, checked, broken] = await Promise.all([deploy('api', env), deploy('api', { ...env, RATE_LIMIT_PER_USER: '1', RATE_LIMIT_PER_ADDRESS: '1', RATE_LIMIT_WINDOW_SECONDS: '3600' }), deploy('api', { ...env, ...appCheck.env }), deploy('api', { ...env, FIRESTORE_EMULATOR_HOST: firestore.host })] as const);
    canary.instances.push(api, limited, checked, broken);
    const [owner, administrator] = await Promise.all([givePlayer({ productId: 'gemini-legend', dofs: 500_000 }), clientOf('canary-admin', { admin: true })]);
    const { sessionId } = await open(owner);
    canary.planted.push({ what: 'the ID token', text: (await owner.idToken()).split('.')[1]!.slice(0, 200) });
    stage = {
      canary, api, limited, checked, broken, owner, administrator, sessionId,
      vendor: (mode) => { vendor.mode = mode; }, asked: () => vendor.next(), appCheckFails: (failing) => appCheck.fail(failing), appToken: () => appCheck.token(),
    };
    await canary.ask(api, 'startSession', { agentInstanceId: owner.agentInstanceId, gameContext: { platform: 'pc', streamUrl: `https://stream.example/live?token=${streamToken}` } }, await owner.idToken());
    await admin().firestore.doc(`sessions/${sessionId}`).update({ gameContext: { platform: 'pc', streamUrl: `https://stream.example/live?token=${streamToken}` } });
  });
  after(async () => {
    await Promise.all(closing.map((close) => close()));
  });

  /** A session whose models never rest, however often they fail. */
  const open = (player: Player): Promise<{ sessionId: string }> => startWith(player, { limits: { modelFailuresToRest: 1_000 } });
  const mint = async (player: Player, sessionId: string, requestId: string): Promise<Told> => canary.ask(stage.api, 'mintVoiceToken', { sessionId, requestId, minutes: 1 }, await player.idToken());
  const stream = async (player: Player, sessionId: string, requestId: string): Promise<Told> => canary.ask(stage.api, 'processFrame', { sessionId, requestId, frameData: frames[0]!, instruction: spoken }, await player.idToken(), { accept: 'text/event-stream' });

  for (const [reason, provoke] of Object.entries(provocations)) {
    if (typeof provoke === 'string') continue;
    it(`is not shown by the error ${reason}`, async () => {
      const told = await provoke(stage);
      assert.equal(told.reason, reason, told.text);
    });
  }

  it('is not shown by any operation that is refused before it begins, or whose database refuses', async function () {
    this.timeout(120_000);
    const { owner, administrator, limited, checked, broken, api } = stage;
    // All at once: it takes the SDK seconds to give a database up.
    await Promise.all(all.map(async ([name, { input, access }]) => {
      const example = smallest(input, { userId: [owner.uid], invite: [`some-id.${'s'.repeat(32)}`] });
      const token = await (access === 'admin' ? administrator : owner).idToken();
      for (const instance of [limited, limited, checked, broken]) await canary.ask(instance, name, example, token);
      for (const wrong of [null, streamToken, `${token}x`]) await canary.ask(api, name, example, wrong);
      await canary.ask(api, name, { ...example, nonsense: `${keys.GEMINI_API_KEY} ${spoken}` }, token);
    }));
    const missing = all.flatMap(([name]) => ['rate_limited', 'app_check', 'signed_out', 'bad_input', 'internal'].filter((reason) => canary.reasons.get(name)?.has(reason) !== true).map((reason) => `${name}: ${reason}`));
    assert.deepEqual(missing, [], 'each is refused in each way');
  });

  for (const productId of ['gemini-legend', 'google-legend', 'openai-legend']) {
    it(`is not shown whatever the vendor of ${productId} answers`, async function () {
      this.timeout(120_000);
      const player = await givePlayer({ productId, dofs: 500_000 });
      const { sessionId } = await open(player);
      const asked = vendor.requests.length;
      for (const mode of modes) {
        vendor.mode = mode;
        await stream(player, sessionId, `turn-${mode}`);
        await mint(player, sessionId, `token-${mode}`);
      }
      vendor.mode = 'ok';
      await stream(player, sessionId, 'turn-ok');
      const sent = vendor.requests.slice(asked);
      assert.ok(sent.some(({ headers }) => Object.values(keys).some((key) => JSON.stringify(headers).includes(key))), 'the vendor got the key');
      assert.ok(sent.length >= 2 * modes.length, `${sent.length} requests`);
    });
  }

  it('is not shown when no connection can be made, or no header can hold it', async () => {
    const line = 'second-line-of-the-key-93be';
    const instance = await deploy('api', { ...keys, GEMINI_BASE_URL: vendor.url.replace('http:', 'https:'), OPENAI_BASE_URL: `${vendor.url}/v1`, OPENAI_API_KEY: `${keys.OPENAI_API_KEY}\n${line}` });
    canary.instances.push(instance);
    canary.planted.push({ what: 'the second line of a key', text: line });
    for (const productId of ['gemini-legend', 'openai-legend']) {
      const player = await givePlayer({ productId, dofs: 50_000 });
      const { sessionId } = await open(player);
      const told = await canary.ask(instance, 'processFrame', { sessionId, requestId: 'one', instruction: 'Hello' }, await player.idToken());
      assert.ok(['provider_unavailable', 'provider_configuration'].includes(told.reason ?? ''), told.text);
    }
  });

  it('is not shown by what a session\'s state has become that somebody has damaged', async () => {
    const player = await givePlayer({ productId: 'gemini-legend', dofs: 50_000 });
    const { sessionId } = await open(player);
    const token = await player.idToken();
    const damage: [() => Promise<unknown>, Name, object][] = [
      [() => admin().database.ref(`contexts/${sessionId}/config`).set(keys.GEMINI_API_KEY), 'processFrame', { sessionId, requestId: 'one', instruction: 'Hello' }],
      [() => admin().firestore.doc(`sessions/${sessionId}`).update({ startedAt: keys.OPENAI_API_KEY, config: streamToken }), 'getSession', { sessionId }],
      [() => admin().firestore.doc(`users/${player.uid}/agents/${player.agentInstanceId}`).update({ purchasedAt: keys.GOOGLE_API_KEY }), 'listMyAgents', {}],
    ];
    for (const [spoil, name, input] of damage) {
      await spoil();
      assert.equal((await canary.ask(stage.api, name, input, token)).reason, 'internal', name);
    }
    await Promise.all([admin().database.ref(`contexts/${sessionId}`).remove(), admin().firestore.doc(`sessions/${sessionId}`).delete(), admin().firestore.doc(`users/${player.uid}/agents/${player.agentInstanceId}`).delete(), admin().firestore.doc(`users/${player.uid}`).update({ activeSessions: {} })]);
  });

  describe('in the end', () => {
    it('has been looked for at every reason of an error', () => {
      const seen = new Set([...canary.reasons.values()].flatMap((reasons) => [...reasons]));
      assert.deepEqual(errorReasons.filter((reason) => seen.has(reason) === (typeof provocations[reason] === 'string')), [], 'either provoked or excused');
      assert.deepEqual(all.filter(([name]) => !canary.reasons.has(name)), []);
    });

    it('is in no answer, document, event and log', async function () {
      this.timeout(120_000);
      const unpublished = admin().firestore.collection('outbox').where('published', '==', false).limit(1);
      await eventually(async () => (await unpublished.get()).empty, 'every event is published');
      const places = await canary.places();
      for (const start of ['answer internal of ', 'document sessions/', 'document outbox/', 'Realtime Database', 'event ', 'log 0 of api']) assert.ok(places.some(({ name, text }) => name.startsWith(start) && text.length > 0), `${start} was searched`);
      assert.match(places.find(({ name }) => name === 'log 3 of api')!.text, /refused with \[GEMINI_API_KEY\]/, 'the database has told the keys');
      assert.deepEqual([...new Set(canary.leaks(places))], []);
      for (const { name, text } of places.filter((place) => !place.name.startsWith('log '))) assert.doesNotMatch(text, /\bat \S+ \(?(file:|\/|node:)|node_modules|\/functions\/(lib|src)\//, name);
    });

    it('would have been found in each of them', async () => {
      const key = keys.OPENAI_API_KEY;
      const spy = await deploy('getServerStatus', { ...keys, NODE_OPTIONS: '--import data:text/javascript,console.log(process.env.OPENAI_API_KEY)' });
      const place = { document: admin().firestore.doc('canary/leak'), node: admin().database.ref('canary') };
      await Promise.all([place.document.set({ deep: [{ leak: Buffer.from(`x${key}`).toString('base64') }] }), place.node.set({ leak: encodeURIComponent(key) })]);
      const found = new Canary();
      found.planted.push({ what: 'key', text: key });
      found.instances.push(spy);
      found.messages.push({ data: Buffer.from(JSON.stringify({ leak: [...key].reverse().join('') })), attributes: { eventId: 'e' } } as unknown as (typeof found.messages)[number]);
      found.answers.push({ name: 'answer', text: `…${key.slice(-14)}` });
      const leaks = found.leaks(await found.places());
      await Promise.all([place.document.delete(), place.node.remove()]);
      assert.deepEqual(leaks.filter((each) => each !== 'key in log of the suite'), ['key in answer', 'key in document canary/leak', 'key in Realtime Database', 'key in event e', 'key in log 0 of getServerStatus']);
    });
  });
});
