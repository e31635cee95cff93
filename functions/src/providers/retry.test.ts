import assert from 'node:assert/strict';
import { AppError } from '../runtime/errors.ts';
import { useSystem } from '../runtime/system.ts';
import { newBreakers, restMs, type Breakers } from './breakers.ts';
import { badMedia, notConfigured, vendorDown } from './failures.ts';
import { withRetries, type RetryOptions } from './retry.ts';

const busy = (retryAfterMs?: unknown) => new AppError('unavailable', 'busy', { reason: 'provider_busy', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
const slow = () => new AppError('deadline-exceeded', 'slow', { reason: 'provider_timeout' });

describe('retries', () => {
  let time = 0;
  let chance = 0.5;
  let waits: number[] = [];
  let breakers: Breakers;

  beforeEach(() => {
    [time, chance, waits, breakers] = [1_000_000, 0.5, [], newBreakers()];
    useSystem({
      now: () => time, newId: () => 'id', random: () => chance,
      after: (ms, act) => {
        waits.push(ms);
        const timer = setImmediate(() => { time += ms; act(); });
        return () => clearImmediate(timer);
      },
    });
  });
  afterEach(() => useSystem(null));

  /** Runs calls that fail with these errors and then succeed; tells how many there were. */
  async function run(errors: Error[], options: Partial<RetryOptions> = {}) {
    let calls = 0;
    const act = () => (calls++ < errors.length ? Promise.reject(errors[calls - 1]!) : Promise.resolve('hello'));
    const settings = { signal: new AbortController().signal, deadlineAt: time + 60_000, key: 'openai/m', breakers, ...options };
    const [result] = await Promise.allSettled([withRetries(act, settings)]);
    return { calls, value: result.status === 'fulfilled' ? result.value : undefined, error: result.status === 'rejected' ? (result.reason as AppError) : undefined };
  }

  const table: { name: string; errors: Error[]; calls: number; answers: boolean }[] = [
    { name: 'no failure', errors: [], calls: 1, answers: true },
    { name: 'one that may pass', errors: [busy()], calls: 2, answers: true },
    { name: 'two of different kinds', errors: [vendorDown('openai'), slow()], calls: 3, answers: true },
    { name: 'three', errors: [busy(), vendorDown('openai'), slow()], calls: 3, answers: false },
    { name: 'a configuration that is wrong', errors: [notConfigured('no model')], calls: 1, answers: false },
    { name: 'media that cannot be read', errors: [badMedia('unreadable')], calls: 1, answers: false },
    { name: 'unreadable media at the second call', errors: [busy(), badMedia('unreadable')], calls: 2, answers: false },
    { name: 'a bug', errors: [new TypeError('a bug')], calls: 1, answers: false },
  ];
  for (const { name, errors, calls, answers } of table) {
    it(`${answers ? 'answer' : 'fail'} after ${name}: ${calls} calls`, async () => {
      const outcome = await run(errors);
      assert.deepEqual([outcome.calls, outcome.value], [calls, answers ? 'hello' : undefined]);
      assert.equal(outcome.error, answers ? undefined : errors[calls - 1]);
    });
  }

  it('wait longer each time, by chance, and as long as the vendor asks', async () => {
    await run([busy(), busy()]);
    assert.deepEqual(waits, [100, 200]);
    waits = [];
    chance = 0;
    await run([busy(), busy(700)]);
    assert.deepEqual(waits, [0, 700]);
    for (const asked of [-1, NaN, 'soon', null]) {
      waits = [];
      await run([busy(asked)]);
      assert.deepEqual(waits, [0], String(asked));
    }
  });

  it('do not begin a wait that ends after the deadline', async () => {
    assert.deepEqual([await run([busy(1_500)], { deadlineAt: time + 1_500 }).then(({ calls, error }) => [calls, error?.message]), waits], [[1, 'busy'], []]);
    assert.equal((await run([busy(1_500)], { deadlineAt: time + 1_501 })).calls, 2);
  });

  it('keep nobody waiting for longer than 2 s: the vendor says when to come back', async () => {
    const { calls, error } = await run([busy(2_001)]);
    assert.deepEqual([calls, error?.details], [1, { reason: 'provider_busy', retryAfterMs: 2_001 }]);
    assert.equal((await run([busy(2_000)])).calls, 2);
  });

  it('do not ask a model that took too long again when another can step in', async () => {
    const late = new AppError('deadline-exceeded', 'late', { reason: 'provider_timeout' });
    assert.equal((await run([late], { replaceable: true })).calls, 1);
    assert.equal((await run([late])).calls, 2);
  });

  it('do not begin after the deadline', async () => {
    const { calls, error } = await run([], { deadlineAt: time });
    assert.deepEqual([calls, error?.code, error?.details], [0, 'deadline-exceeded', { reason: 'provider_timeout' }]);
  });

  it('do not begin once the signal is aborted, and say why it was', async () => {
    const closed = new AppError('failed-precondition', 'closed', { reason: 'session_closed' });
    assert.equal((await run([], { signal: AbortSignal.abort(closed) })).error, closed);
    const { calls, error } = await run([], { signal: AbortSignal.abort() });
    assert.deepEqual([calls, error?.details], [0, { reason: 'provider_timeout' }]);
  });

  it('end with the signal, during a call and during a wait', async () => {
    const closed = new AppError('failed-precondition', 'closed', { reason: 'session_closed' });
    const during = new AbortController();
    const error = busy();
    let calls = 0;
    await assert.rejects(withRetries(() => { calls++; during.abort(closed); return Promise.reject(error); }, { signal: during.signal, deadlineAt: time + 60_000, key: 'openai/m', breakers }), (thrown) => thrown === error);
    assert.equal(calls, 1);

    const waiting = new AbortController();
    let cancelled = false;
    useSystem({ now: () => time, newId: () => 'id', random: () => 0, after: () => { setImmediate(() => waiting.abort(closed)); return () => { cancelled = true; }; } });
    assert.equal((await run([busy()], { signal: waiting.signal })).error, closed);
    assert.equal(cancelled, true);
  });

  it('stop as soon as the model has failed five times in a row, and then do not call it at all', async () => {
    assert.equal((await run([busy(), busy(), busy()])).calls, 3);
    assert.equal((await run([busy(), busy(), busy()])).calls, 2);
    const { calls, error } = await run([]);
    assert.deepEqual([calls, error?.code, error?.details], [0, 'unavailable', { reason: 'provider_busy', retryAfterMs: restMs }]);
    assert.equal((await run([], { key: 'openai/other' })).value, 'hello');
    time += restMs;
    assert.equal((await run([])).value, 'hello');
  });

  it('probe a model that has rested once', async () => {
    await run([busy(), busy(), busy()]);
    await run([busy(), busy()]);
    time += restMs;
    assert.equal((await run([busy()])).calls, 1);
    assert.equal((await run([])).calls, 0);
  });
});
