import assert from 'node:assert/strict';
import { startMockCloudSpeech } from '../../test/vendors/cloud-speech.ts';
import { wav } from '../../test/vendors/collect.ts';
import { startMockVendor, type MockVendor } from '../../test/vendors/server.ts';
import { mp3, mp3FrameSeconds, spokenMp3, spokenSamples } from '../../test/vendors/speech.ts';
import { wavInfo } from './media/sound/wav.ts';
import { loadSpeech } from './registry.ts';
import { mostSoundBytes, speechOf, wavOf } from './speech.ts';

const { signal } = new AbortController();
const down = { code: 'unavailable', details: { reason: 'provider_unavailable' } };

describe('speech', () => {
  it('is what its bytes are, with its length and the characters of the text', () => {
    const spoken = speechOf('openai', 'Ähm 👾', mp3(10));
    assert.deepEqual({ ...spoken, seconds: Math.round(spoken.seconds * 1e6) }, { mime: 'audio/mpeg', bytes: mp3(10), seconds: Math.round(mp3FrameSeconds * 10e6), characters: 5 });
    assert.deepEqual(speechOf('gemini', '', wav(new Int16Array(8_000))), { mime: 'audio/wav', bytes: wav(new Int16Array(8_000)), seconds: 0.5, characters: 0 });
  });

  it('is not what has no sound, has another type or is too large', () => {
    const frames = Math.ceil(mostSoundBytes / 417);
    const none = [Buffer.alloc(0), Buffer.from('ID3'), Buffer.from('<html>'), Buffer.from('OggS and more'), wav(new Int16Array(0)), wav(new Int16Array(8)).subarray(0, 30), Buffer.alloc(5_000, 0xff), mp3(frames + 1)];
    for (const bytes of none) assert.throws(() => speechOf('openai', 'x', bytes), down, bytes.subarray(0, 8).toString('hex'));
    assert.equal(speechOf('openai', 'x', mp3(frames - 1)).mime, 'audio/mpeg');
  });

  it('wraps samples without changing them', () => {
    const info = wavInfo(wavOf(spokenSamples, 24_000));
    assert.deepEqual(info && { ...info, data: info.data.equals(spokenSamples) }, { seconds: 1, channels: 1, sampleRate: 24_000, bitsPerSample: 16, float: false, data: true });
  });
});

describe('speech at the vendors', () => {
  let vendor: MockVendor;
  beforeEach(async () => {
    vendor = await startMockVendor();
  });
  afterEach(() => vendor.close());
  const settings = () => ({ apiKey: 'planted-key-1', baseUrl: vendor.url, allowLoopback: true });

  it('of gemini is asked for as sound in a voice, and comes as WAV whatever the model answers with', async () => {
    const gemini = await loadSpeech('gemini', settings());
    for (const model of ['gemini-3.1-flash-tts-preview', 'gemini-3.8-flash-tts']) {
      const spoken = await gemini.speak({ text: 'Behind you!', voice: 'Kore', model, signal });
      assert.deepEqual({ ...spoken, bytes: wavInfo(spoken.bytes)?.data.equals(spokenSamples) }, { mime: 'audio/wav', bytes: true, seconds: 1, characters: 11 });
    }
    assert.deepEqual(vendor.requests[1]?.path, '/v1beta/models/gemini-3.8-flash-tts:generateContent');
    assert.deepEqual(vendor.requests[1]?.body, {
      contents: [{ role: 'user', parts: [{ text: 'Behind you!' }] }],
      generationConfig: { responseModalities: ['AUDIO'], speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } } },
    });
  });

  it('of gemini is asked for once, also when the vendor offers to go on', async () => {
    vendor.mode = 'tools';
    const gemini = await loadSpeech('gemini', settings());
    assert.equal((await gemini.speak({ text: 'x', voice: 'Kore', model: 'gemini-3.8-flash-tts', signal })).seconds, 1);
    assert.equal(vendor.requests.length, 1);
  });

  it('of gemini is none without sound or with another type', async () => {
    const gemini = await loadSpeech('gemini', settings());
    for (const mode of ['refusal', 'wrong-counts'] as const) {
      vendor.mode = mode;
      await assert.rejects(gemini.speak({ text: 'x', voice: 'Kore', model: 'gemini-3.8-flash-tts', signal }), down);
    }
    assert.equal(vendor.requests.length, 2);
  });

  it('of openai is asked for as MP3', async () => {
    const openai = await loadSpeech('openai', { ...settings(), baseUrl: `${vendor.url}/v1` });
    const spoken = await openai.speak({ text: 'Behind you!', voice: 'alloy', model: 'tts-1', signal });
    assert.deepEqual(spoken.bytes, spokenMp3);
    assert.deepEqual(vendor.requests[0]?.body, { model: 'tts-1', voice: 'alloy', input: 'Behind you!', response_format: 'mp3' });
    vendor.mode = 'wrong-counts';
    await assert.rejects(openai.speak({ text: 'x', voice: 'alloy', model: 'tts-1', signal }), down);
  });
});

describe('speech of google', () => {
  const credentials = { getRequestHeaders: () => Promise.resolve({ authorization: 'Bearer planted-token-1' }) } as never;

  it('is asked for in the language of the voice, with the key or with the credentials of the function', async () => {
    const vendor = await startMockCloudSpeech();
    const withKey = await loadSpeech('google', { apiKey: 'planted-key-1', speechBaseUrl: vendor.url, allowLoopback: true });
    const withIdentity = (await import('./google/cloud-speech.ts')).cloudSpeech({ baseUrl: vendor.url, authClient: credentials });
    for (const google of [withKey, withIdentity]) {
      const spoken = await google.speak({ text: 'Hinter dir!', voice: 'de-DE-Chirp3-HD-Kore', model: '', signal });
      assert.deepEqual([spoken.mime, spoken.bytes.equals(spokenMp3), spoken.characters], ['audio/mpeg', true, 11]);
    }
    const [first, second] = vendor.requests;
    assert.equal(first?.path, '/google.cloud.texttospeech.v1.TextToSpeech/SynthesizeSpeech');
    assert.deepEqual(first?.body, { input: { text: 'Hinter dir!' }, voice: { languageCode: 'de-DE', name: 'de-DE-Chirp3-HD-Kore' }, audioConfig: { audioEncoding: 'MP3' } });
    assert.deepEqual([first?.headers['x-goog-api-key'], first?.headers.authorization], ['planted-key-1', undefined]);
    assert.deepEqual([second?.headers['x-goog-api-key'], second?.headers.authorization], [undefined, 'Bearer planted-token-1']);
    await vendor.close();
  });

  it('is none with another type', async () => {
    const vendor = await startMockCloudSpeech('wrong-counts');
    const google = await loadSpeech('google', { apiKey: 'planted-key-1', speechBaseUrl: vendor.url, allowLoopback: true });
    await assert.rejects(google.speak({ text: 'x', voice: 'en-US-Wavenet-C', model: '', signal }), down);
    await vendor.close();
  });
});
