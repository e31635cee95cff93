import assert from 'node:assert/strict';
import { settled } from '../../test/memory/gates.ts';
import { moment } from '../../test/money.ts';
import { VoiceWorld, voiceConfig } from '../../test/voice-world.ts';
import { resolve } from '../credits/store-admin.ts';
import { AppError } from '../runtime/errors.ts';
import { commitEnd } from '../sessions/store-lifecycle.ts';
import { systemPrompt } from '../sessions/unwrap.ts';

const minute = 60_000;
const busy = (): Promise<never> => Promise.reject(new AppError('unavailable', 'The vendor is busy.', { reason: 'provider_busy' }));
const refusedWith = (reason: string) => (error: unknown) => error instanceof AppError && error.details?.reason === reason;

describe('voice: minting a token', () => {
  let world: VoiceWorld;
  beforeEach(() => { world = new VoiceWorld(); });
  afterEach(() => world.close());

  /** Everything is as it was before the attempt, but for its record and the trace of its hold. */
  async function assertTakenBack({ requestId = 'r1', counted = 0 } = {}): Promise<void> {
    assert.deepEqual([world.token(requestId)?.state, world.voiceHolds(), world.user().voiceTokens?.count, world.agent().heldDOFs], ['failed', [], counted, 200]);
    assert.deepEqual(await world.drifts(), []);
  }

  it('holds its price, asks the vendor, and shows it', async () => {
    await world.seed();
    world.vendor.meanwhile = async () => {
      const { state, heldDOFs, mintedAt } = world.token('r1')!;
      const [holdId] = world.voiceHolds();
      assert.deepEqual([state, heldDOFs, mintedAt, world.agent().holds[holdId!]?.onExpiry], ['minting', 20, null, undefined]);
      assert.deepEqual(await world.drifts(), []);
    };
    const expiresAt = new Date(moment + 5 * minute).toISOString();
    assert.deepEqual(await world.mint('r1'), { token: 'token-1', url: 'wss://live.example', provider: 'offline', model: 'live-m', voice: 'Puck', expiresAt, heldDOFs: 20, tokensLeftToday: 2 });
    const { signal: _signal, ...asked } = world.vendor.asked[0]!;
    assert.deepEqual(asked, { model: 'live-m', voice: 'Puck', systemPrompt: systemPrompt(voiceConfig()), expiresAt: moment + 5 * minute, maxOutputTokens: 4_096 });
    const { state, mintedAt, provider, holdId } = world.token('r1')!;
    const hold = world.agent().holds[holdId]!;
    assert.deepEqual([state, mintedAt?.toMillis(), provider], ['minted', moment, 'offline']);
    assert.deepEqual([hold.amount, hold.onExpiry, hold.originSessionId, hold.sessionId, hold.expiresAt.toMillis()], [20, 'post', 's1', null, moment + 6 * minute]);
    assert.deepEqual([world.session().version, world.session().heldDOFs], [2, 200], 'the hold of the session is another one');
    assert.deepEqual(world.events(), ['hold.placed', 'session.voice_token_minted']);
    assert.deepEqual(await world.drifts(), []);
  });

  it('keeps the token nowhere', async () => {
    await world.seed();
    const { token } = await world.mint('r1');
    assert.ok(!JSON.stringify([world.firestore.dump(), world.logged]).includes(token));
  });

  it('says when the vendor ends it, and never later than was paid for', async () => {
    await world.seed({ sessions: 2 });
    for (const [sessionId, laterMs, until] of [['s1', -minute, 4 * minute], ['s2', minute, 5 * minute]] as const) {
      world.vendor.laterMs = laterMs;
      const expiresAt = new Date(moment + until).toISOString();
      assert.equal((await world.mint('r1', { sessionId })).expiresAt, expiresAt);
      assert.equal(world.token('r1', sessionId)!.expiresAt.toDate().toISOString(), expiresAt);
      assert.equal(world.agent().holds[world.token('r1', sessionId)!.holdId]!.expiresAt.toMillis(), moment + 6 * minute);
    }
  });

  it('is refused for an unknown and for a foreign session, and nothing is written', async () => {
    await world.seed();
    const before = world.firestore.dump();
    for (const attempt of [world.mint('r1', { sessionId: 'none' }), world.mint('r1', { uid: 'u2' })]) await assert.rejects(attempt, refusedWith('not_found'));
    assert.deepEqual([world.firestore.dump(), world.vendor.asked], [before, []]);
  });

  it('is refused when the agent cannot pay for it, and nothing is written', async () => {
    await world.seed({ dofs: 219 });
    const before = world.firestore.dump();
    await assert.rejects(world.mint('r1'), { code: 'resource-exhausted', details: { reason: 'insufficient_dofs', availableDOFs: 19, neededDOFs: 20 } });
    assert.deepEqual([world.firestore.dump(), world.vendor.asked], [before, []]);
  });

  it('is refused when the provider is not configured or lacks the voice, and nothing is written', async () => {
    await world.seed({ config: voiceConfig({ voiceId: 'marin' }) });
    const before = world.firestore.dump();
    Object.assign(world.vendor, { name: 'gemini' });
    await assert.rejects(world.mint('r1'), refusedWith('provider_configuration'));
    assert.deepEqual([world.firestore.dump(), world.vendor.asked], [before, []]);
  });

  describe('that the vendor does not hand out', () => {
    it('costs nothing, and may be asked for again', async () => {
      await world.seed();
      world.vendor.meanwhile = busy;
      await assert.rejects(world.mint('r1'), refusedWith('provider_busy'));
      await assertTakenBack();
      assert.deepEqual(world.events(), ['hold.placed', 'hold.released']);
      world.vendor.meanwhile = () => Promise.resolve();
      assert.equal((await world.mint('r1')).tokensLeftToday, 2);
      assert.deepEqual([world.token('r1')!.attempt, world.voiceHolds().length], [2, 1]);
      assert.deepEqual(await world.drifts(), []);
    });

    it('in time is given up, although the vendor goes on', async () => {
      await world.seed();
      let asked: AbortSignal | undefined;
      world.vendor.meanwhile = ({ signal }) => {
        asked = signal;
        setImmediate(() => world.deadlines());
        return new Promise(() => undefined);
      };
      await assert.rejects(world.mint('r1'), { code: 'deadline-exceeded', details: { reason: 'provider_timeout' } });
      assert.equal(asked?.aborted, true);
      await assertTakenBack();
    });

    it('with a moment that is none is not shown', async () => {
      await world.seed();
      world.vendor.laterMs = NaN;
      await assert.rejects(world.mint('r1'));
      await assertTakenBack();
    });
  });

  describe('for a caller who leaves', () => {
    const cases: [when: string, answer: () => Promise<unknown>][] = [
      ['while the vendor is asked', () => new Promise(() => undefined)],
      ['right before the vendor answers', () => Promise.resolve()],
    ];
    for (const [when, answer] of cases) {
      it(`is given up ${when}, and counts`, async () => {
        await world.seed();
        const caller = new AbortController();
        world.vendor.meanwhile = () => {
          caller.abort();
          return answer();
        };
        await assert.rejects(world.mint('r1', { callerGone: caller.signal }), AppError);
        await assertTakenBack({ counted: 1 });
      });
    }

    it('is not asked for when the caller has gone before, and counts', async () => {
      await world.seed();
      await assert.rejects(world.mint('r1', { callerGone: AbortSignal.abort() }), AppError);
      await assertTakenBack({ counted: 1 });
      assert.equal(world.vendor.asked.length, 0);
    });
  });

  it('is no more often asked for than the quota allows, however often the caller leaves', async () => {
    await world.seed();
    const reasons = [];
    for (let index = 0; index < 5; index++) {
      const caller = new AbortController();
      world.vendor.meanwhile = () => { caller.abort(); return Promise.resolve(); };
      reasons.push(await world.mint(`r${index}`, { callerGone: caller.signal }).then(() => 'minted', (error: unknown) => (error as AppError).details?.reason));
    }
    assert.deepEqual([world.vendor.asked.length, reasons.slice(3)], [3, ['voice_quota', 'voice_quota']]);
  });

  it('is not shown when the session ends meanwhile', async () => {
    await world.seed();
    world.vendor.meanwhile = () => commitEnd('s1', 'user', { total: 0, lines: [] }, moment);
    await assert.rejects(world.mint('r1'), { code: 'failed-precondition', details: { reason: 'session_closed', closeReason: 'user' } });
    await assertTakenBack();
  });

  it('is not shown when its hold is gone', async () => {
    await world.seed();
    world.vendor.meanwhile = () => resolve({ userId: 'u1', agentInstanceId: 'a1' }, world.voiceHolds()[0]!, 0, { reason: 'a mistake', actor: 'root' });
    await assert.rejects(world.mint('r1'), refusedWith('contention'));
    await assertTakenBack();
  });

  it('is refused while the session has one, and when the quota is used up', async () => {
    await world.seed({ sessions: 4 });
    const first = await world.mint('r1');
    await assert.rejects(world.mint('r2'), { code: 'failed-precondition', details: { reason: 'voice_token_active', expiresAt: first.expiresAt } });
    world.now += 5 * minute;
    assert.equal((await world.mint('r2')).tokensLeftToday, 1);
    await world.mint('r1', { sessionId: 's2' });
    await assert.rejects(world.mint('r1', { sessionId: 's3' }), { code: 'resource-exhausted', details: { reason: 'voice_quota', retryAfterMs: Date.parse('2027-01-16') - world.now } });
    assert.deepEqual([world.user().voiceTokens, world.voiceHolds().length], [{ day: '2027-01-15', count: 3 }, 3]);
    assert.deepEqual(await world.drifts(), []);
  });

  it('is shown once, whoever asks again', async () => {
    await world.seed();
    await world.mint('r1');
    const before = world.firestore.dump();
    await assert.rejects(world.mint('r1'), { code: 'already-exists', details: { reason: 'request_conflict', expiresAt: new Date(moment + 5 * minute).toISOString() } });
    assert.deepEqual([world.firestore.dump(), world.vendor.asked.length], [before, 1]);
  });

  describe('for 20 callers at once', () => {
    const all = async (calls: Promise<{ token: string }>[]): Promise<{ tokens: string[]; reasons: Record<string, number> }> => {
      const answers = await Promise.allSettled(calls);
      const reasons = answers.flatMap((each) => (each.status === 'rejected' ? [String((each.reason as AppError).details?.reason)] : []));
      return { tokens: answers.flatMap((each) => (each.status === 'fulfilled' ? [each.value.token] : [])), reasons: Object.fromEntries(Object.entries(Object.groupBy(reasons, (reason) => reason)).map(([reason, list]) => [reason, list!.length])) };
    };
    const twenty = <T>(act: (index: number) => T): T[] => Array.from({ length: 20 }, (_, index) => act(index));
    beforeEach(() => {
      // Every request waits for the others, so that all read before the first one writes.
      world.gate = async (_io, apply) => {
        await settled();
        return apply();
      };
    });

    it('with 20 agents gives as many as the quota allows', async () => {
      await world.seedApart(20);
      const { tokens, reasons } = await all(twenty((index) => world.mint('r1', { sessionId: `s${index + 1}` })));
      assert.deepEqual([tokens.length, reasons, world.user().voiceTokens?.count], [3, { voice_quota: 17 }, 3]);
      const held = twenty((index) => world.agent(`a${index + 1}`).heldDOFs);
      assert.deepEqual([held.filter((dofs) => dofs === 220).length, held.filter((dofs) => dofs === 200).length], [3, 17]);
      for (let index = 1; index <= 20; index++) assert.deepEqual(await world.drifts(`a${index}`), []);
    });

    it('in 20 sessions of one agent gives as many as the quota allows', async () => {
      await world.seed({ dofs: 10_000, sessions: 20 });
      const { tokens, reasons } = await all(twenty((index) => world.mint('r1', { sessionId: `s${index + 1}` })));
      assert.deepEqual([tokens.length, new Set(tokens).size, reasons], [3, 3, { voice_quota: 17 }]);
      assert.deepEqual([world.user().voiceTokens?.count, world.voiceHolds().length], [3, 3]);
      assert.deepEqual(await world.drifts(), []);
    });

    it('in one session gives one', async () => {
      await world.seed();
      const { tokens, reasons } = await all(twenty((index) => world.mint(`r${index}`)));
      assert.deepEqual([tokens.length, reasons, world.voiceHolds().length, world.user().voiceTokens?.count], [1, { voice_token_active: 19 }, 1, 1]);
      assert.deepEqual(await world.drifts(), []);
    });

    it('of one request gives one', async () => {
      await world.seed();
      const { tokens, reasons } = await all(twenty(() => world.mint('r1')));
      assert.deepEqual([tokens.length, Object.values(reasons).reduce((sum, count) => sum + count, 0), world.vendor.asked.length], [1, 19, 1]);
      assert.ok(Object.keys(reasons).every((reason) => ['request_in_progress', 'request_conflict'].includes(reason)), JSON.stringify(reasons));
      assert.deepEqual(await world.drifts(), []);
    });

    it('on the last DOFs gives what they pay for', async () => {
      await world.seed({ dofs: 200 * 4 + 45, sessions: 4, config: voiceConfig({ limits: { ...voiceConfig().limits, voiceTokensPerDay: 20 } }) });
      const { tokens, reasons } = await all(twenty((index) => world.mint(`r${index}`, { sessionId: `s${index % 4 + 1}` })));
      assert.deepEqual([tokens.length, world.agent().heldDOFs], [2, 840]);
      assert.equal((reasons['insufficient_dofs'] ?? 0) + (reasons['voice_token_active'] ?? 0), 18, JSON.stringify(reasons));
      assert.deepEqual(await world.drifts(), []);
    });
  });
});
