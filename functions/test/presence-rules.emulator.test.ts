import assert from 'node:assert/strict';
import { child, goOffline, goOnline, onDisconnect, push, ref, remove, runTransaction, serverTimestamp, set, setPriority, setWithPriority, update } from 'firebase/database';
import { admitted, assemble, type Cast } from './cast.ts';
import { admin, closeClients, databaseHost, eventually, watch, type Client } from './harness.ts';

after(closeClients);

const here = () => ({ at: serverTimestamp() });

/**
 * Points the triggers of the database at another place; answers how to point them back. Rules are tried here with many
 * connections, and the emulator starts a process for each that comes and goes.
 */
async function muteTriggers(): Promise<() => Promise<unknown>> {
  const url = `http://${databaseHost.join(':')}/.settings/functionTriggers.json`;
  const headers = { authorization: 'Bearer owner', 'content-type': 'application/json' };
  const triggers = await (await fetch(url, { headers })).json() as object[];
  const point = async (to: object[]): Promise<void> => assert.ok((await fetch(url, { method: 'PUT', headers, body: JSON.stringify(to) })).ok);
  await point(triggers.map((trigger) => ({ ...trigger, namespacePattern: 'nowhere' })));
  return () => point(triggers);
}

describe('Realtime Database rules: presence', () => {
  let unmute: () => Promise<unknown>;
  let cast: Cast;
  let s: string;
  let uid: string;
  before(async () => {
    cast = await assemble();
    [s, uid] = [cast.sessionId, cast.owner.uid];
    unmute = await muteTriggers();
  });
  after(() => unmute());

  const connection = ({ database, uid }: Client, key: string, of = uid) => ref(database, `presence/${s}/${of}/${key}`);
  const stored = async (): Promise<unknown> => (await admin().database.ref(`presence/${s}`).get()).val();
  afterEach(() => admin().database.ref('presence').remove());

  it('lets a member come, stay and go with its own connections', async () => {
    for (const client of [cast.owner, cast.clients.member]) {
      const keys = ['laptop', push(ref(client.database)).key, 'k'.repeat(64)];
      for (const key of keys) await set(connection(client, key), here());
      await set(child(connection(client, 'laptop'), 'at'), serverTimestamp());
      await update(ref(client.database, `presence/${s}/${client.uid}`), { laptop: here(), phone: here() });
      const seen = await stored() as Record<string, Record<string, { at: number }>>;
      assert.deepEqual(Object.keys(seen[client.uid]!).sort(), [...keys, 'phone'].sort());
      assert.ok(Math.abs(seen[client.uid]!['laptop']!.at - Date.now()) < 60_000);
      for (const key of [...keys, 'phone']) await remove(connection(client, key));
    }
    assert.equal(await stored(), null);
  });

  it('refuses anything else below the own connection', async () => {
    await set(connection(cast.owner, 'laptop'), here());
    const before = await stored();
    const wrong: Record<string, (client: Client) => Promise<unknown>> = {
      'own clock': (client) => set(connection(client, 'new'), { at: Date.now() - 5_000 }),
      'future': (client) => set(connection(client, 'new'), { at: Date.now() + 1e9 }),
      'text': (client) => set(connection(client, 'new'), { at: 'now' }),
      'nested': (client) => set(connection(client, 'new'), { at: { at: serverTimestamp() } }),
      'bare moment': (client) => set(connection(client, 'new'), serverTimestamp()),
      'no moment': (client) => set(connection(client, 'new'), { device: 'phone' }),
      'extra field': (client) => set(connection(client, 'new'), { ...here(), device: 'phone' }),
      'extra field, later': (client) => set(child(connection(client, 'laptop'), 'device'), 'phone'),
      'another moment, later': (client) => set(child(connection(client, 'laptop'), 'at'), 1),
      'priority': (client) => setWithPriority(connection(client, 'new'), here(), 'x'.repeat(500)),
      'priority of the moment': (client) => setWithPriority(child(connection(client, 'new'), 'at'), serverTimestamp(), 1),
      'priority, later': (client) => setPriority(connection(client, 'laptop', uid), 1),
      'name of a method that SDKs call': (client) => set(connection(client, 'hasOwnProperty'), here()),
      'name of a method that SDKs call, from below': (client) => set(child(connection(client, 'hasOwnProperty'), 'at'), serverTimestamp()),
      'name with a space': (client) => set(connection(client, 'my laptop'), here()),
      'name in another script': (client) => set(connection(client, 'портативный'), here()),
      'long name': (client) => set(connection(client, 'k'.repeat(65)), here()),
      'long name, from below': (client) => set(child(connection(client, 'k'.repeat(65)), 'at'), serverTimestamp()),
      'transaction': (client) => runTransaction(connection(client, 'new'), () => ({ at: 1 })),
    };
    for (const [what, attempt] of Object.entries(wrong)) assert.deepEqual(await admitted(cast, attempt), [], what);
    assert.deepEqual(await stored(), before);
  });

  it('decides by each of its conditions, once for and once against', async () => {
    const { member, stranger, anonymous } = cast.clients;
    const write = (client: Client, key: string, value: unknown, { of = client.uid, session = s } = {}) => set(ref(client.database, `presence/${session}/${of}/${key}`), value).then(() => true, ({ code, message }: { code?: string; message: string }) => {
      assert.match(code ?? message, /^PERMISSION_DENIED$/i);
      return false;
    });
    /** Each condition with an attempt that fulfils all of them, and with one that lacks only this one, as far as one can. */
    const conditions: Record<string, [holds: () => Promise<boolean>, fails: () => Promise<boolean>]> = {
      'auth != null': [() => write(member, 'c', here()), () => write(anonymous, 'c', here(), { of: member.uid })],
      'auth.uid === $uid': [() => write(member, 'c', here()), () => write(member, 'c', here(), { of: uid })],
      '!newData.exists()': [() => write(stranger, 'c', null), () => write(stranger, 'c', here())],
      'members.hasChild(auth.uid)': [() => write(member, 'c', here()), () => write(member, 'c', here(), { session: cast.endedId })],
      '$connection.length <= 64': [() => write(member, 'k'.repeat(64), here()), () => write(member, 'k'.repeat(65), here())],
      '$connection.matches(…)': [() => write(member, '-Az_09', here()), () => write(member, 'a b', here())],
      "$connection !== 'hasOwnProperty'": [() => write(member, 'hasOwnPropertyX', here()), () => write(member, 'hasOwnProperty', here())],
      "newData.hasChildren(['at'])": [() => write(member, 'c', here()), () => write(member, 'c', serverTimestamp())],
      'newData.getPriority() === null': [() => write(member, 'c', here()), () => write(member, 'c', { ...here(), '.priority': 1 })],
      'at: newData.val() === now': [() => write(member, 'c', here()), () => write(member, 'c', { at: 1 })],
      'at: newData.getPriority() === null': [() => write(member, 'c', here()), () => write(member, 'c', { at: { '.value': serverTimestamp(), '.priority': 1 } })],
      '$other': [() => write(member, 'c', here()), () => write(member, 'c', { ...here(), other: 1 })],
    };
    const verdicts: Record<string, boolean[]> = {};
    for (const [condition, [holds, fails]] of Object.entries(conditions)) verdicts[condition] = [await holds(), await fails()];
    assert.deepEqual(verdicts, Object.fromEntries(Object.keys(conditions).map((condition) => [condition, [true, false]])));
  });

  it('keeps everybody out of the presence of others', async () => {
    await set(connection(cast.owner, 'laptop'), here());
    const before = await stored();
    assert.deepEqual(await admitted(cast, (client) => set(connection(client, 'laptop', uid), here())), ['owner']);
    assert.deepEqual(await admitted(cast, (client) => set(connection(client, 'forged', cast.clients.member.uid), here())), ['member']);
    assert.deepEqual(await admitted(cast, (client) => onDisconnect(connection(client, 'laptop', uid)).remove().then(() => onDisconnect(connection(client, 'laptop', uid)).cancel())), ['owner']);
    assert.deepEqual(Object.keys(await stored() as object).sort(), [...Object.keys(before as object), cast.clients.member.uid].sort());
  });

  it('admits no one to a session that they are not a member of, or that is not live', async () => {
    const own = (client: Client, session: string) => set(ref(client.database, `presence/${session}/${client.uid || 'nobody'}/laptop`), here());
    assert.deepEqual(await admitted(cast, (client) => own(client, s)), ['owner', 'member']);
    assert.deepEqual(await admitted(cast, (client) => own(client, cast.endedId)), ['owner']);
    assert.deepEqual(await admitted(cast, (client) => own(client, 'unknown')), []);
  });

  it('lets a former member go, and only go', async () => {
    const { member } = cast.clients;
    await set(connection(member, 'laptop'), here());
    await admin().database.ref(`live/${s}/members/${member.uid}`).remove();
    assert.deepEqual(await admitted(cast, (client) => (client === member ? set(connection(client, 'laptop'), here()) : Promise.resolve())), ['owner', 'stranger', 'admin', 'anonymous']);
    await remove(connection(member, 'laptop'));
    assert.equal(await stored(), null);
    await admin().database.ref(`live/${s}/members/${member.uid}`).set('player');
  });

  it('removes a connection when its socket drops, before the eyes of the others', async () => {
    const { member } = cast.clients;
    const seen = watch(cast.owner, `presence/${s}`);
    await onDisconnect(connection(member, 'laptop')).remove();
    await set(connection(member, 'laptop'), here());
    await eventually(() => Object.keys(seen.values.at(-1) ?? {}).includes(member.uid), 'the owner sees the guest');
    goOffline(member.database);
    await eventually(() => seen.values.at(-1) === null, 'the owner sees the guest go');
    assert.deepEqual(seen.errors, []);
    seen.stop();
    goOnline(member.database);
  });
});
