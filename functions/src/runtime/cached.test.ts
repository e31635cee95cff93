import assert from 'node:assert/strict';
import { cached } from './cached.ts';
import { useSystem } from './system.ts';

describe('an answer that is remembered', () => {
  let time = 0;
  let loads: number;
  const load = (): Promise<number> => Promise.resolve(++loads);

  beforeEach(() => {
    time = 0;
    loads = 0;
    useSystem({ now: () => time, newId: () => '', random: () => 0, after: () => () => undefined });
  });
  afterEach(() => useSystem(null));

  it('is loaded once for calls that come together', async () => {
    const get = cached(5_000, load);
    assert.deepEqual(await Promise.all([get(), get(), get()]), [1, 1, 1]);
  });

  it('is loaded again when it is too old', async () => {
    const get = cached(5_000, load);
    const answers = [];
    for (time of [0, 4_999, 5_000, 9_999, 10_000]) answers.push(await get());
    assert.deepEqual(answers, [1, 1, 2, 2, 3]);
  });

  it('is loaded again after a failure', async () => {
    let fails = true;
    const get = cached(5_000, () => (fails ? Promise.reject(new Error('down')) : load()));
    await assert.rejects(get(), /down/);
    fails = false;
    assert.equal(await get(), 1);
  });
});
