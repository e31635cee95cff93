import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { collect, modelRequest, sampleFrame, wav } from '../../../test/vendors/collect.ts';
import { AppError } from '../../runtime/errors.ts';
import { seeFrame } from '../media/vision.ts';
import { noUsage, type ModelEvent, type ModelRequest } from '../types.ts';
import { offlineProvider, type OfflineOptions } from './offline.ts';

const frame = (index: number) => ({ mime: 'image/jpeg', bytes: sampleFrame(index) });
const ask = (parts: Partial<ModelRequest>, options: OfflineOptions = {}) => collect(offlineProvider(options).generate(modelRequest(parts)));
const events = async (parts: Partial<ModelRequest>) => {
  const list: ModelEvent[] = [];
  for await (const event of offlineProvider().generate(modelRequest(parts))) list.push(event);
  return list;
};

describe('offline provider', () => {
  it('says what it is and what it measured, in several pieces', async () => {
    const { text, pieces, done } = await ask({ frame: frame(0) });
    assert.match(text, /^\[offline\] /);
    assert.match(text, /640 by 360 pixels, brightness \d+ %.*blue \d+ %.*first frame/);
    assert.ok(pieces > 3);
    assert.equal(done.length, 1);
    assert.equal(done[0]?.outcome, 'complete');
    assert.deepEqual(done[0]?.usage, { ...noUsage, textInputTokens: 9, imageInputTokens: 258, outputTokens: Math.ceil(text.length / 4) });
  });

  it('compares with the frame before, also when it gets the frames scaled down', async () => {
    const [first, second] = await Promise.all([0, 3].map((index) => seeFrame(frame(index), { mode: 'burst', maxPixels: 16_000_000 })));
    const sceneBefore = first!.fingerprint;
    assert.match((await ask({ frame: second!.frame, sceneBefore })).text, /Since the frame before \d+ % of it moved, mostly at the /);
    assert.match((await ask({ frame: first!.frame, sceneBefore })).text, /Nothing moved/);
    assert.match((await ask({ frame: frame(0), sceneBefore })).text, /Nothing moved/);
    assert.deepEqual(await ask({ frame: frame(3), sceneBefore }), await ask({ frame: frame(3), sceneBefore }));
  });

  it('says how many earlier turns it knows', async () => {
    const turn = { instruction: 'Hello.', reply: 'Hello to you.' };
    assert.match((await ask({ history: [turn] })).text, /^\[offline\] .* I know 1 earlier turn of this conversation\./);
    assert.match((await ask({ history: [turn, turn, turn] })).text, /I know 3 earlier turns /);
    assert.doesNotMatch((await ask({ history: [] })).text, /earlier/);
  });

  it('answers in one piece without streaming', async () => {
    const parts = { frame: frame(0), instruction: 'Describe it\nfor me.' };
    const [whole, streamed] = await Promise.all([ask({ ...parts, stream: false }), ask(parts)]);
    assert.equal(whole.pieces, 1);
    assert.deepEqual([whole.text, whole.done], [streamed.text, streamed.done]);
    assert.equal((await ask({ stream: false, maxOutputTokens: 0 })).pieces, 0);
  });

  it('reflects the instruction', async () => {
    assert.match((await ask({ instruction: 'Jump over the pit!' })).text, /You said: "Jump over the pit!"/);
    assert.match((await ask({ instruction: 'what do you see' })).text, /no frame came with it/);
    const long = await ask({ instruction: '😀'.repeat(500) });
    assert.ok(!/\p{Surrogate}/u.test(long.text) && long.text.length < 400);
  });

  it('reports the length and the loudness of sound', async () => {
    const bytes = wav(new Int16Array(32_000).fill(16_384));
    const heard = await ask({ audio: { mime: 'audio/wav', bytes, seconds: 2 } });
    assert.match(heard.text, /2 seconds of sound, loudness -6 dBFS/);
    assert.equal(heard.done[0]?.usage.audioInputTokens, 64);
    assert.match((await ask({ audio: { mime: 'audio/ogg', bytes: Buffer.from('OggS'), seconds: 1 } })).text, /not readable without a decoder/);
  });

  it('stays within maxOutputTokens', async () => {
    for (const maxOutputTokens of [0, 1, 7]) {
      const { text, done } = await ask({ maxOutputTokens, frame: frame(0), instruction: '😀'.repeat(40) });
      assert.equal([...text].length, maxOutputTokens * 4);
      assert.equal(done[0]?.outcome, 'length');
      assert.ok((done[0]?.usage.outputTokens ?? NaN) <= maxOutputTokens);
    }
  });

  it('refuses a picture it cannot decode', async () => {
    await assert.rejects(ask({ frame: { mime: 'image/jpeg', bytes: Buffer.from('no picture') } }), { code: 'invalid-argument', details: { reason: 'bad_media' } });
  });

  it('fails as it is told to', async () => {
    const failWith = new AppError('unavailable', 'busy', { reason: 'provider_busy' });
    await assert.rejects(collect(offlineProvider({ failWith }).generate(modelRequest())), failWith);
    const texts: string[] = [];
    await assert.rejects(async () => {
      for await (const event of offlineProvider({ failAfterChunks: 2 }).generate(modelRequest())) if (event.type === 'text') texts.push(event.text);
    }, { code: 'unavailable', details: { reason: 'provider_unavailable' } });
    assert.equal(texts.length, 2);
  });

  it('fails for the share of requests that it is told to, the same ones each time', async () => {
    const fails = async (seed: number, failRate: number, options: OfflineOptions = {}) => (await Promise.all(Array.from({ length: 60 }, (_, index) => (
      ask({ instruction: `Question ${index}` }, { seed, failRate, ...options }).then(() => '.', (error: AppError) => error.details?.reason)
    )))).join('');
    assert.equal(await fails(1, 0), '.'.repeat(60));
    assert.equal(await fails(1, 1), 'provider_unavailable'.repeat(60));
    const some = await fails(1, 0.5);
    assert.ok(some.includes('.') && some.includes('provider_unavailable'));
    assert.equal(await fails(1, 0.5), some);
    assert.notEqual(await fails(2, 0.5), some);
    assert.equal(await fails(1, 0.5, { failWith: new AppError('unavailable', 'busy', { reason: 'provider_busy' }) }), some.replaceAll('provider_unavailable', 'provider_busy'));
  });

  it('waits as long as seed and request say', async () => {
    const waited = async (seed: number, parts: Partial<ModelRequest> = {}) => {
      const waits: unknown[] = [];
      const timer = mock.method(globalThis, 'setTimeout', (act: () => void, ms: number) => { waits.push(ms); setImmediate(act); });
      try {
        await ask(parts, { seed, delayMs: 100, jitterMs: 50, chunkDelayMs: 7 });
      } finally {
        timer.mock.restore();
      }
      return waits;
    };
    const [first, ...others] = await waited(1);
    assert.ok(typeof first === 'number' && first > 100 && first < 150);
    assert.ok(others.length > 1 && others.every((ms) => ms === 7));
    assert.deepEqual(await waited(1), [first, ...others]);
    const changes: [number, Partial<ModelRequest>][] = [[2, {}], [1, { instruction: 'What is that?' }], [1, { frame: frame(0) }], [1, { history: [{ instruction: 'a', reply: 'b' }] }]];
    for (const [seed, parts] of changes) assert.notEqual((await waited(seed, parts))[0], first);
  });

  it('stops with the signal, before and between chunks', async () => {
    const closed = new AppError('aborted', 'closed', { reason: 'session_closed' });
    await assert.rejects(ask({ signal: AbortSignal.abort(closed) }), closed);
    await assert.rejects(ask({ signal: AbortSignal.abort() }), { code: 'deadline-exceeded', details: { reason: 'provider_timeout' } });
    const slow = offlineProvider({ delayMs: 3_600_000 });
    await assert.rejects(collect(slow.generate(modelRequest({ signal: AbortSignal.timeout(1) }))), { code: 'deadline-exceeded' });
    const leaving = new AbortController();
    let seen = 0;
    await assert.rejects(async () => {
      for await (const event of offlineProvider({ chunkDelayMs: 3_600_000 }).generate(modelRequest({ signal: leaving.signal }))) {
        seen += Number(event.type === 'text');
        setImmediate(() => leaving.abort(closed));
      }
    }, closed);
    assert.equal(seen, 1);
  });
});

describe('offline provider: tools', () => {
  const tools = ['rememberFact', 'recallMemory', 'setObjective', 'lookUpGuide'].map((name) => ({ name, description: name, parameters: { type: 'object' } }));
  const call = (name: string, args: unknown) => [{ id: 'offline-1', name, args }];

  it('calls what an instruction asks for', async () => {
    const asked: Record<string, unknown> = {
      'Please remember that the key is red.': call('rememberFact', { fact: 'the key is red' }),
      'What do you remember about the key?': call('recallMemory', { query: 'the key' }),
      'recall my best score': call('recallMemory', { query: 'my best score' }),
      'My objective is to reach\nthe tower!': call('setObjective', { objective: 'to reach\nthe tower' }),
      'set objective win': call('setObjective', { objective: 'win' }),
      'guide bosses': call('lookUpGuide', { topic: 'bosses' }),
      'Look up lava': call('lookUpGuide', { topic: 'lava' }),
      'How do I jump?': call('lookUpGuide', { topic: 'jump' }),
    };
    for (const [instruction, calls] of Object.entries(asked)) {
      const [first, done, ...rest] = await events({ instruction, tools });
      assert.deepEqual(first, { type: 'calls', calls });
      assert.ok(done?.type === 'done' && done.outcome === 'complete' && done.usage.outputTokens === Math.ceil(JSON.stringify((calls as unknown[])[0]).length / 4));
      assert.deepEqual(rest, []);
    }
  });

  it('answers in words when nothing is asked for, nothing is offered or nothing fits', async () => {
    const instruction = 'Remember that the key is red.';
    const without: Partial<ModelRequest>[] = [
      { instruction: 'Remember that', tools }, { instruction: 'Remember that  ?', tools }, { instruction: 'What do you see?', tools }, { frame: frame(0), tools },
      { instruction }, { instruction, tools: tools.slice(1) }, { instruction, tools, maxOutputTokens: 5 },
    ];
    for (const parts of without) assert.deepEqual((await events(parts)).filter(({ type }) => type === 'calls'), []);
  });

  it('quotes what it got, and asks for no more', async () => {
    const rounds = [{ text: '', calls: call('rememberFact', { fact: 'x' }), results: [{ status: 'remembered' }] }];
    const { text } = await ask({ instruction: 'Remember that x', tools, rounds });
    assert.equal(text, '[offline] No model is connected, so I can only measure. rememberFact answered {"status":"remembered"}.');
    const long = [{ text: '', calls: new Array(50).fill(call('lookUpGuide', {})[0]) as ReturnType<typeof call>, results: [{ passages: 'x'.repeat(5000) }] }];
    const bounded = (await ask({ instruction: 'guide x', tools, rounds: long, maxOutputTokens: 10_000 })).text;
    assert.ok(bounded.length < 1000 && bounded.includes('{"passages":"xxx') && bounded.includes('lookUpGuide answered null.'));
  });
});
