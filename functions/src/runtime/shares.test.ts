import assert from 'node:assert/strict';
import { Shares, type Share } from './shares.ts';

describe('shares', () => {
  /** Takes so much, and says under which name it was served. */
  function taker(shares: Shares): { served: string[]; take: (name: string, amount: number) => Promise<Share> } {
    const served: string[] = [];
    return { served, take: async (name, amount) => {
      const share = await shares.take(amount);
      served.push(name);
      return share;
    } };
  }
  const settled = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

  it('are there at once until all is taken', async () => {
    const { served, take } = taker(new Shares(10));
    const first = await take('first', 6);
    await take('second', 4);
    void take('third', 1);
    await settled();
    assert.deepEqual(served, ['first', 'second']);
    first.giveBack();
    await settled();
    assert.deepEqual(served, ['first', 'second', 'third']);
  });

  it('go to who came first, even where a later one would be content with less', async () => {
    const { served, take } = taker(new Shares(10));
    const first = await take('first', 5);
    const [second] = [take('much', 8), take('little', 1)];
    await settled();
    assert.deepEqual(served, ['first']);
    first.giveBack();
    await settled();
    assert.deepEqual(served, ['first', 'much', 'little']);
    (await second).giveBack();
  });

  it('come back once, however often they are given', async () => {
    const { served, take } = taker(new Shares(10));
    const first = await take('first', 6);
    await take('second', 4);
    assert.equal(first.isHeld, true);
    first.giveBack();
    first.giveBack();
    assert.equal(first.isHeld, false);
    await take('third', 6);
    void take('fourth', 1);
    await settled();
    assert.deepEqual(served, ['first', 'second', 'third']);
  });

  it('are not waited for longer than somebody wants to, who goes on without', async () => {
    const shares = new Shares(10);
    const all = await shares.take(10);
    const impatient = shares.take(10, 1);
    const patient = shares.take(4);
    const without = await impatient;
    assert.equal(without.isHeld, false);
    without.giveBack();
    all.giveBack();
    assert.equal((await patient).isHeld, true);
    assert.equal((await shares.take(6, 1)).isHeld, true, 'nothing was given back that was not held');
    assert.equal((await shares.take(1, 1)).isHeld, false);
  });

  it('are all that there is for who wants more, and nothing is always there', async () => {
    const { served, take } = taker(new Shares(10));
    const all = await take('all', 11);
    void take('next', 1);
    await take('nothing', 0);
    await settled();
    assert.deepEqual(served, ['all', 'nothing']);
    all.giveBack();
    await settled();
    assert.deepEqual(served, ['all', 'nothing', 'next']);
  });
});
