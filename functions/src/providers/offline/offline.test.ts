import assert from 'node:assert/strict';
import { collect, modelRequest, sampleFrame, wav } from '../../../test/vendors/collect.ts';
import { AppError } from '../../runtime/errors.ts';
import { offlineProvider } from './offline.ts';
import { noUsage, type ModelRequest } from '../types.ts';

const frame = (index: number) => ({ mime: 'image/jpeg', bytes: sampleFrame(index) });
const ask = (parts: Partial<ModelRequest>) => collect(offlineProvider().generate(modelRequest(parts)));

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

  it('compares with the frame before', async () => {
    const first = await ask({ frame: frame(0) });
    const sceneBefore = first.done[0]?.scene;
    assert.ok(sceneBefore);
    assert.match((await ask({ frame: frame(3), sceneBefore })).text, /Since the frame before \d+ % of it moved, mostly at the /);
    assert.match((await ask({ frame: frame(0), sceneBefore })).text, /Nothing moved/);
    assert.deepEqual(await ask({ frame: frame(3), sceneBefore }), await ask({ frame: frame(3), sceneBefore }));
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
