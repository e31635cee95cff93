import assert from 'node:assert/strict';
import { unanswered } from '../../test/vendors/embeddings.ts';
import { startMockVendor, type MockVendor } from '../../test/vendors/server.ts';
import { embeddingInput, googleEmbeddings } from './google/embeddings.ts';
import { loadEmbeddings } from './registry.ts';
import { embeddingDimension, type EmbeddingProvider } from './types.ts';
import { unitVectors } from './unit-vectors.ts';

const { signal } = new AbortController();
const down = { code: 'unavailable', details: { reason: 'provider_unavailable' } };
const vector = (...values: unknown[]) => [...values, ...Array.from({ length: embeddingDimension - values.length }, () => 0)];

describe('vectors', () => {
  it('get length 1', () => {
    assert.deepEqual(unitVectors('gemini', [vector(3, -4), vector(0, 1e-3)], 2), [vector(0.6, -0.8), vector(0, 1)]);
    assert.deepEqual(unitVectors('gemini', [], 0), []);
  });

  it('are refused when one is missing, has another size, no direction, or something that is no number', () => {
    for (const value of [null, '1', NaN, Infinity, 1.7e308]) assert.throws(() => unitVectors('gemini', [vector(1), vector(value, 1.7e308)], 2), down, String(value));
    for (const answer of [undefined, null, {}, [], [vector(1)], [vector(1), vector(1), vector(1)], [vector(1), vector(0)], [vector(1), [1]], [vector(1), vector(1).slice(1)], [vector(1), null]]) {
      assert.throws(() => unitVectors('gemini', answer, 2), down);
    }
  });

  it('say what they are for in the way of the model', () => {
    const texts = ['a map'];
    assert.deepEqual(embeddingInput({ model: 'gemini-embedding-2', texts, purpose: 'query' }), { texts: ['task: search result | query: a map'], config: { outputDimensionality: 768 } });
    assert.deepEqual(embeddingInput({ model: 'gemini-embedding-2', texts, purpose: 'document' }), { texts: ['title: none | text: a map'], config: { outputDimensionality: 768 } });
    assert.deepEqual(embeddingInput({ model: 'models/gemini-embedding-001', texts, purpose: 'query' }), { texts, config: { outputDimensionality: 768, taskType: 'RETRIEVAL_QUERY' } });
    assert.deepEqual(embeddingInput({ model: 'text-multilingual-embedding-002', texts, purpose: 'document' }), { texts, config: { outputDimensionality: 768, taskType: 'RETRIEVAL_DOCUMENT' } });
  });
});

const credentials = { authClient: { getRequestHeaders: () => Promise.resolve(new Headers({ authorization: 'Bearer planted-token-1' })) } } as never;
const vendors: { title: string; model: string; paths: string[]; load: (url: string) => Promise<EmbeddingProvider> | EmbeddingProvider }[] = [
  { title: 'gemini', model: 'gemini-embedding-001', paths: ['/v1beta/models/gemini-embedding-001:batchEmbedContents'], load: (url) => loadEmbeddings('gemini', { apiKey: 'planted-key-1', baseUrl: url, allowLoopback: true }) },
  { title: 'google with a key', model: 'gemini-embedding-2', paths: ['/v1beta/models/gemini-embedding-2:batchEmbedContents'], load: (url) => loadEmbeddings('google', { apiKey: 'planted-key-1', baseUrl: url, allowLoopback: true }) },
  ...[['gemini-embedding-2', 'embedContent'], ['gemini-embedding-001', 'predict']].map(([model = '', verb]) => ({
    title: `google on Vertex, ${model}`, model,
    paths: Array.from({ length: 3 }, () => `/v1beta1/projects/demo-jiga/locations/global/publishers/google/models/${model}:${verb}`),
    load: (url: string) => googleEmbeddings('google', { project: 'demo-jiga', baseUrl: url, credentials }),
  })),
  { title: 'openai', model: 'text-embedding-3-small', paths: ['/v1/embeddings'], load: (url) => loadEmbeddings('openai', { apiKey: 'planted-key-1', baseUrl: `${url}/v1`, allowLoopback: true }) },
];

for (const { title, model, paths, load } of vendors) {
  describe(`embeddings of ${title}`, () => {
    let vendor: MockVendor;
    let embeddings: EmbeddingProvider;
    before(async () => {
      vendor = await startMockVendor();
      embeddings = await load(vendor.url);
    });
    after(() => vendor.close());
    const embed = (texts: string[]) => embeddings.embed({ model, texts, purpose: 'document', signal });

    it('come one for each text, in the order of the texts', async () => {
      vendor.requests.length = 0;
      const [first, second, third, ...more] = await embed(['one', 'fourteen', 'twentyone']);
      const prefix = title === 'openai' || model === 'gemini-embedding-001' ? 0 : 'title: none | text: '.length;
      assert.deepEqual([first, second, third].map((vector) => vector?.indexOf(0.6)), [4, 9, 10].map((place) => place + prefix));
      assert.ok([first, second, third].every((vector) => vector?.length === embeddingDimension && vector[0] === 0.8));
      assert.equal(more.length, 0);
      assert.deepEqual(vendor.requests.map(({ path }) => path), paths);
    });

    it('are not asked for without a text', async () => {
      vendor.requests.length = 0;
      assert.deepEqual(await embed([]), []);
      assert.equal(vendor.requests.length, 0);
    });

    for (const mode of ['wrong-counts', 'refusal', 'error-inside'] as const) {
      it(`are refused when they are not what was asked for (${mode})`, async () => {
        vendor.mode = mode;
        await assert.rejects(embed(['one', 'two']), down);
        vendor.mode = 'ok';
      });
    }
  });
}

describe('embedding requests', () => {
  it('leave no connection open when one of them fails', async () => {
    const vendor = await startMockVendor('broken');
    const vertex = googleEmbeddings('google', { project: 'demo-jiga', baseUrl: vendor.url, credentials });
    const waiting = vendor.next();
    await assert.rejects(vertex.embed({ model: 'gemini-embedding-2', texts: [unanswered, 'fails'], purpose: 'document', signal }), down);
    await waiting;
    const open = vendor.requests.find(({ body }) => JSON.stringify(body).includes(unanswered));
    assert.equal(await (open?.closed ?? false), false);
    await vendor.close();
  });

  it('ask for our dimension, with the purpose where the model has a field for it', async () => {
    const vendor = await startMockVendor();
    const gemini = await loadEmbeddings('gemini', { apiKey: 'planted-key-1', baseUrl: vendor.url, allowLoopback: true });
    const openai = await loadEmbeddings('openai', { apiKey: 'planted-key-1', baseUrl: `${vendor.url}/v1`, allowLoopback: true });
    await gemini.embed({ model: 'gemini-embedding-001', texts: ['a map'], purpose: 'query', signal });
    await openai.embed({ model: 'text-embedding-3-small', texts: ['a map'], purpose: 'query', signal });
    assert.deepEqual(vendor.requests.map(({ body }) => body), [
      { requests: [{ model: 'models/gemini-embedding-001', content: { role: 'user', parts: [{ text: 'a map' }] }, taskType: 'RETRIEVAL_QUERY', outputDimensionality: 768 }] },
      { model: 'text-embedding-3-small', input: ['a map'], dimensions: 768, encoding_format: 'float' },
    ]);
    await vendor.close();
  });
});
