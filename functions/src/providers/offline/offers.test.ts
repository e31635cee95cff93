import assert from 'node:assert/strict';
import { AppError } from '../../runtime/errors.ts';
import { offlineModelList } from './model-list.ts';
import { offlineVoiceTokens } from './voice-tokens.ts';

const mint = (signal = new AbortController().signal) => offlineVoiceTokens().mint({ model: 'offline', voice: 'Nova', systemPrompt: 'You watch a game.', expiresAt: 1_800_000_000_000, maxOutputTokens: 100, signal });
const closed = new AppError('aborted', 'closed', { reason: 'session_closed' });

describe('offline voice tokens', () => {
  it('say that no live model is there, and are another each time', async () => {
    const [one, other] = await Promise.all([mint(), mint()]);
    assert.match(one.token, /^offline-[\w-]{20}$/);
    assert.notEqual(one.token, other.token);
    assert.deepEqual([one.url, one.expiresAt], ['offline:no-live-model-is-connected', 1_800_000_000_000]);
    assert.equal(new URL(one.url).protocol, 'offline:');
  });

  it('stop with the signal', () => assert.rejects(mint(AbortSignal.abort(closed)), closed));
});

describe('offline models', () => {
  it('are one, without an end', async () => assert.deepEqual(await offlineModelList().list(new AbortController().signal), [{ name: 'offline', shutdownAt: null }]));

  it('stop with the signal', () => assert.rejects(offlineModelList().list(AbortSignal.abort(closed)), closed));
});
