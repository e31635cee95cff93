import assert from 'node:assert/strict';
import { Books } from '../../test/books.ts';
import { crashed, deaf, lossy, unreachable } from '../../test/memory/gates.ts';
import { openGate, type Gate } from '../../test/memory/io.ts';
import { at, moment } from '../../test/money.ts';
import { VoiceWorld } from '../../test/voice-world.ts';
import type { AgentDoc } from '../agents/schema.ts';
import type { ResolvedHoldDoc } from '../credits/schema.ts';
import { settleCheckpoint } from '../credits/store-settle.ts';
import { AppError } from '../runtime/errors.ts';
import { commitEnd } from '../sessions/store-lifecycle.ts';
import { attemptMs } from './voice.ts';
import { mintedTokens } from './store.ts';

const minute = 60_000;
const refusedWith = (reason: string) => (error: unknown) => error instanceof AppError && error.details?.reason === reason;

describe('voice: the store', () => {
  let world: VoiceWorld;
  beforeEach(() => { world = new VoiceWorld(); });
  afterEach(() => world.close());

  const resolved = (holdId: string) => world.firestore.snapshotAt(`users/u1/agents/a1/holds/${holdId}`).data() as ResolvedHoldDoc;
  /** Lets the commits from now on meet these fates, in their order; what comes after them passes. */
  function commitsMeet(...fates: Gate[]): void {
    world.gate = (io, apply) => (io.kind === 'commit' ? fates.shift() ?? openGate : openGate)(io, apply);
  }

  describe('a token that has expired', () => {
    it('is charged in full, once, beside the turns of its session', async () => {
      await world.seed();
      await world.mint('r1');
      const { holdId } = world.token('r1')!;
      world.now += 6 * minute - 1;
      assert.equal(await world.lapse(), null);
      world.now += 1;
      await Promise.all([world.lapse(), world.lapse()]);
      assert.equal(await world.lapse(), null);
      const { type, amount, sessionId, holdId: posted, operationId, reason } = world.ledger().at(-1)!;
      assert.deepEqual({ type, amount, sessionId, posted, operationId, reason }, { type: 'post', amount: -20, sessionId: 's1', posted: holdId, operationId: `post-${holdId}`, reason: 'paid in advance' });
      const { state, postedDOFs, releasedDOFs, lots } = resolved(holdId);
      assert.deepEqual({ state, postedDOFs, releasedDOFs, lots }, { state: 'posted', postedDOFs: 20, releasedDOFs: 0, lots: [] });
      assert.deepEqual([world.agent().currentDOFs, world.agent().heldDOFs, world.session().settledDOFs], [980, 200, 0]);
      assert.deepEqual(world.events(), ['hold.placed', 'hold.posted', 'session.voice_token_minted']);
      assert.deepEqual(await world.drifts(), []);
    });

    it('is charged to the lots that it held, although they have expired or were voided', async () => {
      await world.seed({ books: new Books().grant('short', 210, { priority: 1, expiresAt: at(moment + 3 * minute) }).grant('void', 15, { priority: 2 }).grant('g', 100, { priority: 3 }) });
      await world.mint('r1');
      await world.firestore.doc('users/u1/agents/a1').update({ 'lots.void.voided': true } as object as Partial<AgentDoc>);
      world.now += 6 * minute;
      const due = world.agent();
      assert.deepEqual([due.lots['short']!.remaining, due.dueAt!.toMillis()], [210, moment + 6 * minute], 'the expired lot is held whole');
      await world.lapse();
      const [post, voided] = world.ledger().slice(-2);
      assert.deepEqual([post?.type, post?.lots], ['post', [{ grantId: 'short', amount: -10 }, { grantId: 'void', amount: -10 }]]);
      assert.deepEqual([voided?.type, voided?.lots], ['void', [{ grantId: 'void', amount: -5 }]]);
      assert.deepEqual(await world.drifts(), []);
    });

    it('is no expiry of DOFs, beside a lot that is one', async () => {
      await world.seed({ books: new Books().grant('short', 250, { priority: 1, expiresAt: at(moment + 3 * minute) }).grant('g', 100) });
      await world.mint('r1');
      world.now += 6 * minute;
      await world.lapse();
      const [event] = Object.values(world.firestore.dump('outbox')).filter(({ type }) => type === 'agent.dofs_expired');
      assert.deepEqual(event?.['data'], { userId: 'u1', agentInstanceId: 'a1', expiredDOFs: 30, balanceAfter: 300, grants: ['short'] });
      assert.deepEqual(world.events(), ['agent.dofs_expired', 'hold.placed', 'hold.posted', 'session.voice_token_minted']);
      assert.deepEqual(await world.drifts(), []);
    });

    it('is charged although its session ended before: that releases its own hold only', async () => {
      await world.seed();
      await world.mint('r1');
      const { consumedDOFs } = (await commitEnd('s1', 'user', { total: 30, lines: [] }, moment))!;
      await settleCheckpoint({ sessionId: 's1', ownerId: 'u1', agentInstanceId: 'a1', total: consumedDOFs, final: true });
      assert.deepEqual([world.agent().currentDOFs, world.agent().heldDOFs, world.voiceHolds().length], [970, 20, 1]);
      assert.deepEqual(await world.drifts(), []);
      world.now += 6 * minute;
      await world.lapse();
      assert.deepEqual([world.agent().currentDOFs, world.agent().heldDOFs, world.session().settledDOFs], [950, 0, 30]);
      assert.deepEqual(await world.drifts(), []);
    });

    it('is charged with those of other sessions in one go', async () => {
      await world.seed({ sessions: 3 });
      for (const sessionId of ['s1', 's2', 's3']) await world.mint('r1', { sessionId });
      world.now += 10 * minute;
      await world.lapse();
      assert.deepEqual([world.agent().currentDOFs, world.voiceHolds()], [940, []]);
      assert.equal(world.events().filter((type) => type === 'hold.posted').length, 3);
      assert.deepEqual(await world.drifts(), []);
    });
  });

  describe('an attempt whose beginning', () => {
    it('is not heard of costs nothing: its hold is released when it expires', async () => {
      await world.seed();
      commitsMeet(lossy);
      await assert.rejects(world.mint('r1'), { code: 14 });
      assert.deepEqual([world.token('r1')?.state, world.voiceHolds().length, world.vendor.asked.length], ['minting', 1, 0]);
      world.now += 6 * minute;
      await world.lapse();
      assert.deepEqual([world.agent().currentDOFs, world.agent().heldDOFs, resolved(world.token('r1')!.holdId).state], [1_000, 200, 'expired']);
      assert.deepEqual(await world.drifts(), []);
      assert.equal((await world.mint('r1')).tokensLeftToday, 2, 'and it is counted once');
    });

    it('is not heard of can be tried again, with one hold and counted once', async () => {
      await world.seed();
      commitsMeet(lossy);
      await assert.rejects(world.mint('r1'), { code: 14 });
      await assert.rejects(world.mint('r1'), refusedWith('request_in_progress'));
      await assert.rejects(world.mint('r2'), refusedWith('voice_token_active'));
      const { holdId } = world.token('r1')!;
      world.now += attemptMs;
      const { expiresAt, tokensLeftToday } = await world.mint('r1');
      assert.deepEqual([expiresAt, tokensLeftToday], [new Date(world.now + 5 * minute).toISOString(), 2]);
      assert.deepEqual([world.agent().heldDOFs, resolved(holdId).state, world.token('r1')!.attempt], [220, 'released', 2]);
      assert.deepEqual(world.events(), ['hold.placed', 'hold.placed', 'hold.released', 'session.voice_token_minted']);
      assert.deepEqual(await world.drifts(), []);
    });

    it('never arrives leaves nothing', async () => {
      await world.seed();
      const before = world.firestore.dump();
      commitsMeet(unreachable);
      await assert.rejects(world.mint('r1'), { code: 14 });
      assert.deepEqual(world.firestore.dump(), before);
      assert.equal((await world.mint('r1')).token, 'token-1');
    });
  });

  describe('an attempt whose record', () => {
    it('never arrives, or is not heard of, is taken back', async () => {
      await world.seed({ sessions: 2 });
      for (const [sessionId, fate] of [['s1', unreachable], ['s2', lossy]] as const) {
        commitsMeet(openGate, fate);
        await assert.rejects(world.mint('r1', { sessionId }), { code: 14 });
        assert.deepEqual([world.token('r1', sessionId)?.state, world.voiceHolds(), world.user().voiceTokens?.count], ['failed', [], 0]);
        assert.deepEqual(await world.drifts(), []);
      }
      const { token } = await world.mint('r1', { sessionId: 's2' });
      assert.deepEqual([token, world.token('r1', 's2')!.state, world.session('s2').version], ['token-3', 'minted', 3]);
      assert.deepEqual((await mintedTokens('s1')), []);
      assert.deepEqual(await world.drifts(), []);
    });

    it('is not heard of, and nothing after it, stays paid for and is shown to nobody', async () => {
      await world.seed();
      commitsMeet(openGate, lossy, unreachable);
      await assert.rejects(world.mint('r1'), { code: 14 });
      assert.match(JSON.stringify(world.logged), /not taken back/);
      assert.ok(!JSON.stringify([world.logged, world.firestore.dump()]).includes('token-1'));
      await assert.rejects(world.mint('r1'), refusedWith('request_conflict'));
      world.now += 6 * minute;
      await world.lapse();
      assert.equal(world.agent().currentDOFs, 980);
      assert.deepEqual(await world.drifts(), []);
    });

    it('is decided anew when somebody was faster', async () => {
      await world.seed();
      const faster: Gate = async (_io, apply) => {
        await world.firestore.doc('sessions/s1').update({ version: 7 });
        return apply();
      };
      commitsMeet(openGate, faster);
      await world.mint('r1');
      assert.equal(world.session().version, 8);
      assert.deepEqual(await world.drifts(), []);
    });
  });

  it('charges nothing for an attempt that dies before its record, and all of one that dies after it', async () => {
    await world.seed({ sessions: 3 });
    for (const [sessionId, fates, charged] of [['s1', [deaf], 0], ['s2', [openGate, crashed], 0], ['s3', [openGate, deaf], 20]] as const) {
      const before = world.agent().currentDOFs;
      const died = new Promise<void>((resolve) => {
        const dying = fates.at(-1)!;
        commitsMeet(...fates.slice(0, -1), (io, apply) => {
          const never = dying(io, apply);
          resolve();
          return never;
        });
      });
      void world.mint('r1', { sessionId });
      await died;
      assert.deepEqual(await world.drifts(), []);
      world.now += 6 * minute;
      await world.lapse();
      assert.equal(before - world.agent().currentDOFs, charged, sessionId);
      assert.deepEqual([world.voiceHolds(), await world.drifts()], [[], []]);
    }
  });

  it('lets a slow attempt that was tried again neither show its token nor touch the other', async () => {
    await world.seed();
    let second: Promise<unknown> | undefined;
    world.vendor.meanwhile = async () => {
      world.vendor.meanwhile = () => Promise.resolve();
      world.now += attemptMs;
      second = world.mint('r1');
      await second;
    };
    await assert.rejects(world.mint('r1'), refusedWith('contention'));
    assert.deepEqual(await second!.then((answer) => (answer as { token: string }).token), 'token-2');
    assert.deepEqual([world.token('r1')!.state, world.token('r1')!.attempt, world.voiceHolds(), world.user().voiceTokens?.count], ['minted', 2, [world.token('r1')!.holdId], 1]);
    assert.deepEqual(await world.drifts(), []);
  });

  it('does not take an attempt back that began while the one before was being taken back', async () => {
    await world.seed();
    world.vendor.meanwhile = async () => {
      world.vendor.meanwhile = () => Promise.resolve();
      world.now += 6 * minute;
      await world.lapse();
      const faster: Gate = async (_io, apply) => {
        await world.mint('r1');
        return apply();
      };
      commitsMeet(faster);
      throw new AppError('unavailable', 'Busy.', { reason: 'provider_busy' });
    };
    await assert.rejects(world.mint('r1'), refusedWith('provider_busy'));
    assert.deepEqual([world.token('r1')!.state, world.token('r1')!.attempt, world.voiceHolds().length, world.user().voiceTokens?.count], ['minted', 2, 1, 1]);
    assert.deepEqual(await world.drifts(), []);
  });

  it('gives back what it counted, and nothing of what another agent was given meanwhile', async () => {
    await world.seedApart(2);
    world.vendor.meanwhile = () => {
      world.vendor.meanwhile = () => Promise.resolve();
      commitsMeet(async (_io, apply) => {
        await world.mint('r1', { sessionId: 's2' });
        return apply();
      });
      return Promise.reject(new AppError('unavailable', 'Busy.', { reason: 'provider_busy' }));
    };
    await assert.rejects(world.mint('r1'), refusedWith('provider_busy'));
    assert.deepEqual([world.token('r1', 's1')!.state, world.token('r1', 's2')!.state, world.user().voiceTokens?.count], ['failed', 'minted', 1]);
    for (const agentInstanceId of ['a1', 'a2']) assert.deepEqual(await world.drifts(agentInstanceId), []);
  });

  it('lists the tokens of a session that were shown, oldest first', async () => {
    await world.seed({ sessions: 2 });
    await world.mint('z');
    world.vendor.meanwhile = () => Promise.reject(new AppError('unavailable', 'Busy.', { reason: 'provider_busy' }));
    world.now += 6 * minute;
    await assert.rejects(world.mint('m'));
    world.vendor.meanwhile = () => Promise.resolve();
    await world.mint('a');
    await world.mint('other', { sessionId: 's2' });
    assert.deepEqual((await mintedTokens('s1')).map(({ requestId }) => requestId), ['z', 'a']);
  });
});
