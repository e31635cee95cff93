import assert from 'node:assert/strict';
import { startMockVendor, type MockVendor } from '../../test/vendors/server.ts';
import { geminiToken, openaiToken, openaiTokenExpiresAt } from '../../test/vendors/tokens.ts';
import { useSystem } from '../runtime/system.ts';
import { loadVoiceTokens } from './registry.ts';
import type { VoiceTokenRequest } from './types.ts';
import { clientToken } from './voice-token.ts';

const key = 'planted-key-4f9a1c';
const down = { code: 'unavailable', details: { reason: 'provider_unavailable' } };
const startedAt = Date.parse('2026-11-20T10:00:00Z');

const request = (parts: Partial<VoiceTokenRequest>): VoiceTokenRequest => ({
  model: 'some-model', voice: 'some-voice', systemPrompt: 'You coach a player.', expiresAt: startedAt + 600_000, maxOutputTokens: 500, signal: new AbortController().signal, ...parts,
});

describe('voice tokens', () => {
  let vendor: MockVendor;
  beforeEach(async () => {
    vendor = await startMockVendor();
    useSystem({ now: () => startedAt, newId: () => 'id', random: () => 0, after: () => () => {} });
  });
  afterEach(async () => {
    useSystem(null);
    await vendor.close();
  });
  const gemini = (name: 'gemini' | 'google' = 'gemini') => loadVoiceTokens(name, { apiKey: key, baseUrl: vendor.url, allowLoopback: true });
  const openai = () => loadVoiceTokens('openai', { apiKey: key, baseUrl: `${vendor.url}/v1`, allowLoopback: true });

  it('of gemini are good for one session, which begins within a minute and is locked', async () => {
    for (const name of ['gemini', 'google'] as const) {
      const token = await (await gemini(name)).mint(request({ model: 'gemini-3.8-live', voice: 'Kore' }));
      assert.deepEqual(token, {
        token: geminiToken,
        url: `${vendor.url.replace('http', 'ws')}/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContentConstrained`,
        expiresAt: startedAt + 600_000,
      });
    }
    assert.equal(vendor.requests[0]?.path, '/v1alpha/auth_tokens');
    // No fieldMask: every field of the setup is locked, also those that are not in it.
    assert.deepEqual(vendor.requests[0]?.body, {
      uses: 1,
      expireTime: '2026-11-20T10:10:00.000Z',
      newSessionExpireTime: '2026-11-20T10:01:00.000Z',
      bidiGenerateContentSetup: {
        model: 'models/gemini-3.8-live',
        generationConfig: { responseModalities: ['AUDIO'], maxOutputTokens: 500, speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } } },
        systemInstruction: { role: 'user', parts: [{ text: 'You coach a player.' }] },
      },
    });
  });

  it('of gemini begin no session after they expire', async () => {
    await (await gemini()).mint(request({ expiresAt: startedAt + 20_000 }));
    const { expireTime, newSessionExpireTime } = vendor.requests[0]?.body as Record<string, string>;
    assert.deepEqual([expireTime, newSessionExpireTime], ['2026-11-20T10:00:20.000Z', '2026-11-20T10:00:20.000Z']);
  });

  it('of google on Vertex AI do not exist', async () => {
    await assert.rejects(loadVoiceTokens('google', { apiKey: key, project: 'demo-jiga' }), (error: Error) => /Vertex AI has no voice tokens/.test(error.message));
    await assert.rejects(loadVoiceTokens('google', { project: 'demo-jiga' }), { code: 'failed-precondition', details: { reason: 'provider_configuration' } });
  });

  it('of openai carry the session that they are for', async () => {
    const token = await (await openai()).mint(request({ model: 'gpt-realtime-2.1-mini', voice: 'marin' }));
    assert.deepEqual(token, { token: openaiToken, url: `${vendor.url.replace('http', 'ws')}/v1/realtime?model=gpt-realtime-2.1-mini`, expiresAt: openaiTokenExpiresAt * 1000 });
    assert.deepEqual(vendor.requests[0]?.body, {
      expires_after: { anchor: 'created_at', seconds: 600 },
      session: { type: 'realtime', model: 'gpt-realtime-2.1-mini', instructions: 'You coach a player.', output_modalities: ['audio'], audio: { output: { voice: 'marin' } }, max_output_tokens: 500 },
    });
  });

  it('of openai stay within what the vendor takes', async () => {
    const tokens = await openai();
    for (const [lifeMs, seconds, maxOutputTokens, most] of [[1_000, 10, 4_096, 4_096], [59_999, 59, 4_097, 4_096], [86_400_000, 7_200, 1, 1]] as const) {
      vendor.requests.length = 0;
      await tokens.mint(request({ expiresAt: startedAt + lifeMs, maxOutputTokens }));
      const body = vendor.requests[0]?.body as { expires_after: { seconds: number }; session: { max_output_tokens: number } };
      assert.deepEqual([body.expires_after.seconds, body.session.max_output_tokens], [seconds, most]);
    }
  });

  for (const mode of ['wrong-counts', 'error-inside'] as const) {
    it(`are refused when there is none, or when it is the platform's key (${mode})`, async () => {
      vendor.mode = mode;
      for (const tokens of [await gemini(), await openai()]) await assert.rejects(tokens.mint(request({})), down);
      assert.equal(vendor.requests.length, 2);
    });
  }

  it('never hold the platform key, wherever it is', () => {
    const fine = { token: 'ek_1', url: 'wss://api.openai.com/v1/realtime', expiresAt: 1 };
    assert.equal(clientToken('openai', key, fine), fine);
    for (const parts of [{ token: key }, { token: `x${key}y` }, { url: `wss://api.openai.com/?key=${key}` }]) assert.throws(() => clientToken('openai', key, { ...fine, ...parts }), down);
  });

  it('lead to the vendors themselves', async () => {
    const { geminiVoiceTokens } = await import('./google/voice-tokens.ts');
    assert.equal((await geminiVoiceTokens('gemini', { apiKey: key, baseUrl: vendor.url }).mint(request({}))).url.startsWith('ws://127.0.0.1:'), true);
    const { socketAddress } = await import('./voice-token.ts');
    assert.equal(socketAddress('https://generativelanguage.googleapis.com'), 'wss://generativelanguage.googleapis.com');
  });
});
