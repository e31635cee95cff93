import assert from 'node:assert/strict';
import { openGate, type Io } from '../../test/memory/io.ts';
import { outcomeOf, TurnsWorld } from '../../test/turns-world.ts';
import { noUsage, type ModelProvider } from '../providers/types.ts';
import { wait } from '../runtime/system.ts';
import { resolveAbandoned } from './posting.ts';

/** What a model says, and how many ms it takes in between. */
type Script = (string | number)[];

function modelThatSays(script: Script): ModelProvider {
  return {
    name: 'offline',
    async *generate() {
      for (const next of script) {
        if (typeof next === 'string') yield { type: 'text', text: next };
        else await wait(next);
      }
      yield { type: 'done', outcome: 'complete', usage: noUsage };
    },
  };
}

describe('live: what members are told of a turn', () => {
  let world: TurnsWorld;
  /** Every write to what members see, and when. */
  let told: { ms: number; paths: string[] }[];
  let begun: number;

  beforeEach(async () => {
    world = new TurnsWorld();
    await world.open();
    told = [];
    begun = world.now;
    const { gate } = world;
    world.gate = (io, apply) => {
      if (io.kind === 'update') told.push({ ms: world.now - begun, paths: shownOf(io) });
      return gate(io, apply);
    };
  });
  afterEach(() => world.close());

  /** Paths that a write changes, without session and turn. */
  const shownOf = ({ paths }: Io): string[] => paths.map((path) => path.replace('/s1', '').replace(/streams\/t\d+/, 'streams')).toSorted();
  const stream = (): unknown[] => Object.values((world.database.dump('streams/s1') ?? {}) as Record<string, object>).flatMap((items) => Object.values(items) as unknown[]);
  const turnShown = (): unknown => world.database.dump('live/s1/turn');
  const ending = ['live/dofs/consumed', 'live/dofs/remaining', 'live/lastActivityAt', 'live/turn'];

  /** Takes a turn whose model says this. */
  async function take(script: Script): Promise<void> {
    const asked = world.turn('r1', { model: modelThatSays(script), by: 'p1' });
    await world.pass(10_000);
    assert.deepEqual(await outcomeOf(asked), [1, 0]);
  }

  it('is one write where it is short, and tells who asked and how it ended', async () => {
    await take([50, 'Left, ', 60, 'now', 39, '.']);
    assert.deepEqual(told, [{ ms: 149, paths: [...ending, 'streams'] }]);
    assert.deepEqual(stream(), [{ type: 'chunk', text: 'Left, now.', by: 'p1' }, { type: 'done', outcome: 'complete', cost: 1 }]);
    assert.deepEqual(turnShown(), { state: 'idle' });
  });

  it('is that it thinks once that takes a quarter of a second', async () => {
    await take([250, 'Left.']);
    assert.deepEqual(told, [{ ms: 250, paths: ['live/turn'] }, { ms: 250, paths: [...ending, 'streams'] }]);
  });

  it('is what it says a tenth of a second after the first words, together with that it speaks', async () => {
    await take(['Left, ', 100, 'now.']);
    assert.deepEqual(told, [{ ms: 100, paths: ['live/turn', 'streams/c0000'] }, { ms: 100, paths: [...ending, 'streams/c0001', 'streams/end'] }]);
    assert.deepEqual(stream(), [{ type: 'chunk', text: 'Left, ', by: 'p1' }, { type: 'chunk', text: 'now.' }, { type: 'done', outcome: 'complete', cost: 1 }]);
  });

  it('is shown to who joins in the middle, thinking or speaking', async () => {
    void world.turn('r1', { model: modelThatSays([1_000, 'Left, ', 1_000, 'now.']), by: 'p1' });
    for (const [ms, state, said] of [[500, 'thinking', []], [1_000, 'speaking', [{ type: 'chunk', text: 'Left, ', by: 'p1' }]]] as const) {
      await world.pass(ms);
      assert.deepEqual([turnShown(), stream()], [{ id: world.meter.turn!.fence, state, by: 'p1' }, said]);
    }
  });

  it('is at most four writes a second, however fast the model, and every word in order', async () => {
    const words = Array.from({ length: 300 }, (_, index) => `${index} `);
    await take(words.flatMap((word) => [word, 10]));
    assert.deepEqual(told.map(({ ms }) => ms), [100, ...Array.from({ length: 11 }, (_, index) => 350 + index * 250), 3_000]);
    assert.equal(stream().map((item) => (item as { text?: string }).text ?? '').join(''), words.join(''));
  });

  it('is told as soon as the first words after a pause', async () => {
    await take(['Left, ', 1_000, 'now', 200, '.']);
    assert.deepEqual(told.map(({ ms }) => ms), [100, 1_100, 1_200]);
  });

  it('ends with half of a character replaced, which no database takes', async () => {
    await take(['Left \ud83d']);
    assert.deepEqual(stream()[0], { type: 'chunk', text: 'Left \ufffd', by: 'p1' });
  });

  it('is nothing more once somebody else has resolved it', async () => {
    const asked = world.turn('r1', { model: modelThatSays([50, 'Left.', 5_000]), by: 'p1' });
    await world.pass(60);
    await resolveAbandoned('s1', world.meter, { idleMs: 0, settleEvery: 1_000 }, world.now);
    await world.pass(10_000);
    assert.equal(await outcomeOf(asked), 'deadline-exceeded provider_timeout');
    assert.deepEqual([told.map(({ ms }) => ms), stream(), turnShown()], [[60], [{ type: 'error', code: 'deadline-exceeded', reason: 'provider_timeout' }], { state: 'idle' }]);
  });

  it('is told from its record where its holder died before it told how it ended', async () => {
    world.gate = (io, apply) => (io.kind === 'update' ? Promise.reject(new Error('the holder has died')) : openGate(io, apply));
    const asked = world.turn('r1', { model: modelThatSays(['Left.', 1_000]), by: 'p1' });
    const { gate } = world;
    let posted = false;
    // Its posting does not come through either.
    world.gate = (io, apply) => {
      posted ||= io.kind === 'update' && io.paths.some((path) => path.endsWith('lastActivityAt'));
      return posted && io.paths.some((path) => path.startsWith('meters/')) ? Promise.reject(new Error('the holder has died')) : gate(io, apply);
    };
    await world.pass(10_000);
    await assert.rejects(asked);
    assert.deepEqual(stream(), []);
    world.gate = openGate;
    await resolveAbandoned('s1', world.meter, { idleMs: 0, settleEvery: 1_000 }, world.now);
    assert.deepEqual(stream(), [{ type: 'chunk', text: 'Left.', by: 'p1' }, { type: 'done', outcome: 'complete', cost: 1 }]);
    assert.deepEqual([turnShown(), world.meter.turn, world.meter.consumed], [{ state: 'idle' }, undefined, 1]);
  });

  it('has what came while the database was away, too, and whole characters', async () => {
    const { gate } = world;
    world.gate = (io, apply) => (io.kind === 'update' && world.now - begun < 1_000 ? Promise.reject(new Error('away')) : gate(io, apply));
    await take(['Left \ud83d', 200, '\ude00', 2_000, 'now.']);
    assert.deepEqual(stream(), [{ type: 'chunk', text: 'Left ', by: 'p1' }, { type: 'chunk', text: '\ud83d\ude00' }, { type: 'chunk', text: 'now.' }, { type: 'done', outcome: 'complete', cost: 1 }]);
  });
});
