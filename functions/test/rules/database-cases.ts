import {
  endAt, equalTo, get, limitToFirst, onDisconnect, onValue, orderByChild, orderByKey, push, query, ref, remove, serverTimestamp, set, startAt, update, type Database, type Query,
} from 'firebase/database';
import { roles, type Cast, type Role } from '../cast.ts';
import type { Client } from '../harness.ts';
import { databaseAddress, request, type Attempt, type Cases } from './attempts.ts';

const members: readonly Role[] = ['owner', 'member', 'spectator'];
const signedIn: readonly Role[] = roles.filter((role) => role !== 'anonymous');

/** A place; the root when the path is empty. */
export const placeIn = (db: Database, path: string) => (path === '' ? ref(db) : ref(db, path));
/** What a client writes as its presence. */
export const here = () => ({ at: serverTimestamp() });
/** Somebody's own name in a path, also of nobody. */
export const nameOf = ({ uid }: Client): string => uid || 'nobody';

/** Settles as the first answer of a listener does. */
const listen = (target: Query) => new Promise((resolve, reject) => { onValue(target, resolve, reject, { onlyOnce: true }); });

/** Places and queries, with who may read them: once, as a listener and over REST. */
export function readCases({ owner: { uid }, sessionId: s, endedId, deletedId, turnId }: Cast): Cases {
  const closed = [
    '', 'live', 'streams', 'presence', 'meters', 'requests', 'contexts', 'summaries', 'health', 'rates', 'rates/0', 'anything', `meters/${s}`, `meters/${s}/open`, `requests/${s}`,
    `requests/${s}/hello`, `contexts/${s}`, `contexts/${s}/config`, `summaries/${s}`, 'live/unknown', 'streams/unknown', 'presence/unknown', `live/${deletedId}`, `streams/${deletedId}`,
  ];
  const open = ['live', 'streams', 'presence'].map((root) => `${root}/${s}`);
  const parts = [`live/${s}/dofs/remaining`, `live/${s}/online`, `live/${s}/online/${uid}`, `live/${s}/pausedAt`, `streams/${s}/${turnId}`, `presence/${s}/${uid}`];
  const readers: [path: string, by: readonly Role[]][] = [
    ...[...open, ...parts].map((path): [string, readonly Role[]] => [path, members]),
    ...['live', 'streams', 'presence'].map((root): [string, readonly Role[]] => [`${root}/${endedId}`, ['owner']]),
    ...closed.map((path): [string, readonly Role[]] => [path, []]),
  ];
  const queries: Record<string, (db: Database) => Query> = {
    'own sessions': (db) => query(ref(db, 'live'), orderByChild('owner'), equalTo(uid)),
    'one session by key': (db) => query(ref(db, 'live'), orderByKey(), equalTo(s)),
    'the first session': (db) => query(ref(db, 'live'), limitToFirst(1)),
    'what the turns cost': (db) => query(ref(db, `requests/${s}`), orderByChild('consumed'), startAt(1)),
    'due meters': (db) => query(ref(db, 'meters'), orderByChild('dueAt'), endAt(Date.now() * 2)),
  };
  return Object.fromEntries([
    ...readers.flatMap(([path, by]): [string, [Attempt, readonly Role[]]][] => [
      [`get /${path}`, [({ database }) => get(placeIn(database, path)), by]],
      [`listen to /${path}`, [({ database }) => listen(placeIn(database, path)), by]],
      [`get /${path} over REST`, [async (client) => request(client, databaseAddress(`${path}.json`, await credential(client)), 'GET'), by]],
    ]),
    ...Object.entries(queries).map(([what, find]): [string, [Attempt, readonly Role[]]] => [`query ${what}`, [({ database }) => get(find(database)), []]]),
  ]);
}

/** How the Realtime Database's REST interface is told who asks. */
export async function credential(client: Client): Promise<Record<string, string>> {
  const token = await client.idToken();
  return token ? { auth: token } : {};
}

/** Writes of somebody's own presence, with who may: they are all that clients write. */
export function presenceCases({ sessionId: s, endedId, deletedId, clients: { member } }: Cast): Cases {
  const own = (client: Client, key: string, session = s) => ref(client.database, `presence/${session}/${nameOf(client)}/${key}`);
  return {
    'comes': [(client) => set(own(client, 'laptop'), here()), members],
    'stays': [(client) => set(own(client, 'laptop/at'), serverTimestamp()), members],
    'goes': [(client) => remove(own(client, 'laptop')), signedIn],
    'comes again': [(client) => set(own(client, 'laptop'), here()), members],
    'comes with a second connection, named by the SDK': [(client) => set(push(ref(client.database, `presence/${s}/${nameOf(client)}`)), here()), members],
    'comes with a name of 64 characters': [(client) => set(own(client, 'k'.repeat(64)), here()), members],
    'comes with a name of every kind of character': [(client) => set(own(client, '-Az_09'), here()), members],
    'comes with a name that begins like a method': [(client) => set(own(client, 'hasOwnPropertyX'), here()), members],
    'comes with two connections at once': [(client) => update(ref(client.database, `presence/${s}/${nameOf(client)}`), { laptop: here(), phone: here() }), members],
    'comes over REST': [async (client) => request(client, databaseAddress(`presence/${s}/${nameOf(client)}/rest.json`, await credential(client)), 'PUT', { at: { '.sv': 'timestamp' } }), members],
    'asks to be removed when it is cut off': [(client) => onDisconnect(own(client, 'laptop')).remove().then(() => onDisconnect(own(client, 'laptop')).cancel()), signedIn],
    'goes from a session that has ended': [(client) => remove(own(client, 'laptop', endedId)), signedIn],
    'comes to a session that has ended': [(client) => set(own(client, 'laptop', endedId), here()), []],
    'comes to a session that was deleted': [(client) => set(own(client, 'laptop', deletedId), here()), []],
    'comes to a session that there is not': [(client) => set(own(client, 'laptop', 'unknown'), here()), []],
    'comes as somebody else': [(client) => set(ref(client.database, `presence/${s}/${member.uid}/forged`), here()), ['member']],
    'removes the connection of somebody else': [(client) => remove(ref(client.database, `presence/${s}/${member.uid}/forged`)), ['member']],
  };
}
