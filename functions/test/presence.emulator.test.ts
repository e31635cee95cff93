import assert from 'node:assert/strict';
import { goOffline, goOnline, onDisconnect, onValue, push, ref, serverTimestamp, set } from 'firebase/database';
import type { Meter } from '../src/live/meter.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import { admin, clientOf, closeClients, databaseHost, eventually, fireSchedule, givePlayer, read, refusal, startWith, sums, watch, type Client, type Player } from './harness.ts';
import { wireTo, type Wire } from './wire.ts';

const wires: Wire[] = [];
after(async () => {
  await closeClients();
  for (const wire of wires) wire.close();
});

/** Longest that a trigger may take: the emulator starts a process for it. */
const triggerMs = 50_000;

/** What a client app does to be seen. */
function beSeen({ database, uid }: Client, sessionId: string): void {
  const here = push(ref(database, `presence/${sessionId}/${uid}`));
  onValue(ref(database, '.info/connected'), (snapshot) => {
    if (snapshot.val() === true) void onDisconnect(here).remove().then(() => set(here, { at: serverTimestamp() }));
  });
}

/** A member's app with a wire of its own to the database. */
interface App {
  client: Client;
  /** Its socket drops, and it does not get through again. */
  drop: () => void;
  reconnect: () => void;
}

async function openApp(uid: string, sessionId: string): Promise<App> {
  const wire = await wireTo(databaseHost);
  wires.push(wire);
  const client = await clientOf(uid, {}, wire.address);
  beSeen(client, sessionId);
  return {
    client,
    drop: () => {
      wire.cut();
      // Its socket is gone by now: this only keeps it from opening another one.
      goOffline(client.database);
    },
    reconnect: () => goOnline(client.database),
  };
}

interface Shared {
  sessionId: string;
  owner: Player;
  guest: Player;
}

/** A session of an owner and a guest; owners have 0.3 s to come back. */
async function share(): Promise<Shared> {
  const [owner, guest] = await Promise.all([givePlayer({ dofs: 5_000 }), givePlayer()]);
  const { sessionId } = await startWith(owner, { limits: { ownerGraceMinutes: 0.005 } });
  await guest.call('joinSession', { invite: (await owner.call('shareSession', { sessionId })).invite });
  return { sessionId, owner, guest };
}

interface Live {
  status: string;
  online?: Record<string, true>;
  pausedAt?: number;
}

const readMeter = async (sessionId: string): Promise<Meter> => (await admin().database.ref(`meters/${sessionId}`).get()).val() as Meter;
const onlineOf = async (by: Client, sessionId: string) => (await by.call('listMembers', { sessionId })).members.filter(({ online }) => online).map(({ userId }) => userId);
let requests = 0;
const turn = (by: Client, sessionId: string) => by.call('processFrame', { sessionId, requestId: `r${++requests}`, instruction: 'What do you see?' });

describe('presence of the members of a session', function () {
  this.timeout(180_000);

  it('is shown to the others until the socket drops, and is nothing to the meter but for the owner', async () => {
    const { sessionId, owner, guest } = await share();
    const seen = watch(owner, `live/${sessionId}`);
    const latest = () => seen.values.at(-1) as Live | undefined;
    const before = await readMeter(sessionId);
    const app = await openApp(guest.uid, sessionId);
    await eventually(() => latest()?.online?.[guest.uid] === true, 'the owner sees the guest come', triggerMs);
    assert.deepEqual(await onlineOf(owner, sessionId), [guest.uid]);
    app.drop();
    const presence = watch(owner, `presence/${sessionId}`);
    await eventually(() => presence.values.at(-1) === null, 'the database notices');
    assert.deepEqual(await onlineOf(owner, sessionId), []);
    await eventually(() => latest()?.online === undefined, 'the owner sees the guest go', triggerMs);
    assert.deepEqual(await readMeter(sessionId), before);
    assert.deepEqual([...seen.errors, ...presence.errors], []);
  });
});

describe('a session whose owner\'s socket drops', function () {
  this.timeout(180_000);

  /** Lets the owner come and drop out, and waits until the grace is over. */
  async function abandon(): Promise<Shared & { app: App; pausedAt: number }> {
    const shared = await share();
    const { sessionId, owner, guest } = shared;
    const app = await openApp(owner.uid, sessionId);
    const seen = watch(guest, `live/${sessionId}/online`);
    await eventually(() => (seen.values.at(-1) as Live['online'] | undefined)?.[owner.uid] === true, 'the guest sees the owner', triggerMs);
    await turn(guest, sessionId);
    assert.equal((await readMeter(sessionId)).ownerAway, undefined);
    app.drop();
    await eventually(async () => (await readMeter(sessionId)).ownerAway !== undefined, 'the meter knows', triggerMs);
    const { pausesAt: pausedAt } = (await readMeter(sessionId)).ownerAway!;
    await eventually(() => Date.now() >= pausedAt, 'the grace is over');
    return { ...shared, app, pausedAt };
  }

  it('pauses, is shown as paused by the sweep, and goes on when the owner is back', async () => {
    const { sessionId, guest, app, pausedAt } = await abandon();
    const before = await readMeter(sessionId);
    const refused = await refusal(turn(guest, sessionId));
    assert.deepEqual([refused.code, refused.reason], ['failed-precondition', 'session_paused']);
    assert.match(refused.message, /owner of this session is away/);
    assert.deepEqual(await readMeter(sessionId), before);

    const seen = watch(guest, `live/${sessionId}`);
    const latest = () => seen.values.at(-1) as Live | undefined;
    await fireSchedule('sweep');
    await eventually(() => latest()?.pausedAt === pausedAt, 'the guest sees the pause');
    assert.equal(latest()?.status, 'active');

    app.reconnect();
    await eventually(() => latest() !== undefined && latest()!.pausedAt === undefined, 'the guest sees the end of the pause', triggerMs);
    const { costDOFs } = await turn(guest, sessionId);
    assert.equal((await readMeter(sessionId)).consumed, before.consumed + costDOFs);
  });

  it('goes on with the owner\'s next turn, which needs no presence', async () => {
    const { sessionId, owner, guest } = await abandon();
    await fireSchedule('sweep');
    await turn(owner, sessionId);
    assert.equal((await admin().database.ref(`live/${sessionId}/pausedAt`).get()).val(), null);
    assert.equal((await turn(guest, sessionId)).outcome, 'complete');
  });

  it('ends as idle when the owner stays away, although the guest had just used it', async () => {
    const { sessionId, owner, guest } = await abandon();
    const seen = watch(guest, `live/${sessionId}`);
    const { ownerAway } = await readMeter(sessionId);
    assert.ok(ownerAway!.idleAt > Date.now() + 60_000, 'it is not idle');
    await admin().database.ref(`meters/${sessionId}`).update({ 'ownerAway/endsAt': Date.now() - 1, dueAt: Date.now() - 1 });
    await fireSchedule('sweep');
    await eventually(() => (seen.values.at(-1) as Live | undefined)?.status === 'ended', 'the guest sees the end');
    await eventually(async () => (await read<SessionDoc>(`sessions/${sessionId}`))?.settlement === 'done', 'the settlement');
    const { closeReason, consumedDOFs } = (await read<SessionDoc>(`sessions/${sessionId}`))!;
    const { held, balance } = await sums(owner);
    assert.deepEqual([closeReason, held, balance], ['idle', 0, 5_000 - consumedDOFs]);
  });
});
