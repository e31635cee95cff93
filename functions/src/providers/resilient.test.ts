import assert from 'node:assert/strict';
import { modelRequest } from '../../test/vendors/collect.ts';
import { AppError } from '../runtime/errors.ts';
import { useLog } from '../runtime/log.ts';
import { useSystem } from '../runtime/system.ts';
import { newBreakers, restMs, type Breakers } from './breakers.ts';
import { badMedia, notConfigured, vendorDown } from './failures.ts';
import { resilientProvider } from './resilient.ts';
import { noUsage, type ModelEvent, type ModelProvider, type ModelRequest, type ModelTarget } from './types.ts';

const busy = () => new AppError('unavailable', 'busy', { reason: 'provider_busy' });
const slow = () => new AppError('deadline-exceeded', 'slow', { reason: 'provider_timeout' });
const text = (words: string): ModelEvent => ({ type: 'text', text: words });
const calls: ModelEvent = { type: 'calls', calls: [{ id: 'c1', name: 'lookUpGuide', args: {} }] };
const done: ModelEvent = { type: 'done', outcome: 'complete', usage: noUsage };

const withoutSignal = ({ signal: _signal, ...request }: ModelRequest): Omit<ModelRequest, 'signal'> => request;

/** What a call of a model does: yields events, then throws if there is an error among them. */
type Script = (ModelEvent | Error)[];

const targets: ModelTarget[] = [{ provider: 'gemini', model: 'first' }, { provider: 'openai', model: 'second' }, { provider: 'google', model: 'third' }];
const hello: Script = [text('Hello'), done];

describe('resilient provider', () => {
  let time = 0;
  let breakers: Breakers;
  let requests: ModelRequest[];
  let closed: string[];
  let warned: object[];

  beforeEach(() => {
    [time, breakers, requests, closed, warned] = [1_000_000, newBreakers(), [], [], []];
    useSystem({
      now: () => time, newId: () => 'id', random: () => 0.5,
      after: (ms, act) => {
        const timer = setImmediate(() => { time += ms; act(); });
        return () => clearImmediate(timer);
      },
    });
    useLog({ info: () => undefined, warn: (message, fields) => warned.push({ message, ...fields }), write: () => undefined });
  });
  afterEach(() => {
    useSystem(null);
    useLog(null);
  });

  /** Targets that play these scripts, one a call, by model; what has no script left answers with Hello. */
  function provider(scripts: Record<string, Script[] | Error>, among = targets, deadlineAt = time + 60_000): ModelProvider {
    const load = ({ provider: name, model }: ModelTarget): Promise<ModelProvider> => {
      const own = scripts[model] ?? [];
      if (own instanceof Error) return Promise.reject(own);
      return Promise.resolve({ name, generate: (request) => play(request, own.shift() ?? hello) });
    };
    return resilientProvider(among, { load, breakers, deadlineAt });
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- providers answer with async streams, these are in memory
  async function* play(request: ModelRequest, script: Script): AsyncGenerator<ModelEvent, void> {
    requests.push(request);
    try {
      for (const event of script) {
        if (event instanceof Error) throw event;
        yield event;
      }
    } finally {
      closed.push(request.model);
    }
  }

  async function events(from: ModelProvider, request = modelRequest()): Promise<{ seen: ModelEvent[]; error?: unknown }> {
    const seen: ModelEvent[] = [];
    try {
      for await (const event of from.generate(request)) seen.push(event);
      return { seen };
    } catch (error) {
      return { seen, error };
    }
  }

  const asked = () => requests.map(({ model }) => model);
  const degraded = (from: string, to: ModelTarget, because: string) => ({ type: 'degraded', degradation: { what: 'model', from, to: `${to.provider}/${to.model}`, because }, answeredBy: to });

  it('is the first target as long as that answers, with its model in the request', async () => {
    const resilient = provider({});
    assert.equal(resilient.name, 'gemini');
    const request = modelRequest({ model: 'another', tools: [], instruction: 'Look!' });
    assert.deepEqual(await events(resilient, request), { seen: hello });
    assert.deepEqual(requests.map(withoutSignal), [{ ...withoutSignal(request), model: 'first' }]);
  });

  const bad = badMedia('unreadable');
  const table: { name: string; first: Script[] | Error; asked: string[]; because?: string; error?: unknown }[] = [
    { name: 'busy once', first: [[busy()]], asked: ['first', 'first'] },
    { name: 'down twice', first: [[vendorDown('gemini')], [busy()]], asked: ['first', 'first', 'first'] },
    { name: 'busy three times', first: [[busy()], [vendorDown('gemini')], [slow()]], asked: ['first', 'first', 'first', 'second'], because: 'provider_timeout' },
    { name: 'slow', first: [[slow()]], asked: ['first', 'second'], because: 'provider_timeout' },
    { name: 'without a word three times', first: [[], [], []], asked: ['first', 'first', 'first', 'second'], because: 'provider_unavailable' },
    { name: 'not to be found', first: [[notConfigured('no such model')]], asked: ['first', 'second'], because: 'provider_configuration' },
    { name: 'without a key', first: notConfigured('no key'), asked: ['second'], because: 'provider_configuration' },
    { name: 'unable to read the picture', first: [[bad]], asked: ['first'], error: bad },
  ];
  for (const each of table) {
    it(`with a first target that is ${each.name}: asks ${each.asked.join(', ')}`, async () => {
      const { seen, error } = await events(provider({ first: each.first }));
      assert.deepEqual(asked(), each.asked);
      assert.equal(error, each.error);
      if (!error) assert.deepEqual(seen, each.because ? [degraded('gemini/first', targets[1]!, each.because), ...hello] : hello);
    });
  }

  it('names the first target, the one that answers and why the first failed, and logs each failure', async () => {
    const { seen } = await events(provider({ first: notConfigured('gemini has no key'), second: [[busy()], [busy()], [busy()]] }));
    assert.deepEqual(seen, [degraded('gemini/first', targets[2]!, 'provider_configuration'), ...hello]);
    assert.deepEqual(warned, [
      { message: 'model failed', model: 'gemini/first', reason: 'provider_configuration', problem: 'gemini has no key' },
      { message: 'model failed', model: 'openai/second', reason: 'provider_busy', problem: 'busy' },
    ]);
  });

  it('shows nothing else of a target, such as its key', async () => {
    const { seen } = await events(provider({ first: notConfigured('no key') }, targets.map((target) => ({ ...target, settings: { apiKey: 'planted-key-1' } }))));
    assert.deepEqual(seen, [degraded('gemini/first', targets[1]!, 'provider_configuration'), ...hello]);
  });

  it('passes a failure after text, or after calls, on as it is', async () => {
    for (const before of [text('Hel'), calls]) {
      requests = [];
      const fault = vendorDown('gemini');
      assert.deepEqual(await events(provider({ first: [[before, fault]] })), { seen: [before, fault].slice(0, 1), error: fault });
      assert.deepEqual(asked(), ['first']);
    }
  });

  it('gives up with the last failure that may pass, else with that of the configured model', async () => {
    const last = busy();
    assert.equal((await events(provider({ first: [[last]], second: notConfigured('no key') }, targets.slice(0, 2), time + 10))).error, last);
    const unset = notConfigured('no key');
    assert.equal((await events(provider({ first: unset, second: notConfigured('nor here') }, targets.slice(0, 2)))).error, unset);
  });

  it('gives up with what the vendor said when that took all the time', async () => {
    const last = slow();
    const load = (): Promise<ModelProvider> => Promise.resolve({ name: 'gemini', generate: (request) => { time += 100; return play(request, [last]); } });
    assert.equal((await events(resilientProvider(targets, { load, breakers, deadlineAt: time + 100 }))).error, last);
    assert.deepEqual(asked(), ['first']);
  });

  it('needs a target', () => {
    assert.throws(() => provider({}, []), { code: 'failed-precondition', details: { reason: 'provider_configuration' } });
  });

  it('asks nobody any more after the deadline, nor once the signal is aborted', async () => {
    const fault = busy();
    const resilient = provider({ first: [[fault]] }, targets, time);
    assert.deepEqual([(await events(resilient)).error instanceof AppError, asked()], [true, []]);
    const closing = new AppError('failed-precondition', 'closed', { reason: 'session_closed' });
    assert.equal((await events(provider({}), modelRequest({ signal: AbortSignal.abort(closing) }))).error, closing);
    assert.deepEqual(asked(), []);
  });

  it('skips a model that rests, without a call, and probes it later', async () => {
    const failing = (count: number) => ({ first: Array.from({ length: count }, (): Script => [busy()]) });
    await events(provider(failing(3)));
    await events(provider(failing(2)));
    requests = [];
    assert.deepEqual((await events(provider({}))).seen, [degraded('gemini/first', targets[1]!, 'provider_busy'), ...hello]);
    assert.deepEqual(asked(), ['second']);
    const alone = (await events(provider({}, targets.slice(0, 1)))).error as AppError;
    assert.deepEqual([alone.code, alone.details], ['unavailable', { reason: 'provider_busy', retryAfterMs: restMs }]);
    time += restMs;
    assert.deepEqual((await events(provider({}))).seen, hello);
  });

  it('stays with the model that answered, for the rest of the turn', async () => {
    const resilient = provider({ first: notConfigured('no key'), second: [[calls, done]] });
    assert.equal((await events(resilient)).seen[0]?.type, 'degraded');
    assert.deepEqual((await events(resilient)).seen, hello);
    assert.deepEqual(asked(), ['second', 'second']);
    assert.deepEqual((await events(provider({ first: [[busy()]] }))).seen, hello, 'the next turn begins with the first again');
  });

  it('streams: each event is passed on before the next is asked for', async () => {
    const order: string[] = [];
    // eslint-disable-next-line @typescript-eslint/require-await -- see play
    async function* talk(): AsyncGenerator<ModelEvent, void> {
      for (const word of ['a', 'b']) {
        order.push(`model ${word}`);
        yield text(word);
      }
      yield done;
    }
    const resilient = resilientProvider(targets, { load: () => Promise.resolve({ name: 'gemini', generate: talk }), breakers, deadlineAt: time + 1_000 });
    for await (const event of resilient.generate(modelRequest())) order.push(event.type === 'text' ? `reader ${event.text}` : event.type);
    assert.deepEqual(order, ['model a', 'reader a', 'model b', 'reader b', 'done']);
  });

  it('closes the model\'s stream when its own is left early, also at the degradation', async () => {
    for (const [first, stopAt] of [[[], 'text'], [notConfigured('no key'), 'degraded']] as const) {
      closed = [];
      for await (const event of provider({ first: first as Script[] | Error }).generate(modelRequest())) if (event.type === stopAt) break;
      assert.deepEqual(closed, [stopAt === 'text' ? 'first' : 'second']);
    }
  });
});

describe('resilient provider: a model that steps in and cannot take the request', () => {
  it('leaves the error of the first, or lets the next step in', async () => {
    useSystem({ now: () => 0, newId: () => 'id', random: () => 0, after: (_ms, act) => { const timer = setImmediate(act); return () => clearImmediate(timer); } });
    useLog({ info: () => undefined, warn: () => undefined, write: () => undefined });
    const deaf = badMedia('This model does not take sound.');
    const load = ({ provider: name, model }: ModelTarget): Promise<ModelProvider> => Promise.resolve({
      name,
      // eslint-disable-next-line @typescript-eslint/require-await -- providers answer with async streams, this one is in memory
      async *generate() {
        if (model === 'first') throw notConfigured('no such model');
        if (model === 'second') throw deaf;
        yield* hello as ModelEvent[];
      },
    });
    const ask = async (among: ModelTarget[]): Promise<unknown> => {
      const seen: string[] = [];
      try {
        for await (const { type } of resilientProvider(among, { load, breakers: newBreakers(), deadlineAt: 40_000 }).generate(modelRequest())) seen.push(type);
        return seen;
      } catch (error) {
        return (error as AppError).details?.reason;
      }
    };
    try {
      assert.equal(await ask(targets.slice(0, 2)), 'provider_configuration');
      assert.deepEqual(await ask(targets), ['degraded', 'text', 'done']);
      assert.equal(await ask(targets.slice(1)), 'bad_media', 'the first one does speak about the request');
    } finally {
      useSystem(null);
      useLog(null);
    }
  });
});

describe('resilient provider: a model that is silent', () => {
  it('is left after half of the time when another can step in', async () => {
    let time = 0;
    const timers: { at: number; act: () => void }[] = [];
    useSystem({ now: () => time, newId: () => 'id', random: () => 0, after: (ms, act) => {
      const timer = { at: time + ms, act };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    } });
    useLog({ info: () => undefined, warn: () => undefined, write: () => undefined });
    const asked: string[] = [];
    const load = ({ provider: name }: ModelTarget): Promise<ModelProvider> => Promise.resolve({
      name,
      async *generate({ model, signal }) {
        asked.push(model);
        if (model === 'first') {
          await new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
            setImmediate(() => { time = timers[0]!.at; timers[0]!.act(); });
          });
        }
        yield* hello as ModelEvent[];
      },
    });
    try {
      const seen: ModelEvent[] = [];
      for await (const event of resilientProvider(targets.slice(0, 2), { load, breakers: newBreakers(), deadlineAt: 40_000 }).generate(modelRequest())) seen.push(event);
      assert.deepEqual([asked, time, seen.map(({ type }) => type)], [['first', 'second'], 20_000, ['degraded', 'text', 'done']]);
      assert.deepEqual(timers, [], 'no timer is left');
    } finally {
      useSystem(null);
      useLog(null);
    }
  });
});
