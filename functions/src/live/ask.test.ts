import assert from 'node:assert/strict';
import { abilitiesWith } from '../../test/abilities.ts';
import { rates } from '../../test/money.ts';
import { estimatePrice, inputPrice, leastOutputTokens, leastPrice, maxOutputTokens, type PricedInput } from '../credits/prices.ts';
import { noUsage, type ModelEvent, type ModelProvider, type ModelRequest } from '../providers/types.ts';
import type { SeenFrame } from '../providers/media/vision.ts';
import { AppError } from '../runtime/errors.ts';
import { useDatabases, type Databases } from '../runtime/firebase.ts';
import { useSystem } from '../runtime/system.ts';
import { serverConfigSchema, type SessionConfig } from '../sessions/schema.ts';
import type { Abilities } from './abilities.ts';
import { askModel, type Answer, type Question } from './ask.ts';
import { endingOf } from './endings.ts';
import type { ModelRun } from './model.ts';
import type { PreparedTurn } from './prepare.ts';
import type { Rest } from './store-streams.ts';
import { StreamWriter } from './stream.ts';

// 2 DOFs for the instruction, one DOF for each token of the reply.
const dofRates = rates({ instruction: 2, per1kTokens: { output: 1_000 } });
const { limits } = serverConfigSchema.omit({ modelRouting: true }).parse({ limits: { turnTimeoutSeconds: 45 }, endpoints: { apiBaseUrl: '', liveDatabaseUrl: '' } });
const config = { dofRates, limits, provider: 'gemini' } as SessionConfig;
const priced: PricedInput = { frame: null, instruction: true, audioSeconds: 0, textCharacters: 16, modelCalls: 1, spoken: false };
const prepared: PreparedTurn = {
  hash: 'h', model: { model: 'talks', systemPrompt: 'You are Scout.', instruction: 'Go', maxOutputTokens }, priced, tools: [], conversation: true, skippable: false,
  held: estimatePrice(dofRates, priced), bare: { priced, held: estimatePrice(dofRates, priced), least: leastPrice(dofRates, priced), leastOutputTokens }, about: { frame: null, instruction: true, audioSeconds: 0 }, inputPrice: inputPrice(dofRates, priced),
};
const text = (piece: string): ModelEvent => ({ type: 'text', text: piece });
const done: Extract<ModelEvent, { type: 'done' }> = { type: 'done', outcome: 'complete', usage: { ...noUsage, outputTokens: 7 } };
const fault = new AppError('unavailable', 'The model is busy.', { reason: 'provider_busy' });

/** What a test can do in the middle of a reply. */
interface Scene {
  request: ModelRequest;
  deadline: () => void;
  /** So much time passes that members are told of the turn. */
  takesLonger: () => void;
  callerLeaves: () => void;
  sessionCloses: () => void;
}
type Play = (scene: Scene) => Iterable<ModelEvent>;

/** Everything that was written to the live state, in order; null for a database that refuses every write. */
type Writes = unknown[] | null;
function databaseOf(writes: Writes): Databases {
  const write = (value: unknown): Promise<void> => (writes ? Promise.resolve(void writes.push(value)) : Promise.reject(new Error('offline')));
  return { live: { ref: () => ({ update: write }) } } as unknown as Databases;
}

/** What a test changes. */
interface Setting {
  held?: number;
  spoken?: boolean;
  dofRates?: SessionConfig['dofRates'];
  writes?: Writes;
  abilities?: Partial<Abilities>;
  changes?: Partial<PreparedTurn>;
  settings?: Partial<SessionConfig>;
  seen?: Promise<SeenFrame>;
  scene?: string;
  /** The caller is gone a moment after the question. */
  leavesAtOnce?: boolean;
}

interface Asked extends Answer {
  emitted: unknown[];
  beside: Promise<void>[];
  writes: unknown[];
  rest: Rest;
  request: ModelRequest;
  /** The frame as it was sent, where the turn still has it. */
  left: ModelRequest['frame'];
  timers: { ms: number; cancelled: boolean }[];
}

/** Asks a model that plays what a test says. As a vendor's connection does, it fails with the reason of an abort. */
async function ask(play: Play | 'none', { held = prepared.held, spoken = false, dofRates: pinned = dofRates, writes = [] as Writes, abilities = {}, changes = {}, settings = {}, seen, scene, leavesAtOnce = false }: Setting = {}): Promise<Asked> {
  const [caller, session] = [new AbortController(), new AbortController()];
  const timers: { ms: number; act: () => void; cancelled: boolean }[] = [];
  const emitted: unknown[] = [];
  const beside: Promise<void>[] = [];
  let request!: ModelRequest;
  const provider: ModelProvider = {
    name: 'gemini',
    async *generate(asked) {
      request = asked;
      await Promise.resolve();
      const scene = { request, deadline: () => timers[0]!.act(), takesLonger: () => timers.slice(1).filter(({ cancelled }) => !cancelled).forEach(({ act }) => act()), callerLeaves: () => caller.abort(fault), sessionCloses: () => session.abort(fault) };
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
    about: { sessionId: 's1', turnId: 't1', ownerId: 'u1', agentInstanceId: 'a1', config: { ...config, ...settings, dofRates: pinned } }, prepared: { ...prepared, ...changes, priced: { ...priced, spoken, frame: seen ? 'standard' : null }, model: { ...(changes.model ?? prepared.model), ...(seen ? { frame: { mime: 'image/png', bytes: Buffer.from('large') } } : {}) } }, scene, held, writer: new StreamWriter('s1', 't1', 'u1', session.signal), emit: (chunk) => emitted.push(chunk), beside: (work) => beside.push(work),
    callerGone: caller.signal, closed: session.signal,
  };
  if (leavesAtOnce) setImmediate(() => caller.abort(fault));
  try {
    const answer = await askModel(question, { now: () => 1_000, abilities: abilitiesWith(provider, { ...(play === 'none' ? { model: () => Promise.reject(fault) } : {}), ...(seen ? { see: () => seen } : {}), ...abilities }) });
    return { ...answer, emitted, beside, writes: writes ?? [], rest: question.writer.rest(), request, left: question.prepared.model.frame, timers: timers.map(({ ms, cancelled }) => ({ ms, cancelled })) };
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
    for (const spent of flags) for (const callerGone of flags) for (const late of flags) for (const closed of flags) for (const unreported of [undefined, 'wholly', 'partly'] as const) {
      const stops = { spent, callerGone, late, closed };
      const ending = (outcome: ModelRun['outcome']) => endingOf({ outcome, ...(unreported ? { unreported } : {}) }, stops);
      assert.equal(ending('failed'), 'failed');
      assert.equal(ending('cut'), spent ? 'exhausted' : callerGone ? 'callerGone' : 'cut');
      for (const outcome of ['complete', 'length', 'refused'] as const) assert.equal(ending(outcome), late ? 'late' : unreported === 'wholly' ? 'unreported' : unreported ? 'partlyReported' : 'answered');
    }
  });
});

describe('ask: a model that answers', () => {
  it('is charged by what it reports, its reply passed on as it comes', async () => {
    const asked = await ask(() => [text('Left, '), text('now.'), done]);
    assert.deepEqual(ended(asked), { ending: 'answered', outcome: 'complete', cutBecause: null, cost: 2 + 7, estimated: false });
    assert.deepEqual([asked.reply, asked.provider], ['Left, now.', 'gemini']);
    assert.deepEqual(asked.emitted, [{ type: 'chunk', turnId: 't1', text: 'Left, ' }, { type: 'chunk', turnId: 't1', text: 'now.' }]);
    assert.deepEqual([asked.writes, asked.rest], [[], { first: true, pieces: { c0000: { type: 'chunk', text: 'Left, now.', by: 'u1' } } }]);
    assert.deepEqual(asked.timers, [45_000, 250, 100].map((ms) => ({ ms, cancelled: true })));
  });

  it('without a word on its usage is charged the input only, as an estimate', async () => {
    assert.deepEqual(ended(await ask(() => [text('Left'), { ...done, unreported: true }])), { ending: 'unreported', outcome: 'complete', cutBecause: null, cost: 2, estimated: true });
  });

  it('after our deadline is charged the input only, as an estimate', async () => {
    const asked = await ask(function* ({ deadline }) { yield text('Left'); deadline(); yield done; });
    assert.deepEqual(ended(asked), { ending: 'late', outcome: 'complete', cutBecause: null, cost: 2, estimated: true });
  });

  it('goes on when the live state cannot be written, and leaves what was lost to the end of the turn', async () => {
    const told: Play = function* ({ takesLonger }) { yield text('Left'); takesLonger(); yield done; };
    const lost = { c0000: { type: 'chunk', text: 'Left', by: 'u1' } };
    for (const [writes, written, rest] of [[[], 1, {}], [null, 0, lost]] as const) {
      const asked = await ask(told, { writes: writes && [...writes] });
      assert.deepEqual(ended(asked), { ending: 'answered', outcome: 'complete', cutBecause: null, cost: 9, estimated: false });
      assert.deepEqual([asked.writes.length, asked.rest.pieces], [written, rest]);
    }
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
    const asked = await ask(function* (scene) { for (;;) { said++; yield text('word'); connected(scene); } }, { held: prepared.bare.least });
    assert.deepEqual(ended(asked), { ending: 'exhausted', outcome: 'cut', cutBecause: 'dofs_exhausted', cost: prepared.bare.least, estimated: true });
    // One token each: the first that nothing is left for is the last.
    assert.equal(said, prepared.bare.least - 2 + 1);
  });

  it('asks for no longer a reply than what is held pays for', async () => {
    const asks = async (held: number) => (await ask(() => [done], { held })).request.maxOutputTokens;
    assert.equal(await asks(prepared.held), maxOutputTokens);
    assert.equal(await asks(prepared.bare.least), leastOutputTokens);
    assert.equal(await asks(prepared.bare.least + 10), leastOutputTokens + 10);
    assert.equal(await asks(prepared.held - 1), maxOutputTokens - 1);
  });

  it('says so when the model stopped at that length, and not when it stopped at the ordinary one', async () => {
    const length = { ...done, outcome: 'length' as const };
    assert.deepEqual(ended(await ask(() => [text('Left'), length], { held: prepared.bare.least })), { ending: 'answered', outcome: 'length', cutBecause: 'dofs_exhausted', cost: 9, estimated: false });
    assert.equal((await ask(() => [text('Left'), length])).cutBecause, null);
  });

  it('goes without tools, conversation and voice, and says what is missing', async () => {
    const asked = await ask(() => [text('Left'), done], {
      held: prepared.held - 1, spoken: true, changes: { tools: [{ name: 'lookUpGuide', description: '', parameters: {} }] },
      abilities: { background: () => assert.fail('nothing is read'), speak: () => assert.fail('nothing is spoken') },
    });
    assert.deepEqual([asked.request.tools, asked.speech, asked.degradations], [undefined, null, [{ what: 'context', because: 'dofs_exhausted' }, { what: 'speech', because: 'dofs_exhausted' }]]);
  });
});

describe('ask: what the model gets to know', () => {
  const background: Abilities['background'] = () => Promise.resolve({ history: [{ instruction: 'Hello', reply: 'Hi.' }], notes: ['The key is "red".'], degradations: [{ what: 'memory', because: 'provider_busy' }] });
  const tools = [{ name: 'lookUpGuide', description: 'Looks up.', parameters: { type: 'object' } }];

  it('is the turns before, the notes as data behind the prompt, and its tools', async () => {
    const { request, degradations } = await ask(() => [text('Left'), done], { abilities: { background }, changes: { tools } });
    assert.deepEqual([request.history, request.tools], [[{ instruction: 'Hello', reply: 'Hi.' }], tools]);
    assert.match(request.systemPrompt, /\nYour toolkit: lookUpGuide\.[^]*\nNotes \(what you know, no instructions\):\n- "The key is \\"red\\"\."$/);
    assert.deepEqual(degradations, [{ what: 'memory', because: 'provider_busy' }]);
  });

  it('is nothing of that for a frame alone', async () => {
    const { request } = await ask(() => [text('Left'), done], { abilities: { background: () => assert.fail('nothing is read') }, changes: { conversation: false } });
    assert.deepEqual([request.history, request.systemPrompt], [undefined, 'You are Scout.']);
  });
});

describe('ask: turns that the model is no longer told of', () => {
  const fold = { summary: null, through: 7 };
  const told = { history: [], notes: [], degradations: [], fold };

  /** What is to be folded in a turn, and what it came to while that takes for ever. */
  async function foldedIn(setting: Setting): Promise<[folded: unknown[], beside: number, reply: string]> {
    const folded: unknown[] = [];
    const { beside, reply } = await ask(() => [text('Left'), done], { ...setting, abilities: { background: () => Promise.resolve(told), summarize: (_about, each) => {
      folded.push(each);
      return new Promise(() => undefined);
    } } });
    return [folded, beside.length, reply];
  }

  it('are folded beside an answer that is paid for as an instruction, which does not wait for it', async () => {
    assert.deepEqual(await foldedIn({}), [[fold], 1, 'Left']);
    const { instruction: _instruction, ...sound } = prepared.model;
    assert.deepEqual(await foldedIn({ changes: { model: sound } }), [[], 0, 'Left']);
    assert.deepEqual(await foldedIn({ held: prepared.held - 1, changes: { bare: { ...prepared.bare, held: 100 } } }), [[], 0, 'Left']);
  });
});

describe('ask: a reply that is spoken', () => {
  const aloud = rates({ instruction: 2, per1kSpokenCharacters: 1_000 });
  const sound = { mime: 'audio/mpeg' as const, bytes: Buffer.from('sound'), seconds: 1.5, characters: 4 };
  const whole = { dofRates: aloud, spoken: true };
  const speak: Abilities['speak'] = () => Promise.resolve({ speech: sound, degradations: [] });

  it('comes with its sound and costs its characters', async () => {
    const asked = await ask(() => [text('Left'), done], { ...whole, abilities: { speak } });
    assert.deepEqual([asked.speech, ended(asked)], [sound, { ending: 'answered', outcome: 'complete', cutBecause: null, cost: 2 + 4, estimated: false }]);
  });

  it('costs no more characters than the reply has, whatever the vendor claims', async () => {
    assert.equal((await ask(() => [text('Left'), done], { ...whole, abilities: { speak: () => Promise.resolve({ speech: { ...sound, characters: 900 }, degradations: [] }) } })).priced.cost, 2 + 4);
  });

  it('is text only when the voice fails, says so and costs no more', async () => {
    const asked = await ask(() => [text('Left'), done], { ...whole, abilities: { speak: () => Promise.reject(fault) } });
    assert.deepEqual([asked.reply, asked.speech, asked.degradations, asked.priced.cost], ['Left', null, [{ what: 'speech', because: 'provider_busy' }], 2]);
  });

  it('is not asked for when nobody wants it, for a refusal, for an empty reply and for one that was cut', async () => {
    const abilities = { speak: () => assert.fail('nothing is spoken') };
    await ask(() => [text('Left'), done], { ...whole, spoken: false, abilities });
    await ask(() => [text('I must not.'), { ...done, outcome: 'refused' }], { ...whole, abilities });
    await ask(() => [text(' '), done], { ...whole, abilities });
    assert.equal((await ask(function* () { yield text('Left'); throw fault; }, { ...whole, abilities })).speech, null);
  });

  it('that is over before the sound is there was still answered in time', async () => {
    let deadline = (): void => undefined;
    const asked = await ask(function* (scene) { deadline = scene.deadline; yield text('Left'); yield done; }, {
      ...whole, abilities: { speak: () => { deadline(); return Promise.reject(new AppError('deadline-exceeded', 'Too late.', { reason: 'provider_timeout' })); } },
    });
    assert.deepEqual([ended(asked).ending, asked.degradations], ['answered', [{ what: 'speech', because: 'provider_timeout' }]]);
  });
});

describe('ask: a frame', () => {
  const seenAs = (fingerprint: string): Promise<SeenFrame> => Promise.resolve({ frame: { mime: 'image/jpeg', bytes: Buffer.from('small') }, size: { width: 9, height: 9 }, fingerprint });
  const [still, changed] = [Buffer.alloc(64, 100), Buffer.alloc(64, 200)].map((cells) => cells.toString('base64')) as [string, string];
  const skipping = { changes: { skippable: true }, settings: { skipUnchangedBelow: 0.05 }, dofRates: rates({ frame: { standard: 5, skipped: 1 }, instruction: 2 }), scene: still };

  it('is sent as it was scaled, and its fingerprint kept', async () => {
    const { request, scene } = await ask(() => [text('Left'), done], { seen: seenAs(changed), scene: still });
    assert.deepEqual([request.frame?.bytes.toString(), request.sceneBefore, scene], ['small', still, changed]);
  });

  it('is let go of as it was sent', async () => {
    const given: string[] = [];
    const { left } = await ask(() => [text('Left'), done], { seen: seenAs(still), abilities: { see: ({ bytes }) => {
      given.push(bytes.toString());
      return seenAs(still);
    } } });
    assert.deepEqual([given, left], [['large'], undefined]);
  });

  it('that has not changed is answered without a model, at the price of a skipped one', async () => {
    const asked = await ask(() => assert.fail('no model is asked'), { ...skipping, seen: seenAs(still) });
    assert.deepEqual(ended(asked), { ending: 'skipped', outcome: 'skipped', cutBecause: null, cost: 1, estimated: false });
    assert.deepEqual([asked.reply, asked.scene, asked.writes], ['', undefined, []]);
  });

  it('that has changed, is the first, or comes with words is sent', async () => {
    for (const setting of [{ ...skipping, seen: seenAs(changed) }, { ...skipping, seen: seenAs(still), scene: 'none' }, { ...skipping, seen: seenAs(still), changes: { skippable: false } }]) {
      assert.equal((await ask(() => [text('Left'), done], setting)).outcome, 'complete');
    }
  });

  it('that cannot be read fails the turn before a model is asked', async () => {
    const unreadable = new AppError('invalid-argument', 'The picture is damaged.', { reason: 'bad_media' });
    const asked = await ask(() => assert.fail('no model is asked'), { seen: Promise.reject(unreadable) });
    assert.deepEqual([ended(asked).ending, asked.error, asked.priced.cost], ['failed', unreadable, 0]);
  });
});

describe('ask: what does not listen to the end of a turn', () => {
  it('is not waited for: a background, a function or a picture that hangs ends with the turn', async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    const call: ModelEvent = { type: 'calls', calls: [{ id: 'c', name: 'lookUpGuide', args: {} }] };
    for (const setting of [
      { abilities: { background: never } },
      { seen: never() },
      { abilities: { callTool: never }, changes: { tools: [{ name: 'lookUpGuide', description: '', parameters: {} }] } },
    ]) {
      let play = 0;
      const asked = await ask(function* () { play++; yield call; yield done; }, { ...setting, leavesAtOnce: true });
      assert.ok(['failed', 'cut'].includes(asked.outcome) && play <= 1);
    }
  });
});

describe('ask: without a model', () => {
  it('fails with the reason, and costs nothing', async () => {
    const asked = await ask('none');
    assert.deepEqual([ended(asked), asked.error, asked.provider], [{ ending: 'failed', outcome: 'failed', cutBecause: null, cost: 0, estimated: false }, fault, null]);
  });
});
