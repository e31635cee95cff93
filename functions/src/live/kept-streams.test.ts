import assert from 'node:assert/strict';
import { fakeProvider } from '../../test/simulator/provider.ts';
import { outcomeOf, slowModel, TurnsWorld, type TurnParts } from '../../test/turns-world.ts';
import { updateMeter } from './store.ts';

describe('live: the streams of a session', () => {
  let world: TurnsWorld;
  let count: number;

  beforeEach(async () => {
    count = 0;
    world = new TurnsWorld();
    await world.open();
  });
  afterEach(() => world.close());

  /** Takes a turn; answers its id. */
  const turn = async (parts: TurnParts = {}): Promise<string> => {
    const asked = world.turn(`r${++count}`, parts);
    await world.settle();
    const { fence } = world.meter.turn!;
    await world.pass(1_000);
    await outcomeOf(asked);
    return fence;
  };
  const several = async (many: number): Promise<string[]> => {
    const turnIds: string[] = [];
    for (let each = 0; each < many; each++) turnIds.push(await turn());
    return turnIds;
  };
  const kept = (): string[] => Object.keys(world.streams).toSorted();

  it('are those of the last six turns, and of the one in progress', async () => {
    const turnIds = await several(9);
    assert.deepEqual(kept(), turnIds.slice(3).toSorted());
    assert.deepEqual(world.meter.streams, turnIds.slice(3));
    assert.deepEqual(Object.values(world.streams), Array(6).fill(['chunk', 'done']));
    void world.turn('next', { model: slowModel(5_000, 'then right.', 'Left, ') });
    await world.pass(100);
    assert.equal(kept().length, 7);
    await world.pass(5_000);
    assert.equal(kept().length, 6);
  });

  it('are removed by the write that ends a turn, and by no other', async () => {
    const writes: string[] = [];
    const { gate } = world;
    world.gate = (io, apply) => {
      if (io.writes) writes.push(`${io.kind} ${io.paths.filter((path) => path.includes('streams/s1/')).length}`);
      return gate(io, apply);
    };
    const written = async (): Promise<string[]> => {
      writes.length = 0;
      await turn();
      return writes.filter((each) => each.startsWith('update'));
    };
    const first = await written();
    await several(5);
    assert.deepEqual([first, await written()], [['update 0', 'update 1'], ['update 0', 'update 2']]);
  });

  it('know nothing of turns without any text', async () => {
    const turnIds = await several(6);
    await turn({ model: slowModel(500, '') });
    assert.deepEqual([kept(), world.meter.streams, world.meter.consumed], [turnIds.toSorted(), turnIds, 7]);
  });

  it('tell of a turn that failed, without a word of why', async () => {
    const turnIds = await several(6);
    const failed = await turn({ model: fakeProvider('fails at once') });
    assert.deepEqual(world.meter.streams, [...turnIds.slice(1), failed]);
    assert.deepEqual(Object.values(world.database.dump(`streams/s1/${failed}`) as object), [{ type: 'error', by: 'u1', code: 'unavailable', reason: 'provider_busy' }]);
  });

  for (const [how, record, items] of [['died', { state: 'running' }, ['chunk', 'error']], ['had recorded its end and died', { state: 'done', cost: 1 }, ['chunk']]] as const) {
    it(`keep that of a turn whose holder ${how}, and lose the oldest for it`, async () => {
      const turnIds = await several(6);
      await updateMeter('s1', (meter) => ({ ...meter!, turn: { requestId: 'dead', fence: 'd', held: 5, inputPrice: 1, expiresAt: world.now } }));
      await world.database.ref('requests/s1/dead').set({ hash: 'h', expiresAt: world.now - 10_000, turnId: 'd', input: '{}', model: 'm', ...record });
      await world.database.ref('streams/s1/d').push({ type: 'chunk', text: 'Well, ' });
      const next = await turn();
      assert.deepEqual([kept(), world.meter.streams], [[...turnIds.slice(2), 'd', next].toSorted(), [...turnIds.slice(2), 'd', next]]);
      assert.deepEqual(world.streams['d'], items);
    });
  }
});
