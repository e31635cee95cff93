import assert from 'node:assert/strict';
import { agent, at, hold, lot, moment } from '../../test/money.ts';
import { availableDOFs, toAgentView, toUserView } from './agents.ts';
import { agentView, userView, type AgentDoc, type UserDoc } from './schema.ts';

const iso = (ms: number): string => new Date(ms).toISOString();
const purchasedAt = at(moment);
const made = at(moment - 1_000);
const expiry = at(moment + 1_000);
const owned = (parts: Partial<AgentDoc> = {}): AgentDoc => agent({
  lots: { bought: lot(60, { createdAt: made }), trial: lot(40, { source: 'trial', priority: 2, expiresAt: expiry, voided: false, createdAt: made }) }, holds: { h: hold({ trial: 30 }) }, purchasedAt, ...parts,
});
const user: UserDoc = { email: 'ada@example.com', displayName: null, createdAt: purchasedAt, activeSessions: {} };
const shown = {
  agentInstanceId: 'a1', agentProductId: 'p1', purchasedAt: iso(moment), currentDOFs: 100, heldDOFs: 30, availableDOFs: 70, debtDOFs: 0, alertThresholds: [],
  lots: [
    { grantId: 'bought', source: 'purchase', remainingDOFs: 60, priority: 0, expiresAt: null, voided: false, createdAt: iso(moment - 1_000) },
    { grantId: 'trial', source: 'trial', remainingDOFs: 40, priority: 2, expiresAt: iso(moment + 1_000), voided: false, createdAt: iso(moment - 1_000) },
  ],
};

describe('agents: what is available', () => {
  it('is what their lots have left and no hold has taken', () => assert.equal(availableDOFs(owned(), moment), 70));

  it('is nothing of a lot that is over or void', () => {
    assert.equal(availableDOFs(owned(), expiry.toMillis()), 60);
    assert.equal(availableDOFs(agent({ lots: { a: lot(9, { voided: true }) } }), moment), 0);
  });

  it('is never less than nothing, in debt too', () => assert.equal(availableDOFs(agent({ debtDOFs: 5 }), moment), 0));
});

describe('agents: as their owner sees them', () => {
  it('show their balance, and where it comes from', () => assert.deepEqual(toAgentView(owned(), moment), shown));

  it('show their nickname only when they have one', () => assert.deepEqual(toAgentView(owned({ customName: 'Scout' }), moment), { ...shown, customName: 'Scout' }));

  it('are shown as the contract says, whatever their balance', () => {
    const poor = agent({ debtDOFs: 5, alertThresholds: [10, 100] });
    for (const each of [owned(), poor, agent({ lots: { 'rollover-grant-x': lot(1) } })]) assert.deepEqual(agentView.parse(toAgentView(each, moment)), toAgentView(each, moment));
    assert.deepEqual([toAgentView(poor, moment).currentDOFs, toAgentView(poor, moment).debtDOFs, toAgentView(poor, moment).alertThresholds], [-5, 5, [10, 100]]);
  });

  it('do not show what only the server needs', () => {
    for (const name of ['holds', 'seq', 'version', 'dueAt', 'ownerId', 'rollover']) assert.ok(!JSON.stringify(toAgentView(owned(), moment)).includes(`"${name}"`), name);
  });
});

describe('the user in the shape of the seed', () => {
  it('names its agents inline, and no session when none is open', () => {
    const view = toUserView('u1', user, [owned()], moment);
    assert.deepEqual(view, { userId: 'u1', email: 'ada@example.com', displayName: null, ownedAgents: [shown], activeSessions: [] });
    assert.deepEqual(userView.parse(view), view);
  });

  it('names the open session, and all of them where several are allowed', () => {
    const { activeSessionId, activeSessions } = toUserView('u1', { ...user, activeSessions: { s1: 'a1', s2: 'a2' } }, [], moment);
    assert.equal(activeSessionId, 's1');
    assert.deepEqual(activeSessions, [{ sessionId: 's1', agentInstanceId: 'a1' }, { sessionId: 's2', agentInstanceId: 'a2' }]);
  });
});
