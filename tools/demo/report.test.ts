import assert from 'node:assert/strict';
import { reportJson, reportLines, type Result } from './report.ts';
import { sampleEvidence } from './sample.ts';
import { verify, type Evidence } from './verify.ts';

function toResult(tamper: (evidence: Evidence) => void = () => undefined): Result {
  const evidence = sampleEvidence();
  tamper(evidence);
  return { ...evidence, checks: verify(evidence), suite: { startMs: 9_000, description: 'ready in 9.0 s', logFile: '/log', functionsUrl: 'http://127.0.0.1:5001' }, totalMs: 20_000 };
}

describe('the report of the demo', () => {
  it('shows balance, ledger, events and sums', () => {
    const text = reportLines(toResult()).join('\n');
    assert.match(text, /balance +100 before, 60 after: 40 DOFs consumed and settled, 50 released, 10 held/);
    assert.match(text, /settle-s1-40 \* +-40 = +60 {2}grant-1 -40/);
    assert.match(text, /1 {2}session\.started +session-events +50 ms {2}s1-000001-session\.started/);
    assert.match(text, /emulators 9\.0 s, .*settled 5 ms after the end\n.*p50 100 ms, p95 200 ms, first words p50 10 ms/);
    assert.match(text, /ok +ledger adds up to the balance +60\n/);
    assert.match(text, /All 19 sums agree\.$/);
  });

  it('shows both figures of a sum that does not agree', () => {
    const text = reportLines(toResult(({ play }) => { play.ended.consumedDOFs = 39; })).join('\n');
    assert.match(text, /WRONG +endSession answered the total +39, expected 40\n/);
    assert.match(text, /1 of 19 sums do not agree\.$/);
  });

  it('says that nothing arrived, and that something came twice', () => {
    assert.match(reportLines(toResult(({ events }) => { events.length = 0; })).join('\n'), /\n +none\n/);
    assert.match(reportLines(toResult(({ events }) => { events.push(events[0]!); })).join('\n'), /1 of them repeat an event/);
  });

  it('is one JSON object with the same facts', () => {
    const parsed = JSON.parse(reportJson(toResult())) as Record<string, unknown>;
    assert.equal(parsed['ok'], true);
    assert.deepEqual(parsed['balance'], { before: { currentDOFs: 100, heldDOFs: 10, debtDOFs: 0 }, after: { currentDOFs: 60, heldDOFs: 10, debtDOFs: 0 } });
    assert.equal((parsed['turns'] as unknown[]).length, 2);
    assert.equal((parsed['timings'] as Record<string, number>)['processFrameP95Ms'], 200);
    assert.equal((JSON.parse(reportJson(toResult(({ events }) => { events.pop(); }))) as { ok: boolean }).ok, false);
  });
});
