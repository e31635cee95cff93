import assert from 'node:assert/strict';
import { Books, copy, day, fullBooks, indebtedBooks, minute, repaired } from '../../test/books.ts';
import { at, moment } from '../../test/money.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { withMember } from '../sharing/sharing.ts';
import { auditAgent } from './audit.ts';
import { overdueMs, type AgentFacts, type Drift, type DriftKind } from './facts.ts';
import { planRepair } from './repair.ts';

const kinds = (drifts: Drift[]): DriftKind[] => drifts.map(({ kind }) => kind).sort();

/** Books with two voice tokens of the open session: one that was charged, one that is valid. */
const voicedBooks = (): Books => fullBooks().voice('voice-spent', 's-open', 20, minute).tick(2 * minute).lapse().voice('voice-open', 's-open', 30, 10 * minute);

describe('audit: books that are right', () => {
  it('finds nothing in a history with something of everything', () => {
    assert.deepEqual(auditAgent(fullBooks().facts), []);
    assert.equal(planRepair(fullBooks().facts), null);
  });

  it('finds nothing in voice tokens, which are paid for beside the turns of their session', () => {
    const books = voicedBooks();
    const { ledger, sessions } = books.facts;
    assert.deepEqual([ledger['post-voice-spent']?.sessionId, ledger['post-voice-spent']?.amount, sessions['s-open']?.settledDOFs], ['s-open', -20, 65]);
    assert.deepEqual(auditAgent(books.facts), []);
    assert.deepEqual(auditAgent(books.end('s-open', 65).settle('s-open', 65, true).facts), []);
    assert.deepEqual(auditAgent(books.tick(10 * minute).settle('s-pending', 55, true).lapse().facts), []);
    assert.equal(books.facts.ledger['post-voice-open']?.amount, -30);
  });

  it('finds nothing in a debt that nothing can repay, and after its repayment', () => {
    assert.deepEqual(auditAgent(indebtedBooks().facts), []);
    assert.deepEqual(auditAgent(indebtedBooks().end('s', 130).settle('s', 130, true).grant('more', 50).facts), []);
  });

  it('finds nothing in an agent that owns nothing, whose account is gone or whose old sessions were removed', () => {
    assert.deepEqual(auditAgent(new Books().facts), []);
    const { facts } = fullBooks();
    assert.deepEqual(auditAgent({ ...facts, user: null }), []);
    delete facts.sessions['s-old'];
    assert.deepEqual(auditAgent(facts), []);
  });

  it('finds nothing in sessions that their owner has deleted, settled or not yet', () => {
    const { facts } = fullBooks();
    for (const id of ['s-old', 's-pending']) Object.assign(facts.sessions[id]!, { deletedAt: at(facts.at), cleanupAt: at(facts.at), members: {}, memberIds: [], memberCaps: {}, name: null, gameContext: null });
    assert.deepEqual(auditAgent(facts), []);
    assert.equal(planRepair(facts), null);
    facts.sessions['s-old']!.settledDOFs += 1;
    assert.deepEqual(kinds(auditAgent(facts)), ['session.settledDOFs'], 'what they cost is checked all the same');
  });

  it('finds nothing in the members of sessions, of deleted ones, and of those from before there was a limit', () => {
    assert.deepEqual(auditAgent(sharedBooks().facts), []);
    const { facts } = sharedBooks();
    Object.assign(facts.sessions['s-old']!, { members: {}, memberIds: [], deletedAt: at(moment) });
    assert.deepEqual(auditAgent(facts), []);
    const before = copy(sharedBooks().facts);
    Object.assign(before.sessions['s-open']!, { config: { limits: { maxSessionsPerUser: 1 } } });
    delete (before.sessions['s-open'] as Partial<SessionDoc>).deletedAt;
    assert.deepEqual(auditAgent(before), []);
  });

  it('leaves a settlement and an expired hold their time', () => {
    const { facts } = fullBooks();
    const endedAt = facts.sessions['s-pending']!.endedAt!.toMillis();
    assert.deepEqual(auditAgent({ ...facts, at: endedAt + overdueMs }), []);
    assert.deepEqual(kinds(auditAgent({ ...facts, at: endedAt + overdueMs + 1 })), ['session.unsettled']);
    const expiresAt = facts.sessions['s-open']!.expiresAt.toMillis();
    const settled = fullBooks().settle('s-pending', 55, true).facts;
    assert.deepEqual(auditAgent({ ...settled, at: expiresAt + overdueMs }), []);
    assert.deepEqual(kinds(auditAgent({ ...settled, at: expiresAt + overdueMs + 1 })), ['hold.overdue']);
    const voiced = voicedBooks().settle('s-pending', 55, true).facts;
    assert.deepEqual(kinds(auditAgent({ ...voiced, at: voiced.agent.holds['voice-open']!.expiresAt.toMillis() + overdueMs + 1 })), ['hold.overdue']);
    const due = fullBooks().settle('s-pending', 55, true).end('s-open', 65).settle('s-open', 65, true).facts;
    assert.deepEqual(kinds(auditAgent({ ...due, at: due.agent.holds['h-open']!.expiresAt.toMillis() + overdueMs + 1 })), ['hold.overdue']);
  });
});

/** Books whose open session has a player with a cap and a spectator. */
const sharedBooks = (): Books => fullBooks().join('s-open', 'u2', 'player', 40).join('s-open', 'u3', 'spectator');

/** One corruption, what is found, and what is left after a repair: what was found and cannot be repaired, unless named. */
interface Case {
  name: string;
  books?: () => Books;
  breaks: (facts: AgentFacts) => void;
  finds: DriftKind[];
  repairs: boolean;
}
const lastId = 'settle-s-open-65';

const cases: Case[] = [
  // The ledger: nothing of it can be repaired.
  { name: 'operationId of an entry', breaks: ({ ledger }) => { ledger['fee']!.operationId = 'other'; }, finds: ['entry.id'], repairs: false },
  { name: 'amount of a debit', breaks: ({ ledger }) => { ledger['settle-s-old-120']!.amount -= 1; }, finds: ['entry.amount'], repairs: false },
  { name: 'amount of a grant', breaks: ({ ledger }) => { ledger['bought']!.amount += 1; }, finds: ['entry.amount'], repairs: false },
  { name: 'lots of a debit', breaks: ({ ledger }) => { ledger['settle-s-old-120']!.lots[0]!.amount -= 1; }, finds: ['entry.amount'], repairs: false },
  { name: 'lots of a grant', breaks: ({ ledger }) => { ledger['bought']!.lots = []; }, finds: ['entry.amount'], repairs: false },
  { name: 'debt of an entry', breaks: ({ ledger }) => { ledger['settle-s-old-120']!.debt = 5; }, finds: ['entry.amount'], repairs: false },
  { name: 'an amount that is not whole', breaks: ({ ledger }) => { Object.assign(ledger['fee']!, { amount: -15.5, lots: [{ grantId: 'bought', amount: -15.5 }] }); }, finds: ['entry.amount'], repairs: false },
  { name: 'balanceAfter of an entry', breaks: ({ ledger }) => { ledger['refund']!.balanceAfter += 1; }, finds: ['entry.balanceAfter'], repairs: false },
  { name: 'balanceAfter of the last entry', breaks: ({ ledger }) => { ledger[lastId]!.balanceAfter += 1; }, finds: ['entry.balanceAfter'], repairs: false },
  { name: 'seq of an entry, twice', breaks: ({ ledger }) => { ledger['refund']!.seq -= 1; }, finds: ['ledger.seq'], repairs: false },
  { name: 'seq of an entry, far away', breaks: ({ ledger }) => { ledger['refund']!.seq = 1_000; }, finds: ['ledger.seq'], repairs: false },
  { name: 'type of an entry', breaks: ({ ledger }) => { ledger['bought']!.type = 'expiry'; }, finds: ['entry.form'], repairs: false },
  { name: 'grantId of an entry', breaks: ({ ledger }) => { ledger['bought']!.grantId = 'other'; }, finds: ['entry.form'], repairs: false },
  { name: 'holdId of a settlement', breaks: ({ ledger }) => { ledger[lastId]!.holdId = 's-old'; }, finds: ['entry.form'], repairs: false },
  { name: 'sessionId of a settlement', breaks: ({ ledger }) => { ledger[lastId]!.sessionId = 'elsewhere'; }, finds: ['entry.form', 'session.settledDOFs'], repairs: false },
  { name: 'lot of a debit', breaks: ({ ledger }) => { ledger['settle-s-old-120']!.lots[0]!.grantId = 'refund'; }, finds: ['entry.belowZero'], repairs: false },
  { name: 'correctsEntryId', breaks: ({ ledger }) => { ledger['refund']!.correctsEntryId = 'none'; }, finds: ['entry.corrects'], repairs: false },
  { name: 'an entry with fields of other types', breaks: ({ ledger }) => { Object.assign(ledger['fee']!, { lots: 'none' }); }, finds: ['document.malformed'], repairs: false },
  { name: 'an entry in the middle that is gone', breaks: ({ ledger }) => { delete ledger['fee']; }, finds: ['ledger.seq'], repairs: false },
  { name: 'the entry of a grant that is gone', breaks: ({ ledger }) => { delete ledger['trial']; }, finds: ['grant.entryMissing', 'ledger.seq'], repairs: false },
  { name: 'the last entry that is gone', breaks: ({ ledger }) => { delete ledger[lastId]; }, finds: ['ledger.missing', 'session.settledDOFs'], repairs: false },
  { name: 'a settlement entry that is gone', breaks: ({ ledger }) => { delete ledger['settle-s-old-120']; }, finds: ['hold.record', 'ledger.seq', 'session.settledDOFs'], repairs: false },
  { name: 'a debt below zero', books: indebtedBooks, breaks: ({ ledger, agent }) => {
    ledger['repay-4'] = { type: 'repayment', operationId: 'repay-4', amount: 0, balanceAfter: -30, debt: -40, lots: [{ grantId: 'g', amount: -40 }], seq: 4, createdAt: at(moment) };
    agent.seq = 4;
  }, finds: ['entry.belowZero', 'entry.belowZero'], repairs: false },

  // Grants: records, no projections.
  { name: 'amount of a grant record', breaks: ({ grants }) => { grants['trial']!.amount += 1; }, finds: ['grant.record'], repairs: false },
  { name: 'id of a grant record', breaks: ({ grants }) => { grants['trial']!.grantId = 'other'; }, finds: ['grant.record'], repairs: false },
  { name: 'a grant record that is gone', breaks: ({ grants }) => { delete grants['trial']; }, finds: ['grant.recordMissing'], repairs: false },
  { name: 'the record of a positive adjustment that is gone', breaks: ({ grants }) => { delete grants['refund']; }, finds: ['grant.recordMissing'], repairs: false },
  { name: 'the record of a lot that rolled over that is gone', breaks: ({ grants }) => { delete grants['rollover-trial']; }, finds: ['grant.recordMissing'], repairs: false },
  { name: 'a grant record without an entry', breaks: ({ grants }) => { grants['extra'] = { ...grants['bought']!, grantId: 'extra' }; }, finds: ['grant.entryMissing'], repairs: false },

  // The balance of the agent document.
  { name: 'currentDOFs', breaks: ({ agent }) => { agent.currentDOFs += 1; }, finds: ['agent.currentDOFs'], repairs: true },
  { name: 'currentDOFs that is no number', breaks: ({ agent }) => { Object.assign(agent, { currentDOFs: 'many' }); }, finds: ['agent.currentDOFs'], repairs: true },
  { name: 'debtDOFs', books: indebtedBooks, breaks: ({ agent }) => { agent.debtDOFs = 0; }, finds: ['agent.debtDOFs'], repairs: true },
  { name: 'debtDOFs where there is none', breaks: ({ agent }) => { agent.debtDOFs = 10; }, finds: ['agent.debtDOFs'], repairs: true },
  { name: 'heldDOFs', breaks: ({ agent }) => { agent.heldDOFs = 0; }, finds: ['agent.heldDOFs'], repairs: true },
  { name: 'seq, too high', breaks: ({ agent }) => { agent.seq += 1; }, finds: ['agent.seq'], repairs: true },
  { name: 'seq, too low', breaks: ({ agent }) => { agent.seq -= 1; }, finds: ['agent.seq'], repairs: true },
  { name: 'dueAt', breaks: ({ agent }) => { agent.dueAt = at(moment); }, finds: ['agent.dueAt'], repairs: true },
  { name: 'dueAt that is gone', breaks: ({ agent }) => { agent.dueAt = null; }, finds: ['agent.dueAt'], repairs: true },
  { name: 'dueAt that is no moment', breaks: ({ agent }) => { Object.assign(agent, { dueAt: 'soon' }); }, finds: ['agent.dueAt'], repairs: true },
  { name: 'ownerId', breaks: ({ agent }) => { agent.ownerId = 'u2'; }, finds: ['agent.identity'], repairs: false },
  { name: 'version', breaks: ({ agent }) => { Object.assign(agent, { version: null }); }, finds: ['document.malformed'], repairs: false },
  { name: 'an older agent document', breaks: (facts) => { facts.agent = { ...facts.agent, currentDOFs: 1_300, seq: 2 }; }, finds: ['agent.currentDOFs', 'agent.seq'], repairs: true },

  // Its lots.
  { name: 'what is left of a lot', breaks: ({ agent }) => { agent.lots['bought']!.remaining -= 1; }, finds: ['lot.remaining'], repairs: true },
  { name: 'a lot that is gone', breaks: ({ agent }) => { delete agent.lots['refund']; }, finds: ['lot.remaining'], repairs: true },
  { name: 'a lot that is used up', breaks: ({ agent }) => { agent.lots['trial'] = { ...agent.lots['bought']!, remaining: 0 }; }, finds: ['lot.remaining'], repairs: true },
  { name: 'a lot that nobody granted', breaks: ({ agent }) => { agent.lots['extra'] = { ...agent.lots['bought']!, remaining: 5 }; }, finds: ['lot.remaining'], repairs: true },
  { name: 'source of a lot', breaks: ({ agent }) => { agent.lots['bought']!.source = 'trial'; }, finds: ['lot.terms'], repairs: true },
  { name: 'priority of a lot', breaks: ({ agent }) => { agent.lots['bought']!.priority = 0; }, finds: ['lot.terms'], repairs: true },
  { name: 'expiresAt of a lot', breaks: ({ agent }) => { agent.lots['spare']!.expiresAt = null; }, finds: ['lot.terms'], repairs: true },
  { name: 'rollover of a lot', breaks: ({ agent }) => { agent.lots['bought']!.rollover = { maxDOFs: 5, days: 5 }; }, finds: ['lot.terms'], repairs: true },
  { name: 'a void lot that is open again', breaks: ({ agent }) => { agent.lots['gift']!.voided = false; }, finds: ['lot.voided'], repairs: true },
  { name: 'a lot with fields of other types', breaks: ({ agent }) => { Object.assign(agent.lots['bought']!, { expiresAt: 'never' }); }, finds: ['document.malformed', 'lot.remaining'], repairs: true },

  // Its holds.
  { name: 'amount of a hold', breaks: ({ agent }) => { agent.holds['h-open']!.amount += 1; }, finds: ['hold.amount'], repairs: true },
  { name: 'amount of the hold of a session', breaks: ({ agent }) => { agent.holds['s-open']!.amount += 1; }, finds: ['hold.amount'], repairs: true },
  { name: 'lots of the hold of a session', breaks: ({ agent }) => { agent.holds['s-open']!.lots[0]!.amount -= 1; }, finds: ['agent.heldDOFs', 'hold.amount', 'session.heldDOFs'], repairs: true },
  { name: 'more held than a lot has', breaks: ({ agent }) => { Object.assign(agent.holds['h-open']!, { amount: 5_000, lots: [{ grantId: 'gift', amount: 5_000 }] }); agent.heldDOFs += 4_950; }, finds: ['hold.overdrawn'], repairs: false },
  { name: 'postedDOFs of a hold', breaks: ({ agent }) => { agent.holds['s-open']!.postedDOFs += 1; }, finds: ['hold.postedDOFs'], repairs: true },
  { name: 'session of a hold', breaks: ({ agent }) => { agent.holds['s-open']!.sessionId = null; }, finds: ['hold.session'], repairs: true },
  { name: 'expiresAt of the hold of a session', breaks: ({ agent }) => { agent.holds['s-open']!.expiresAt = at(moment + 900 * day); }, finds: ['hold.expiresAt'], repairs: true },
  { name: 'the hold of an open session that is gone', breaks: ({ agent }) => { delete agent.holds['s-open']; }, finds: ['hold.missing'], repairs: true },
  { name: 'a hold with fields of other types', breaks: ({ agent }) => { Object.assign(agent.holds['h-open']!, { lots: null }); }, finds: ['agent.dueAt', 'agent.heldDOFs', 'document.malformed'], repairs: false },
  { name: 'what becomes of a hold when it expires', books: voicedBooks, breaks: ({ agent }) => { Object.assign(agent.holds['voice-open']!, { onExpiry: 'keep' }); }, finds: ['agent.dueAt', 'agent.heldDOFs', 'document.malformed'], repairs: false },
  { name: 'a voice token that is charged and pending', books: voicedBooks, breaks: ({ agent, resolvedHolds }) => {
    agent.holds['voice-spent'] = { ...agent.holds['voice-open']!, amount: 0, lots: [], postedDOFs: 20 };
    assert.ok(resolvedHolds['voice-spent']);
  }, finds: ['hold.resolvedTwice'], repairs: true },
  { name: 'a hold of a session that is gone', breaks: ({ agent, sessions }) => { delete sessions['s-pending']; assert.ok(agent.holds['s-pending']); }, finds: ['hold.orphan'], repairs: true },
  { name: 'a hold that is resolved and pending', breaks: ({ agent, resolvedHolds }) => {
    resolvedHolds['h-open'] = { ...resolvedHolds['h-posted']!, holdId: 'h-open', state: 'released', postedDOFs: 0, releasedDOFs: 50, lots: agent.holds['h-open']!.lots };
  }, finds: ['hold.resolvedTwice'], repairs: true },
  { name: 'the record of a hold of an open session', breaks: ({ agent, resolvedHolds }) => {
    const { amount, lots, postedDOFs, sessionId, createdAt } = agent.holds['s-open']!;
    resolvedHolds['s-open'] = { holdId: 's-open', state: 'posted', postedDOFs, releasedDOFs: amount, lots, sessionId, createdAt, resolvedAt: at(moment) };
  }, finds: ['hold.resolvedTwice'], repairs: false },
  { name: 'an open session whose hold was resolved', breaks: ({ agent, resolvedHolds }) => {
    const { amount, lots, postedDOFs, sessionId, createdAt } = agent.holds['s-open']!;
    resolvedHolds['s-open'] = { holdId: 's-open', state: 'posted', postedDOFs, releasedDOFs: amount, lots, sessionId, createdAt, resolvedAt: at(moment) };
    delete agent.holds['s-open'];
    agent.heldDOFs -= amount;
  }, finds: ['hold.resolvedEarly'], repairs: false },

  // Records of resolved holds.
  { name: 'postedDOFs of a resolved hold', breaks: ({ resolvedHolds }) => { resolvedHolds['h-posted']!.postedDOFs += 1; }, finds: ['hold.record'], repairs: false },
  { name: 'postedDOFs of the resolved hold of a session', breaks: ({ resolvedHolds }) => { resolvedHolds['s-old']!.postedDOFs -= 1; }, finds: ['hold.record'], repairs: false },
  { name: 'releasedDOFs of a resolved hold', breaks: ({ resolvedHolds }) => { resolvedHolds['h-posted']!.releasedDOFs += 1; }, finds: ['hold.record'], repairs: false },
  { name: 'state of a resolved hold', breaks: ({ resolvedHolds }) => { resolvedHolds['h-posted']!.state = 'released'; }, finds: ['hold.record'], repairs: false },
  { name: 'postedDOFs of a voice token', books: voicedBooks, breaks: ({ resolvedHolds }) => { resolvedHolds['voice-spent']!.postedDOFs += 1; }, finds: ['hold.record'], repairs: false },
  { name: 'the entry of a voice token that is gone', books: () => voicedBooks().settle('s-open', 70), breaks: ({ ledger }) => { delete ledger['post-voice-spent']; }, finds: ['hold.record', 'ledger.seq'], repairs: false },
  { name: 'session of the entry of a voice token', books: voicedBooks, breaks: ({ ledger, sessions }) => {
    sessions['s-else'] = { ...sessions['s-old']!, agentInstanceId: 'a2' };
    ledger['post-voice-spent']!.sessionId = 's-else';
  }, finds: ['session.agent'], repairs: false },
  { name: 'id of a resolved hold', breaks: ({ resolvedHolds }) => { resolvedHolds['h-posted']!.holdId = 'other'; }, finds: ['hold.record'], repairs: false },
  { name: 'the record of a resolved hold that is gone', breaks: ({ resolvedHolds }) => { delete resolvedHolds['s-old']; }, finds: ['hold.recordMissing'], repairs: false },

  // Sessions.
  { name: 'settledDOFs of an open session', breaks: ({ sessions }) => { sessions['s-open']!.settledDOFs -= 1; }, finds: ['session.settledDOFs'], repairs: true },
  { name: 'settledDOFs of a settled session', breaks: ({ sessions }) => { sessions['s-old']!.settledDOFs += 1; }, finds: ['session.settledDOFs'], repairs: true },
  { name: 'heldDOFs of an open session', breaks: ({ sessions }) => { sessions['s-open']!.heldDOFs += 1; }, finds: ['session.heldDOFs'], repairs: true },
  { name: 'heldDOFs of a settled session', breaks: ({ sessions }) => { sessions['s-old']!.heldDOFs = 1; }, finds: ['session.heldDOFs'], repairs: true },
  { name: 'consumedDOFs of an open session, too low', breaks: ({ sessions }) => { sessions['s-open']!.consumedDOFs = 64; }, finds: ['session.consumedDOFs'], repairs: false },
  { name: 'consumedDOFs of an ended session, more than was held', breaks: ({ sessions }) => { sessions['s-pending']!.consumedDOFs = 500; }, finds: ['session.consumedDOFs'], repairs: false },
  { name: 'consumedDOFs of a settled session', breaks: ({ sessions }) => { sessions['s-old']!.consumedDOFs += 1; }, finds: ['session.consumedDOFs'], repairs: false },
  { name: 'status of an open session', breaks: ({ sessions }) => { sessions['s-open']!.status = 'ended'; }, finds: ['session.state'], repairs: false },
  { name: 'status of a settled session', breaks: ({ sessions }) => { sessions['s-old']!.status = 'active'; }, finds: ['session.state'], repairs: false },
  { name: 'settlement of an open session', breaks: ({ sessions }) => { sessions['s-open']!.settlement = 'done'; }, finds: ['session.state'], repairs: false },
  { name: 'settlement of an ended session, back to open', breaks: ({ sessions }) => { sessions['s-pending']!.settlement = 'open'; }, finds: ['session.state'], repairs: false },
  { name: 'settlement of an ended session, done too early', breaks: ({ sessions }) => { sessions['s-pending']!.settlement = 'done'; }, finds: ['hold.orphan', 'session.consumedDOFs', 'session.heldDOFs'], repairs: true },
  { name: 'settlement of a settled session, back to pending', breaks: ({ sessions }) => { sessions['s-old']!.settlement = 'pending'; }, finds: ['hold.resolvedEarly', 'session.unsettled'], repairs: false },
  { name: 'endedAt of a settled session', breaks: ({ sessions }) => { sessions['s-old']!.endedAt = null; }, finds: ['session.state'], repairs: false },
  { name: 'agent of an open session', breaks: ({ sessions }) => { sessions['s-open']!.agentInstanceId = 'a2'; }, finds: ['session.agent', 'user.activeSessions'], repairs: true },
  { name: 'a session with fields of other types', breaks: ({ sessions }) => { Object.assign(sessions['s-old']!, { settledDOFs: 'all' }); }, finds: ['document.malformed'], repairs: false },

  // Their members.
  ...([
    ['a member who is not listed', ({ memberIds }) => { memberIds.pop(); }],
    ['a member who is listed twice', ({ memberIds }) => { memberIds.push('u3'); }],
    ['somebody who is listed and no member', ({ memberIds }) => { memberIds.push('u4'); }],
    ['somebody who is listed instead of a member', ({ memberIds }) => { memberIds[1] = 'u4'; }],
    ['the cap of somebody who is no member', ({ memberCaps }) => { memberCaps['u4'] = 5; }],
    ['the cap of a spectator', ({ memberCaps }) => { memberCaps['u3'] = 5; }],
    ['a cap that is no amount', ({ memberCaps }) => { memberCaps['u2'] = 0.5; }],
    ['a second owner', ({ members }) => { members['u3'] = 'owner'; }],
    ['an owner who is a player', ({ members }) => { members['u1'] = 'player'; }],
    ['an owner who is no member', (session) => Object.assign(session, { members: { u2: 'player' }, memberIds: ['u2'] })],
    ['a role that there is not', ({ members }) => { Object.assign(members, { u3: 'admin' }); }],
    ['more members than there may be', (session) => Object.assign(session, withMember(session, 'u4', 'player', null))],
    ['members of a deleted session', (session) => Object.assign(session, { deletedAt: at(moment) })],
    ['members that are gone', (session) => Object.assign(session, { memberIds: undefined })],
  ] satisfies [string, (session: SessionDoc) => unknown][]).map(([name, breaks]): Case => ({
    name, books: sharedBooks, breaks: ({ sessions }) => void breaks(sessions['s-open']!), finds: ['session.members'], repairs: false,
  })),

  // The user.
  { name: 'an open session that the user does not name', breaks: ({ user }) => { user!.activeSessions = {}; }, finds: ['user.activeSessions'], repairs: true },
  { name: 'a session of the user that has ended', breaks: ({ user }) => { user!.activeSessions['s-old'] = 'a1'; }, finds: ['user.activeSessions'], repairs: true },
  { name: 'a session of the user that does not exist', breaks: ({ user }) => { user!.activeSessions['none'] = 'a9'; }, finds: ['user.activeSessions'], repairs: true },
  { name: 'an open session under another agent', breaks: ({ user }) => { user!.activeSessions['s-open'] = 'a9'; }, finds: ['user.activeSessions'], repairs: true },
  { name: 'two open sessions where one is allowed', books: () => fullBooks().start('s-second'), breaks: () => undefined, finds: ['user.sessionLimit'], repairs: false },
  { name: 'a debt beside DOFs that are available', books: () => fullBooks().settle('s-pending', 55, true), breaks: ({ agent, ledger }) => {
    const last = Object.values(ledger).find(({ seq }) => seq === agent.seq)!;
    ledger['settle-s-open-75'] = { ...last, operationId: 'settle-s-open-75', amount: 0, balanceAfter: agent.currentDOFs, debt: 10, lots: [{ grantId: 'bought', amount: 10 }], seq: agent.seq + 1 };
    ledger['settle-s-open-75'].lots = [{ grantId: 'bought', amount: -5 }];
    Object.assign(ledger['settle-s-open-75'], { amount: -15, balanceAfter: agent.currentDOFs - 15, sessionId: 's-open', holdId: 's-open' });
    agent.currentDOFs -= 15;
    agent.debtDOFs = 10;
    agent.seq += 1;
    agent.lots['bought']!.remaining -= 5;
  }, finds: ['agent.unpaidDebt', 'hold.postedDOFs', 'session.consumedDOFs', 'session.settledDOFs'], repairs: true },
];

describe('audit: one thing that is broken', () => {
  for (const { name, books = fullBooks, breaks, finds, repairs } of cases) {
    it(`${name}: ${finds.join(', ')}`, () => {
      const facts = copy(books().facts);
      breaks(facts);
      const drifts = auditAgent(facts);
      assert.deepEqual(kinds(drifts), finds);
      assert.equal(drifts.some(({ repairable }) => repairable), repairs);
      for (const { documents, expected, found } of drifts) {
        assert.ok(documents.length > 0);
        assert.notDeepEqual(expected, found);
        assert.deepEqual(JSON.parse(JSON.stringify([expected, found])), [expected, found]);
      }

      const plan = planRepair(facts);
      if (!repairs) return assert.equal(plan, null);
      const mended = repaired(facts, plan!);
      assert.equal(mended.ledger, facts.ledger);
      assert.equal(mended.grants, facts.grants);
      assert.deepEqual(kinds(auditAgent(mended)), kinds(drifts.filter(({ repairable }) => !repairable)));
      assert.equal(planRepair(mended), null);
    });
  }

  it('keeps what a repair need not change', () => {
    const facts = copy(fullBooks().facts);
    facts.agent.currentDOFs += 5;
    assert.deepEqual(planRepair(facts), { agent: { currentDOFs: fullBooks().facts.agent.currentDOFs }, released: [], sessions: {}, activeSessions: null });
  });

  it('tells of every drift at once', () => {
    const facts = copy(fullBooks().facts);
    facts.agent.currentDOFs = 0;
    facts.agent.lots['bought']!.remaining = 1;
    facts.sessions['s-open']!.heldDOFs = 1;
    facts.user!.activeSessions = {};
    facts.at += minute;
    assert.deepEqual(kinds(auditAgent(facts)), ['agent.currentDOFs', 'lot.remaining', 'session.heldDOFs', 'user.activeSessions']);
    assert.deepEqual(auditAgent(repaired(facts, planRepair(facts)!)), []);
  });
});
