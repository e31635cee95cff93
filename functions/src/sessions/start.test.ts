import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import type { AgentDoc, ProductDoc, UserDoc } from '../agents/schema.ts';
import { serverConfigSchema, sessionConfigSchema, type SessionDoc } from './schema.ts';
import { decideStart, newSession, type StartFacts } from './start.ts';

const now = 1_700_000_000_000;
const at = (ms: number): Timestamp => Timestamp.fromMillis(ms);
const user: UserDoc = { email: null, displayName: null, createdAt: at(0), activeSessions: {} };
const agent: AgentDoc = {
  agentInstanceId: 'a1', ownerId: 'u1', agentProductId: 'p1', productVersion: 2, purchasedAt: at(0), customName: null, currentDOFs: 500, heldDOFs: 100, debtDOFs: 0, seq: 1, version: 1,
};
const product: ProductDoc = {
  name: 'Scout', description: '', provider: 'gemini', voiceId: 'v', rank: 'rookie', toolkit: [], hasVoiceChat: false, hasCommentator: false, hasMemory: false, specialization: null, version: 2,
  dofRates: { frame: 1, highSpeedFrame: 2, instruction: 1, audioSecond: 1, inputPer1kTokens: 1, outputPer1kTokens: 1 }, active: true,
};
const model = { vision: 'm', chat: 'm' };
const server = serverConfigSchema.parse({ endpoints: { apiBaseUrl: '', liveDatabaseUrl: '' }, modelRouting: { gemini: model, google: model, openai: model } });
const allowing = (maxSessionsPerUser: number) => ({ ...server, limits: { ...server.limits, maxSessionsPerUser } });
const open = (sessionId: string, agentInstanceId: string, expiresAt = now + 1): SessionDoc => ({ sessionId, agentInstanceId, expiresAt: at(expiresAt) }) as SessionDoc;

const decide = (facts: Partial<StartFacts>, takeOver = false) =>
  decideStart({ user, agent, product, server, open: [], now, ...facts }, { agentInstanceId: 'a1', takeOver });
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
    for (const heldDOFs of [500, 501]) refuses({ agent: { ...agent, heldDOFs } }, 'resource-exhausted', { reason: 'no_dofs', availableDOFs: 0 });
    assert.deepEqual(decide({ agent: { ...agent, heldDOFs: 499 } }), { kind: 'start' });
  });

  it('refuses an empty agent before it ends another session for it', () => {
    refuses({ agent: { ...agent, currentDOFs: 0 }, open: [open('s1', 'a2')] }, 'resource-exhausted', { reason: 'no_dofs', availableDOFs: 0 }, true);
  });
});

describe('start: with a session open', () => {
  it('resumes the session of the same agent, even when everything is held or the product is gone', () => {
    const same = open('s1', 'a1');
    for (const facts of [{}, { agent: { ...agent, heldDOFs: 500 } }, { product: null }]) assert.deepEqual(decide({ ...facts, open: [same] }), { kind: 'resume', session: same });
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
    const { config, ...session } = newSession(agent, product, server, fresh);
    assert.deepEqual(session, {
      ...fresh, members: { u1: 'owner' }, agentInstanceId: 'a1', agentProductId: 'p1', priceVersion: 2, settleEveryDOFs: 1_000, status: 'active', closeReason: null,
      startingDOFs: 400, consumedDOFs: 0, settledDOFs: 0, heldDOFs: 400, endedAt: null, generation: 1, version: 1, settlement: 'open', cleanupAt: null,
    });
    assert.deepEqual(sessionConfigSchema.parse(config), config);
  });

  it('holds what the agent has available, up to the limit per session', () => {
    fc.assert(fc.property(fc.nat(100_000), fc.nat(100_000), fc.integer({ min: 1, max: 100_000 }), (currentDOFs, heldDOFs, maxDOFsPerSession) => {
      const session = newSession({ ...agent, currentDOFs, heldDOFs }, product, { ...server, limits: { ...server.limits, maxDOFsPerSession } }, fresh);
      const available = Math.max(0, currentDOFs - heldDOFs);
      assert.deepEqual([session.startingDOFs, session.heldDOFs], [available, Math.min(available, maxDOFsPerSession)]);
    }));
  });
});
