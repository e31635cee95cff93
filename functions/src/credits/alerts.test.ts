import assert from 'node:assert/strict';
import fc from 'fast-check';
import { crossedThresholds } from './alerts.ts';

describe('alerts: thresholds of a balance', () => {
  it('are crossed when the balance falls below them, not when it reaches them', () => {
    assert.deepEqual(crossedThresholds([100], 101, 100), []);
    assert.deepEqual(crossedThresholds([100], 100, 99), [100]);
    assert.deepEqual(crossedThresholds([0], 1, 0), []);
    assert.deepEqual(crossedThresholds([0], 0, -1), [0]);
  });

  it('are told all at once, highest first, in whatever order they stand', () => {
    assert.deepEqual(crossedThresholds([50, 500, 100, 10], 400, 20), [100, 50]);
  });

  it('are told once: below them, a further fall is silent', () => {
    assert.deepEqual(crossedThresholds([100], 99, 50), []);
  });

  it('are silent while the balance stays or rises', () => {
    assert.deepEqual(crossedThresholds([100, 200], 150, 150), []);
    assert.deepEqual(crossedThresholds([100, 200], 50, 500), []);
  });

  it('are left in the order in which the owner set them', () => {
    const thresholds = Object.freeze([1, 3, 2]) as number[];
    assert.deepEqual(crossedThresholds(thresholds, 5, 0), [3, 2, 1]);
  });

  it('are armed again only by a balance that is back at them', () => {
    const walk = fc.array(fc.integer({ min: -20, max: 120 }), { minLength: 1, maxLength: 30 });
    fc.assert(fc.property(walk, fc.integer({ min: 0, max: 100 }), (balances, threshold) => {
      let armed = balances[0]! >= threshold;
      balances.slice(1).forEach((balance, index) => {
        const told = crossedThresholds([threshold], balances[index]!, balance).length === 1;
        assert.equal(told, armed && balance < threshold);
        armed = balance >= threshold;
      });
    }));
  });
});
