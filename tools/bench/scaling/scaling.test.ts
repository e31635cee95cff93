import assert from 'node:assert/strict';
import type { Report } from '../benchmark.ts';
import { firestoreCost, perFrame, scale, type Measured } from './model.ts';
import { assumptions, measuredIn, scalingPage } from './page.ts';

const measured: Measured = {
  session: { reads: 15, writes: 20, deletes: 4 },
  frame: { reads: 0.02, writes: 0.06, deletes: 0.01 },
  naiveFrame: { reads: 2, writes: 2, deletes: 0 },
  database: { memberBytes: 1_000, memberMessages: 6, functionBytes: 2_500, functionMessages: 20, functionRequests: 10 },
  idleSweepReads: 60,
};

describe('the model of cost and limits', () => {
  it('spreads the start and end of a session over its frames', () => {
    const { reads, writes, deletes } = perFrame(measured, { framesPerSession: 1_000 });
    assert.deepEqual([reads, writes, deletes].map((value) => value.toFixed(4)), ['0.0350', '0.0800', '0.0140']);
  });

  it('prices operations', () => assert.equal(firestoreCost({ reads: 100_000, writes: 200_000, deletes: 100_000 }).toFixed(2), '0.22'));

  it('grows in proportion, but for what is there anyway', () => {
    const [few, many] = [scale(10_000, measured, assumptions), scale(1_000_000, measured, assumptions)];
    assert.equal(few.framesPerSecond, 2_000);
    assert.equal(few.database.databases, 20, '20,000 requests per second');
    assert.equal(few.instances, 334);
    assert.equal(many.database.databases, 2_000);
    assert.ok(Math.abs(many.monthly.database / few.monthly.database - 100) < 1e-6);
    assert.ok(many.monthly.firestore < few.monthly.firestore * 100, 'the sweep looks as often');
    assert.equal(few.monthly.database.toFixed(0), '19440', '2,000 frames of 3,750 bytes a second');
    assert.equal(few.monthly.total, Object.entries(few.monthly).reduce((sum, [name, cost]) => (name === 'total' ? sum : sum + cost), 0));
  });

  it('is computed from the counts of a run, or not at all', () => {
    const report = (counts: Record<string, number>): Report => ({ id: 'P', title: '', how: '', seconds: 0, goals: [], beside: [], counts });
    const reports = [
      report({ sessionReads: 15, sessionWrites: 20, sessionDeletes: 4, playedReads: 20, playedWrites: 60, playedDeletes: 10, playedFrames: 1_000, naiveOperationsPerFrame: 4 }),
      report({ idleSweepReads: 60 }),
      report({ memberDownBytesPerFrame: 1_000, memberMessagesPerFrame: 6, functionDownBytesPerFrame: 2_500, functionMessagesPerFrame: 20, functionRequestsPerFrame: 10 }),
    ];
    assert.deepEqual(measuredIn(reports), measured);
    assert.equal(measuredIn(reports.slice(1)), null);
  });

  it('becomes a page without holes', () => {
    const page = scalingPage(measured);
    assert.doesNotMatch(page, /NaN|undefined|Infinity/);
    assert.match(page, /\*\*Realtime Databases\*\* \(`LIVE_DATABASE_URLS`\) \| \*\*20\*\* \| \*\*200\*\* \| \*\*2,000\*\* \|/);
  });
});
