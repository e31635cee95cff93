import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { availableDOFs, toAgentView, toUserView } from './agents.ts';
import { agentView, userView, type AgentDoc, type UserDoc } from './schema.ts';

const moment = '2026-11-01T12:00:00.000Z';
const at = Timestamp.fromDate(new Date(moment));
const agent: AgentDoc = {
  agentInstanceId: 'a1', ownerId: 'u1', agentProductId: 'p1', productVersion: 1, purchasedAt: at, customName: null, currentDOFs: 100, heldDOFs: 30, debtDOFs: 0, seq: 1, version: 1,
};
const user: UserDoc = { email: 'ada@example.com', displayName: null, createdAt: at, activeSessions: {} };
const shown = { agentInstanceId: 'a1', agentProductId: 'p1', purchasedAt: moment, currentDOFs: 100, heldDOFs: 30, availableDOFs: 70 };

describe('agents', () => {
  it('have available what no session holds, and never less than nothing', () => {
    assert.equal(availableDOFs({ currentDOFs: 100, heldDOFs: 30 }), 70);
    fc.assert(fc.property(fc.integer(), fc.nat(), (currentDOFs, heldDOFs) => {
      assert.equal(availableDOFs({ currentDOFs, heldDOFs }), currentDOFs > heldDOFs ? currentDOFs - heldDOFs : 0);
    }));
  });

  it('are shown with their nickname only when they have one', () => {
    assert.deepEqual(toAgentView(agent), shown);
    assert.deepEqual(toAgentView({ ...agent, customName: 'Scout' }), { ...shown, customName: 'Scout' });
  });

  it('are shown as the contract says, in debt too', () => {
    for (const each of [agent, { ...agent, currentDOFs: -5, debtDOFs: 5 }]) assert.deepEqual(agentView.parse(toAgentView(each)), toAgentView(each));
  });
});

describe('the user in the shape of the seed', () => {
  it('names its agents inline, and no session when none is open', () => {
    const view = toUserView('u1', user, [agent]);
    assert.deepEqual(view, { userId: 'u1', email: 'ada@example.com', displayName: null, ownedAgents: [shown], activeSessions: [] });
    assert.deepEqual(userView.parse(view), view);
  });

  it('names the open session, and all of them where several are allowed', () => {
    const { activeSessionId, activeSessions } = toUserView('u1', { ...user, activeSessions: { s1: 'a1', s2: 'a2' } }, []);
    assert.equal(activeSessionId, 's1');
    assert.deepEqual(activeSessions, [{ sessionId: 's1', agentInstanceId: 'a1' }, { sessionId: 's2', agentInstanceId: 'a2' }]);
  });
});
