import assert from 'node:assert/strict';
import { audioSeconds, wavLoudness } from '../media/media.ts';
import { wavInfo } from '../media/sound/wav.ts';
import { offlineSpeech } from './speech.ts';

const speak = (text: string, voice = 'Nova', signal = new AbortController().signal) => offlineSpeech().speak({ text, voice, model: 'offline', signal });

describe('offline speech', () => {
  it('is a WAV of 16 bits, mono, 16 kHz, about 15 characters a second', async () => {
    const { mime, bytes, seconds, characters } = await speak('Jump over the pit, then run to the left. 😀');
    const { channels, sampleRate, bitsPerSample } = wavInfo(bytes)!;
    assert.deepEqual({ mime, channels, sampleRate, bitsPerSample, characters }, { mime: 'audio/wav', channels: 1, sampleRate: 16_000, bitsPerSample: 16, characters: 42 });
    assert.equal(audioSeconds(bytes, mime), seconds);
    assert.ok(Math.abs(characters / seconds - 15) < 0.1);
    assert.ok(wavLoudness(bytes)! > -30);
  });

  it('sounds the same each time, and different for another text or voice', async () => {
    const sounds = await Promise.all([speak('left'), speak('felt'), speak('Left'), speak('left', 'Echo')]);
    assert.deepEqual(await speak('left'), sounds[0]);
    assert.equal(new Set(sounds.map(({ bytes }) => bytes.toString('base64'))).size, 4);
  });

  it('tells all printable ASCII characters apart', async () => {
    const sounds = await Promise.all(Array.from({ length: 95 }, (_, index) => speak(String.fromCharCode(32 + index))));
    assert.equal(new Set(sounds.map(({ bytes }) => bytes.toString('base64'))).size, 95);
  });

  it('pauses at spaces', async () => {
    assert.equal(wavLoudness((await speak(' \n')).bytes), -96);
    assert.ok(wavLoudness((await speak('a a')).bytes)! < wavLoudness((await speak('aaa')).bytes)!);
  });

  it('ends after a minute, and bills what it spoke', async () => {
    const { seconds, characters, bytes } = await speak('a'.repeat(5000));
    assert.ok(seconds > 59 && seconds <= 60 && characters === 900 && bytes.length < 2_000_000);
  });

  it('stops with the signal', () => assert.rejects(speak('left', 'Nova', AbortSignal.abort()), { code: 'deadline-exceeded', details: { reason: 'provider_timeout' } }));
});
