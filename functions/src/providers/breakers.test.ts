import assert from 'node:assert/strict';
import { AppError } from '../runtime/errors.ts';
import { useSystem } from '../runtime/system.ts';
import { failuresToOpen, newBreakers, restMs, type Breaker } from './breakers.ts';
import { badMedia, notConfigured, vendorDown } from './failures.ts';

const late = () => new AppError('deadline-exceeded', 'late', { reason: 'provider_timeout' });
const open = new AbortController().signal;

describe('circuit breaker', () => {
  let time = 0;
  beforeEach(() => {
    time = 1_000_000;
    useSystem({ now: () => time, newId: () => 'id', random: () => 0, after: () => assert.fail('no timer is needed') });
  });
  afterEach(() => useSystem(null));

  const fail = (breaker: Breaker, error: unknown = vendorDown('openai'), signal = open) => assert.rejects(breaker.run(() => Promise.reject(error as Error), signal), (thrown) => thrown === error);
  const failures = async (breaker: Breaker, count: number) => { for (let n = 0; n < count; n++) await fail(breaker); };
  const opened = async () => {
    const breaker = newBreakers().of('openai/m');
    await failures(breaker, failuresToOpen);
    return breaker;
  };

  it('opens after five failures in a row, for 30 seconds', async () => {
    const breaker = newBreakers().of('openai/m');
    await failures(breaker, 4);
    assert.equal(breaker.restMs(), 0);
    await failures(breaker, 1);
    assert.equal(breaker.restMs(), 30_000);
    time += restMs - 1;
    assert.equal(breaker.restMs(), 1);
    time += 1;
    assert.equal(breaker.restMs(), 0);
  });

  it('starts to count again after an answer', async () => {
    const breaker = newBreakers().of('openai/m');
    await failures(breaker, 4);
    assert.equal(await breaker.run(() => Promise.resolve('hello'), open), 'hello');
    await failures(breaker, 4);
    assert.equal(breaker.restMs(), 0);
  });

  it('keeps others away while one call probes, and closes when that is answered', async () => {
    const breaker = await opened();
    time += restMs;
    const { promise, resolve } = Promise.withResolvers<string>();
    const probe = breaker.run(() => promise, open);
    assert.equal(breaker.restMs(), 1_000);
    resolve('hello');
    assert.equal(await probe, 'hello');
    assert.equal(breaker.restMs(), 0);
    await failures(breaker, 4);
    assert.equal(breaker.restMs(), 0);
  });

  it('rests again when the probe fails, every time', async () => {
    const breaker = await opened();
    for (let probe = 0; probe < 3; probe++) {
      time += restMs;
      await failures(breaker, 1);
      assert.equal(breaker.restMs(), restMs);
    }
  });

  it('counts only what is the vendor\'s fault', async () => {
    const breaker = newBreakers().of('openai/m');
    for (const error of [badMedia('unreadable'), notConfigured('no key'), new Error('a bug')]) {
      await failures(breaker, 4);
      for (let n = 0; n < 10; n++) await fail(breaker, error);
      assert.equal(breaker.restMs(), 0);
      await breaker.run(() => Promise.resolve(), open);
    }
  });

  it('counts a call that lasted until our deadline, not one that we gave up', async () => {
    const gone = newBreakers().of('openai/m');
    for (let n = 0; n < 10; n++) await fail(gone, late(), AbortSignal.abort());
    assert.equal(gone.restMs(), 0);
    const hanging = newBreakers().of('openai/m');
    for (let n = 0; n < 5; n++) await fail(hanging, late(), AbortSignal.abort(late()));
    assert.equal(hanging.restMs(), restMs);
  });

  it('is not closed by a probe that was given up', async () => {
    const breaker = await opened();
    time += restMs;
    await fail(breaker, late(), AbortSignal.abort());
    assert.equal(breaker.restMs(), restMs);
  });

  it('is one for each model, and only the last hundred are kept', async () => {
    const breakers = newBreakers();
    await failures(breakers.of('openai/m'), failuresToOpen);
    assert.deepEqual([breakers.of('openai/m').restMs(), breakers.of('openai/n').restMs(), breakers.of('gemini/m').restMs()], [restMs, 0, 0]);
    for (let n = 0; n < 99; n++) {
      breakers.of(`openai/${n}`);
      assert.equal(breakers.of('openai/m').restMs(), restMs, 'in use, so it is kept');
    }
    for (let n = 0; n < 100; n++) breakers.of(`gemini/${n}`);
    assert.equal(breakers.of('openai/m').restMs(), 0, 'forgotten');
  });
});
