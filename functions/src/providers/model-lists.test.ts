import assert from 'node:assert/strict';
import { startMockVendor, type MockVendor } from '../../test/vendors/server.ts';
import { googleModelList } from './google/model-list.ts';
import { loadModelList } from './registry.ts';

const { signal } = new AbortController();
const down = { code: 'unavailable', details: { reason: 'provider_unavailable' } };
const credentials = { authClient: { getRequestHeaders: () => Promise.resolve(new Headers({ authorization: 'Bearer planted-token-1' })) } } as never;

describe('model lists', () => {
  let vendor: MockVendor;
  beforeEach(async () => {
    vendor = await startMockVendor();
  });
  afterEach(() => vendor.close());
  const lists = async () => [
    await loadModelList('gemini', { apiKey: 'planted-key-1', baseUrl: vendor.url, allowLoopback: true }),
    await loadModelList('google', { apiKey: 'planted-key-1', baseUrl: vendor.url, allowLoopback: true }),
    googleModelList('google', { project: 'demo-jiga', baseUrl: vendor.url, credentials }),
  ];
  const openai = () => loadModelList('openai', { apiKey: 'planted-key-1', baseUrl: `${vendor.url}/v1`, allowLoopback: true });

  it('of Google are read page by page, under the names that requests use', async () => {
    for (const list of await lists()) {
      assert.deepEqual(await list.list(signal), ['gemini-3.8-flash', 'gemini-3.8-live', 'gemini-embedding-2'].map((name) => ({ name, shutdownAt: null })));
    }
    assert.deepEqual(vendor.requests.map(({ path }) => path.replace(/\?.*/, '')), ['/v1beta/models', '/v1beta/models', '/v1beta/models', '/v1beta/models', '/v1beta1/publishers/google/models', '/v1beta1/publishers/google/models']);
  });

  it('of openai say when a model is shut down', async () => {
    assert.deepEqual(await (await openai()).list(signal), [
      { name: 'gpt-6-luna', shutdownAt: null },
      { name: 'tts-1', shutdownAt: Date.UTC(2027, 0, 6) },
      { name: 'gpt-realtime-2.1-mini', shutdownAt: null },
      { name: 'odd', shutdownAt: null },
    ]);
  });

  it('pass over what is no model', async () => {
    vendor.mode = 'error-inside';
    for (const list of await lists()) assert.equal((await list.list(signal)).length, 3 + 2 - 2);
    assert.equal((await (await openai()).list(signal)).length, 4);
  });

  it('that never end are given up', async () => {
    vendor.mode = 'wrong-counts';
    const [gemini] = await lists();
    await assert.rejects(gemini!.list(signal), down);
    assert.equal(vendor.requests.length, 11);
  });
});
