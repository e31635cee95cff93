import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { agent, lot, rates } from '../../test/money.ts';
import type { ProductDoc } from '../agents/schema.ts';
import { ownSessionView, serverConfigSchema, sessionView, startSessionOutput, type SessionDoc } from './schema.ts';
import { newSession } from './start.ts';
import { parseCursor, toCursor, toOwnSessionView, toSessionView, toStarted } from './views.ts';

const at = (iso: string): Timestamp => Timestamp.fromDate(new Date(iso));
const owned = agent({ lots: { g1: lot(500) } });
const product: ProductDoc = {
  name: 'Scout', description: '', provider: 'openai', voiceId: 'alloy', rank: 'legend', toolkit: [], hasVoiceChat: true, hasCommentator: true, hasMemory: true, specialization: null, version: 1,
  dofRates: rates(), active: true,
};
const model = { vision: 'm', chat: 'm', apiKey: 'planted-key-1' };
const server = serverConfigSchema.parse({
  providers: { openai: { apiKey: 'planted-key-2' } },
  endpoints: { apiBaseUrl: 'https://api.example', liveDatabaseUrl: 'https://live.example' },
  modelRouting: { gemini: model, google: model, openai: model },
});
const session = newSession(owned, product, server, {
  sessionId: 's1', ownerId: 'u1', gameContext: { platform: 'pc' }, startedAt: at('2026-11-01T10:00:00Z'), expiresAt: at('2026-11-01T14:00:00Z'),
});

describe('the answer to startSession', () => {
  const started = toStarted({ session, resumed: false, remainingDOFs: 480 }, [], null);

  it('says what the session may spend and where to watch it', () => {
    const { config, ...rest } = started;
    assert.deepEqual(rest, {
      sessionId: 's1', generation: 1, resumed: false, missedTurns: [], remainingDOFs: 480, expiresAt: '2026-11-01T14:00:00.000Z',
      live: { databaseUrl: 'https://live.example', path: 'live/s1', streamsPath: 'streams/s1' },
    });
    assert.deepEqual(config, session.config);
  });

  it('sends the client to the database that the session is kept in', () => {
    assert.equal(toStarted({ session, resumed: false, remainingDOFs: 480 }, [], 'https://shard-2.example').live.databaseUrl, 'https://shard-2.example');
  });

  it('tells a client that comes back what it has missed', () => {
    const turn = { turnId: 't1', by: 'u2', at: 1_000, said: 'Where to?', reply: 'Left.', outcome: 'complete' as const, costDOFs: 7 };
    const { missedTurns } = startSessionOutput.parse(toStarted({ session, resumed: true, remainingDOFs: 480 }, [turn], null));
    assert.deepEqual(missedTurns, [{ turnId: 't1', memberId: 'u2', at: '1970-01-01T00:00:01.000Z', said: 'Where to?', reply: 'Left.', outcome: 'complete', costDOFs: 7 }]);
  });

  it('contains no key', () => {
    const answer = JSON.stringify(startSessionOutput.parse(started));
    assert.doesNotMatch(answer, /planted|api_?key|secret/i);
    assert.deepEqual(startSessionOutput.parse(started), started);
  });
});

describe('a session as its owner sees it', () => {
  it('has its moments in ISO form', () => {
    const { startedAt, expiresAt, endedAt } = toOwnSessionView(session);
    assert.deepEqual([startedAt, expiresAt, endedAt], ['2026-11-01T10:00:00.000Z', '2026-11-01T14:00:00.000Z', null]);
    assert.equal(toOwnSessionView({ ...session, endedAt: at('2026-11-01T11:00:00Z') }).endedAt, '2026-11-01T11:00:00.000Z');
  });

  it('shows no more than the contract names', () => {
    assert.deepEqual(ownSessionView.parse(toOwnSessionView({ ...session, status: 'ended', closeReason: 'idle', settlement: 'done', cleanupAt: at('2026-11-01T12:00:00Z') })), {
      sessionId: 's1', name: null, role: 'owner', agentInstanceId: 'a1', agentProductId: 'p1', status: 'ended', closeReason: 'idle', startingDOFs: 500, consumedDOFs: 0, settledDOFs: 0, settlement: 'done',
      gameContext: { platform: 'pc' }, startedAt: '2026-11-01T10:00:00.000Z', expiresAt: '2026-11-01T14:00:00.000Z', endedAt: null, generation: 1, priceVersion: 1,
    });
  });
});

describe('a session as a member sees it', () => {
  const shared: SessionDoc = { ...session, name: 'Friday', members: { u1: 'owner', u2: 'player', u3: 'spectator' }, memberIds: ['u1', 'u2', 'u3'], memberCaps: { u2: 5 }, consumedDOFs: 40, settledDOFs: 30 };

  it('is what its owner sees, for the owner', () => {
    assert.deepEqual(sessionView.parse(toSessionView(shared, 'u1')), ownSessionView.parse(toOwnSessionView(shared)));
  });

  it('has a name, a role and times, and no DOFs', () => {
    for (const [uid, role] of [['u2', 'player'], ['u3', 'spectator']] as const) {
      assert.deepEqual(sessionView.parse(toSessionView(shared, uid)), {
        sessionId: 's1', name: 'Friday', role, agentInstanceId: 'a1', agentProductId: 'p1', status: 'active', closeReason: null, startingDOFs: null, consumedDOFs: null, settledDOFs: null, settlement: 'open',
        gameContext: null, startedAt: '2026-11-01T10:00:00.000Z', expiresAt: '2026-11-01T14:00:00.000Z', endedAt: null, generation: 1, priceVersion: 1,
      });
    }
  });

  it('is shown to nobody else', () => {
    for (const uid of ['u4', 'constructor', 'toString']) assert.ok(!sessionView.safeParse(toSessionView(shared, uid)).success, uid);
  });
});

describe('the cursor of a page', () => {
  const encode = (text: string): string => Buffer.from(text).toString('base64url');
  const ids = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
  const badCursor = { name: 'AppError', code: 'invalid-argument', details: { reason: 'bad_input' } };

  it('is refused when it names no moment or was not made here', () => {
    const bad = { code: 'invalid-argument' };
    assert.throws(() => parseCursor(`a${encode(`${'9'.repeat(15)}:s1`)}`), bad);
    assert.throws(() => parseCursor('aMTpz!!MQ'), bad);
  });

  it('comes back as the status, moment and id that it was made of', () => {
    fc.assert(fc.property(fc.constantFrom('active' as const, 'ended' as const), ids, fc.nat({ max: 4_000_000_000_000 }), (status, sessionId, startedAt) => {
      const cursor = toCursor({ status, sessionId, startedAt: Timestamp.fromMillis(startedAt) });
      assert.deepEqual(parseCursor(cursor), { status, sessionId, startedAt });
      assert.ok(cursor.length <= 200 && /^[A-Za-z0-9_-]+$/.test(cursor));
    }));
  });

  it('is refused when it is forged', () => {
    const forged = ['', 's1', 'not a cursor', encode('s1'), encode(':s1'), encode('1:'), encode('-1:s1'), encode('1.5:s1'), encode('NaN:s1'), encode('1e3:s1'), encode(' 1:s1'), encode('1:s1\n'),
      encode('1:../users'), encode('1:a/b'), encode('1:a:b'), encode(`1:${'x'.repeat(65)}`), encode(`${'9'.repeat(16)}:s1`), encode('{"startedAt":1}'), '1:s1'];
    for (const cursor of ['b', 'A', ''].map((mark) => mark + encode('1:s1'))) assert.throws(() => parseCursor(cursor), badCursor, cursor);
    for (const cursor of forged.flatMap((text) => [text, `a${text}`, `e${text}`])) assert.throws(() => parseCursor(cursor), badCursor, cursor);
  });

  it('is refused, and never more than that, whatever the text', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.string().map(encode), fc.string().map((text) => `e${encode(text)}`)), (text) => {
      try {
        assert.match(parseCursor(text).sessionId, /^[A-Za-z0-9_-]{1,64}$/);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'invalid-argument');
      }
    }));
  });
});
