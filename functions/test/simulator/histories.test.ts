import assert from 'node:assert/strict';
import { runSeeds } from './seeds.ts';

const seeds = Number(process.env['JIGA_SEEDS'] ?? 1_000);

describe('random histories of the real code on databases in memory', () => {
  it(`keep every rule of money and membership after every commit, for ${seeds} seeds`, async function () {
    this.timeout(1_200_000);
    const report = await runSeeds({ first: 1, count: seeds });
    assert.equal(report.failure, null, report.failure ?? '');
    assert.equal(report.histories, seeds);
    // A simulation that meets nothing proves nothing.
    if (seeds < 500) return;
    for (const reason of ['turn_in_progress', 'request_conflict', 'session_closed', 'dofs_exhausted', 'insufficient_dofs', 'session_limit', 'request_in_progress', 'grant_closed', 'no_dofs', 'invite_invalid', 'invite_used', 'session_full', 'spectator', 'member_cap', 'not_owner']) {
      assert.ok((report.refusals.get(reason) ?? 0) > 0, `no client met ${reason}`);
    }
    assert.ok(report.joins > seeds / 4 && report.guestTurns > seeds / 12 && report.shared > seeds / 10, `${report.joins} joined, ${report.guestTurns} turns of guests, ${report.shared} shared sessions`);
    assert.ok(report.faults > seeds && report.turns > seeds && report.shown > seeds, `${report.faults} faults, ${report.turns} turns, ${report.shown} live states`);
  });
});
