import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { LotAmount, UsageLine } from '../credits/schema.ts';
import { seamless } from '../credits/lines.ts';
import { at, moment } from '../../test/money.ts';
import type { VoiceTokenDoc } from '../voice/schema.ts';
import { paidStretches, paymentOf, toReceiptLine, toReceiptVoiceToken, type SettlementEntry } from './receipt.ts';
import { getReceiptOutput, receiptLine } from './schema.ts';

function line(from: number, to: number, parts: Partial<UsageLine> = {}): UsageLine {
  return {
    requestId: `r${to}`, turnId: `t${to}`, at: 1_000 + to, from, to, outcome: 'complete', estimated: false, provider: 'offline', model: 'm',
    input: { frame: 'standard', instruction: true, audioSeconds: 0 }, usage: { outputTokens: 7 }, ...parts,
  };
}

/** The settlement of the DOFs up to `total` of session s1. */
function settlement(total: number, lots: LotAmount[], debt = 0): SettlementEntry {
  const paid = lots.reduce((sum, { amount }) => sum + amount, 0);
  return { type: 'settlement', operationId: `settle-s1-${total}`, amount: -paid - debt, lots: lots.map(({ grantId, amount }) => ({ grantId, amount: -amount })), debt };
}

const edges = (lines: { from: number; to: number }[]): [number, number][] => lines.map(({ from, to }) => [from, to]);
const sum = (numbers: number[]): number => numbers.reduce((total, each) => total + each, 0);

/** Where (0, end] is cut into pieces. */
const cuts = (end: number): fc.Arbitrary<number[]> => fc.uniqueArray(fc.integer({ min: 1, max: Math.max(1, end) }), { maxLength: 12 }).map((inner) => [...new Set([...inner.filter((cut) => cut < end), end])].sort((a, b) => a - b));
const pieces = (ends: number[]): [number, number][] => ends.map((end, index) => [ends[index - 1] ?? 0, end]);

describe('the lines of a session', () => {
  it('are taken once, however often checkpoints repeat them', () => {
    const lines = [line(0, 10), line(10, 25), line(0, 10), line(10, 25), line(25, 30)];
    assert.deepEqual(seamless(lines, 0, 30, 0), [line(0, 10), line(10, 25), line(25, 30)]);
    assert.deepEqual(edges(seamless(lines, 10, 25, 0)), [[10, 25]]);
  });

  it('leave no DOF unexplained: what no line owns is one of its own', () => {
    const lines = seamless([line(5, 10), line(10, 20)], 0, 30, 77);
    assert.deepEqual(lines.map(({ from, to, requestId, at }) => [from, to, requestId, at]), [[0, 5, '', 1_010], [5, 10, 'r10', 1_010], [10, 20, 'r20', 1_020], [20, 30, '', 77]]);
    assert.deepEqual([lines[0]?.outcome, lines[0]?.estimated], ['unknown', true]);
    assert.deepEqual(seamless([], 0, 0, 0), []);
  });

  it('are explained as well as can be: a known turn before a stretch that nobody knows', () => {
    const lost = line(0, 20, { requestId: '', outcome: 'unknown' });
    assert.deepEqual(seamless([lost, line(5, 20)], 0, 20, 0).map(({ from, to, requestId }) => [from, to, requestId]), [[0, 5, ''], [5, 20, 'r20']]);
  });

  it('own every DOF exactly once, whatever the checkpoints say', () => {
    const anyLines = fc.array(fc.tuple(fc.nat({ max: 100 }), fc.integer({ min: 1, max: 40 })).map(([from, cost]) => line(from, from + cost)), { maxLength: 20 });
    fc.assert(fc.property(anyLines, fc.nat({ max: 60 }), fc.nat({ max: 80 }), (lines, from, length) => {
      const whole = seamless(lines, from, from + length, 0);
      assert.equal(sum(whole.map((each) => each.to - each.from)), length);
      whole.forEach((each, index) => assert.equal(each.from, whole[index - 1]?.to ?? from));
      assert.ok(whole.every((each) => each.to > each.from));
    }));
  });

  it('are the same, read in one go or page by page', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 200 }).chain(cuts), fc.nat(), (ends, seed) => {
      const lines = pieces(ends).map(([from, to]) => line(from, to));
      const end = ends.at(-1)!;
      const middle = ends[seed % ends.length]!;
      assert.deepEqual([...seamless(lines, 0, middle, 0), ...seamless(lines, middle, end, 0)], seamless(lines, 0, end, 0));
    }));
  });
});

describe('who paid a line', () => {
  const entries = [settlement(100, [{ grantId: 'trial', amount: 30 }, { grantId: 'bought', amount: 70 }]), settlement(150, [{ grantId: 'bought', amount: 20 }], 30)];
  const stretches = paidStretches('s1', entries, 150);

  it('follows from where its DOFs lie in the settlements', () => {
    assert.deepEqual(paymentOf(line(0, 20), stretches), { lots: [{ grantId: 'trial', amount: 20 }], debtDOFs: 0, entryIds: ['settle-s1-100'] });
    assert.deepEqual(paymentOf(line(20, 45), stretches), { lots: [{ grantId: 'trial', amount: 10 }, { grantId: 'bought', amount: 15 }], debtDOFs: 0, entryIds: ['settle-s1-100'] });
    assert.deepEqual(paymentOf(line(90, 130), stretches), { lots: [{ grantId: 'bought', amount: 30 }], debtDOFs: 10, entryIds: ['settle-s1-100', 'settle-s1-150'] });
    assert.deepEqual(paymentOf(line(140, 170), stretches), { lots: [], debtDOFs: 10, entryIds: ['settle-s1-150'] });
    assert.deepEqual(paymentOf(line(150, 170), stretches), { lots: [], debtDOFs: 0, entryIds: [] });
  });

  it('is not told by entries of another session, of another type, or newer than the session as it was read', () => {
    const others: SettlementEntry[] = [{ ...settlement(50, [{ grantId: 'x', amount: 50 }]), operationId: 'settle-s1-b-50' }, { ...settlement(50, [{ grantId: 'x', amount: 50 }]), type: 'void' }, settlement(200, [{ grantId: 'x', amount: 50 }])];
    assert.deepEqual(paidStretches('s1', [...others, ...entries.toReversed()], 150), stretches);
  });

  it('adds up: per line, per grant, and over all', () => {
    const session = fc.nat({ max: 300 }).chain((consumed) => fc.record({
      lines: consumed === 0 ? fc.constant<number[]>([]) : cuts(consumed),
      settlements: fc.nat({ max: consumed }).chain((settled) => (settled === 0 ? fc.constant<number[]>([]) : cuts(settled))),
      shares: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'debt'), fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 6 }),
    }));
    fc.assert(fc.property(session, ({ lines, settlements, shares }) => {
      const settled = settlements.at(-1) ?? 0;
      const entries = pieces(settlements).map(([from, to]) => split(from, to, shares));
      const stretches = paidStretches('s1', entries, settled);
      const payments = pieces(lines).map(([from, to]) => ({ from, to, ...paymentOf({ from, to }, stretches) }));
      const grants = new Map<string, number>();
      for (const { from, to, lots, debtDOFs, entryIds } of payments) {
        assert.equal(sum(lots.map(({ amount }) => amount)) + debtDOFs, Math.max(0, Math.min(to, settled) - from), 'a line is paid as far as it is settled');
        assert.equal(entryIds.length > 0, from < settled);
        assert.equal(new Set(lots.map(({ grantId }) => grantId)).size, lots.length);
        for (const { grantId, amount } of lots) grants.set(grantId, (grants.get(grantId) ?? 0) + amount);
      }
      assert.equal(sum([...grants.values()]) + sum(payments.map(({ debtDOFs }) => debtDOFs)), settled);
      assert.equal(sum(payments.map(({ debtDOFs }) => debtDOFs)), sum(entries.map(({ debt }) => debt)));
      for (const [grantId, amount] of grants) assert.equal(amount, -sum(entries.flatMap(({ lots }) => lots.filter((lot) => lot.grantId === grantId).map((lot) => lot.amount))));
    }));
  });

  /** A settlement of (from, to] that takes it from these lots in turn, as far as it goes; the rest is debt. */
  function split(from: number, to: number, shares: [string, number][]): SettlementEntry {
    let left = to - from;
    const lots = new Map<string, number>();
    for (const [grantId, most] of shares) {
      const amount = Math.min(left, most);
      if (grantId !== 'debt' && amount > 0) lots.set(grantId, (lots.get(grantId) ?? 0) + amount);
      if (grantId !== 'debt') left -= amount;
    }
    return settlement(to, [...lots].map(([grantId, amount]) => ({ grantId, amount })), left);
  }
});

describe('a line of a receipt', () => {
  it('shows what was sent, what it cost and who paid, as the contract has it', () => {
    const payment = { lots: [{ grantId: 'g1', amount: 10 }, { grantId: 'gone', amount: 5 }], debtDOFs: 0, entryIds: ['settle-s1-20'] };
    const shown = receiptLine.parse(toReceiptLine(line(5, 20), payment, 20, new Map([['g1', 'trial']])));
    assert.deepEqual(shown, {
      requestId: 'r20', turnId: 't20', memberId: null, at: '1970-01-01T00:00:01.020Z', frame: 'standard', instruction: true, audioSeconds: 0, provider: 'offline', model: 'm', usage: { outputTokens: 7 },
      outcome: 'complete', estimated: false, costDOFs: 15, fromDOFs: 5, toDOFs: 20, settled: true, lots: [{ grantId: 'g1', source: 'trial', amount: 10 }, { grantId: 'gone', source: null, amount: 5 }],
      debtDOFs: 0, entryIds: ['settle-s1-20'],
    });
    assert.equal(toReceiptLine(line(5, 20), payment, 19, new Map()).settled, false);
  });

  it('is part of the contract even when its record was lost', () => {
    const [lost] = seamless([], 0, 9, 0);
    const shown = receiptLine.parse(toReceiptLine(lost!, { lots: [], debtDOFs: 0, entryIds: [] }, 0, new Map()));
    assert.deepEqual([shown.requestId, shown.turnId, shown.provider, shown.outcome, shown.costDOFs], [null, null, 'unknown', 'unknown', 9]);
  });
});

describe('the voice tokens of a session', () => {
  const token: VoiceTokenDoc = {
    requestId: 'r1', holdId: 'voice-1', provider: 'gemini', model: 'live-m', voice: 'Puck', minutes: 5, heldDOFs: 20, state: 'minted', attempt: 2, startedAt: at(moment), mintedAt: at(moment + 300), expiresAt: at(moment + 300_000),
  };
  const posted = (holdId: string): SettlementEntry => ({ type: 'post', operationId: `post-${holdId}`, amount: -20, lots: [{ grantId: 'a', amount: -20 }], debt: 0 });

  it('are shown with their price, and the entry that charged it once there is one', () => {
    const shown = toReceiptVoiceToken(token, [settlement(10, [{ grantId: 'a', amount: 10 }]), posted('voice-2')]);
    assert.deepEqual(shown, {
      requestId: 'r1', provider: 'gemini', model: 'live-m', voice: 'Puck', minutes: 5, mintedAt: new Date(moment + 300).toISOString(), expiresAt: new Date(moment + 300_000).toISOString(), costDOFs: 20, entryId: null,
    });
    assert.equal(toReceiptVoiceToken(token, [posted('voice-2'), posted('voice-1')]).entryId, 'post-voice-1');
    assert.deepEqual(getReceiptOutput.shape.voiceTokens.parse([shown]), [shown]);
  });

  it('pay for no turn', () => assert.deepEqual(paidStretches('s1', [posted('voice-1')], 100), []));
});
