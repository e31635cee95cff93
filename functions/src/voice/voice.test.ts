import assert from 'node:assert/strict';
import { agent, at, hold, moment as now, rates } from '../../test/money.ts';
import { voiceConfig } from '../../test/voice-world.ts';
import type { AgentDoc, UserDoc } from '../agents/schema.ts';
import type { ProviderName } from '../providers/types.ts';
import type { SessionConfig, SessionDoc } from '../sessions/schema.ts';
import { mintVoiceTokenInput, type VoiceTokenDoc } from './schema.ts';
import { attemptMs, decideAttempt, givenBack, graceMs, liveVoice, voiceTerms, type AttemptDecision } from './voice.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const session = (parts: Partial<SessionDoc> = {}): SessionDoc => ({ sessionId: 's1', status: 'active', closeReason: null, expiresAt: at(now + 60 * minute), config: voiceConfig(), ...parts } as SessionDoc);
const { limits } = voiceConfig();

describe('voice: the terms of a token', () => {
  const terms = (config: Partial<SessionConfig>, asked?: number) => voiceTerms(session({ config: voiceConfig(config) }), asked, now);
  const usual = { model: 'live-m', voice: 'Puck' };

  it('are the price of its whole lifetime, five minutes unless asked for others', () => {
    assert.deepEqual(terms({}), { ...usual, minutes: 5, price: 20 });
    assert.deepEqual(terms({}, 10), { ...usual, minutes: 10, price: 40 });
    assert.deepEqual(terms({ limits: { ...limits, voiceTokenMinutes: 3 } }), { ...usual, minutes: 3, price: 12 });
    assert.equal(terms({ dofRates: rates({ voiceMinute: 0 }) }).price, 1, 'nothing is free');
  });

  const refused: [what: string, config: Partial<SessionConfig>, error: object][] = [
    ['without voice chat', { interactiveVoiceMode: false }, { code: 'failed-precondition', details: { reason: 'voice_unavailable' } }],
    ['without a price', { dofRates: rates() }, { code: 'failed-precondition', details: { reason: 'voice_unavailable' } }],
    ['without a live model', { provider: 'openai', modelRouting: { vision: 'm', chat: 'm' } }, { code: 'failed-precondition', message: /config\/server\.modelRouting\.openai\.live/, details: { reason: 'provider_configuration' } }],
    ['for longer than allowed', { limits: { ...limits, voiceTokenMinutes: 6 } }, { code: 'invalid-argument', message: /6 minutes/, details: { reason: 'bad_input' } }],
  ];
  for (const [what, config, error] of refused) it(`are refused ${what}`, () => assert.throws(() => terms(config, 7), error));

  it('are refused once the session is over', () => {
    const closed = (closeReason: string) => ({ code: 'failed-precondition', details: { reason: 'session_closed', closeReason } });
    assert.throws(() => voiceTerms(session({ status: 'ended', closeReason: 'idle' }), 5, now), closed('idle'));
    assert.throws(() => voiceTerms(session({ expiresAt: at(now) }), 5, now), closed('expired'));
  });

  it('name no minutes but whole ones from 1 to 30', () => {
    const { success } = mintVoiceTokenInput.safeParse({ sessionId: 's1', requestId: 'r1', minutes: 30 });
    assert.ok(success);
    for (const minutes of [0, 31, 1.5, -1, '5']) assert.equal(mintVoiceTokenInput.safeParse({ sessionId: 's1', requestId: 'r1', minutes }).success, false, String(minutes));
  });
});

describe('voice: the voice of a conversation', () => {
  const has: [ProviderName, string, string][] = [['gemini', 'Puck', 'Puck'], ['google', 'Puck', 'Puck'], ['google', 'en-US-Chirp3-HD-Kore', 'Kore'], ['openai', 'marin', 'marin'], ['offline', 'whatever', 'whatever']];
  for (const [provider, voice, live] of has) it(`of ${provider} for ${voice} is ${live}`, () => assert.equal(liveVoice(provider, voice), live));
  const lacks: [ProviderName, string][] = [['gemini', 'marin'], ['google', 'en-US-Wavenet-C'], ['openai', 'nova']];
  for (const [provider, voice] of lacks) {
    it(`is not there at ${provider} for ${voice}`, () => assert.throws(() => liveVoice(provider, voice), { code: 'failed-precondition', message: new RegExp(voice), details: { reason: 'provider_configuration' } }));
  }
});

describe('voice: an attempt', () => {
  const terms = { model: 'live-m', voice: 'Puck', minutes: 5, price: 20 };
  const user = (voiceTokens?: UserDoc['voiceTokens']): UserDoc => ({ email: null, displayName: null, createdAt: at(0), activeSessions: {}, ...(voiceTokens ? { voiceTokens } : {}) });
  const today = new Date(now).toISOString().slice(0, 10);
  const yesterday = new Date(now - day).toISOString().slice(0, 10);
  const tomorrow = new Date(now + day).toISOString().slice(0, 10);
  const known = (parts: Partial<VoiceTokenDoc> = {}): VoiceTokenDoc => ({
    requestId: 'r1', holdId: 'voice-1', provider: 'gemini', model: 'live-m', voice: 'Puck', minutes: 5, heldDOFs: 20, state: 'failed', attempt: 1, startedAt: at(now - attemptMs), mintedAt: null, expiresAt: at(now + 5 * minute), ...parts,
  });
  const held = (expiresIn: number, originSessionId = 's1') => hold({ g: 20 }, { originSessionId, expiresAt: at(now + expiresIn + graceMs) });
  const decide = (facts: { known?: VoiceTokenDoc; used?: UserDoc['voiceTokens']; holds?: AgentDoc['holds']; session?: SessionDoc } = {}): AttemptDecision => (
    decideAttempt({ session: facts.session ?? session(), user: user(facts.used), agent: agent({ holds: facts.holds ?? {} }), known: facts.known ?? null, now }, terms));

  it('that is the first of the day begins to count', () => {
    assert.deepEqual(decide(), { attempt: 1, replacedHoldId: null, quota: { day: today, count: 1 } });
    assert.deepEqual(decide({ used: { day: yesterday, count: 3 } }).quota, { day: today, count: 1 });
  });

  it('is refused once the quota of the day is used up, with the time until midnight (UTC)', () => {
    assert.deepEqual(decide({ used: { day: today, count: 2 } }).quota, { day: today, count: 3 });
    assert.throws(() => decide({ used: { day: today, count: 3 } }), { code: 'resource-exhausted', details: { reason: 'voice_quota', retryAfterMs: Date.parse(tomorrow) - now } });
  });

  it('gets no fresh quota from a clock that is behind', () => {
    assert.deepEqual(decide({ used: { day: tomorrow, count: 2 } }).quota, { day: tomorrow, count: 3 });
    assert.throws(() => decide({ used: { day: tomorrow, count: 3 } }), { details: { reason: 'voice_quota', retryAfterMs: Date.parse(tomorrow) + day - now } });
  });

  it('waits for the token that its session has, and for no other', () => {
    assert.throws(() => decide({ holds: { 'voice-9': held(1) } }), { code: 'failed-precondition', details: { reason: 'voice_token_active', expiresAt: new Date(now + 1).toISOString() } });
    for (const holds of [{ 'voice-9': held(0) }, { 'voice-9': held(minute, 's2') }, { s1: hold({ g: 20 }, { sessionId: 's1' }) }, { h: hold({ g: 20 }) }]) assert.equal(decide({ holds }).attempt, 1);
  });

  it('is refused when the session has ended', () => {
    assert.throws(() => decide({ session: session({ status: 'ended', closeReason: 'user' }) }), { details: { reason: 'session_closed', closeReason: 'user' } });
  });

  describe('that repeats a request', () => {
    it('is refused while the one before is under way', () => {
      const holds = { 'voice-1': held(5 * minute) };
      assert.throws(() => decide({ known: known({ state: 'minting', startedAt: at(now - attemptMs + 1) }), holds }), { code: 'aborted', details: { reason: 'request_in_progress', retryAfterMs: 1 } });
      assert.throws(() => decide({ known: known({ state: 'minting', startedAt: at(now + minute) }), holds }), { details: { reason: 'request_in_progress', retryAfterMs: attemptMs } }, 'a clock that is behind');
    });

    it('replaces the hold of one that died, and is not counted again', () => {
      const died = known({ state: 'minting' });
      assert.deepEqual(decide({ known: died, holds: { 'voice-1': held(minute) }, used: { day: today, count: 3 } }), { attempt: 2, replacedHoldId: 'voice-1', quota: { day: today, count: 3 } });
      assert.deepEqual(decide({ known: died, used: { day: today, count: 1 } }), { attempt: 2, replacedHoldId: null, quota: { day: today, count: 1 } });
      assert.deepEqual(decide({ known: known({ state: 'minting', startedAt: at(now - day) }), used: { day: yesterday, count: 3 } }).quota, { day: today, count: 1 });
    });

    it('waits for another token of the session even so', () => {
      assert.throws(() => decide({ known: known({ state: 'minting' }), holds: { 'voice-1': held(minute), 'voice-9': held(minute) } }), { details: { reason: 'voice_token_active', expiresAt: new Date(now + minute).toISOString() } });
    });

    it('begins anew after one that failed, and is counted', () => {
      assert.deepEqual(decide({ known: known({ attempt: 4 }), used: { day: today, count: 1 } }), { attempt: 5, replacedHoldId: null, quota: { day: today, count: 2 } });
    });

    it('never gets the token of one that was answered', () => {
      const expiresAt = new Date(now + 5 * minute).toISOString();
      assert.throws(() => decide({ known: known({ state: 'minted' }) }), { code: 'already-exists', message: /handed out once/, details: { reason: 'request_conflict', expiresAt } });
    });

    it('is a conflict with other minutes, whatever became of it', () => {
      for (const state of ['minting', 'minted', 'failed'] as const) {
        assert.throws(() => decide({ known: known({ state, minutes: 4 }) }), { code: 'already-exists', message: /another body/, details: { reason: 'request_conflict' } });
      }
    });
  });

  it('that came to nothing gives back what it counted, on its own day only', () => {
    assert.deepEqual(givenBack({ day: today, count: 2 }, now), { day: today, count: 1 });
    assert.deepEqual(givenBack({ day: tomorrow, count: 2 }, now), { day: tomorrow, count: 2 });
    assert.deepEqual(givenBack({ day: today, count: 0 }, now), { day: today, count: 0 });
    assert.equal(givenBack(undefined, now), undefined);
  });
});
