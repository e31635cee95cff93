import assert from 'node:assert/strict';
import { sampleEvidence } from './sample.ts';
import { countRepeats, verify, type Evidence } from './verify.ts';

/** Names of the checks that fail once the evidence is tampered with. */
function failing(tamper: (evidence: Evidence) => void): string[] {
  const evidence = sampleEvidence();
  tamper(evidence);
  return verify(evidence).filter(({ ok }) => !ok).map(({ name }) => name);
}

/** Each check, and the smallest lie that it has to notice. */
const lies: [check: string, tamper: (evidence: Evidence) => void][] = [
  ['ledger adds up to the balance', ({ records }) => { records.ledger[0]!.amount -= 1; }],
  ['lots less debt add up to the balance', ({ records }) => { records.lots[0]!.remaining += 1; }],
  ['lots less debt add up to the balance', ({ records }) => { records.balance.debtDOFs = 1; }],
  ['balance fell by what was settled', ({ before }) => { before.currentDOFs += 1; }],
  ['ledger of this session adds up to what was settled', ({ records }) => { delete records.ledger[1]!.sessionId; }],
  ['all that was consumed is settled', ({ records }) => { records.session.settledDOFs -= 1; }],
  ['nothing is held that was not held before', ({ records }) => { records.balance.heldDOFs += 1; }],
  ['hold is resolved with what was settled', ({ records }) => { records.session.heldDOFs = 1; }],
  ['hold is resolved with what was settled', ({ records }) => { records.hold!.postedDOFs -= 1; }],
  ['hold is resolved with what was settled', ({ records }) => { records.hold!.state = 'expired'; }],
  ['hold is resolved with what was settled', ({ records }) => { records.hold = null; }],
  ['player is shown the balance', ({ play }) => { play.balanceAfter = NaN; }],
  ['prices told to the client add up to the session', ({ play }) => { play.turns[0]!.costDOFs += 1; }],
  ['endSession answered the total', ({ play }) => { play.ended.consumedDOFs -= 1; }],
  ['session ended as asked and is settled', ({ records }) => { records.session.settlement = 'pending'; }],
  ['every reply is of the provider', ({ play }) => { play.turns[1]!.provider = 'gemini'; }],
  ['listener heard the session\'s total', ({ play }) => { play.heard.meter.at(-1)!.consumed += 1; }],
  ['listener heard the end', ({ play }) => { play.heard.status = 'active'; }],
  ['meter only fell', ({ play }) => { play.heard.meter[1]!.remaining = 91; }],
  ['meter only fell', ({ play }) => { play.heard.meter[1]!.consumed = 41; }],
  ['listener heard every reply word for word', ({ play }) => { play.heard.replies['t2'] = 'Reply'; }],
  ['every event of the outbox arrived', ({ records }) => { records.outbox.push('s1-000004-session.dof_update'); }],
  ['every event that arrived is in the outbox', ({ records }) => { records.outbox.pop(); }],
  ['start, end and settlement were announced', ({ events }) => { events[0]!.type = 'session.dof_update'; }],
];

describe('the sums of the demo', () => {
  it('agree for a sound run', () => {
    assert.deepEqual(failing(() => undefined), []);
  });

  it('are each put to the test here', () => {
    assert.deepEqual([...new Set(lies.map(([check]) => check))], verify(sampleEvidence()).map(({ name }) => name));
  });

  for (const [check, tamper] of lies) {
    it(`notice a lie: ${check}`, () => assert.ok(failing(tamper).includes(check)));
  }

  it('name the events that are missing', () => {
    const evidence = sampleEvidence();
    evidence.events.pop();
    const check = verify(evidence).find(({ name }) => name === 'every event of the outbox arrived');
    assert.deepEqual([check?.ok, check?.expected, check?.actual], [false, 3, '2, missing s1-000003-session.settled']);
  });

  it('allow an event to arrive twice, and count it', () => {
    const evidence = sampleEvidence();
    evidence.events.push(evidence.events[0]!);
    assert.equal(countRepeats(evidence.events), 1);
    assert.ok(verify(evidence).every(({ ok }) => ok));
  });

  it('do not agree when nothing was heard', () => {
    assert.deepEqual(failing(({ play }) => Object.assign(play.heard, { meter: [], replies: {} })), ['listener heard the session\'s total', 'listener heard every reply word for word']);
  });
});
