import assert from 'node:assert/strict';
import { vendorFailure, type FailedRequest, type VendorFailure } from './failures.ts';

const failed = (failure: VendorFailure, request: FailedRequest = { model: 'gpt-x' }) => {
  const { code, message, details } = vendorFailure('openai', request, failure);
  return { code, message, details };
};

describe('the error of a vendor that failed', () => {
  it('names the model and where it is set', () => {
    const setting = (failure: VendorFailure, request: FailedRequest) => failed(failure, request).message.match(/"(.+)"\. Set (\S+) /)?.slice(1);
    assert.deepEqual(setting({ status: 404 }, { model: 'gpt-x' }), ['gpt-x', 'config/server.modelRouting.openai.chat']);
    assert.deepEqual(setting({ status: 404 }, { model: 'gpt-x', frame: {} }), ['gpt-x', 'config/server.modelRouting.openai.vision']);
    assert.deepEqual(setting({ status: 400, unknownModel: true }, { model: 'e', setting: 'config/server.modelRouting.openai.embedding' }), ['e', 'config/server.modelRouting.openai.embedding']);
    // OpenAI's answer for a model that the project may not use: not a matter of the key.
    assert.deepEqual(setting({ status: 403, unknownModel: true }, { model: 'gpt-x' }), ['gpt-x', 'config/server.modelRouting.openai.chat']);
  });

  it('says how long to wait, within bounds, where the vendor does', () => {
    const wait = (retryAfterMs?: number) => failed({ status: 429, retryAfterMs }).details;
    assert.deepEqual(wait(1_500.2), { reason: 'provider_busy', retryAfterMs: 1_501 });
    assert.deepEqual([wait(0), wait(86_400_000)].map((details) => details?.['retryAfterMs']), [1, 60_000]);
    assert.deepEqual(wait(), { reason: 'provider_busy' });
  });

  it('is a matter of configuration when the account has no credit: waiting does not help', () => {
    for (const failure of [{ status: 429, outOfCredit: true, retryAfterMs: 5_000 }, { status: 402 }]) {
      const { code, message, details } = failed(failure);
      assert.deepEqual([code, details], ['failed-precondition', { reason: 'provider_configuration' }]);
      assert.match(message, /credit/);
    }
  });

  it('blames the media only when there were any', () => {
    assert.equal(failed({ status: 400, badMedia: true }, { model: 'gpt-x', frame: {} }).details?.reason, 'bad_media');
    assert.equal(failed({ status: 400, badMedia: true }).details?.reason, 'provider_configuration');
    assert.equal(failed({ status: 413 }, { model: 'gpt-x', audio: {} }).details?.reason, 'bad_media');
  });

  it('is a vendor that is down when nothing is known', () => {
    for (const failure of [{}, { status: 500 }, { status: 307 }]) assert.deepEqual(failed(failure).details, { reason: 'provider_unavailable' });
    for (const status of [408, 504]) assert.deepEqual(failed({ status }).details, { reason: 'provider_timeout' });
  });
});
