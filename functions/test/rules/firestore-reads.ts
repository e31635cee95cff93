import {
  collection, collectionGroup, doc, documentId, getDocFromServer, getDocsFromServer, limit, or, orderBy, query, where, type Firestore, type Query,
} from 'firebase/firestore';
import { roles, type Cast, type Paths, type Role } from '../cast.ts';
import type { Cases } from './attempts.ts';

const everybody = [...roles];

/** Documents, with who may get them. */
export function documentCases(cast: Cast, paths: Paths, inviteId: string): Cases {
  const { user, agent, strangersAgent, session, ended, deleted, event } = paths;
  const readers: Record<string, readonly Role[]> = {
    'products/gemini-rookie': everybody,
    'products/unknown': everybody,
    [user]: ['owner'],
    [agent]: ['owner'],
    [`${user}/agents/unknown`]: ['owner'],
    [`${agent}/grants/lot-0`]: [],
    [`${agent}/ledger/lot-0`]: [],
    [`${agent}/holds/${cast.endedId}`]: ['owner'],
    [`${agent}/holds/unknown`]: ['owner'],
    [`${strangersAgent}/holds/unknown`]: ['stranger'],
    [`${agent}/memories/${cast.turnId}`]: [],
    [`${agent}/memories/unknown`]: [],
    [session]: ['owner'],
    [ended]: ['owner'],
    [deleted]: [],
    'sessions/unknown': [],
    [`${ended}/checkpoints/final`]: [],
    [`${deleted}/checkpoints/final`]: [],
    [`${session}/turns/${cast.turnId}`]: [],
    [`${session}/invites/${inviteId}`]: [],
    [`${session}/invites/unknown`]: [],
    [`${session}/voiceTokens/unknown`]: [],
    [`${session}/imports/legacy`]: [],
    'config/server': [],
    [event]: [],
    'processed/unknown': [],
    [`operations/${cast.operationId}`]: [],
    'operations/unknown': [],
    'ops/platform': [],
    'ops/audit': [],
    'anything/unknown': [],
    [`${user}/anything/unknown`]: [],
    [`${agent}/anything/unknown`]: [],
    [`${session}/anything/unknown`]: [],
    'products/gemini-rookie/anything/unknown': [],
  };
  return Object.fromEntries(Object.entries(readers).map(([path, by]) => [`get ${path}`, [({ firestore }) => getDocFromServer(doc(firestore, path)), by]]));
}

/** Queries, with who may run them. */
export function queryCases({ owner, clients }: Cast, paths: Paths): Cases {
  const mine = (db: Firestore) => query(collection(db, 'sessions'), where('ownerId', '==', owner.uid));
  const kept = (db: Firestore) => query(mine(db), where('deletedAt', '==', null));
  const queries: Record<string, [find: (db: Firestore) => Query, readers: readonly Role[]]> = {
    'products': [(db) => collection(db, 'products'), everybody],
    'agents of the owner': [(db) => collection(db, paths.user, 'agents'), ['owner']],
    'grants of the owner': [(db) => collection(db, paths.agent, 'grants'), []],
    'ledger of the owner': [(db) => query(collection(db, paths.agent, 'ledger'), orderBy('seq', 'desc')), []],
    'resolved holds of the owner': [(db) => query(collection(db, paths.agent, 'holds'), where('state', '==', 'released')), ['owner']],
    'memories of the owner': [(db) => collection(db, paths.agent, 'memories'), []],
    'memories of the owner, the latest': [(db) => query(collection(db, paths.agent, 'memories'), orderBy('createdAt', 'desc'), limit(1)), []],
    'operations on the owner': [(db) => query(collection(db, 'operations'), where('actor', '==', owner.uid)), []],
    'checkpoints of the owner, everywhere': [(db) => query(collectionGroup(db, 'checkpoints'), where('ownerId', '==', owner.uid), orderBy('lastAt')), []],
    'sessions of the owner that are not deleted': [kept, ['owner']],
    'sessions of the owner that are not deleted, a page': [(db) => query(kept(db), orderBy('startedAt', 'desc'), limit(1)), ['owner']],
    'sessions of the owner, whether deleted or not': [mine, []],
    'sessions of the owner that are deleted': [(db) => query(mine(db), where('deletedAt', '!=', null)), []],
    'sessions of the owner that were deleted at a moment': [(db) => query(mine(db), where('deletedAt', '==', new Date(0))), []],
    'sessions of two owners': [(db) => query(collection(db, 'sessions'), where('ownerId', 'in', [owner.uid, clients.stranger.uid])), []],
    'sessions of one owner or open ones': [(db) => query(collection(db, 'sessions'), or(where('ownerId', '==', owner.uid), where('status', '==', 'active'))), []],
    'sessions by member': [(db) => query(collection(db, 'sessions'), where(`members.${clients.member.uid}`, '==', 'player')), []],
    'sessions by the list of members': [(db) => query(collection(db, 'sessions'), where('memberIds', 'array-contains', clients.member.uid)), []],
    'sessions': [(db) => collection(db, 'sessions'), []],
    'sessions that are not deleted': [(db) => query(collection(db, 'sessions'), where('deletedAt', '==', null)), []],
    'users': [(db) => collection(db, 'users'), []],
    'users, oneself': [(db) => query(collection(db, 'users'), where(documentId(), '==', owner.uid)), []],
    'users, one by address': [(db) => query(collection(db, 'users'), where('email', '==', `${owner.uid}@jiga.example`), limit(1)), []],
    'invites, everywhere': [(db) => query(collectionGroup(db, 'invites'), where('createdBy', '==', owner.uid)), []],
    'open invites of a session': [(db) => query(collection(db, paths.session, 'invites'), where('usedAt', '==', null), limit(1)), []],
    ...Object.fromEntries(['config', 'outbox', 'processed', 'operations', 'ops', 'anything'].map((name): [string, [(db: Firestore) => Query, Role[]]] => [name, [(db) => query(collection(db, name), limit(1)), []]])),
    ...Object.fromEntries(['agents', 'grants', 'ledger', 'holds', 'memories', 'sessions', 'checkpoints', 'voiceTokens'].map((name): [string, [(db: Firestore) => Query, Role[]]] => (
      [`${name}, everywhere`, [(db) => query(collectionGroup(db, name), where('ownerId', '==', owner.uid)), []]]))),
    ...Object.fromEntries(['checkpoints', 'turns', 'invites', 'media', 'voiceTokens', 'imports'].map((name): [string, [(db: Firestore) => Query, Role[]]] => (
      [`${name} of a session`, [(db) => collection(db, paths.session, name), []]]))),
  };
  return Object.fromEntries(Object.entries(queries).map(([what, [find, by]]) => [`query ${what}`, [({ firestore }) => getDocsFromServer(find(firestore)), by]]));
}
