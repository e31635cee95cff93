import assert from 'node:assert/strict';
import { saidRecord } from '../../test/history.ts';
import type { Io } from '../../test/memory/io.ts';
import { faultsOf, type Fault } from '../../test/simulator/faults.ts';
import { Stage } from '../../test/simulator/stage.ts';
import { runSweep } from '../ops/sweep.ts';
import { liveDatabase } from '../runtime/firebase.ts';
import { now } from '../runtime/system.ts';
import type { TurnDoc, TurnPageDoc } from './schema.ts';
import { writePage } from './store-pages.ts';
import { turnsBefore } from './turns.ts';

const turnCount = 120;

/** A stage on which a session ends in which much was said. */
class ArchiveStage extends Stage {
  get sessionId(): string {
    return this.clients.sessions.get('ann')!;
  }

  async open(): Promise<void> {
    // Three turns in every ms.
    const records = Object.fromEntries(Array.from({ length: turnCount }, (_, index) => [`r${index}`, saidRecord({ turnId: `t${(index * 7) % turnCount}`, saidAt: 1_000 + Math.floor(index / 3), cost: index % 4 })]));
    await this.play([() => this.clients.start('ann', 0, false)]);
    await this.play([() => this.world.call(this.world.boot(), () => liveDatabase(this.sessionId).ref(`requests/${this.sessionId}`).set(records))]);
    await this.play([() => this.clients.end('ann'), () => this.pass(61)]);
  }

  /** All that was said, oldest first, as members may read it. */
  async said(): Promise<TurnDoc[]> {
    let turns: TurnDoc[] = [];
    await this.play([async () => { turns = await this.world.call(this.world.boot(), () => turnsBefore(this.sessions()[0]!, 1_000, null)); }]);
    return turns.reverse();
  }

  pages(): TurnPageDoc[] {
    return Object.values(this.world.firestore.dump(`sessions/${this.sessionId}/turns`)) as TurnPageDoc[];
  }

  /** Whether every trace of the live state is gone. */
  isGone(): boolean {
    return !JSON.stringify(this.world.node('')).includes(this.sessionId);
  }
}

/** Plays a sweep of a session that is long over with a fault at its nth request, then one without. */
async function strike(fault: Fault, nth: number): Promise<{ requests: Io[]; outcome: object }> {
  const stage = new ArchiveStage();
  try {
    await stage.open();
    const before = await stage.said();
    const struck = stage.world.boot();
    const requests: Io[] = [];
    stage.world.faultOf = (process, io) => (process === struck && requests.push(io) === nth + 1 ? fault : 'none');
    await stage.play([() => stage.world.call(struck, () => runSweep(now)).catch(() => undefined)]);
    stage.world.faultOf = () => 'none';
    assert.deepEqual(await stage.said(), before, 'nothing is removed before it is written');
    await stage.rest(1);
    return { requests, outcome: { before, after: await stage.said(), pages: stage.pages(), gone: stage.isGone(), cleanupAt: stage.sessions()[0]!.cleanupAt } };
  } finally {
    await stage.world.close();
  }
}

describe('the archive of a session', () => {
  it('has every turn in its order, in pages, and the live state goes', async () => {
    const { outcome } = await strike('none', -1);
    const { before, after, pages, gone, cleanupAt } = outcome as { before: TurnDoc[]; after: TurnDoc[]; pages: TurnPageDoc[]; gone: boolean; cleanupAt: unknown };
    assert.equal(before.length, turnCount);
    assert.deepEqual(before, before.toSorted((a, b) => a.at - b.at || (a.turnId < b.turnId ? -1 : 1)));
    assert.deepEqual(after, before);
    assert.deepEqual(pages.map(({ turns }) => turns.length), [50, 50, 20]);
    assert.deepEqual(pages.map(({ firstAt, turns }) => firstAt - turns[0]!.at), [0, 0, 0]);
    assert.deepEqual([gone, cleanupAt], [true, null]);
  });

  it('is not cut short by a sweep that began to read it before another one was done', async () => {
    const stage = new ArchiveStage();
    await stage.open();
    const said = await stage.said();
    await stage.play([() => stage.world.call(stage.world.boot(), async () => {
      for (const turns of [said.slice(0, 50), said.slice(0, 49)]) assert.equal(await writePage(stage.sessionId, 0, turns), true);
    })]);
    assert.deepEqual(stage.pages().map(({ turns }) => turns), [said.slice(0, 50)]);
    await stage.world.close();
  });

  it('comes to the same with a fault at every request of the sweep', async function () {
    this.timeout(120_000);
    const { requests, outcome } = await strike('none', -1);
    assert.ok(requests.filter(({ kind }) => kind === 'commit').length >= 4, 'there is something to strike');
    for (let nth = 0; nth < requests.length; nth++) {
      for (const fault of faultsOf(requests[nth]!)) {
        const told = `${fault} request ${nth}, ${requests[nth]!.kind} ${requests[nth]!.paths.join()}`;
        const struck = await strike(fault, nth).catch((error: unknown) => { throw new Error(`${told}: ${(error as Error).stack}`); });
        assert.deepEqual(struck.outcome, outcome, told);
      }
    }
  });
});
