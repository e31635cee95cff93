import assert from 'node:assert/strict';
import { modelRequest } from '../../test/vendors/collect.ts';
import { noUsage, type ModelEvent, type ModelProvider } from '../providers/types.ts';
import { estimateUsage } from '../providers/usage.ts';
import { AppError } from '../runtime/errors.ts';
import { runModel, type ModelRun } from './model.ts';

const text = (piece: string): ModelEvent => ({ type: 'text', text: piece });
const done: Extract<ModelEvent, { type: 'done' }> = { type: 'done', outcome: 'complete', usage: { ...noUsage, outputTokens: 2 } };
const busy = new AppError('unavailable', 'The model is busy.', { reason: 'provider_busy' });

/** What a call is taken to have used when it did not end by itself. */
const used = (reply: string) => estimateUsage(modelRequest(), reply);

/** A provider that says these events, then fails if a fault is given. */
function saying(events: ModelEvent[], fault?: Error): ModelProvider {
  return {
    name: 'offline',
    async *generate() {
      await Promise.resolve();
      yield* events;
      if (fault) throw fault;
    },
  };
}

const plain = { calls: [], degradations: [] };

async function run(provider: ModelProvider): Promise<ModelRun & { heard: string[] }> {
  const heard: string[] = [];
  return { ...await runModel(provider, modelRequest(), (piece) => void heard.push(piece)), heard };
}

describe('model run', () => {
  it('is complete with the usage of the model, its text passed on as it came', async () => {
    assert.deepEqual(await run(saying([text('Left, '), text('now.'), done])), { reply: 'Left, now.', outcome: 'complete', usage: { ...noUsage, outputTokens: 2 }, ...plain, heard: ['Left, ', 'now.'] });
  });

  it('ends as the model ended it', async () => {
    for (const outcome of ['length', 'refused'] as const) {
      assert.deepEqual(await run(saying([{ ...done, outcome }])), { reply: '', outcome, usage: { ...noUsage, outputTokens: 2 }, ...plain, heard: [] });
    }
  });

  it('hands on the functions that the model calls, unless it broke off', async () => {
    const calls = [{ id: 'c1', name: 'recallMemory', args: { query: 'key' } }];
    assert.deepEqual((await run(saying([text('Let me see.'), { type: 'calls', calls }, done]))).calls, calls);
    assert.deepEqual((await run(saying([text('Let me see.'), { type: 'calls', calls }], busy))).calls, []);
  });

  it('names the model that stepped in, and why', async () => {
    const degradation = { what: 'model' as const, from: 'gemini/a', to: 'openai/b', because: 'provider_busy' as const };
    const { degradations, answeredBy } = await run(saying([{ type: 'degraded', degradation, answeredBy: { provider: 'openai', model: 'b' } }, text('Left'), done]));
    assert.deepEqual([degradations, answeredBy], [[degradation], { provider: 'openai', model: 'b' }]);
  });

  it('hears nothing after the end of the reply', async () => {
    assert.deepEqual((await run(saying([text('one'), done, text('two')], busy))).heard, ['one']);
  });

  it('passes the request on as it is', async () => {
    const request = modelRequest({ model: 'this-one' });
    let seen: unknown;
    const provider: ModelProvider = { name: 'offline', generate: (asked) => { seen = asked; return saying([done]).generate(asked); } };
    await runModel(provider, request, () => undefined);
    assert.equal(seen, request);
  });

  it('is cut when it fails after some text', async () => {
    assert.deepEqual(await run(saying([text('Left')], busy)), { reply: 'Left', outcome: 'cut', usage: used('Left'), error: busy, ...plain, heard: ['Left'] });
  });

  it('is failed when it fails before any text', async () => {
    assert.deepEqual(await run(saying([], busy)), { reply: '', outcome: 'failed', usage: used(''), error: busy, ...plain, heard: [] });
    assert.equal((await run(saying([text('')], busy))).outcome, 'failed');
  });

  it('is cut, or failed, when the stream just stops', async () => {
    assert.deepEqual(await run(saying([text('Left')])), { reply: 'Left', outcome: 'cut', usage: used('Left'), ...plain, heard: ['Left'] });
    assert.deepEqual(await run(saying([])), { reply: '', outcome: 'failed', usage: used(''), ...plain, heard: [] });
  });

  it('is failed when the provider throws at once', async () => {
    const provider: ModelProvider = { name: 'offline', generate: () => { throw busy; } };
    assert.equal((await run(provider)).error, busy);
  });

  it('hides an unexpected fault as internal, and keeps it as the cause', async () => {
    const fault = new Error('secret socket detail');
    for (const events of [[], [text('Left')]]) {
      const { error } = await run(saying(events, fault));
      assert.deepEqual([error?.code, error?.details], ['internal', { reason: 'internal' }]);
      assert.doesNotMatch(error?.message ?? '', /secret/);
      assert.equal(error?.cause, fault);
    }
  });

  it('is cut when the caller cannot take more text', async () => {
    const { reply, outcome } = await runModel(saying([text('Left'), done]), modelRequest(), () => { throw new Error('gone'); });
    assert.deepEqual([reply, outcome], ['Left', 'cut']);
  });
});
