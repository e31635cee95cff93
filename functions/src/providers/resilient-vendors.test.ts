import assert from 'node:assert/strict';
import { collect, modelRequest } from '../../test/vendors/collect.ts';
import { startMockVendor, type MockVendor, type VendorMode } from '../../test/vendors/server.ts';
import { AppError } from '../runtime/errors.ts';
import { useLog } from '../runtime/log.ts';
import { useSystem } from '../runtime/system.ts';
import { newBreakers, type Breakers } from './breakers.ts';
import { loadProvider } from './registry.ts';
import { resilientProvider } from './resilient.ts';
import type { ModelEvent, ModelProvider, ModelTarget } from './types.ts';

const targets: ModelTarget[] = [{ provider: 'openai', model: 'gpt-first' }, { provider: 'gemini', model: 'gemini-second' }];

describe('resilient provider with the vendors\' SDKs', () => {
  let openai: MockVendor;
  let gemini: MockVendor;
  let breakers: Breakers;
  let waits: number[];

  beforeEach(async () => {
    [openai, gemini, breakers, waits] = [await startMockVendor(), await startMockVendor(), newBreakers(), []];
    useSystem({
      now: () => 1_000_000, newId: () => 'id', random: () => 0.5,
      after: (ms, act) => {
        if (ms > 100_000) return () => undefined; // the limit of a model that is silent
        waits.push(ms);
        const timer = setImmediate(act);
        return () => clearImmediate(timer);
      },
    });
    useLog({ info: () => undefined, warn: () => undefined, write: () => undefined });
  });
  afterEach(async () => {
    useSystem(null);
    useLog(null);
    await Promise.all([openai.close(), gemini.close()]);
  });

  function provider(first: VendorMode, second: VendorMode = 'ok', among = targets): ModelProvider {
    [openai.mode, gemini.mode] = [first, second];
    const addresses: Record<string, string> = { openai: `${openai.url}/v1`, gemini: gemini.url };
    return resilientProvider(among, {
      load: ({ provider: name }) => loadProvider(name, { apiKey: 'planted-key-1', baseUrl: addresses[name], allowLoopback: true }), breakers, deadlineAt: 2_000_000,
    });
  }
  const calls = () => [openai.requests.length, gemini.requests.length];

  const table: { mode: VendorMode; calls: [number, number]; because?: string }[] = [
    { mode: 'ok', calls: [1, 0] },
    { mode: 'refusal', calls: [1, 0] },
    { mode: 'busy', calls: [1, 1], because: 'provider_busy' }, // It asks for 17 s.
    { mode: 'broken', calls: [3, 1], because: 'provider_unavailable' },
    { mode: 'unauthorized', calls: [1, 1], because: 'provider_configuration' },
    { mode: 'missing-model', calls: [1, 1], because: 'provider_configuration' },
  ];
  for (const { mode, calls: wanted, because } of table) {
    it(`answers from ${because ? 'gemini' : 'openai'} when openai is ${mode}, after ${wanted.join(' and ')} requests`, async () => {
      const events: ModelEvent[] = [];
      for await (const event of provider(mode).generate(modelRequest())) events.push(event);
      assert.deepEqual(calls(), wanted);
      assert.equal(events.at(-1)?.type, 'done');
      const degraded = { type: 'degraded', degradation: { what: 'model', from: 'openai/gpt-first', to: 'gemini/gemini-second', because }, answeredBy: targets[1] };
      if (because) assert.deepEqual(events[0], degraded);
      else assert.ok(events.every(({ type }) => type !== 'degraded'));
    });
  }

  it('does not wait for 17 s, and says when to come back, when nobody can step in', async () => {
    const fault: unknown = await collect(provider('busy', 'ok', targets.slice(0, 1)).generate(modelRequest())).catch((error: unknown) => error);
    assert.deepEqual([calls(), waits, (fault as AppError).details], [[1, 0], [], { reason: 'provider_busy', retryAfterMs: 17_000 }]);
  });

  it('asks each vendor for its own model', async () => {
    await collect(provider('broken').generate(modelRequest({ model: 'another' })));
    assert.deepEqual(openai.requests.map(({ body }) => (body as { model: string }).model), ['gpt-first', 'gpt-first', 'gpt-first']);
    assert.match(gemini.requests[0]!.path, /models\/gemini-second:/);
  });

  it('fails when both do, with an error that may pass', async () => {
    await assert.rejects(collect(provider('broken', 'unauthorized').generate(modelRequest())), { code: 'unavailable', details: { reason: 'provider_unavailable' } });
    assert.deepEqual(calls(), [3, 1]);
  });

  it('passes on a reply that breaks off, without another request', async () => {
    await assert.rejects(collect(provider('cut').generate(modelRequest())), { code: 'unavailable' });
    assert.deepEqual(calls(), [1, 0]);
  });

  it('spares a vendor that keeps failing', async () => {
    for (let turn = 0; turn < 4; turn++) await collect(provider('broken').generate(modelRequest()));
    assert.deepEqual(calls(), [5, 4]);
  });

  it('closes the connection and asks nobody else when the request is aborted', async () => {
    const leaving = new AbortController();
    const reply = collect(provider('slow').generate(modelRequest({ signal: leaving.signal })));
    const { closed } = await openai.next();
    leaving.abort(new AppError('failed-precondition', 'closed', { reason: 'session_closed' }));
    await assert.rejects(reply, { details: { reason: 'session_closed' } });
    assert.equal(await closed, false);
    assert.deepEqual(calls(), [1, 0]);
  });

  it('closes the connection of a reply that is left early', async () => {
    for await (const { type } of provider('unauthorized', 'stalled').generate(modelRequest())) if (type === 'text') break;
    assert.equal(await gemini.requests[0]!.closed, false);
  });
});
