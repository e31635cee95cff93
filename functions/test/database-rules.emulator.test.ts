import assert from 'node:assert/strict';
import {
  endAt, equalTo, get, increment, limitToFirst, onDisconnect, onValue, orderByChild, orderByKey, push, query, ref, remove, runTransaction, serverTimestamp, set, setPriority,
  startAt, update, type Database, type DatabaseReference, type Query,
} from 'firebase/database';
import { admitted, assemble, type Cast, type Role } from './cast.ts';
import { admin, closeClients, eventually, watch } from './harness.ts';

after(closeClients);

let cast: Cast;
let s: string;
let uid: string;
async function play(): Promise<void> {
  cast ??= await assemble();
  [s, uid] = [cast.sessionId, cast.owner.uid];
}

/** A place; the root when the path is empty. */
const at = (db: Database, path: string) => (path === '' ? ref(db) : ref(db, path));
const here = () => ({ at: serverTimestamp() });
/** Settles as the first answer of a listener does. */
const listen = (target: Query) => new Promise((resolve, reject) => { onValue(target, resolve, reject, { onlyOnce: true }); });

describe('Realtime Database rules: reading', () => {
  before(play);

  const members: Role[] = ['owner', 'member'];
  const table = (): [path: string, readers: Role[]][] => [
    [`live/${s}`, members],
    [`live/${s}/dofs/remaining`, members],
    [`live/${s}/online`, members],
    [`live/${s}/online/${uid}`, members],
    [`live/${s}/pausedAt`, members],
    [`live/${cast.endedId}/online`, ['owner']],
    [`live/${cast.endedId}`, ['owner']],
    [`streams/${s}`, members],
    [`streams/${s}/${cast.turnId}`, members],
    [`presence/${s}`, members],
    [`presence/${s}/${uid}`, members],
    [`presence/${cast.endedId}`, ['owner']],
    [`streams/${cast.endedId}`, ['owner']],
    ...['', 'live', 'streams', 'presence', 'meters', 'requests', 'contexts', 'summaries', 'health', 'anything', `meters/${s}`, `meters/${s}/open`, `requests/${s}`, `requests/${s}/hello`,
      `contexts/${s}`, `contexts/${s}/config`, `summaries/${s}`, 'live/unknown', 'streams/unknown', 'presence/unknown'].map((path): [string, Role[]] => [path, []]),
  ];

  it('shows each place to those it is for, once and to listeners', async () => {
    for (const [path, readers] of table()) {
      assert.deepEqual(await admitted(cast, ({ database }) => get(at(database, path))), readers, `get /${path}`);
      assert.deepEqual(await admitted(cast, ({ database }) => listen(at(database, path))), readers, `listen to /${path}`);
    }
  });

  it('answers no query over what is not readable as a whole', async () => {
    const queries: Record<string, (db: Database) => Query> = {
      'own sessions': (db) => query(ref(db, 'live'), orderByChild('owner'), equalTo(uid)),
      'one session by key': (db) => query(ref(db, 'live'), orderByKey(), equalTo(s)),
      'the first session': (db) => query(ref(db, 'live'), limitToFirst(1)),
      'what the turns cost': (db) => query(ref(db, `requests/${s}`), orderByChild('consumed'), startAt(1)),
      'due meters': (db) => query(ref(db, 'meters'), orderByChild('dueAt'), endAt(Date.now() * 2)),
    };
    for (const [what, find] of Object.entries(queries)) assert.deepEqual(await admitted(cast, ({ database }) => get(find(database))), [], what);
  });

  it('shows a listener of a stranger an error and no value, now and after a change', async () => {
    const watched = ['live', 'streams', 'presence', 'meters'].map((root) => watch(cast.clients.stranger, `${root}/${s}`));
    await eventually(() => watched.every(({ errors }) => errors.length === 1), 'the refusals');
    await admin().database.ref(`live/${s}/lastActivityAt`).set(Date.now());
    await get(ref(cast.owner.database, `live/${s}`));
    assert.deepEqual(watched.map(({ values }) => values), [[], [], [], []]);
  });

  it('stops a listener of a member who is no longer one', async () => {
    const before = watch(cast.clients.member, `live/${s}`);
    await eventually(() => before.values.length === 1, 'the first value');
    await admin().database.ref(`live/${s}/members/${cast.clients.member.uid}`).remove();
    await eventually(() => before.errors.length === 1, 'the refusal');
    assert.deepEqual(await admitted(cast, ({ database }) => get(ref(database, `streams/${s}`))), ['owner']);
    await admin().database.ref(`live/${s}/members/${cast.clients.member.uid}`).set('player');
  });
});

describe('Realtime Database rules: writing', () => {
  before(play);

  type Attempt = (at: (path: string) => DatabaseReference) => Promise<unknown>;

  /** What somebody might like to change past the functions. */
  const attempts = (): Record<string, Attempt> => ({
    'everything': (at) => set(at(''), { live: {} }),
    'everything removed': (at) => remove(at('')),
    'unknown place': (at) => set(at('anything/forged'), true),
    'health': (at) => set(at('health'), 'forged'),
    'live, DOFs': (at) => set(at(`live/${s}/dofs/remaining`), 1_000_000),
    'live, status': (at) => set(at(`live/${s}/status`), 'ended'),
    'live, member': (at) => set(at(`live/${s}/members/${cast.clients.stranger.uid}`), 'owner'),
    'live, owner': (at) => set(at(`live/${s}/owner`), cast.clients.stranger.uid),
    'live, several': (at) => update(at(`live/${s}`), { status: 'active', version: 99, 'turn/state': 'thinking' }),
    'live, online': (at) => set(at(`live/${s}/online/${uid}`), true),
    'live, offline': (at) => remove(at(`live/${s}/online`)),
    'live, paused': (at) => set(at(`live/${s}/pausedAt`), serverTimestamp()),
    'live, pause ended': (at) => remove(at(`live/${s}/pausedAt`)),
    'live, offline on disconnect': (at) => onDisconnect(at(`live/${s}/online/${uid}`)).remove(),
    'live, touched': (at) => set(at(`live/${s}/lastActivityAt`), serverTimestamp()),
    'live, priority': (at) => setPriority(at(`live/${s}`), 1),
    'live, removed': (at) => remove(at(`live/${s}`)),
    'live, made': (at) => set(at('live/forged'), { owner: uid, members: { [uid]: 'owner' }, status: 'active' }),
    'live, transaction': (at) => runTransaction(at(`live/${s}/dofs/remaining`), () => 1_000_000),
    'live, on disconnect': (at) => onDisconnect(at(`live/${s}/status`)).set('ended'),
    'stream, chunk pushed': (at) => set(push(at(`streams/${s}/${cast.turnId}`)), { type: 'chunk', text: 'forged' }),
    'stream, turn made': (at) => set(at(`streams/${s}/forged/0`), { type: 'done' }),
    'stream, removed': (at) => remove(at(`streams/${s}`)),
    'stream, transaction': (at) => runTransaction(at(`streams/${s}/forged`), () => ({ type: 'chunk', text: 'forged' })),
    'meter, limit': (at) => set(at(`meters/${s}/limit`), 1_000_000),
    'meter, limit raised': (at) => set(at(`meters/${s}/limit`), increment(1_000_000)),
    'meter, consumed': (at) => update(at(`meters/${s}`), { consumed: 0, checkpointed: 0 }),
    'meter, reopened': (at) => set(at(`meters/${cast.endedId}/open`), true),
    'meter, owner there': (at) => remove(at(`meters/${s}/ownerAway`)),
    'meter, removed': (at) => remove(at(`meters/${s}`)),
    'meter, made': (at) => set(at('meters/forged'), { open: true, generation: 1, limit: 1_000_000, consumed: 0, checkpointed: 0 }),
    'meter, transaction': (at) => runTransaction(at(`meters/${s}/consumed`), () => 0),
    'meter, on disconnect': (at) => onDisconnect(at(`meters/${s}`)).remove(),
    'request, record forged': (at) => set(at(`requests/${s}/forged`), { state: 'done', cost: 0 }),
    'request, removed': (at) => remove(at(`requests/${s}/hello`)),
    'request, transaction': (at) => runTransaction(at(`requests/${s}/hello/cost`), () => 0),
    'context, owner': (at) => set(at(`contexts/${s}/ownerId`), cast.clients.stranger.uid),
    'context, config': (at) => update(at(`contexts/${s}`), { config: '{}', settleEveryDOFs: 1e9 }),
    'context, removed': (at) => remove(at(`contexts/${s}`)),
    'context, on disconnect': (at) => onDisconnect(at('')).update({ [`contexts/${s}/config`]: '{}' }),
    'presence of all': (at) => remove(at('presence')),
    'presence of the session': (at) => remove(at(`presence/${s}`)),
    'presence of a user as a whole': (at) => set(at(`presence/${s}/${uid}`), { forged: here() }),
    'presence of a user removed': (at) => remove(at(`presence/${s}/${uid}`)),
    'presence and live': (at) => update(at(''), { [`presence/${s}/${uid}/mixed`]: here(), [`live/${s}/status`]: 'ended' }),
    'presence and meter': (at) => update(at(''), { [`presence/${s}/${uid}/mixed`]: here(), [`meters/${s}/limit`]: 1_000_000 }),
    'presence and stream': (at) => update(at(''), { [`presence/${s}/${uid}/mixed`]: here(), [`streams/${s}/forged`]: { type: 'done' } }),
    'presence and request': (at) => update(at(''), { [`presence/${s}/${uid}/mixed`]: here(), [`requests/${s}/hello`]: null }),
    'presence and context': (at) => update(at(''), { [`presence/${s}/${uid}/mixed`]: here(), [`contexts/${s}`]: null }),
    'presence of two': (at) => update(at(`presence/${s}`), { [`${uid}/mixed`]: here(), [`${cast.clients.member.uid}/mixed`]: here() }),
    'presence with a wrong one': (at) => update(at(`presence/${s}/${uid}`), { mixed: here(), wrong: { at: 1 } }),
    'presence in two sessions': (at) => update(at('presence'), { [`${s}/${uid}/mixed`]: here(), [`unknown/${uid}/mixed`]: here() }),
    'presence and online': (at) => update(at(''), { [`presence/${s}/${uid}/mixed`]: here(), [`live/${s}/online/${uid}`]: true }),
    'presence with more, on disconnect': (at) => onDisconnect(at(`presence/${s}/${uid}/mixed`)).set({ at: 1 }),
  });

  it('refuses everything to everybody and leaves every place as it was', async () => {
    const table = Object.entries(attempts());
    const roots = ['live', 'streams', 'meters', 'requests', 'contexts', 'presence', 'anything', 'health'];
    const state = async () => Promise.all(roots.flatMap((root) => [s, cast.endedId, 'forged'].map(async (key) => (await admin().database.ref(`${root}/${key}`).get()).val() as unknown)));
    const before = await state();
    for (const [what, attempt] of table) {
      assert.deepEqual(await admitted(cast, ({ database }) => attempt((path) => at(database, path))), [], what);
    }
    assert.deepEqual(await state(), before);
    assert.ok(table.length >= 40 && before.filter((value) => value !== null).length >= 7);
  });
});
