import assert from 'node:assert/strict';
import { keptStreams } from '../src/live/kept-streams.ts';
import { Crowd, type Ear, type Shared, type ShownLive, type ShownStreams } from './crowd.ts';
import { deploy, endInstances, type Instance } from './deployed.ts';
import { admin, closeClients, eventually, refusal, type Client } from './harness.ts';

after(async () => {
  await endInstances();
  await closeClients();
});

/** Guests of each session, by number: one is in two of them. The owner of the last is a guest of the second. */
const guestsOf = [[0, 1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11], [12, 0], []];

let instances: Instance<'processFrame'>[];
before(async () => {
  instances = await Promise.all([deploy('processFrame'), deploy('processFrame')]);
});

const inOrder = (crowd: Crowd, session: Shared) => crowd.spoken.filter((turn) => turn.session === session).toSorted((a, b) => a.data.consumedDOFs - b.data.consumedDOFs);
const lastLive = (ear: Ear): ShownLive => ear.values.at(-1) as ShownLive;

/** Everybody who is in a session, but for one, says something and then shows a frame, twice, all at once and under the same request ids. */
async function talk(crowd: Crowd, name: string, except: Client | null = null): Promise<void> {
  await Promise.all(crowd.sessions.flatMap((session) => session.members.filter((client) => client !== except).map(async (client, index) => {
    for (const [number, frame] of [undefined, index, undefined, index].entries()) await crowd.speak(client, session, `${name}-${number + 1}`, frame);
  })));
}

/** Waits until every listener of a member has heard of the end of the last turn. */
async function hushed(crowd: Crowd): Promise<void> {
  const heard = ({ session, root, values, errors }: Ear): boolean => errors.length > 0 || (root === 'live'
    ? lastLive({ values } as Ear).turn.state === 'idle' && lastLive({ values } as Ear).dofs.consumed === inOrder(crowd, session).at(-1)!.data.consumedDOFs
    : root === 'presence' || inOrder(crowd, session).slice(-keptStreams).every(({ data: { turnId } }) => isOver((values.at(-1) as ShownStreams)[turnId])));
  await eventually(() => crowd.ears.every(heard), 'everybody has heard everything');
}

function isOver(items: ShownStreams[string] = {}): boolean {
  return Object.values(items).some(({ type }) => type !== 'chunk');
}

/** Fails when a client was shown anything of a session that it is no member of, or anything of another session in one that it is a member of. Answers how many values were looked at. */
function assertSeparate(crowd: Crowd): number {
  for (const { client, session, root, values, errors } of crowd.ears.filter(({ member }) => !member)) {
    assert.deepEqual([values, errors.map(({ message }) => /permission[-_ ]denied/i.test(message))], [[], [true]], `${client.uid} listens to ${root} of ${session.sessionId}`);
  }
  const shown = crowd.ears.flatMap((ear) => ear.values.map((value) => ({ ...ear, text: JSON.stringify(value) })));
  for (const { client, session, root, text } of shown) assert.deepEqual(crowd.strangeIn(text, session), [], `${client.uid} is shown ${root} of ${session.sessionId}`);
  for (const { client, session, word, chunks, data } of crowd.spoken) {
    assert.ok(data.reply.includes(word) && data.reply.includes(session.word), `${client.uid} is answered what it said`);
    assert.deepEqual(crowd.strangeIn(JSON.stringify([chunks, data]), session), [], `${client.uid} is answered in ${session.sessionId}`);
  }
  return shown.length;
}

/** Fails when turns of a session overlap for anybody who watches it, or do not add up. */
function assertSerial(crowd: Crowd): void {
  for (const session of crowd.sessions) {
    const turns = inOrder(crowd, session);
    const totals = turns.map(({ data }) => data.consumedDOFs);
    assert.deepEqual(totals, turns.map((_, index) => turns.slice(0, index + 1).reduce((sum, { data }) => sum + data.costDOFs, 0)), 'each total is the one before and the cost');
    // The model of a turn is told of those before it, and of no other session's.
    assert.deepEqual(turns.map(({ data }) => Number(/I know (\d+) earlier/.exec(data.reply)?.[1] ?? 0)), turns.map((_, index) => Math.min(index, 6)));
    const asked = new Map(turns.map(({ client, data }) => [data.turnId, client.uid]));
    for (const ear of crowd.ears.filter((each) => each.session === session && each.member)) {
      if (ear.root === 'live') assertLive(ear.values as ShownLive[], asked, totals);
      if (ear.root === 'streams') for (const value of ear.values as (ShownStreams | null)[]) assert.ok(Object.values(value ?? {}).filter((items) => !isOver(items)).length <= 1, 'one turn speaks at a time');
    }
  }
}

function assertLive(values: ShownLive[], asked: Map<string, string>, totals: number[]): void {
  const turns = values.flatMap(({ turn }) => (turn.id === undefined ? [] : [turn]));
  for (const { id, by } of turns) assert.equal(asked.get(id!), by, 'the turn is shown as that of who asked');
  const order = turns.map(({ id }) => id).filter((id, index, ids) => id !== ids[index - 1]);
  assert.equal(new Set(order).size, order.length, 'no turn comes back after another has begun');
  const consumed = values.map(({ dofs }) => dofs.consumed);
  assert.deepEqual(consumed, consumed.toSorted((a, b) => a - b));
  assert.deepEqual(consumed.filter((each) => each > 0 && !totals.includes(each)), []);
}

describe('two clients with a session each', () => {
  it('are shown their own and nothing of the other', async function () {
    this.timeout(120_000);
    const crowd = new Crowd();
    crowd.instances = instances;
    await crowd.open();
    await crowd.open();
    for (const client of crowd.clients) await crowd.listen(client);
    for (const session of crowd.sessions) await crowd.appear(session.owner, session);
    await talk(crowd, 'hello');
    await hushed(crowd);
    assert.ok(assertSeparate(crowd) > 20);
    assertSerial(crowd);
  });
});

describe('twenty clients in five sessions', () => {
  const crowd = new Crowd();
  let strangers: Client[];
  /** Somebody who joins a second session while everybody talks, and somebody who is removed then. */
  let late: Client;
  let removed: Client;
  /** What the one who is removed has heard until it was told so. */
  let heard: number[];
  const earsOf = (client: Client, session: Shared): Ear[] => crowd.ears.filter((ear) => ear.client === client && ear.session === session);
  const isIn = (client: Client, session: Shared): boolean => session.members.includes(client) && client !== removed;

  before(async function () {
    this.timeout(240_000);
    crowd.instances = instances;
    for (const _ of guestsOf) await crowd.open();
    const guests = await crowd.add(15);
    for (const [index, numbers] of guestsOf.entries()) for (const number of numbers) await crowd.join(crowd.sessions[index]!, guests[number]!);
    await crowd.join(crowd.sessions[1]!, crowd.sessions[4]!.owner);
    [strangers, late, removed] = [guests.slice(13), guests[12]!, guests[4]!];
    await Promise.all(crowd.clients.map((client) => crowd.listen(client)));
    // One after the other: each of them starts a process of the emulator.
    for (const session of crowd.sessions) {
      for (const client of session.members) {
        await crowd.appear(client, session);
        const live = earsOf(client, session).find(({ root }) => root === 'live')!;
        await eventually(() => Object.hasOwn(lastLive(live).online ?? {}, client.uid), 'it is shown as online');
      }
    }

    const [first, , third] = crowd.sessions as [Shared, Shared, Shared];
    const talking = talk(crowd, 'one', removed);
    await crowd.speak(removed, first, 'one-1');
    await first.owner.call('removeMember', { sessionId: first.sessionId, userId: removed.uid });
    await crowd.catchUp(removed, first);
    heard = earsOf(removed, first).map(({ values }) => values.length);
    // The database looks at the rules again when it has something to tell.
    await crowd.appear(first.owner, first);
    await crowd.join(third, late);
    await crowd.listen(late, [third]);
    await crowd.appear(late, third);
    await talking;
    await Promise.all(crowd.sessions.map((session) => crowd.speak(session.owner, session, 'two')));
    await hushed(crowd);
  });

  it('are shown every turn of their own sessions, and nothing of any other', () => {
    assert.equal(crowd.clients.length, 20);
    assert.ok(assertSeparate(crowd) > 1_000);
  });

  it('see who is there in their own sessions', async () => {
    for (const { client, session, values } of crowd.ears.filter(({ root, member }) => root === 'presence' && member)) {
      if (isIn(client, session)) assert.deepEqual(session.members.filter((each) => isIn(each, session) && !(each.uid in (values.at(-1) as object))).map(({ uid }) => uid), []);
    }
    for (const stranger of strangers) await assert.rejects(crowd.appear(stranger, crowd.sessions[0]!), /permission[-_ ]denied/i);
  });

  it('are shown nothing more once they have been removed', () => {
    const [session] = crowd.sessions as [Shared];
    const ears = earsOf(removed, session);
    assert.deepEqual(ears.map(({ values, errors }) => [values.length, errors.length]), heard.map((count) => [count, 1]));
    const afterwards = crowd.spoken.filter(({ session: of, requestId }) => of === session && requestId === 'two').map(({ word }) => word);
    assert.equal(afterwards.length, 1);
    assert.ok(heard.every((count) => count > 0) && !afterwards.some((word) => JSON.stringify(ears.map(({ values }) => values)).includes(word)));
  });

  it('come out one after the other, and add up', () => {
    assertSerial(crowd);
  });

  it('are told by no operation of a session that is not theirs', async function () {
    this.timeout(120_000);
    for (const [index, client] of crowd.clients.entries()) {
      const own = crowd.sessions.filter((session) => isIn(client, session));
      const { sessions } = await client.call('listMySessions', {});
      assert.deepEqual(sessions.map(({ sessionId, name }) => [sessionId, name]).toSorted(), own.map(({ sessionId, word }) => [sessionId, `The ${word}`]).toSorted());
      for (const session of own) {
        const { sessionId } = session;
        const told = [sessions.find((each) => each.sessionId === sessionId), await client.call('getSession', { sessionId }), await client.call('listMembers', { sessionId })];
        assert.deepEqual(crowd.strangeIn(JSON.stringify(told), session), []);
      }
      const foreign = crowd.sessions.filter((session) => !isIn(client, session));
      const { sessionId } = foreign[index % foreign.length]!;
      const attempts = [() => client.call('getSession', { sessionId }), () => client.call('listMembers', { sessionId }), () => client.streamAt(instances[0]!, { sessionId, requestId: 'two', instruction: 'Hello' })];
      for (const attempt of attempts) assert.equal((await refusal(attempt())).reason, 'not_found');
    }
  });

  it('leave on the server, too, what is of one session in that session', async () => {
    for (const session of crowd.sessions) {
      for (const root of ['meters', 'requests', 'contexts', 'live', 'streams']) {
        const text = JSON.stringify((await admin().database.ref(`${root}/${session.sessionId}`).get()).val());
        assert.deepEqual([text.length > 4, crowd.strangeIn(text, session)], [true, []], `${root}/${session.sessionId}`);
      }
    }
  });

  it('are on the receipt with what they have asked for, DOF by DOF', async function () {
    this.timeout(120_000);
    for (const session of crowd.sessions) {
      const { owner, sessionId } = session;
      const { consumedDOFs } = await owner.call('endSession', { sessionId });
      const { lines } = await owner.call('getReceipt', { sessionId, limit: 50 });
      const turns = inOrder(crowd, session);
      const wanted = turns.map(({ client, requestId, data }) => [requestId, client === owner ? null : client.uid, data.turnId, data.consumedDOFs - data.costDOFs, data.consumedDOFs]);
      assert.deepEqual(lines.map(({ requestId, memberId, turnId, fromDOFs, toDOFs }) => [requestId, memberId, turnId, fromDOFs, toDOFs]), wanted);
      assert.equal(consumedDOFs, turns.at(-1)!.data.consumedDOFs);
    }
  });
});
