import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { VendorName } from './types.ts';
import { hasLiveVoice, hasVoice } from './voices.ts';

describe('voices', () => {
  it('are those of the vendor', () => {
    for (const voice of ['Kore', 'Puck', 'Zephyr', 'Zubenelgenubi']) assert.ok(hasVoice('gemini', voice), voice);
    for (const voice of ['alloy', 'onyx', 'nova', 'marin']) assert.ok(hasVoice('openai', voice), voice);
    for (const voice of ['en-US-Wavenet-C', 'de-DE-Standard-H', 'cmn-CN-Wavenet-A', 'es-419-Neural2-A', 'en-US-Studio-O', 'en-US-Polyglot-1', 'en-US-Chirp-HD-D', 'en-GB-Chirp3-HD-Kore']) assert.ok(hasVoice('google', voice), voice);
  });

  it('are no others', () => {
    for (const provider of ['gemini', 'google', 'openai'] as const) {
      for (const voice of ['', 'kore', 'KORE', 'Alloy', ' Kore', 'Kore\n', 'constructor', 'toString', '__proto__', 'en-us-wavenet-c', 'en-US', 'en-US-Wavenet-', 'en-US-Wavenet-CC', 'en-US-Wavenet-C\n', 'abcd-US-Wavenet-C', 'en-US-Chirp3-HD-Nobody', 'en-US-Other-A', '../en-US-Wavenet-C']) {
        assert.ok(!hasVoice(provider, voice), `${provider} ${JSON.stringify(voice)}`);
        assert.ok(!hasLiveVoice(provider, voice), `${provider} live ${JSON.stringify(voice)}`);
      }
    }
    assert.ok(!hasVoice('openai', 'Kore') && !hasVoice('gemini', 'alloy') && !hasVoice('gemini', 'en-US-Wavenet-C') && !hasVoice('google', 'Kore'));
  });

  it('that talk live are others at google and openai', () => {
    assert.deepEqual([hasLiveVoice('gemini', 'Kore'), hasLiveVoice('google', 'Kore'), hasLiveVoice('google', 'en-US-Wavenet-C')], [true, true, false]);
    assert.deepEqual([hasLiveVoice('openai', 'marin'), hasLiveVoice('openai', 'onyx'), hasLiveVoice('openai', 'nova')], [true, false, false]);
  });

  it('offline are all', () => assert.ok(hasVoice('offline', 'anything') && hasLiveVoice('offline', 'anything')));

  it('of the seeded products are their providers\'', () => {
    const seed: unknown = JSON.parse(readFileSync(new URL('../../../emulator-data/seed/products.json', import.meta.url), 'utf8'));
    const products = Object.values(seed as Record<string, { provider: VendorName; voiceId: string }>);
    assert.ok(products.length > 0);
    for (const { provider, voiceId } of products) assert.ok(hasVoice(provider, voiceId), `${provider} ${voiceId}`);
  });
});
