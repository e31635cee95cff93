import assert from 'node:assert/strict';
import fc from 'fast-check';
import { agent, at, hold, lot, moment as now, rates } from '../../test/money.ts';
import type { AgentDoc, ProductDoc, UserDoc } from '../agents/schema.ts';
import { serverConfigSchema, sessionConfigSchema, type SessionDoc } from './schema.ts';
import { decideStart, newSession, nextHold, type StartFacts } from './start.ts';

const user: UserDoc = { email: null, displayName: null, createdAt: at(0), activeSessions: {} };
/** An agent with DOFs in one lot, some of them held. */
const owning = (dofs: number, held = 0): AgentDoc => agent({ lots: dofs > 0 ? { g1: lot(dofs) } : {}, holds: held > 0 ? { other: hold({ g1: held }) } : {} });
const owned = owning(500, 100);
const product: ProductDoc = {
  name: 'Scout', description: '', provider: 'gemini', voiceId: 'v', rank: 'rookie', toolkit: [], hasVoiceChat: false, hasCommentator: false, hasMemory: false, specialization: null, version: 2,
  dofRates: rates({ instruction: 1 }), active: true,
};
const model = { vision: 'm', chat: 'm' };
const server = serverConfigSchema.parse({ endpoints: { apiBaseUrl: '', liveDatabaseUrl: '' }, modelRouting: { gemini: model, google: model, openai: model } });
const allowing = (maxSessionsPerUser: number) => ({ ...server, limits: { ...server.limits, maxSessionsPerUser } });
const open = (sessionId: string, agentInstanceId: string, expiresAt = now + 1): SessionDoc => ({ sessionId, agentInstanceId, expiresAt: at(expiresAt) }) as SessionDoc;

const decide = (facts: Partial<StartFacts>, takeOver = false) =>
  decideStart({ user, agent: owned, product, server, open: [], now, ...facts }, { agentInstanceId: 'a1', takeOver });
const refuses = (facts: Partial<StartFacts>, code: string, details: object, takeOver = false) =>
  assert.throws(() => decide(facts, takeOver), { name: 'AppError', code, details });

describe('start: whether a session may begin', () => {
  it('starts with a usable agent and no open session', () => assert.deepEqual(decide({}), { kind: 'start' }));

  it('refuses everybody during maintenance', () => refuses({ server: { ...server, maintenance: true }, agent: null }, 'unavailable', { reason: 'maintenance' }));

  it('answers the same for a missing agent, a foreign one and an unknown user', () => {
    refuses({ agent: null }, 'not-found', { reason: 'not_found' });
    refuses({ user: null }, 'not-found', { reason: 'not_found' });
    refuses({ agent: null, open: [open('s1', 'a1')] }, 'not-found', { reason: 'not_found' }, true);
  });

  it('refuses an agent whose product is gone', () => refuses({ product: null }, 'failed-precondition', { reason: 'agent_unavailable' }));

  it('refuses an agent without DOFs, held ones not counted', () => {
    for (const empty of [owning(500, 500), owning(0), agent({ debtDOFs: 5 })]) refuses({ agent: empty }, 'resource-exhausted', { reason: 'no_dofs', availableDOFs: 0 });
    assert.deepEqual(decide({ agent: owning(500, 499) }), { kind: 'start' });
  });

  it('refuses an agent whose DOFs have expired or were voided', () => {
    for (const over of [lot(500, { expiresAt: at(now) }), lot(500, { voided: true })]) refuses({ agent: agent({ lots: { g1: over } }) }, 'resource-exhausted', { reason: 'no_dofs', availableDOFs: 0 });
    assert.deepEqual(decide({ agent: agent({ lots: { g1: lot(500, { expiresAt: at(now + 1) }) } }) }), { kind: 'start' });
  });

  it('refuses an empty agent before it ends another session for it', () => {
    refuses({ agent: owning(0), open: [open('s1', 'a2')] }, 'resource-exhausted', { reason: 'no_dofs', availableDOFs: 0 }, true);
  });
});

describe('start: with a session open', () => {
  it('resumes the session of the same agent, even when everything is held or the product is gone', () => {
    const same = open('s1', 'a1');
    for (const facts of [{}, { agent: owning(500, 500) }, { product: null }]) assert.deepEqual(decide({ ...facts, open: [same] }), { kind: 'resume', session: same });
    assert.deepEqual(decide({ open: [open('s2', 'a2'), same] }), { kind: 'resume', session: same });
  });

  it('first ends a session whose time is over, of whatever agent', () => {
    for (const over of [open('s1', 'a1', now), open('s1', 'a2', now - 1)]) {
      for (const takeOver of [false, true]) assert.deepEqual(decide({ open: [over] }, takeOver), { kind: 'end-first', session: over, reason: 'expired' });
    }
  });

  it('names the open session of another agent', () => {
    refuses({ open: [open('s1', 'a2')] }, 'failed-precondition', { reason: 'session_limit', sessionId: 's1', agentInstanceId: 'a2' });
  });

  it('ends that session first when asked to take over', () => {
    const other = open('s1', 'a2');
    assert.deepEqual(decide({ open: [other] }, true), { kind: 'end-first', session: other, reason: 'superseded' });
  });

  it('starts beside other sessions up to the limit', () => {
    assert.deepEqual(decide({ server: allowing(2), open: [open('s1', 'a2')] }), { kind: 'start' });
    refuses({ server: allowing(2), open: [open('s1', 'a2'), open('s2', 'a3')] }, 'failed-precondition', { reason: 'session_limit', sessionId: 's1', agentInstanceId: 'a2' });
  });

  it('never starts above the limit, whatever is open', () => {
    const sessions = fc.array(fc.tuple(fc.constantFrom('a1', 'a2', 'a3'), fc.integer({ min: -5, max: 5 })), { maxLength: 5 });
    fc.assert(fc.property(sessions, fc.integer({ min: 1, max: 4 }), fc.boolean(), (list, limit, takeOver) => {
      const all = list.map(([agentInstanceId, left], index) => open(`s${index}`, agentInstanceId, now + left));
      try {
        if (decide({ server: allowing(limit), open: all }, takeOver).kind === 'start') assert.ok(all.length < limit);
      } catch (error) {
        assert.equal((error as { details?: { reason: string } }).details?.reason, 'session_limit');
      }
    }));
  });
});

describe('start: the new session', () => {
  const fresh = { sessionId: 's1', ownerId: 'u1', gameContext: null, startedAt: at(now), expiresAt: at(now + 1) };

  it('belongs to its owner, pins prices and limits, and has spent nothing', () => {
    const { config, ...session } = newSession(owned, product, server, fresh);
    assert.deepEqual(session, {
      ...fresh, members: { u1: 'owner' }, memberIds: ['u1'], memberCaps: {}, removedAt: {}, name: null, agentInstanceId: 'a1', agentProductId: 'p1', priceVersion: 2, settleEveryDOFs: 1_000, status: 'active', closeReason: null,
      startingDOFs: 400, consumedDOFs: 0, settledDOFs: 0, heldDOFs: 400, endedAt: null, generation: 1, version: 1, settlement: 'open', cleanupAt: null, deletedAt: null,
    });
    assert.deepEqual(sessionConfigSchema.parse(config), config);
  });

  it('holds what the agent has available, up to one step and the limit per session', () => {
    fc.assert(fc.property(fc.nat(1_000), fc.nat(1_000), fc.integer({ min: 1, max: 1_500 }), fc.integer({ min: 1, max: 1_500 }), (free, held, holdDOFs, maxDOFsPerSession) => {
      const session = newSession(owning(free + held, held), product, { ...server, limits: { ...server.limits, holdDOFs, maxDOFsPerSession } }, fresh);
      assert.deepEqual([session.startingDOFs, session.heldDOFs], [free, Math.min(free, holdDOFs, maxDOFsPerSession)]);
    }));
  });
});

describe('start: the next step of a hold', () => {
  const session = (settledDOFs: number, heldDOFs: number, limits: { holdDOFs: number; maxDOFsPerSession: number } = { holdDOFs: 100, maxDOFsPerSession: 1_000 }) =>
    ({ settledDOFs, heldDOFs, config: { limits: { ...server.limits, ...limits }, dofRates: {}, interactiveVoiceMode: false } }) as unknown as SessionDoc;

  it('is another step, or what is missing when that is more', () => {
    assert.equal(nextHold(session(80, 20), 5_000, 30), 100);
    assert.equal(nextHold(session(80, 20), 5_000, 250), 250);
  });

  it('is what the agent has available when that is less', () => {
    assert.equal(nextHold(session(80, 20), 40, 30), 40);
    assert.equal(nextHold(session(80, 20), 40, 70), 40);
    assert.equal(nextHold(session(80, 20), 0, 30), 0);
  });

  it('is what the limit per session still allows', () => {
    assert.equal(nextHold(session(700, 230), 5_000, 30), 70);
    assert.equal(nextHold(session(700, 300), 5_000, 30), 0);
    assert.equal(nextHold(session(1_200, 0), 5_000, 30), 0);
  });

  it('leaves the price of a voice token, which is paid for beside the session, unless the session needs it', () => {
    const talking = { ...session(80, 20) };
    talking.config = { ...talking.config, interactiveVoiceMode: true, dofRates: rates({ voiceMinute: 3 }), limits: { ...talking.config.limits, voiceTokenMinutes: 10 } };
    assert.equal(nextHold(talking, 90, 40), 60);
    assert.equal(nextHold(talking, 90, 70), 90);
    assert.equal(nextHold(talking, 20, 10), 20);
    assert.equal(nextHold({ ...talking, config: { ...talking.config, interactiveVoiceMode: false } }, 90, 40), 90);
  });

  it('never takes a session beyond its limit, nor an agent beyond what it has', () => {
    fc.assert(fc.property(fc.nat(2_000), fc.nat(2_000), fc.nat(3_000), fc.nat(500), fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 2_000 }), (settled, held, available, missing, holdDOFs, maxDOFsPerSession) => {
      const more = nextHold(session(settled, held, { holdDOFs, maxDOFsPerSession }), available, missing);
      assert.ok(more >= 0 && more <= available);
      assert.ok(more === 0 || settled + held + more <= maxDOFsPerSession);
    }));
  });
});
