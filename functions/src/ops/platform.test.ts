import assert from 'node:assert/strict';
import { nextPlatform, type PlatformDoc } from './platform.ts';

const counted = (balances: number[], threshold = 1_000): { alerts: boolean[]; last: PlatformDoc | null } => {
  let last: PlatformDoc | null = null;
  const alerts = balances.map((balance, at) => {
    const next = nextPlatform(last, balance, threshold, at);
    last = next.platform;
    return next.alert;
  });
  return { alerts, last };
};

describe('the balance of the platform', () => {
  it('alerts once when it falls below the threshold, and again only after it has risen', () => {
    assert.deepEqual(counted([2_000, 1_000, 999, 500, 1_000, 999]).alerts, [false, false, true, false, false, true]);
  });

  it('alerts when it is below at the first count', () => {
    const { alerts, last } = counted([10]);
    assert.deepEqual([alerts, last], [[true], { balanceDOFs: 10, below: true, countedAt: 0, alerts: 1 }]);
  });
});
