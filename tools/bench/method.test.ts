import assert from 'node:assert/strict';
import { excess, interleave, median, p95, quantile, ratio, samplesOf, summary, type Plan } from './method.ts';

const plan: Plan = { warmups: 2, rounds: 3, perRound: 4 };

describe('the method of the benchmarks', () => {
  it('measures the sides in turn, drops the warm-ups and keeps the rounds apart', async () => {
    const order: string[] = [];
    const side = (name: string, first: number) => (index: number) => {
      order.push(`${name}${index}`);
      return Promise.resolve(first + index);
    };
    const { ours, theirs } = await interleave({ ours: side('a', 0), theirs: side('b', 100) }, plan);
    assert.deepEqual(ours, [[2, 3, 4, 5], [6, 7, 8, 9], [10, 11, 12, 13]]);
    assert.deepEqual(theirs[0], [102, 103, 104, 105]);
    assert.deepEqual(order.slice(0, 6), ['a0', 'b0', 'b1', 'a1', 'a2', 'b2'], 'each goes first as often as the other');
    assert.equal(order.length, 2 * samplesOf(plan));
  });

  it('stops when it is told to', async () => {
    const stopped = new AbortController();
    const samples: number[] = [];
    await assert.rejects(interleave({ only: (index) => {
      samples.push(index);
      if (index === 3) stopped.abort(new Error('enough'));
      return Promise.resolve(0);
    } }, plan, stopped.signal), /enough/);
    assert.deepEqual(samples, [0, 1, 2, 3]);
  });

  it('takes quantiles between neighbours in proportion', () => {
    assert.deepEqual([0, 0.25, 0.5, 0.75, 1].map((share) => quantile([40, 10, 30, 20], share)), [10, 17.5, 25, 32.5, 40]);
    assert.equal(quantile([7], 0.95), 7);
    assert.ok(Number.isNaN(quantile([], 0.5)));
    assert.equal(p95(Array.from({ length: 101 }, (_, index) => index)), 95);
  });

  it('gives the median of the rounds, so that one bad round does not decide', () => {
    assert.deepEqual(summary([[1, 2, 3], [2, 3, 4], [500, 600, 700]]), { value: 3, low: 2.5, high: 301.5 });
  });

  it('compares sides round by round: what slows a whole round cancels out', () => {
    const ours = [[10, 20, 30], [100, 200, 300]];
    const theirs = [[5, 10, 15], [50, 100, 150]];
    assert.deepEqual(ratio(ours, theirs), { value: 2, low: 2, high: 2 });
    assert.deepEqual(excess(ours, theirs, median), { value: 55, low: 32.5, high: 77.5 });
  });
});
