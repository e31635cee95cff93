import assert from 'node:assert/strict';
import { Timestamp } from 'firebase-admin/firestore';
import type { Io } from '../../test/memory/io.ts';
import { MemoryMedia } from '../../test/memory/media.ts';
import { guest } from '../../test/sharing-world.ts';
import { faultsOf, type Fault } from '../../test/simulator/faults.ts';
import { Stage } from '../../test/simulator/stage.ts';
import type { Process } from '../../test/simulator/world.ts';
import { useStorage } from '../media/load-storage.ts';
import { rememberFact } from '../memory/store.ts';
import { liveDatabase } from '../runtime/firebase.ts';
import { createInvite } from '../sharing/store.ts';
import { deleteSession } from './functions.ts';
import { advanceSummary } from './store-summary.ts';

const context = { emit: () => undefined, signal: new AbortController().signal, caller: guest('ann') };
/** The files that are kept. */
const kept = new MemoryMedia();
const ports = { provider: 'gemini', model: 'embeds' } as const;
/** What is said, shown or kept in the session of a scene; every text of it is to be found somewhere before it is deleted. */
const contents = ['What now?', 'Enemy ahead.', 'planted@example.com', 'planted summary', 'planted fact', 'planted.jpg', 'planted-connection'];

/** A stage on which a session with everything that a session can have ends, and is deleted. */
class DeletionStage extends Stage {
  readonly answers: unknown[] = [];

  get sessionId(): string {
    return this.clients.sessions.get('ann')!;
  }

  /** Plays a session to its end; `minutes` pass before the next sweep. */
  async open(...minutes: number[]): Promise<void> {
    await this.play([() => this.clients.start('ann', 0, false), () => this.turn('t0'), () => this.turn('t1', { frame: true })]);
    await this.play([() => this.on(() => this.plant())]);
    await this.play([() => this.clients.end('ann')]);
    await this.rest(...minutes);
  }

  private async plant(): Promise<void> {
    const { sessionId } = this;
    const { firestore } = this.world;
    await createInvite('ann', { sessionId, role: 'player', email: 'planted@example.com', ttlMinutes: 60 });
    await rememberFact({ uid: 'ann', agentInstanceId: 'ann-0', sessionId, turnId: null }, 'planted fact', ports);
    await rememberFact({ uid: 'ann', agentInstanceId: 'ann-0', sessionId: 'another', turnId: null }, 'another fact', ports);
    await advanceSummary(sessionId, { text: 'planted summary', through: 1 });
    await liveDatabase(sessionId).ref(`presence/${sessionId}/ann/planted-connection`).set({ at: 1 });
    kept.files.clear();
    await kept.put(`sessions/${sessionId}/images/planted.jpg`, Buffer.from('picture'), 'image/jpeg');
    await firestore.doc(`sessions/${sessionId}/media/planted.jpg`).set({ file: 'planted.jpg', type: 'images', mimeType: 'image/jpeg', bytes: 9, turnId: 't', by: 'ann', createdAt: Timestamp.fromMillis(this.world.scheduler.now) });
  }

  on<T>(act: () => Promise<T>, process: Process = this.world.boot()): Promise<T> {
    return this.world.call(process, act);
  }

  /** Asks to delete the session, again after every failure but a refusal. */
  async delete(uid = 'ann'): Promise<void> {
    for (let attempt = 0; attempt < 8; attempt++) {
      const process = this.pool.find(({ alive }) => alive) ?? this.world.boot();
      const answer = await this.on(() => deleteSession.handle({ sessionId: this.sessionId }, { ...context, caller: guest(uid) }), process).then(() => 'deleted', (error: Error & { details?: { reason: string } }) => error.details?.reason ?? 'failed');
      if (answer === 'failed' || answer === 'contention') continue;
      this.answers.push(answer);
      return;
    }
  }

  /** Everything that is stored, but for what changes with every sweep. */
  stored(): string {
    return JSON.stringify([this.world.firestore.dump(), this.world.node(''), [...kept.files.keys()]]);
  }

  /** What was said, shown or kept, as far as it is stored somewhere. */
  found(): string[] {
    const stored = this.stored();
    return contents.filter((text) => stored.includes(text));
  }

  /** Paths below the session, and roots of the live state that know it. */
  left(): string[] {
    const documents = Object.keys(this.world.firestore.dump(`sessions/${this.sessionId}`)).map((path) => path.split('/')[2]!);
    const roots = Object.entries((this.world.node('') ?? {}) as Record<string, Record<string, unknown>>).filter(([, sessions]) => Object.hasOwn(sessions, this.sessionId)).map(([root]) => root);
    return [...new Set(documents), ...roots].sort();
  }

  /** The money of the agent, as it is written. */
  money(): object {
    return Object.fromEntries(Object.entries(this.world.firestore.dump('users/ann/agents')).filter(([path]) => !path.includes('/memories/')));
  }
}

/** Plays a deletion with a fault at its nth request. What is left of it then is for the sweep. */
async function strike(minutes: number[], fault: Fault, nth: number, check: (stage: DeletionStage, before: { money: object; found: string[] }) => Promise<void>): Promise<Io[]> {
  const stage = new DeletionStage();
  try {
    await stage.open(...minutes);
    const before = { money: stage.money(), found: stage.found() };
    const struck = stage.world.boot();
    const requests: Io[] = [];
    stage.world.faultOf = (process, io) => (process === struck && requests.push(io) === nth + 1 ? fault : 'none');
    await stage.play([() => stage.on(() => deleteSession.handle({ sessionId: stage.sessionId }, context), struck).catch(() => undefined)]);
    await check(stage, before);
    return requests;
  } finally {
    await stage.world.close();
  }
}

function keepInMemory(): void {
  before(() => useStorage(kept));
  after(() => useStorage(null));
}

describe('the deletion of a session', () => {
  keepInMemory();
  let stage: DeletionStage;
  beforeEach(() => { stage = new DeletionStage(); });
  afterEach(() => stage.world.close());

  it('takes what was said and shown, and leaves what it cost', async () => {
    await stage.open();
    assert.deepEqual(stage.found(), contents);
    const [money, before] = [stage.money(), stage.sessions()[0]!];
    await stage.play([() => stage.delete()]);
    assert.deepEqual([stage.answers, stage.found(), stage.left()], [['deleted'], [], ['checkpoints']]);
    const { deletedAt, cleanupAt, ...tombstone } = stage.sessions()[0]!;
    assert.equal(deletedAt?.toMillis(), stage.world.scheduler.now);
    assert.ok(cleanupAt, 'somebody may still write: it is looked at again');
    const { deletedAt: _deletedAt, cleanupAt: _cleanupAt, ...rest } = before;
    assert.deepEqual(tombstone, { ...rest, members: {}, memberIds: [], memberCaps: {}, name: null, gameContext: null, version: before.version + 1 });
    assert.deepEqual(stage.money(), money);
    assert.ok(stage.stored().includes('another fact'), 'what the agent remembers of other sessions stays');
    await stage.curtain();
    assert.equal(stage.sessions()[0]!.cleanupAt, null);
  });

  it('is the same once its turns are archived', async () => {
    await stage.open(65);
    assert.deepEqual([stage.left(), stage.sessions()[0]!.cleanupAt], [['checkpoints', 'invites', 'media', 'turns'], null]);
    assert.ok(stage.found().includes('Enemy ahead.'));
    await stage.play([() => stage.delete()]);
    assert.deepEqual([stage.answers, stage.found(), stage.left(), stage.sessions()[0]!.cleanupAt], [['deleted'], [], ['checkpoints'], null]);
  });

  it('of more than one commit can hold is complete', async () => {
    await stage.open(65);
    await stage.play([() => stage.on(async () => {
      const { firestore } = stage.world;
      for (const name of ['imports', 'turns', 'media']) {
        for (let from = 0; from < 1_000; from += 250) {
          const batch = firestore.batch();
          for (let index = from; index < from + 250; index++) batch.set(firestore.doc(`sessions/${stage.sessionId}/${name}/x${index}`), { said: 'What now?' });
          await batch.commit();
        }
      }
    })]);
    const most: number[] = [];
    stage.world.onCommit((changes) => most.push(changes.length));
    await stage.play([() => stage.delete()]);
    assert.deepEqual([stage.found(), stage.left()], [[], ['checkpoints']]);
    assert.equal(Math.max(...most), 400);
  });

  it('again is answered to its former owner alone, and changes nothing', async () => {
    await stage.open(65);
    await stage.play([() => stage.delete()]);
    const before = stage.stored();
    await stage.play([() => stage.delete(), () => stage.delete('ben')]);
    assert.deepEqual([stage.answers, stage.stored()], [['deleted', 'deleted', 'not_found'], before]);
  });

  it('is refused while it is open', async () => {
    await stage.play([() => stage.clients.start('ann', 0, false)]);
    const before = stage.stored();
    await stage.play([() => stage.delete()]);
    assert.deepEqual([stage.answers, stage.stored()], [['session_open'], before]);
  });

  it('lets its last settlement through', async () => {
    await stage.world.close();
    stage = new DeletionStage({ copies: ({ name }) => (name === 'settleCheckpoint' ? 0 : 1) });
    await stage.play([() => stage.clients.start('ann', 0, false), () => stage.turn('t0')]);
    await stage.play([() => stage.dieAfterEnding('ann').catch(() => undefined)]);
    const { settlement, consumedDOFs } = stage.sessions()[0]!;
    assert.equal(settlement, 'pending');
    await stage.play([() => stage.delete()]);
    assert.equal(stage.sessions()[0]!.settlement, 'pending');
    await stage.curtain();
    assert.deepEqual([stage.sessions()[0]!.settlement, stage.sessions()[0]!.settledDOFs, stage.agent().currentDOFs], ['done', consumedDOFs, 100 - consumedDOFs]);
  });

  it('takes what a function wrote that still ran', async () => {
    await stage.open();
    await stage.play([() => stage.delete()]);
    await stage.play([() => stage.on(async () => {
      await liveDatabase(stage.sessionId).ref(`streams/${stage.sessionId}/late`).push({ type: 'chunk', text: 'Enemy ahead.' });
      await rememberFact({ uid: 'ann', agentInstanceId: 'ann-0', sessionId: stage.sessionId, turnId: null }, 'planted fact', ports);
    })]);
    assert.deepEqual(stage.found(), ['Enemy ahead.', 'planted fact']);
    await stage.rest(11);
    assert.deepEqual([stage.found(), stage.left(), stage.sessions()[0]!.cleanupAt], [[], ['checkpoints'], null]);
  });

  it('that meets the sweep leaves nothing behind, in each of 60 rounds', async function () {
    this.timeout(120_000);
    const archived = new Set<boolean>();
    for (let seed = 0; seed < 60; seed++) {
      const scene = new DeletionStage({ seed });
      try {
        await scene.open();
        let pages = 0;
        scene.world.onCommit((changes) => { pages += changes.filter(({ path, after }) => path.includes('/turns/') && after).length; });
        await scene.play([() => scene.pass(61)]);
        await scene.play([() => scene.clients.sweep(), () => scene.delete()], 2);
        await scene.rest(1);
        assert.deepEqual([scene.answers, scene.found(), scene.left(), scene.sessions()[0]!.cleanupAt], [['deleted'], [], ['checkpoints'], null], `seed ${seed}`);
        archived.add(pages > 0);
      } finally {
        await scene.world.close();
      }
    }
    assert.equal(archived.size, 2, 'now the sweep was faster, now the deletion');
  });
});

describe('a fault at every request of a deletion', () => {
  keepInMemory();
  for (const [what, minutes] of [['with its live state', []], ['that is archived', [65]]] as const) {
    it(`of a session ${what} leaves a session as it was, or one that the sweep deletes`, async function () {
      this.timeout(120_000);
      const requests = await strike([...minutes], 'none', -1, (stage) => Promise.resolve(assert.deepEqual(stage.left(), ['checkpoints'])));
      assert.ok(requests.filter(({ writes }) => writes).length >= 5, 'there is something to strike');
      const fates = new Set<string>();
      for (let nth = 0; nth < requests.length; nth++) {
        for (const fault of faultsOf(requests[nth]!)) {
          const told = `${fault} request ${nth}, ${requests[nth]!.kind} ${requests[nth]!.paths.join()}`;
          await strike([...minutes], fault, nth, async (stage, before) => {
            const deleted = stage.sessions()[0]!.deletedAt !== null;
            fates.add(deleted ? 'deleted' : 'as it was');
            if (deleted) await stage.rest(12);
            assert.deepEqual([stage.found(), stage.money()], [deleted ? [] : before.found, before.money], told);
            if (deleted) assert.deepEqual([stage.left(), stage.sessions()[0]!.cleanupAt], [['checkpoints'], null], told);
            stage.pool.splice(0, stage.pool.length, stage.world.boot());
            await stage.curtain();
          });
        }
      }
      assert.deepEqual([...fates].sort(), ['as it was', 'deleted']);
    });
  }
});
