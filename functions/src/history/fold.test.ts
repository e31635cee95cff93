import assert from 'node:assert/strict';
import type { PubSub } from '@google-cloud/pubsub';
import type { Firestore } from 'firebase-admin/firestore';
import { abilitiesWith } from '../../test/abilities.ts';
import { createMemoryDatabase, type MemoryDatabase } from '../../test/memory/database.ts';
import { moment } from '../../test/money.ts';
import { freshSession } from '../../test/sharing-world.ts';
import { mostCharacters, weightOf } from '../live/bounds.ts';
import { abilities } from '../live/equip.ts';
import { processFrameInput, type SessionContext } from '../live/schema.ts';
import { openLive } from '../live/store.ts';
import { summaryOf } from '../live/summarize.ts';
import { processTurn } from '../live/turn.ts';
import { noUsage, type ModelProvider, type ModelRequest } from '../providers/types.ts';
import { AppError } from '../runtime/errors.ts';
import { useDatabases } from '../runtime/firebase.ts';
import { useLog } from '../runtime/log.ts';
import { useSystem } from '../runtime/system.ts';
import { foldTurns } from './fold.ts';
import { readSummary } from './store-summary.ts';

const session = { ...freshSession(), heldDOFs: 100_000, startingDOFs: 100_000 };
const { ownerId, agentInstanceId, config, settleEveryDOFs } = session;
const context: SessionContext = { ownerId, agentInstanceId, config: { ...config, limits: { ...config.limits, maxDOFsPerSession: 100_000 } }, settleEveryDOFs: settleEveryDOFs * 1_000 };
/** What only the request for a summary says. */
const isSummary = ({ systemPrompt }: ModelRequest): boolean => systemPrompt.startsWith('You keep the summary');

/** A model that answers what it was asked, and keeps in a summary what it is told to remember. */
class Scripted implements ModelProvider {
  readonly name = 'gemini';
  readonly asked: ModelRequest[] = [];
  /** What becomes of a request for a summary. */
  summarize: (request: ModelRequest) => Promise<string> = ({ instruction }) => {
    const { summary, turns } = JSON.parse(instruction!) as { summary: string; turns: { player: string }[] };
    return Promise.resolve([summary, ...turns.flatMap(({ player }) => /Remember: (.*)$/.exec(player)?.[1] ?? [])].join(' '));
  };

  async *generate(request: ModelRequest): ReturnType<ModelProvider['generate']> & AsyncGenerator {
    this.asked.push(request);
    const text = isSummary(request) ? await this.summarize(request) : `Yes, ${request.instruction}`;
    yield { type: 'text', text };
    yield { type: 'done', outcome: 'complete', usage: { ...noUsage, outputTokens: 1 } };
  }

  /** What the model was asked in turns. */
  turns(): ModelRequest[] {
    return this.asked.filter((request) => !isSummary(request));
  }
}

describe('the summary of a session, turn by turn', () => {
  let database: MemoryDatabase;
  let model: Scripted;
  let now: number;
  let turns: number;

  /** A process that knows nothing but the database. */
  function boot(data?: MemoryDatabase['data']): void {
    database = createMemoryDatabase(data ? { data } : {});
    useDatabases({ live: database, firestore: undefined as unknown as Firestore, pubsub: undefined as unknown as PubSub });
  }
  beforeEach(async () => {
    [now, turns, model] = [moment, 0, new Scripted()];
    useSystem({ now: () => now, newId: () => `turn-${++turns}`, random: () => 0, after: () => () => undefined });
    useLog({ info: () => undefined, warn: () => undefined, write: () => undefined });
    boot();
    await openLive(session);
  });
  afterEach(async () => {
    useDatabases(null);
    useSystem(null);
    useLog(null);
    await database.close();
  });

  /** What deployed turns know and fold, with the scripted model in place of a vendor's. */
  const equipped = () => abilitiesWith(model, {
    background: (about, instruction) => abilities.background(about, instruction),
    summarize: (about, fold) => foldTurns(about.sessionId, fold, (earlier, exchanges) => summaryOf(model, about, earlier, exchanges)),
  });

  async function say(instruction: string): Promise<void> {
    now += 1_000;
    const input = processFrameInput.parse({ sessionId: 's1', requestId: `r${turns + 1}`, instruction });
    const deps = { now: () => now, newId: () => `turn-${++turns}`, abilities: equipped(), endSession: () => Promise.reject(new Error('it goes on')) };
    const { outcome } = await processTurn(input, context, deps, { uid: 'u1', emit: () => undefined, signal: new AbortController().signal });
    assert.equal(outcome, 'complete');
  }
  const chat = async (count: number): Promise<void> => { for (let index = 0; index < count; index++) await say(`How about ${turns + 1}?`); };
  const notesOf = ({ systemPrompt }: ModelRequest): string[] => systemPrompt.split('\n').filter((line) => line.startsWith('- ')).map((line) => JSON.parse(line.slice(2)) as string);

  it('still has in turn 14 what was said in turn 1', async () => {
    await say('Remember: the red key is under the mat');
    await chat(13);
    const last = model.turns().at(-1)!;
    assert.ok(!JSON.stringify(last.history).includes('red key'));
    assert.deepEqual(notesOf(last), ['Earlier in this session: the red key is under the mat']);
    assert.equal(model.asked.filter(isSummary).length, 2);
    assert.deepEqual(await readSummary('s1'), { text: 'the red key is under the mat', through: moment + 12_000 });
  });

  it('has in every turn what was said in any other', async () => {
    await say('Remember: the red key is under the mat');
    await chat(30);
    for (const [index, turn] of model.turns().entries()) assert.ok(index === 0 || JSON.stringify([turn.history, notesOf(turn)]).includes('red key'), `turn ${index + 1}`);
  });

  it('keeps the prompt within its bound over 200 turns, and is written every sixth', async function () {
    this.timeout(60_000);
    const long = 'Remember: 語 "quoted" words that go on. '.repeat(20);
    for (let index = 0; index < 200; index++) await say(`${long}${index}`);
    for (const { systemPrompt, history = [], instruction } of model.turns()) {
      const prompt = systemPrompt.split('\nNotes (')[0]!;
      const read = weightOf(systemPrompt) + weightOf(instruction!) + history.reduce((sum, each) => sum + weightOf(each.instruction) + weightOf(each.reply), 0);
      assert.ok(read <= mostCharacters({ prompt, instruction, conversation: true, notes: false, tools: [], maxOutputTokens: 512 }));
      assert.ok(history.length <= 6);
    }
    assert.equal(notesOf(model.turns().at(-1)!).length, 1);
    // In the seventh turn, and in every sixth from there on.
    assert.equal(model.asked.filter(isSummary).length, Math.floor((200 - 1) / 6));
  });

  it('is the same for an instance that was just started', async () => {
    await say('Remember: the red key is under the mat');
    await chat(13);
    const about = { sessionId: 's1', turnId: 't', ownerId, agentInstanceId, config: context.config, deadlineAt: now + 1, signal: new AbortController().signal };
    const warm = await abilities.background(about, 'And now?');
    const before = database;
    boot(before.data);
    const cold = await abilities.background(about, 'And now?');
    await before.close();
    assert.deepEqual(cold, warm);
    assert.deepEqual([cold.history.length, cold.notes], [6, ['Earlier in this session: the red key is under the mat']]);
  });

  it('goes on without a model: one that fails, refuses, says nothing or is offline', async () => {
    const failure = new AppError('unavailable', 'The model is busy.', { reason: 'provider_busy' });
    const ways: ((fold: Parameters<typeof foldTurns>[1]) => Promise<void>)[] = [
      (fold) => foldTurns('s1', fold, () => Promise.reject(failure)),
      (fold) => foldTurns('s1', fold, () => Promise.resolve(null)),
      (fold) => foldTurns('s1', fold, () => Promise.resolve(' \u200B\n')),
      async (fold) => {
        model.summarize = () => Promise.reject(failure);
        const about = { config: context.config, signal: new AbortController().signal } as Parameters<typeof summaryOf>[1];
        await foldTurns('s1', fold, (earlier, exchanges) => summaryOf(model, about, earlier, exchanges));
      },
      (fold) => foldTurns('s1', fold, (earlier, exchanges) => summaryOf({ name: 'offline', generate: () => { throw new Error('it is not asked'); } }, { config: context.config } as Parameters<typeof summaryOf>[1], earlier, exchanges)),
    ];
    await say('My name is Ada. Listen.');
    await chat(6);
    for (const fold of ways) {
      await database.ref('summaries').remove();
      await fold({ summary: null, through: moment + 2_000 });
      assert.deepEqual(await readSummary('s1'), { text: 'Player: My name is Ada. Agent: Yes, My name is Ada. Player: How about 2? Agent: Yes, How about 2?', through: moment + 2_000 });
    }
  });

  it('only goes forward, however many turns fold at once', async () => {
    await chat(10);
    const write = (text: string) => () => Promise.resolve(text);
    await Promise.all([foldTurns('s1', { summary: null, through: moment + 8_500 }, write('eight')), foldTurns('s1', { summary: null, through: moment + 6_500 }, write('six'))]);
    assert.deepEqual(await readSummary('s1'), { text: 'eight', through: moment + 8_000 });
    await foldTurns('s1', { summary: null, through: moment + 5_500 }, write('five'));
    assert.deepEqual(await readSummary('s1'), { text: 'eight', through: moment + 8_000 });
    await foldTurns('s1', { summary: { text: 'eight', through: moment + 8_000 }, through: moment + 8_500 }, () => Promise.reject(new Error('there is nothing to summarize')));
    assert.deepEqual(await readSummary('s1'), { text: 'eight', through: moment + 8_000 });
  });

  it('takes the last twelve of what failures have left', async () => {
    await chat(20);
    await database.ref('summaries').remove();
    let told: string[] = [];
    await foldTurns('s1', { summary: null, through: moment + 14_000 }, (_earlier, exchanges) => {
      told = exchanges.map(({ instruction }) => instruction);
      return Promise.resolve('all');
    });
    assert.deepEqual(told, Array.from({ length: 12 }, (_, index) => `How about ${index + 3}?`));
  });

  it('does not keep a reply from being told, and is finished with its turn', async () => {
    let write!: (text: string) => void;
    model.summarize = () => new Promise((resolve) => { write = resolve; });
    await chat(6);
    now += 1_000;
    const input = processFrameInput.parse({ sessionId: 's1', requestId: 'r7', instruction: 'And now?' });
    const deps = { now: () => now, newId: () => 'turn-7', abilities: equipped(), endSession: () => Promise.reject(new Error('it goes on')) };
    const told: unknown[] = [];
    let answered = false;
    const turn = processTurn(input, context, deps, { uid: 'u1', emit: (chunk) => told.push(chunk), signal: new AbortController().signal }).finally(() => { answered = true; });
    const isPosted = (): boolean => told.length > 0 && database.dump('meters/s1/turn') === null;
    while (!isPosted()) await new Promise((resolve) => { setImmediate(resolve); });
    assert.deepEqual([answered, await readSummary('s1')], [false, null], 'it is told and paid for by now');
    write('They talked.');
    await turn;
    assert.deepEqual(await readSummary('s1'), { text: 'They talked.', through: moment + 6_000 });
  });
});
