import assert from 'node:assert/strict';
import fc from 'fast-check';
import { toLine, toUsageLines } from './lines.ts';
import type { RequestRecord } from './requests.ts';

const now = 1_000_000;
const input = { frame: 'burst', instruction: true, audioSeconds: 2 };
const nothingSent = { frame: null, instruction: false, audioSeconds: 0 };
/** The record of a turn that took the session from one total to another. */
const turn = (from: number, to: number, parts: Partial<RequestRecord> = {}): RequestRecord => ({
  hash: 'h', state: 'done', expiresAt: now - 1_000 + to, turnId: `t${to}`, cost: to - from, outcome: 'complete', estimated: false, reply: 'Left.', provider: 'gemini', consumed: to, remainingDOFs: 0,
  input: JSON.stringify(input), model: 'm', usage: '{"outputTokens":3}', ...parts,
});
const spans = (records: Record<string, RequestRecord>, from: number, to: number) => toUsageLines(records, from, to, now).map((line) => [line.requestId, line.from, line.to]);

describe('usage: the line of a request', () => {
  it('says what was sent, used and paid, and when', () => {
    assert.deepEqual(toLine('r1', turn(10, 25)), [{
      requestId: 'r1', turnId: 't25', at: now - 975, from: 10, to: 25, outcome: 'complete', estimated: false, provider: 'gemini', model: 'm', input, usage: { outputTokens: 3 },
    }]);
  });

  it('does not repeat what was said', () => assert.ok(!JSON.stringify(toLine('r1', turn(0, 5))).includes('Left.')));

  it('is missing for a request that still runs, or cost nothing', () => {
    assert.deepEqual(toLine('r1', turn(0, 5, { state: 'running' })), []);
    assert.deepEqual(toLine('r1', turn(5, 5)), []);
    const { cost: _cost, ...unpriced } = turn(0, 5);
    assert.deepEqual(toLine('r1', unpriced), []);
  });

  it('of a turn that died names what is not known', () => {
    const { provider: _provider, usage: _usage, ...dead } = turn(0, 5, { outcome: 'cut', estimated: true });
    const [line] = toLine('r1', dead);
    assert.deepEqual([line?.provider, line?.usage, line?.outcome, line?.estimated], ['unknown', {}, 'cut', true]);
  });
});

describe('usage: the lines between two totals', () => {
  it('stand in the order in which the turns were charged', () => {
    assert.deepEqual(spans({ z: turn(0, 5), a: turn(12, 20), m: turn(5, 12) }, 0, 20), [['z', 0, 5], ['m', 5, 12], ['a', 12, 20]]);
  });

  it('leave out what was charged before or after', () => {
    assert.deepEqual(spans({ a: turn(0, 5), b: turn(5, 12), c: turn(12, 20) }, 5, 12), [['b', 5, 12]]);
  });

  it('name what no record explains, dated as the turn after it', () => {
    const lines = toUsageLines({ a: turn(5, 8), b: turn(10, 12) }, 0, 12, now);
    assert.deepEqual(lines.map(({ requestId, from, to }) => [requestId, from, to]), [['', 0, 5], ['a', 5, 8], ['', 8, 10], ['b', 10, 12]]);
    assert.deepEqual(lines[0], { requestId: '', turnId: '', at: lines[1]!.at, from: 0, to: 5, outcome: 'unknown', estimated: true, provider: 'unknown', model: '', input: nothingSent, usage: {} });
  });

  it('name what is missing at the end, dated now', () => {
    assert.deepEqual(toUsageLines({ a: turn(0, 5) }, 0, 9, now).map(({ requestId, from, to, at }) => [requestId, from, to, at]), [['a', 0, 5, now - 995], ['', 5, 9, now]]);
    assert.deepEqual(spans({}, 3, 9), [['', 3, 9]]);
  });

  it('are none when nothing was charged', () => {
    assert.deepEqual(spans({}, 5, 5), []);
    assert.deepEqual(spans({ a: turn(0, 5), free: turn(5, 5) }, 5, 5), []);
  });

  it('never count a DOF twice, when records contradict each other', () => {
    assert.deepEqual(spans({ a: turn(0, 5), b: turn(3, 8) }, 0, 8), [['a', 0, 5], ['b', 5, 8]]);
    assert.deepEqual(spans({ straddles: turn(0, 9) }, 5, 12), [['straddles', 5, 9], ['', 9, 12]]);
  });

  it('hold every DOF in exactly one line, whatever records there are', () => {
    const record = fc.record({ to: fc.nat(60), cost: fc.nat(30), state: fc.constantFrom('done' as const, 'done' as const, 'running' as const) })
      .map(({ to, cost, state }) => turn(to - cost, to, { state }));
    fc.assert(fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), record), fc.nat(40), fc.nat(40), (records, from, length) => {
      let reached = from;
      for (const line of toUsageLines(records, from, from + length, now)) {
        assert.ok(line.from === reached && line.to > line.from);
        reached = line.to;
      }
      assert.equal(reached, from + length);
    }));
  });

  it('know every turn of a session whose records are complete', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 }), fc.nat(1_000), (costs, start) => {
      let total = start;
      const turns = costs.map((cost, index) => [`r${index}`, turn(total, total += cost)] as const);
      const expected = turns.map(([requestId, { consumed = 0, cost = 0 }]) => [requestId, consumed - cost, consumed]);
      assert.deepEqual(spans(Object.fromEntries(turns.toReversed()), start, total), expected);
    }));
  });
});
