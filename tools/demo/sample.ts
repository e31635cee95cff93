import type { Play, TurnFacts } from './facts.ts';
import type { Evidence } from './verify.ts';

const turn = (index: number, consumedDOFs: number, kind: TurnFacts['kind'] = 'frame'): TurnFacts => ({
  kind, requestId: `${kind}-${index}`, image: `${index}.jpg`, instruction: kind === 'frame' ? null : 'Hey?', turnId: `t${index}`, reply: `Reply ${index}.`, provider: 'offline',
  outcome: 'complete', costDOFs: 20, estimated: false, consumedDOFs, spokenSeconds: null, firstWordsMs: 10 * index, ms: 100 * index, retries: 0,
});

/** A sound run of two turns in which everything adds up; made afresh, so that a test may tamper with it. */
export function sampleEvidence(): Evidence {
  const agent = { agentInstanceId: 'a1', name: 'Buddy', productId: 'p1', provider: 'gemini', rank: 'rookie', currentDOFs: 100, availableDOFs: 90 };
  const play: Play = {
    player: { uid: 'u1', email: 'u1@jiga.example', displayName: 'Una' }, agents: [agent], agent,
    session: { sessionId: 's1', livePath: 'live/s1', streamsPath: 'streams/s1', databaseUrl: 'http://127.0.0.1:9000?ns=x', remainingDOFs: 90 },
    turns: [turn(1, 20), turn(2, 40, 'instruction')],
    heard: {
      updates: 5, status: 'ended', closeReason: 'user', replies: { t1: 'Reply 1.', t2: 'Reply 2.' },
      meter: [{ starting: 90, consumed: 0, remaining: 90 }, { starting: 90, consumed: 20, remaining: 70 }, { starting: 90, consumed: 40, remaining: 0 }],
    },
    ended: { status: 'ended', closeReason: 'user', consumedDOFs: 40 },
    balanceAfter: 60,
    timings: { signInMs: 1, startSessionMs: 2, turnsMs: 300, endSessionMs: 4, settleLagMs: 5 },
  };
  const outbox = ['s1-000001-session.started', 's1-000002-session.ended', 's1-000003-session.settled'];
  const entry = { debt: 0, createdAt: '2026-11-01T12:00:00.000Z' };
  return {
    play,
    before: { currentDOFs: 100, heldDOFs: 10, debtDOFs: 0 },
    records: {
      balance: { currentDOFs: 60, heldDOFs: 10, debtDOFs: 0 },
      lots: [{ remaining: 50 }, { remaining: 10 }],
      hold: { state: 'posted', postedDOFs: 40, releasedDOFs: 50 },
      ledger: [
        { ...entry, entryId: 'grant-1', type: 'grant', amount: 100, balanceAfter: 100, operationId: 'grant-1', grantId: 'grant-1', seq: 1, lots: [{ grantId: 'grant-1', amount: 100 }] },
        { ...entry, entryId: 'settle-s1-40', type: 'settlement', amount: -40, balanceAfter: 60, operationId: 'settle-s1-40', sessionId: 's1', seq: 2, lots: [{ grantId: 'grant-1', amount: -40 }] },
      ],
      session: { status: 'ended', closeReason: 'user', consumedDOFs: 40, settledDOFs: 40, heldDOFs: 0, settlement: 'done' },
      outbox,
    },
    events: outbox.map((id, index) => ({ id, type: id.slice(10), topic: 'session-events', subject: 's1', sequence: index + 1, lagMs: 50 })),
    provider: 'offline',
  };
}
