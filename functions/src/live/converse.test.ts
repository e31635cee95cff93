import assert from 'node:assert/strict';
import fc from 'fast-check';
import { modelRequest } from '../../test/vendors/collect.ts';
import { noUsage, type ModelEvent, type ModelProvider, type ModelRequest, type ToolCall } from '../providers/types.ts';
import { AppError } from '../runtime/errors.ts';
import { maxToolCalls, maxToolRounds } from './bounds.ts';
import { converse } from './converse.ts';

const text = (piece: string): ModelEvent => ({ type: 'text', text: piece });
const done = (outputTokens = 5, parts: Partial<Extract<ModelEvent, { type: 'done' }>> = {}): ModelEvent => ({ type: 'done', outcome: 'complete', usage: { ...noUsage, textInputTokens: 10, outputTokens }, ...parts });
const call = (id: string): ToolCall => ({ id, name: 'lookUpGuide', args: { topic: id } });
const calls = (...ids: string[]): ModelEvent => ({ type: 'calls', calls: ids.map(call) });
const tools = [{ name: 'lookUpGuide', description: 'Looks up.', parameters: { type: 'object' } }];
const busy = new AppError('unavailable', 'The model is busy.', { reason: 'provider_busy' });

interface Played {
  requests: ModelRequest[];
  called: string[];
  heard: string[];
  used: number[];
}

/** A model that says one list of events for each request; an error among them is thrown. */
async function play(scripts: (ModelEvent | AppError)[][], parts: Partial<ModelRequest> = {}) {
  const seen: Played = { requests: [], called: [], heard: [], used: [] };
  const provider: ModelProvider = {
    name: 'offline',
    async *generate(request) {
      await Promise.resolve();
      seen.requests.push(request);
      for (const event of scripts[seen.requests.length - 1] ?? [done()]) {
        if (event instanceof AppError) throw event;
        yield event;
      }
    },
  };
  const run = await converse(provider, modelRequest({ tools, maxOutputTokens: 100, ...parts }), async ({ id }) => {
    await Promise.resolve();
    seen.called.push(id);
    return { found: id };
  }, (piece, { outputTokens }) => {
    seen.heard.push(piece);
    seen.used.push(outputTokens);
  });
  return { ...run, ...seen };
}

describe('converse: a model that calls functions', () => {
  it('gets their results and goes on; what it used is counted together', async () => {
    const { reply, outcome, usage, requests, called, heard } = await play([[text('Let me see.'), calls('a', 'b'), done(7)], [text('Left.'), done(4)]]);
    assert.deepEqual([reply, outcome, called, heard], ['Let me see. Left.', 'complete', ['a', 'b'], ['Let me see.', ' Left.']]);
    assert.deepEqual(usage, { ...noUsage, textInputTokens: 20, outputTokens: 11 });
    assert.deepEqual(requests.map(({ rounds }) => rounds), [undefined, [{ text: 'Let me see.', calls: [call('a'), call('b')], results: [{ found: 'a' }, { found: 'b' }] }]]);
  });

  it('is offered them for so many rounds, and then has to answer', async () => {
    const { requests, called, reply } = await play([[calls('a'), done()], [calls('b'), done()], [calls('c'), text('Left.'), done()], [text('never')]]);
    assert.deepEqual([requests.length, called, reply], [1 + maxToolRounds, ['a', 'b'], 'Left.']);
    assert.deepEqual(requests.map((request) => request.tools?.length ?? 0), [1, 1, 0]);
  });

  it('has no more carried out at once than allowed', async () => {
    const { called, requests } = await play([[calls(...Array.from({ length: 20 }, (_, index) => `c${index}`)), done()]]);
    assert.equal(called.length, maxToolCalls);
    assert.equal(requests[1]?.rounds?.[0]?.calls.length, maxToolCalls);
  });

  it('has its output bounded over all of its calls', async () => {
    const { requests } = await play([[calls('a'), done(30, { usage: { ...noUsage, outputTokens: 30, reasoningTokens: 20 } })], [calls('b'), done(10)]]);
    assert.deepEqual(requests.map(({ maxOutputTokens }) => maxOutputTokens), [100, 50, 40]);
  });

  it('ends at that bound even when it wants to go on', async () => {
    const { requests, outcome, called } = await play([[text('Well, '), calls('a'), done(100)]]);
    assert.deepEqual([requests.length, outcome, called], [1, 'length', []]);
  });

  it('that fails after a round is cut, and what the rounds before used counts, also when nothing was said', async () => {
    for (const first of [[text('Let me see.'), calls('a'), done(7)], [calls('a'), done(7)]]) {
      const { outcome, usage, error } = await play([first, [busy]]);
      assert.deepEqual([outcome, usage, error], ['cut', { ...noUsage, textInputTokens: 10, outputTokens: 7 }, busy]);
    }
    assert.equal((await play([[busy]])).outcome, 'failed');
  });

  it('has no call carried out once it is stopped, and is cut', async () => {
    const { called, outcome, usage } = await play([[calls('a'), done(7)]], { signal: AbortSignal.abort() });
    assert.deepEqual([called, outcome, usage.outputTokens], [[], 'cut', 7]);
  });

  it('says for how many of its calls it did not say what it used', async () => {
    const silent = done(5, { unreported: true });
    assert.equal((await play([[calls('a'), silent], [text('Left.'), done()]])).unreported, 'partly');
    assert.equal((await play([[calls('a'), done()], [text('Left.'), silent]])).unreported, 'partly');
    assert.equal((await play([[calls('a'), silent], [text('Left.'), silent]])).unreported, 'wholly');
    assert.equal((await play([[calls('a'), done()], [text('Left.'), done()]])).unreported, undefined);
  });
});

describe('converse: a model without functions', () => {
  it('is asked once', async () => {
    const { requests, reply, used } = await play([[text('Left.'), text(' Now.'), done()]], { tools: [] });
    assert.deepEqual([requests.length, requests[0]?.tools, reply], [1, undefined, 'Left. Now.']);
    assert.deepEqual(used, [2, 3]);
  });

  it('is never asked more often than its price was made for, whatever it wants', async () => {
    const event = fc.oneof(fc.constant(text('word ')), fc.constant(calls('x')), fc.constant(busy), fc.nat(60).map((tokens) => done(tokens)));
    await fc.assert(fc.asyncProperty(fc.array(fc.array(event, { maxLength: 4 }), { maxLength: 6 }), async (scripts) => {
      const { requests, called, usage } = await play(scripts);
      assert.ok(requests.length <= 1 + maxToolRounds && called.length <= maxToolRounds * maxToolCalls);
      assert.ok(usage.outputTokens >= 0 && requests.every(({ maxOutputTokens }) => maxOutputTokens > 0 && maxOutputTokens <= 100));
    }), { numRuns: 300 });
  });
});
