import assert from 'node:assert/strict';
import { rates } from '../../test/money.ts';
import { estimatePrice, inputPrice, leastOutputTokens, leastPrice, maxOutputTokens, type PricedInput } from '../credits/prices.ts';
import { noUsage, type ModelEvent, type ModelProvider, type ModelRequest } from '../providers/types.ts';
import { AppError } from '../runtime/errors.ts';
import { useDatabases, type Databases } from '../runtime/firebase.ts';
import { useSystem } from '../runtime/system.ts';
import { serverConfigSchema, type SessionConfig } from '../sessions/schema.ts';
import { askModel, endingOf, type Answer, type Question } from './ask.ts';
import type { PreparedTurn } from './prepare.ts';

// 2 DOFs for the instruction, one DOF for each token of the reply.
const dofRates = rates({ instruction: 2, per1kTokens: { output: 1_000 } });
const { limits } = serverConfigSchema.omit({ modelRouting: true }).parse({ limits: { turnTimeoutSeconds: 45 }, endpoints: { apiBaseUrl: '', liveDatabaseUrl: '' } });
const config = { dofRates, limits, provider: 'gemini' } as SessionConfig;
const priced: PricedInput = { frame: null, instruction: true, audioSeconds: 0, textCharacters: 16, spoken: false };
const prepared: PreparedTurn = {
  hash: 'h', model: { model: 'talks', systemPrompt: 'You are Scout.', instruction: 'Go', maxOutputTokens }, priced, held: estimatePrice(dofRates, priced), least: leastPrice(dofRates, priced),
  leastOutputTokens, about: { frame: null, instruction: true, audioSeconds: 0 }, inputPrice: inputPrice(dofRates, priced),
};
const text = (piece: string): ModelEvent => ({ type: 'text', text: piece });
const done: Extract<ModelEvent, { type: 'done' }> = { type: 'done', outcome: 'complete', usage: { ...noUsage, outputTokens: 7 } };
const fault = new AppError('unavailable', 'The model is busy.', { reason: 'provider_busy' });

/** What a test can do in the middle of a reply. */
interface Scene {
  request: ModelRequest;
  deadline: () => void;
  callerLeaves: () => void;
  sessionCloses: () => void;
}
type Play = (scene: Scene) => Iterable<ModelEvent>;

/** Everything that was written to the live state, in order; null for a database that refuses every write. */
type Writes = unknown[] | null;
function databaseOf(writes: Writes): Databases {
  const write = (value: unknown): Promise<void> => (writes ? Promise.resolve(void writes.push(value)) : Promise.reject(new Error('offline')));
  const node = { update: write, push: write, child: () => node };
  return { live: { ref: () => node } } as unknown as Databases;
}

interface Asked extends Answer {
  emitted: unknown[];
  writes: unknown[];
  request: ModelRequest;
  timers: { ms: number; cancelled: boolean }[];
}

/** Asks a model that plays what a test says. As a vendor's connection does, it fails with the reason of an abort. */
async function ask(play: Play | 'none', { held = prepared.held, spoken = false, dofRates: pinned = dofRates, writes = [] as Writes }: { held?: number; spoken?: boolean; dofRates?: SessionConfig['dofRates']; writes?: Writes } = {}): Promise<Asked> {
  const [caller, session] = [new AbortController(), new AbortController()];
  const timers: { ms: number; act: () => void; cancelled: boolean }[] = [];
  const emitted: unknown[] = [];
  let request!: ModelRequest;
  const provider: ModelProvider = {
    name: 'gemini',
    async *generate(asked) {
      request = asked;
      await Promise.resolve();
      const scene = { request, deadline: () => timers[0]!.act(), callerLeaves: () => caller.abort(fault), sessionCloses: () => session.abort(fault) };
      if (play !== 'none') yield* play(scene);
    },
  };
  useDatabases(databaseOf(writes));
  useSystem({
    now: () => 1_000, newId: () => 'id', random: () => 0,
    after(ms, act) {
      const timer = { ms, act, cancelled: false };
      timers.push(timer);
      return () => { timer.cancelled = true; };
    },
  });
  const question: Question = {
    sessionId: 's1', turnId: 't1', prepared: { ...prepared, priced: { ...priced, spoken } }, config: { ...config, dofRates: pinned }, held, uid: 'u1', emit: (chunk) => emitted.push(chunk),
    callerGone: caller.signal, closed: session.signal,
  };
  try {
    const answer = await askModel(question, { now: () => 1_000, provider: () => (play === 'none' ? Promise.reject(fault) : Promise.resolve(provider)) });
    return { ...answer, emitted, writes: writes ?? [], request, timers: timers.map(({ ms, cancelled }) => ({ ms, cancelled })) };
  } finally {
    useDatabases(null);
    useSystem(null);
  }
}
/** Fails as a connection does once its signal is aborted. */
const connected = ({ request }: Scene): void => request.signal.throwIfAborted();
const ended = ({ ending, outcome, cutBecause, priced: { cost, estimated } }: Answer) => ({ ending, outcome, cutBecause, cost, estimated });

describe('ask: which row of the charge policy a turn is', () => {
  it('is decided for every way in which a call can end', () => {
    const flags = [true, false];
    for (const spent of flags) for (const callerGone of flags) for (const late of flags) for (const closed of flags) for (const unreported of flags) {
      const stops = { spent, callerGone, late, closed };
      const ending = (outcome: Answer['outcome']) => endingOf({ outcome, ...(unreported ? { unreported: true as const } : {}) }, stops);
      assert.equal(ending('failed'), 'failed');
      assert.equal(ending('cut'), spent ? 'exhausted' : callerGone ? 'callerGone' : 'cut');
      for (const outcome of ['complete', 'length', 'refused'] as const) assert.equal(ending(outcome), late ? 'late' : unreported ? 'unreported' : 'answered');
    }
  });
});

describe('ask: a model that answers', () => {
  it('is charged by what it reports, its reply passed on as it comes', async () => {
    const asked = await ask(() => [text('Left, '), text('now.'), done]);
    assert.deepEqual(ended(asked), { ending: 'answered', outcome: 'complete', cutBecause: null, cost: 2 + 7, estimated: false });
    assert.deepEqual([asked.reply, asked.provider], ['Left, now.', 'gemini']);
    assert.deepEqual(asked.emitted, [{ type: 'chunk', turnId: 't1', text: 'Left, ' }, { type: 'chunk', turnId: 't1', text: 'now.' }]);
    assert.deepEqual(asked.writes.map((write) => (write as { text?: string }).text ?? write), [{ turn: { id: 't1', state: 'thinking', by: 'u1' } }, { 'turn/state': 'speaking' }, 'Left, ', 'now.']);
    assert.deepEqual(asked.timers, [{ ms: 45_000, cancelled: true }]);
  });

  it('without a word on its usage is charged the input only, as an estimate', async () => {
    assert.deepEqual(ended(await ask(() => [text('Left'), { ...done, unreported: true }])), { ending: 'unreported', outcome: 'complete', cutBecause: null, cost: 2, estimated: true });
  });

  it('after our deadline is charged the input only, as an estimate', async () => {
    const asked = await ask(function* ({ deadline }) { yield text('Left'); deadline(); yield done; });
    assert.deepEqual(ended(asked), { ending: 'late', outcome: 'complete', cutBecause: null, cost: 2, estimated: true });
  });

  it('goes on when the live state cannot be written', async () => {
    assert.deepEqual(ended(await ask(() => [text('Left'), done], { writes: null })), { ending: 'answered', outcome: 'complete', cutBecause: null, cost: 9, estimated: false });
  });
});

describe('ask: a reply that is cut', () => {
  const cut = (stop: (scene: Scene) => void) => ask(function* (scene) { yield text('Left, now.'); stop(scene); connected(scene); yield done; });
  // 10 characters are 3 tokens by the rule of the estimate.
  const expected = { outcome: 'cut', cost: 2 + 3, estimated: true };

  it('by its deadline is charged what was generated', async () => {
    assert.deepEqual(ended(await cut(({ deadline }) => deadline())), { ...expected, ending: 'cut', cutBecause: 'deadline' });
  });

  it('by a caller who left is charged what was generated', async () => {
    assert.deepEqual(ended(await cut(({ callerLeaves }) => callerLeaves())), { ...expected, ending: 'callerGone', cutBecause: 'caller_gone' });
  });

  it('by the end of the session is charged what was generated', async () => {
    assert.deepEqual(ended(await cut(({ sessionCloses }) => sessionCloses())), { ...expected, ending: 'cut', cutBecause: 'session_closed' });
  });

  it('by a fault of the vendor is charged what was generated', async () => {
    const asked = await cut(() => { throw fault; });
    assert.deepEqual(ended(asked), { ...expected, ending: 'cut', cutBecause: 'provider_fault' });
    assert.equal(asked.error, fault);
  });

  it('before any of it was said is a failure, and free', async () => {
    for (const stop of ['deadline', 'callerLeaves', 'sessionCloses'] as const) {
      const asked = await ask(function* (scene) { scene[stop](); connected(scene); yield done; });
      assert.deepEqual(ended(asked), { ending: 'failed', outcome: 'failed', cutBecause: null, cost: 0, estimated: false });
    }
  });
});

describe('ask: a turn that is near the end of its session', () => {
  it('is cut as soon as its reply has used up what is held, says so, and costs exactly that', async () => {
    let said = 0;
    const asked = await ask(function* (scene) { for (;;) { said++; yield text('word'); connected(scene); } }, { held: prepared.least });
    assert.deepEqual(ended(asked), { ending: 'exhausted', outcome: 'cut', cutBecause: 'dofs_exhausted', cost: prepared.least, estimated: true });
    // One token each: the first that nothing is left for is the last.
    assert.equal(said, prepared.least - 2 + 1);
  });

  it('asks for no longer a reply than what is held pays for', async () => {
    const asks = async (held: number) => (await ask(() => [done], { held })).request.maxOutputTokens;
    assert.equal(await asks(prepared.held), maxOutputTokens);
    assert.equal(await asks(prepared.least), leastOutputTokens);
    assert.equal(await asks(prepared.least + 10), leastOutputTokens + 10);
    assert.equal(await asks(prepared.held - 1), maxOutputTokens - 1);
  });

  it('says so when the model stopped at that length, and not when it stopped at the ordinary one', async () => {
    const length = { ...done, outcome: 'length' as const };
    assert.deepEqual(ended(await ask(() => [text('Left'), length], { held: prepared.least })), { ending: 'answered', outcome: 'length', cutBecause: 'dofs_exhausted', cost: 9, estimated: false });
    assert.equal((await ask(() => [text('Left'), length])).cutBecause, null);
  });

  it('counts what is spoken aloud', async () => {
    const aloud = rates({ instruction: 2, per1kSpokenCharacters: 1_000 });
    const say = (scene: Scene) => (function* () { yield text('Left'); connected(scene); yield text('now'); connected(scene); yield done; })();
    assert.equal((await ask(say, { dofRates: aloud })).priced.cost, 2);
    assert.equal((await ask(say, { dofRates: aloud, spoken: true })).priced.cost, 2 + 7);
    assert.deepEqual(ended(await ask(say, { dofRates: aloud, spoken: true, held: 5 })), { ending: 'exhausted', outcome: 'cut', cutBecause: 'dofs_exhausted', cost: 5, estimated: true });
  });
});

describe('ask: without a model', () => {
  it('fails with the reason, and costs nothing', async () => {
    const asked = await ask('none');
    assert.deepEqual([ended(asked), asked.error, asked.provider], [{ ending: 'failed', outcome: 'failed', cutBecause: null, cost: 0, estimated: false }, fault, null]);
  });
});
