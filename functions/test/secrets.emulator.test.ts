import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Message } from '@google-cloud/pubsub';
import { inputPrice, actualPrice, estimatePrice, type PricedInput } from '../src/credits/prices.ts';
import type { DofRates } from '../src/credits/schema.ts';
import { toEnvelope } from '../src/events/events.ts';
import type { OutboxDoc } from '../src/events/store.ts';
import { mostCalls } from '../src/providers/retry.ts';
import { noUsage } from '../src/providers/types.ts';
import { httpStatusOf, type ErrorCode, type ErrorReason } from '../src/runtime/errors.ts';
import { systemPrompt } from '../src/sessions/unwrap.ts';
import type { SessionConfig } from '../src/sessions/schema.ts';
import { callWire, dumpDatabase, dumpFirestore, listenToTopics, snapshotOf } from './evidence.ts';
import { frames } from './frames.ts';
import { admin, apiUrl, closeClients, eventually, fireSchedule, givePlayer, readAll, startWith, sums, type Player } from './harness.ts';
import { formsIn } from './leaks.ts';
import { plantedEnvironment, plantedKey, plantedVendorPort } from './planted.ts';
import { everythingIn } from './vendors/collect.ts';
import { startMockVendor, vendorModes, type MockVendor, type VendorMode } from './vendors/server.ts';
import { openaiToken } from './vendors/tokens.ts';

after(closeClients);

/** Fails when a text holds the planted key in any form; names the place, not the text. */
function assertClean(text: string, place: string): void {
  assert.deepEqual(formsIn(text, plantedKey), [], `the planted key is in ${place}`);
}

interface Tokens {
  input: number;
  output: number;
}

/** What a turn comes to in one mode of the vendor: an error, or a result. */
type Expected =
  | { mode: VendorMode; what: string; code: ErrorCode; reason: ErrorReason }
  | { mode: VendorMode; what: string; outcome: string; reply: string; estimated: boolean; tokens?: Tokens };

const reply = 'The player jumps over a green enemy — ¡olé!';
/** Text before a stream breaks: no usage is reported, so it is estimated. */
const broken = { outcome: 'cut', reply: 'The player ', estimated: true };

const modes: Expected[] = [
  // As the mock's usage says: 318 in, 52 out of which 40 are reasoning.
  { mode: 'ok', what: 'a whole reply', outcome: 'complete', reply, estimated: false, tokens: { input: 318, output: 52 } },
  { mode: 'bad-key', what: '401 for the key', code: 'failed-precondition', reason: 'provider_configuration' },
  { mode: 'unauthorized', what: '401', code: 'failed-precondition', reason: 'provider_configuration' },
  { mode: 'forbidden', what: '403', code: 'failed-precondition', reason: 'provider_configuration' },
  { mode: 'missing-model', what: '404', code: 'failed-precondition', reason: 'provider_configuration' },
  { mode: 'bad-media', what: '400 for the picture', code: 'invalid-argument', reason: 'bad_media' },
  { mode: 'busy', what: '429', code: 'unavailable', reason: 'provider_busy' },
  { mode: 'broken', what: '500', code: 'unavailable', reason: 'provider_unavailable' },
  { mode: 'half', what: 'half a stream', ...broken },
  { mode: 'cut', what: 'a connection that breaks', ...broken },
  { mode: 'garbage', what: 'garbage in the stream', ...broken },
  { mode: 'error-inside', what: 'an error in the stream', ...broken },
  { mode: 'refusal', what: 'a refusal', outcome: 'refused', reply: '', estimated: false, tokens: { input: 30, output: 3 } },
];

interface Started {
  sessionId: string;
  config: SessionConfig;
}
interface TurnAnswer {
  outcome: string;
  reply: string;
  provider: string;
  costDOFs: number;
  consumedDOFs: number;
  estimated: boolean;
}

describe('secrets and prices of a real provider', () => {
  const answers: [place: string, text: string][] = [];
  const messages: Message[] = [];
  /** Texts that players send; they are nobody's business but the vendor's. */
  const spoken = 'My cat is called Zwieback-4711.';
  let vendor: MockVendor;
  let closePubSub: () => Promise<unknown>;
  let player: Player;
  let started: Started;
  let rates: DofRates;
  let first: TurnAnswer;
  let spent = 0;
  /** DOFs held for a voice token, beyond the end of the session. */
  let prepaid = 0;

  before(async function () {
    this.timeout(120_000);
    vendor = await startMockVendor('ok', plantedVendorPort);
    closePubSub = await listenToTopics('secrets', messages);
    player = await givePlayer({ productId: 'openai-legend', dofs: 20_000 });
    // A model that fails so often would rest otherwise.
    started = await startWith(player, { limits: { modelFailuresToRest: 1_000 } });
    rates = started.config.dofRates;
    answers.push(['startSession', JSON.stringify(started)]);
    first = (await player.stream('processFrame', body('first'))).data;
    assert.equal(first.provider, 'openai', `start the suite with the environment of functions/test/planted.ts: ${Object.keys(plantedEnvironment).join(', ')}`);
  });
  after(async () => {
    await Promise.all([vendor?.close(), closePubSub?.()]);
  });

  const priced: PricedInput = { frame: 'continuous', instruction: false, audioSeconds: 0, textCharacters: 0, modelCalls: 1, spoken: false };

  /** Four characters are a token, and a frame of 640 by 360 pixels, sent at 512 by 288, is one tile of 258. */
  function estimate(said: string): Tokens {
    return { input: Math.ceil(systemPrompt(started.config).length / 4) + 258, output: Math.ceil(said.length / 4) };
  }

  function priceOf({ input, output }: Tokens, what: PricedInput = priced): number {
    return actualPrice(rates, what, { ...noUsage, textInputTokens: input, outputTokens: output, spokenCharacters: 0 }, Infinity);
  }

  function check(expected: Extract<Expected, { outcome: string }>, answer: TurnAnswer): void {
    const { outcome, estimated, tokens = estimate(expected.reply) } = expected;
    spent += answer.costDOFs;
    assert.deepEqual({ outcome: answer.outcome, reply: answer.reply, estimated: answer.estimated, provider: answer.provider }, { outcome, reply: expected.reply, estimated, provider: 'openai' });
    assert.deepEqual([answer.costDOFs, answer.consumedDOFs], [priceOf(tokens), spent]);
  }

  /** Money and state, without the times and the stream that a failed turn leaves behind. */
  async function money(): Promise<unknown> {
    const { meter, streams: _streams, ...rest } = await snapshotOf(player, started.sessionId);
    const { dueAt: _dueAt, streams: _ended, ...values } = meter as Record<string, unknown>;
    return { ...rest, meter: values };
  }

  /** A frame alone: what it costs does not depend on the turns before. */
  const body = (requestId: string): { sessionId: string; requestId: string; frameData: string; speak: boolean } => ({ sessionId: started.sessionId, requestId, frameData: frames[0]!, speak: false });

  async function overRest(requestId: string, accept: string): Promise<{ status: number; text: string }> {
    const { sessionId, ...rest } = body(requestId);
    const response = await fetch(`${apiUrl}/v1/sessions/${sessionId}/frames`, { method: 'POST', headers: { accept, 'content-type': 'application/json', authorization: `Bearer ${await player.idToken()}` }, body: JSON.stringify(rest) });
    const text = await response.text();
    answers.push([`REST ${requestId}`, `${JSON.stringify([...response.headers])} ${text}`]);
    return { status: response.status, text };
  }

  it('the vendor gets the planted key', () => {
    assert.equal(vendor.requests[0]?.headers.authorization, `Bearer ${plantedKey}`);
    check(modes[0] as Extract<Expected, { outcome: string }>, first);
  });

  it('the search finds the key in every form', () => {
    for (const text of [plantedKey, `x${plantedKey}y`, encodeURIComponent(plantedKey), Buffer.from(plantedKey).toString('base64'), Buffer.from(`{"key":"${plantedKey}"}`).toString('base64'), Buffer.from(`Bearer ${plantedKey}`).toString('base64url'), Buffer.from(`ab${plantedKey}`).toString('hex')]) {
      assert.throws(() => assertClean(text, 'a text made for this'), /the planted key is in/, text);
    }
    assertClean('planted keys are found in no innocent text', 'this text');
  });

  it('the price of a usage is what the rates say', () => {
    const { frame, per1kTokens: { text, image, output, reasoning } } = rates;
    assert.deepEqual({ frame: frame.continuous, text, image, output, reasoning }, { frame: 40, text: 4, image: 4, output: 10, reasoning: 10 });
    // 40 for the frame, (318 * 4 + 52 * 10) / 1000 rounded up.
    assert.equal(priceOf({ input: 318, output: 52 }), 42);
  });

  for (const expected of modes) {
    describe(`when the vendor answers with ${expected.what}`, () => {
      before(() => { vendor.mode = expected.mode; });
      after(() => { vendor.mode = 'ok'; });

      if ('code' in expected) {
        it('every way in gets the same error, and nothing is charged', async () => {
          const before = await money();
          const asked = vendor.requests.length;
          const wire = await callWire('processFrame', JSON.stringify(body(`${expected.mode}-wire`)), await player.idToken());
          const sdk: unknown = await player.call('processFrame', body(`${expected.mode}-sdk`)).then(() => assert.fail('accepted'), (error: unknown) => error);
          const streamed: unknown = await player.stream('processFrame', body(`${expected.mode}-stream`)).then(() => assert.fail('accepted'), (error: unknown) => error);
          answers.push([`callable ${expected.mode}`, `${JSON.stringify([...wire.headers])} ${wire.text}`], [`SDK ${expected.mode}`, everythingIn(sdk)], [`SDK stream ${expected.mode}`, everythingIn(streamed)]);
          const [json, events] = [await overRest(`${expected.mode}-json`, 'application/json'), await overRest(`${expected.mode}-sse`, 'text/event-stream')];
          assert.equal(vendor.requests.length - asked, expected.mode === 'broken' ? 5 * mostCalls : 5, 'what may pass is tried again, and nothing else');

          const restError = { code: expected.code, reason: expected.reason };
          for (const { status, text } of [json, events]) {
            const { error } = JSON.parse(text) as { error: { code: string; message: string; details: { reason: string } } };
            assert.deepEqual({ status, code: error.code, reason: error.details.reason }, { status: httpStatusOf[expected.code], ...restError });
          }
          const { error } = JSON.parse(wire.text) as { error: { status: string; details: { reason: string } } };
          assert.deepEqual({ status: wire.status, code: error.status, reason: error.details.reason }, { status: httpStatusOf[expected.code], code: expected.code.toUpperCase().replaceAll('-', '_'), reason: expected.reason });
          for (const each of [sdk, streamed] as { code: string; details: { reason: string } }[]) {
            assert.deepEqual({ code: each.code, reason: each.details?.reason }, { code: `functions/${expected.code}`, reason: expected.reason });
          }
          assert.deepEqual(await money(), before);
        });
      } else {
        it('every way in gets the same result, and the price of what the vendor did', async () => {
          const { data, chunks } = await player.stream('processFrame', body(`${expected.mode}-stream`));
          check(expected, data);
          assert.equal(chunks.map((chunk) => (chunk as { text: string }).text).join(''), expected.reply);
          check(expected, await player.call('processFrame', body(`${expected.mode}-sdk`)));
          const json = await overRest(`${expected.mode}-json`, 'application/json');
          check(expected, JSON.parse(json.text) as TurnAnswer);
          const events = await overRest(`${expected.mode}-sse`, 'text/event-stream');
          const result = /event: result\ndata: (.*)\n\n$/.exec(events.text)?.[1];
          check(expected, JSON.parse(result ?? 'null') as TurnAnswer);
          answers.push([`callable ${expected.mode}`, JSON.stringify([data, chunks])]);
        });
      }

      it('and the session goes on', async () => {
        vendor.mode = 'ok';
        check(modes[0] as Extract<Expected, { outcome: string }>, await player.call('processFrame', body(`${expected.mode}-next`)));
        if ('code' in expected) {
          // A failed turn leaves its id free: trying again is a new attempt.
          const again = await player.call('processFrame', body(`${expected.mode}-sdk`));
          assert.equal(again.replayed, false);
          check(modes[0] as Extract<Expected, { outcome: string }>, again);
        }
      });
    });
  }

  describe('when the vendor counts what no model could', () => {
    it('the price is never more than what was held', async () => {
      vendor.mode = 'wrong-counts';
      const answer = await player.call('processFrame', body('wrong-counts'));
      vendor.mode = 'ok';
      const held = estimatePrice(rates, { ...priced, textCharacters: systemPrompt(started.config).length });
      spent += answer.costDOFs;
      assert.equal(answer.costDOFs, held);
      assert.equal(answer.consumedDOFs, spent);
    });
  });

  describe('when the vendor is too slow', () => {
    it('nothing is charged before the first word, afterwards what was said', async () => {
      const limit = admin().firestore.doc('config/server');
      const { turnTimeoutSeconds } = ((await limit.get()).data() as { limits: { turnTimeoutSeconds: number } }).limits;
      const hasty = await givePlayer({ productId: 'openai-legend', dofs: 5_000 });
      await limit.update({ 'limits.turnTimeoutSeconds': 2 });
      const { sessionId } = await hasty.call('startSession', { agentInstanceId: hasty.agentInstanceId }).finally(() => limit.update({ 'limits.turnTimeoutSeconds': turnTimeoutSeconds }));
      vendor.mode = 'slow';
      const slow = await hasty.call('processFrame', { sessionId, requestId: 'slow', frameData: frames[0], speak: false }).then(() => assert.fail('accepted'), (error: unknown) => error as { code: string; details: { reason: string } });
      answers.push(['SDK slow', everythingIn(slow)]);
      assert.deepEqual([slow.code, slow.details.reason], ['functions/deadline-exceeded', 'provider_timeout']);
      assert.equal((await admin().database.ref(`meters/${sessionId}/consumed`).get()).val(), 0);
      vendor.mode = 'stalled';
      const stalled = await hasty.call('processFrame', { sessionId, requestId: 'stalled', frameData: frames[0], speak: false });
      vendor.mode = 'ok';
      const cost = priceOf(estimate('The player '));
      assert.deepEqual([stalled.outcome, stalled.reply, stalled.estimated, stalled.costDOFs], ['cut', 'The player ', true, cost]);
      assert.ok(cost > inputPrice(rates, priced));
      await hasty.call('endSession', { sessionId });
    });
  });

  describe('what the vendor speaks, embeds and hands out', () => {
    const tokenModes = vendorModes.filter((mode) => !['ok', 'refusal', 'tools', 'bad-media', 'slow', 'stalled', 'redirect'].includes(mode));
    const mint = (requestId: string) => player.call('mintVoiceToken', { sessionId: started.sessionId, requestId, minutes: 1 });

    it('is heard, and remembered by a vector of its model', async () => {
      vendor.mode = 'ok';
      const answer = await player.call('processFrame', { sessionId: started.sessionId, requestId: 'aloud', instruction: spoken });
      spent += answer.costDOFs;
      assert.deepEqual([answer.speech?.mimeType, answer.speech?.characters, answer.degraded], ['audio/mpeg', reply.length, []]);
      const memories = `users/${player.uid}/agents/${player.agentInstanceId}/memories`;
      await eventually(async () => (await readAll<{ embeddedWith: string | null }>(memories)).some(({ embeddedWith }) => embeddedWith === 'openai/text-embedding-3-small'), 'the turn is embedded');
      answers.push(['aloud', JSON.stringify(answer)]);
    });

    for (const mode of tokenModes) {
      it(`is no token when the vendor is ${mode}, and nothing is held`, async () => {
        const before = await sums(player);
        vendor.mode = mode;
        const error: unknown = await mint(`token-${mode}`).then(() => assert.fail('accepted'), (thrown: unknown) => thrown);
        vendor.mode = 'ok';
        answers.push([`token ${mode}`, everythingIn(error)]);
        const { reason } = (error as { details: { reason: ErrorReason } }).details;
        assert.ok(['provider_configuration', 'provider_busy', 'provider_unavailable'].includes(reason), reason);
        assert.deepEqual(await sums(player), before);
      });
    }

    it('is a token that is shown once and kept nowhere, its lifetime held', async () => {
      const { held } = await sums(player);
      const { token, heldDOFs, provider } = await mint('token-ok');
      prepaid = heldDOFs;
      assert.deepEqual([token, provider, (await sums(player)).held - held], [openaiToken, 'openai', prepaid]);
      answers.push(['token', JSON.stringify([token, heldDOFs])]);
      for (const document of await dumpFirestore()) assert.ok(!document.includes(openaiToken), document.slice(0, document.indexOf(' ')));
      assert.ok(!(await dumpDatabase()).includes(openaiToken));
    });
  });

  describe('the daily check of models', () => {
    it('asks the vendor whose key is set, and tells once of a model that it does not list', async () => {
      const told = async () => (await readAll<OutboxDoc>('outbox')).filter(({ type, data }) => type === 'platform.model_retiring' && data['model'] === 'text-embedding-3-small');
      const asked = vendor.requests.length;
      await fireSchedule('checkModels');
      assert.deepEqual((await told()).map(({ data }) => [data['provider'], data['kind'], data['settings']]), [['openai', 'missing', ['config/server.modelRouting.openai.embedding']]]);
      assert.deepEqual(vendor.requests.slice(asked).map(({ path }) => path), ['/v1/models']);
      await fireSchedule('checkModels');
      assert.equal((await told()).length, 1);
    });
  });

  describe('in the end', () => {
    it('what was charged is what the ledger says', async () => {
      const ended = await player.call('endSession', { sessionId: started.sessionId });
      assert.equal(ended.consumedDOFs, spent);
      await eventually(async () => (await player.call('getSession', { sessionId: started.sessionId })).settlement === 'done', 'the settlement');
      assert.deepEqual(await sums(player), { ledger: 20_000 - spent, lots: 20_000 - spent, balance: 20_000 - spent, held: prepaid });
    });

    it('the key is in no answer and no error', async () => {
      for (const [name, input] of [['getMe', {}], ['getSession', { sessionId: started.sessionId }], ['listMySessions', {}], ['getServerStatus', {}]] as const) {
        answers.push([name, JSON.stringify(await player.callRaw(name, input))]);
      }
      answers.push(['openapi.json', await (await fetch(`${apiUrl}/v1/openapi.json`)).text()]);
      assert.ok(answers.length > 50);
      for (const [place, text] of answers) assertClean(text, place);
      for (const [place, text] of answers) assert.doesNotMatch(text, /"stack"|node_modules\/openai|127\.0\.0\.1:18099/, `${place} shows how the server is made`);
    });

    it('the key is in no document of Firestore', async function () {
      this.timeout(120_000);
      const documents = await dumpFirestore();
      for (const path of ['config/server', `sessions/${started.sessionId}`, `users/${player.uid}/agents/${player.agentInstanceId}/grants/lot-0`]) {
        assert.ok(documents.some((document) => document.startsWith(`${path} `)), `${path} was searched`);
      }
      for (const document of documents) assertClean(document, document.slice(0, document.indexOf(' ')));
    });

    it('the key is nowhere in the Realtime Database', async () => {
      const dump = await dumpDatabase();
      for (const root of ['meters', 'requests', 'live', 'streams', 'contexts']) assert.ok((JSON.parse(dump) as Record<string, object>)[root]?.hasOwnProperty(started.sessionId), `${root} was searched`);
      assertClean(dump, 'the Realtime Database');
    });

    it('the key is in no event', async () => {
      const outbox = await readAll<OutboxDoc>('outbox');
      await eventually(() => messages.some(({ attributes }) => attributes['eventType'] === 'session.settled' && attributes['eventId']?.startsWith(started.sessionId)), 'the last event arrives');
      for (const event of outbox) assertClean(JSON.stringify([event, toEnvelope(event, event.createdAt.toDate())]), `the event ${event.eventId}`);
      for (const { data, attributes } of messages) assertClean(`${data.toString()} ${JSON.stringify(attributes)}`, `the message ${attributes['eventId']}`);
    });

    it('neither key, token, picture nor words are in the log', async function () {
      const file = process.env['JIGA_EMULATOR_LOG'];
      if (file === undefined || !existsSync(file)) return this.skip();
      await wait(1_000);
      const log = readFileSync(file, 'utf8');
      assert.match(log, /processFrame/, 'the log was searched');
      assertClean(log, 'the log');
      const [, payload] = (await player.idToken()).split('.');
      for (const [what, text] of [['a token', payload!], ['a picture', frames[0]!.slice(0, 200)], ['what a player said', spoken], ['what the model said', 'jumps over a green enemy']] as const) {
        assert.ok(!log.includes(text), `${what} is in the log`);
      }
    });
  });
});
