import assert from 'node:assert/strict';
import type { Io } from '../../test/memory/io.ts';
import { faultsOf, type Fault } from '../../test/simulator/faults.ts';
import { Broken } from '../../test/simulator/broken.ts';
import { Stage } from '../../test/simulator/stage.ts';
import { ProcessDied } from '../../test/simulator/world.ts';
import type { VoiceTokenProvider } from '../providers/types.ts';
import { AppError } from '../runtime/errors.ts';
import { wait } from '../runtime/system.ts';
import { mintVoiceToken } from './mint.ts';
import type { MintedVoiceToken, VoiceTokenDoc } from './schema.ts';

const minutes = 5;
const price = 10;
const tries = 8;

/** A vendor that takes its time and numbers its tokens. */
class SlowVendor implements VoiceTokenProvider {
  readonly name = 'offline';
  asked = 0;

  async mint({ expiresAt }: { expiresAt: number }): Promise<{ token: string; url: string; expiresAt: number }> {
    this.asked += 1;
    const token = `token-${this.asked}`;
    await wait(300);
    return { token, url: 'wss://live.example', expiresAt };
  }
}

/** A stage on which agents talk, at 2 DOFs a minute and 3 tokens a day, and clients ask for tokens until they are answered. */
class VoiceStage extends Stage {
  readonly vendor = new SlowVendor();
  readonly shown: MintedVoiceToken[] = [];
  readonly refusals: string[] = [];

  async open(): Promise<void> {
    await this.play([]);
    const { firestore } = this.world;
    await this.play([() => this.world.call(this.pool[0]!, () => Promise.all([
      firestore.doc('products/scout').update({ hasVoiceChat: true, voiceId: 'Puck', 'dofRates.voiceMinute': price / minutes }),
      firestore.doc('config/server').update({ 'modelRouting.gemini.live': 'live-m', 'limits.voiceTokensPerDay': 3 }),
    ]))]);
    await this.play([() => this.clients.start('ann', 0, false)]);
  }

  async mint(requestId: string): Promise<void> {
    const sessionId = this.clients.sessions.get('ann')!;
    for (let attempt = 0; attempt < tries; attempt++) {
      const process = this.pool.find(({ alive }) => alive) ?? this.boot();
      const deps = { uid: 'ann', callerGone: new AbortController().signal, provider: () => Promise.resolve(this.vendor) };
      try {
        this.shown.push(await this.world.call(process, () => mintVoiceToken({ sessionId, requestId, minutes }, deps)));
        return;
      } catch (error) {
        const refused = error instanceof AppError && error.code !== 'aborted';
        if (refused) return void this.refusals.push(error.details?.reason ?? error.code);
        if (!(error instanceof AppError || error instanceof ProcessDied || /unavailable/.test((error as Error).message))) throw error;
        await this.pause(5_000);
      }
    }
    throw new Broken(`${requestId} was never answered`);
  }

  tokens(): VoiceTokenDoc[] {
    return Object.entries(this.world.firestore.dump('sessions')).filter(([path]) => path.includes('/voiceTokens/')).map(([, token]) => token as VoiceTokenDoc);
  }

  /** Nothing that was shown is unpaid, and nothing is paid for that was neither shown nor recorded. */
  async end(): Promise<void> {
    await this.curtain();
    const minted = this.tokens().filter(({ state }) => state === 'minted');
    assert.ok(this.shown.length <= minted.length, 'a token was shown without a record');
    const charged = Object.entries(this.world.firestore.dump('users')).filter(([path, { type }]) => path.includes('/ledger/') && type === 'post').map(([, { amount }]) => amount as number);
    assert.deepEqual(charged, minted.map(() => -price));
    assert.equal(this.agent().currentDOFs, 100 - price * minted.length);
    const stored = JSON.stringify([this.world.firestore.dump(), this.world.node(''), this.world.errors]);
    for (let number = 1; number <= this.vendor.asked; number++) assert.ok(!stored.includes(`token-${number}`), 'a token was kept');
  }

  private boot(): Stage['pool'][number] {
    const process = this.world.boot();
    this.pool.push(process);
    return process;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => { this.world.scheduler.after(ms, resolve, null); });
  }
}

/** Plays a minting with a fault at its nth request; tells what requests there were, and what came of it. */
async function strike(fault: Fault, nth: number): Promise<{ requests: Io[]; stage: VoiceStage }> {
  const stage = new VoiceStage();
  try {
    await stage.open();
    const struck = stage.world.boot();
    stage.pool.splice(0, stage.pool.length, struck);
    const requests: Io[] = [];
    stage.world.faultOf = (process, io) => (process === struck && requests.push(io) === nth + 1 ? fault : 'none');
    await stage.play([() => stage.mint('r1')]);
    stage.pool.splice(0, stage.pool.length, stage.world.boot());
    await stage.end();
    return { requests, stage };
  } finally {
    await stage.world.close();
  }
}

describe('voice: a fault at every request of a minting', () => {
  it('shows one token or none, and charges for no more than was recorded', async function () {
    this.timeout(120_000);
    const { requests, stage } = await strike('none', -1);
    assert.deepEqual([stage.shown.length, stage.vendor.asked], [1, 1]);
    const commits = requests.filter(({ kind }) => kind === 'commit').length;
    assert.ok(commits >= 2, 'there is something to strike');
    let lostOnes = 0;
    for (let nth = 0; nth < requests.length; nth++) {
      for (const fault of faultsOf(requests[nth]!)) {
        const what = `${fault} request ${nth}, ${requests[nth]!.kind} ${requests[nth]!.paths.join()}`;
        const { stage: after } = await strike(fault, nth).catch((error: unknown) => { throw new Error(`${what}: ${(error as Error).stack}`); });
        // Only a process that dies between the record and the answer leaves a token that nobody has seen.
        const records = ['/voiceTokens/', 'session.voice_token_minted'].every((part) => requests[nth]!.paths.some((path) => path.includes(part)));
        const lost = fault === 'crash after' && records;
        assert.deepEqual([after.shown.length, after.refusals], lost ? [0, ['request_conflict']] : [1, []], what);
        lostOnes += Number(lost);
        assert.deepEqual(after.tokens().map(({ state }) => state), ['minted'], what);
      }
    }
    assert.equal(lostOnes, 1);
  });
});

describe('voice: tokens that are asked for at once, on four processes', () => {
  it('in one session are one, in each of 20 rounds', async function () {
    this.timeout(120_000);
    for (let seed = 0; seed < 20; seed++) {
      const stage = new VoiceStage({ seed });
      try {
        await stage.open();
        while (stage.pool.length < 4) stage.pool.push(stage.world.boot());
        await stage.play(Array.from({ length: 20 }, (_, index) => () => stage.mint(`r${index}`)), 20);
        assert.deepEqual([stage.shown.length, stage.vendor.asked, stage.refusals], [1, 1, Array<string>(19).fill('voice_token_active')], `seed ${seed}`);
        await stage.end();
      } finally {
        await stage.world.close();
      }
    }
  });

  it('while the session ends are shown and paid for, or neither', async function () {
    this.timeout(120_000);
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const stage = new VoiceStage({ seed });
      try {
        await stage.open();
        await stage.play([() => stage.mint('r1'), () => stage.clients.end('ann')], 2);
        outcomes.add(stage.shown.length === 1 ? 'shown' : String(stage.refusals));
        await stage.end();
        assert.equal(stage.tokens().filter(({ state }) => state === 'minted').length, stage.shown.length, `seed ${seed}`);
      } finally {
        await stage.world.close();
      }
    }
    assert.deepEqual([...outcomes].sort(), ['session_closed', 'shown']);
  });
});
