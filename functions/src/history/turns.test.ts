import assert from 'node:assert/strict';
import fc from 'fast-check';
import { saidRecord } from '../../test/history.ts';
import { openGate, type Io } from '../../test/memory/io.ts';
import { at } from '../../test/money.ts';
import { freshSession, SharingWorld } from '../../test/sharing-world.ts';
import { parseCursor, toCursor } from '../runtime/cursor.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { cleanUp } from './cleanup.ts';
import { positionOf, toTurn } from './history.ts';
import type { TurnDoc } from './schema.ts';
import { allTurns, missedTurns, turnsBefore } from './turns.ts';

describe('the turns of a session', () => {
  let world: SharingWorld;
  let read: Io[];
  beforeEach(async () => {
    world = new SharingWorld();
    await world.seed();
    read = [];
  });
  afterEach(() => world.close());

  /** Lets turns be answered at these moments (ms); answers them in their order. Frames between them say nothing. */
  async function say(moments: number[]): Promise<TurnDoc[]> {
    const records = moments.map((saidAt, index) => saidRecord({ turnId: `t${(index * 7_919) % 1_000}x${index}`, saidAt, ...(index % 3 === 1 ? { by: 'u2' } : {}) }));
    const { said: _said, saidAt: _saidAt, ...frame } = saidRecord({ turnId: 'frame', saidAt: 3 });
    await world.database.ref('requests/s1').set({ frame, ...Object.fromEntries(records.map((record, index) => [`r${index}`, record])) });
    return records.map((record) => toTurn(record, 'u1')).sort((a, b) => a.at - b.at || (a.turnId < b.turnId ? -1 : 1));
  }

  /** Ends the session and lets the sweep archive it. */
  async function archive(): Promise<SessionDoc> {
    await world.firestore.doc('sessions/s1').update({ status: 'ended', closeReason: 'user', settlement: 'done', endedAt: at(world.now), cleanupAt: at(world.now) });
    await cleanUp(world.session(), () => world.now);
    assert.equal(world.database.dump('requests/s1'), null);
    return world.session();
  }

  /** Pages as a client gets them: each goes on at the cursor of the one before. `between` happens after the first one. */
  async function paged(limit: number, between: () => Promise<unknown> = () => Promise.resolve()): Promise<TurnDoc[]> {
    const turns: TurnDoc[] = [];
    for (let cursor: string | null = null, pages = 0; pages === 0 || cursor !== null; pages++) {
      const found = await turnsBefore(world.session(), limit + 1, cursor === null ? null : parseCursor(cursor));
      turns.push(...found.slice(0, limit));
      cursor = found.length > limit ? toCursor(positionOf(found[limit - 1]!)) : null;
      if (pages === 0) await between();
    }
    return turns;
  }
  async function gather(parts: AsyncIterable<TurnDoc[]>): Promise<TurnDoc[]> {
    const turns: TurnDoc[] = [];
    for await (const part of parts) turns.push(...part);
    return turns;
  }

  it('are neither lost nor repeated on any page, before and after the archive and across it, however many fall into one ms', async function () {
    this.timeout(60_000);
    // Few moments, so that many are the same.
    await fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), async (moments, limit) => {
      await world.firestore.doc('sessions/s1').set(freshSession());
      for (const path of Object.keys(world.firestore.dump('sessions/s1/turns'))) await world.firestore.doc(path).delete();
      const turns = await say(moments);
      const newestFirst = turns.toReversed();
      assert.deepEqual(await paged(limit), newestFirst);
      assert.deepEqual(await gather(allTurns(world.session())), turns);
      assert.deepEqual(await paged(limit, archive), newestFirst);
      assert.deepEqual(await paged(limit), newestFirst);
      assert.deepEqual(await gather(allTurns(world.session())), turns);
    }), { numRuns: 40 });
  });

  it('are all read, page by page of the archive', async () => {
    const turns = await say(Array.from({ length: 230 }, (_, index) => 1 + Math.floor(index / 2)));
    const session = await archive();
    assert.deepEqual(await gather(allTurns(session)), turns);
    assert.deepEqual(await paged(100), turns.toReversed());
    world.gate = (io, apply) => {
      read.push(io);
      return openGate(io, apply);
    };
    await turnsBefore(session, 21, null);
    assert.deepEqual(read.map(({ kind, paths }) => [kind, ...paths]), [['query', 'sessions/s1/turns']], 'the last page has 30');
  });

  it('are read without Firestore while the session is open, with or without turns', async () => {
    world.gate = () => Promise.reject(new Error('nothing is read'));
    assert.deepEqual(await turnsBefore(freshSession(), 5, null), []);
    const turns = await say([1, 2, 3]);
    assert.deepEqual(await turnsBefore(freshSession(), 5, null), turns.toReversed());
  });

  it('go on in the pages when the live state is removed in the middle of an export', async () => {
    const turns = await say(Array.from({ length: 120 }, (_, index) => 1 + Math.floor(index / 2)));
    const parts: TurnDoc[][] = [];
    for await (const part of allTurns(world.session())) {
      if (parts.push(part) === 1) await archive();
    }
    assert.deepEqual(parts.flat(), turns);
    assert.ok(parts.length > 2);
  });

  it('are as many as a client is told of that comes back', async () => {
    assert.deepEqual(await missedTurns(world.session(), undefined), []);
    const turns = await say(Array.from({ length: 30 }, (_, index) => 1 + Math.floor(index / 2)));
    assert.deepEqual(await missedTurns(world.session(), undefined), turns.slice(-20));
    assert.deepEqual(await missedTurns(world.session(), turns[25]!.turnId), turns.slice(26));
    assert.deepEqual(await missedTurns(world.session(), turns[29]!.turnId), []);
    assert.deepEqual(await missedTurns(world.session(), turns[3]!.turnId), turns.slice(-20), 'one that is too long ago is not known');
  });
});
