import assert from 'node:assert/strict';
import { soak } from './soak.ts';

describe('a soak', () => {
  it('of 40 players and 1,200 frames with 3 % of each fault leaves no drift', async function () {
    this.timeout(120_000);
    const report = await soak({ users: 40, frames: 1_200, seed: 3, faultRate: 0.03 });
    assert.ok(report);
    assert.deepEqual([report.frames, report.agents, report.drifts], [1_200, 40, []]);
    for (const kind of ['crash before', 'crash after', 'fail before', 'fail after', 'caller leaves', 'sent again', 'event twice', 'breaks off']) assert.ok((report.faults[kind] ?? 0) > 0, kind);
  });
});
