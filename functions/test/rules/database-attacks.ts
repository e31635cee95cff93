import { child, increment, onDisconnect, push, remove, runTransaction, serverTimestamp, set, setPriority, setWithPriority, update, type DatabaseReference } from 'firebase/database';
import type { Cast } from '../cast.ts';
import type { Client } from '../harness.ts';
import { databaseAddress, request, type Attacks, type Attempt } from './attempts.ts';
import { credential, here, nameOf, placeIn } from './database-cases.ts';

type Place = (path: string) => DatabaseReference;

function liveAttacks({ sessionId: s, owner: { uid }, clients: { stranger, spectator, removed } }: Cast): Record<string, (at: Place) => Promise<unknown>> {
  return {
    'replaces the whole database': (at) => set(at(''), { live: {} }),
    'empties the whole database': (at) => remove(at('')),
    'writes into a place that there is not': (at) => set(at('anything/forged'), true),
    'changes what health asks for': (at) => set(at('health'), 'forged'),
    'gives itself more DOFs to see': (at) => set(at(`live/${s}/dofs/remaining`), 1_000_000),
    'shows a session as ended': (at) => set(at(`live/${s}/status`), 'ended'),
    'joins a session by editing its live members': (at) => set(at(`live/${s}/members/${stranger.uid}`), 'player'),
    'comes back after a removal': (at) => set(at(`live/${s}/members/${removed.uid}`), 'player'),
    'makes a spectator a player': (at) => set(at(`live/${s}/members/${spectator.uid}`), 'player'),
    'takes a session over': (at) => set(at(`live/${s}/owner`), stranger.uid),
    'shows a turn that nobody takes': (at) => update(at(`live/${s}`), { status: 'active', version: 99, 'turn/state': 'thinking' }),
    'shows the owner as connected': (at) => set(at(`live/${s}/online/${uid}`), true),
    'shows everybody as gone': (at) => remove(at(`live/${s}/online`)),
    'pauses a session': (at) => set(at(`live/${s}/pausedAt`), serverTimestamp()),
    'ends a pause': (at) => remove(at(`live/${s}/pausedAt`)),
    'has the owner shown as gone when it disconnects itself': (at) => onDisconnect(at(`live/${s}/online/${uid}`)).remove(),
    'keeps a session from being idle': (at) => set(at(`live/${s}/lastActivityAt`), serverTimestamp()),
    'sets another objective': (at) => set(at(`live/${s}/objective`), { text: 'forged', at: 1 }),
    'gives the live state a priority': (at) => setPriority(at(`live/${s}`), 1),
    'removes the live state': (at) => remove(at(`live/${s}`)),
    'makes a live state with itself as owner': (at) => set(at('live/forged'), { owner: uid, members: { [uid]: 'owner' }, status: 'active' }),
    'raises the DOFs to see in a transaction': (at) => runTransaction(at(`live/${s}/dofs/remaining`), () => 1_000_000),
    'ends a session when it disconnects': (at) => onDisconnect(at(`live/${s}/status`)).set('ended'),
  };
}

function serverAttacks({ sessionId: s, endedId, turnId, clients: { stranger } }: Cast): Record<string, (at: Place) => Promise<unknown>> {
  return {
    'writes a chunk into a stream': (at) => set(push(at(`streams/${s}/${turnId}`)), { type: 'chunk', text: 'forged' }),
    'makes a stream that is done': (at) => set(at(`streams/${s}/forged/0`), { type: 'done' }),
    'removes the streams': (at) => remove(at(`streams/${s}`)),
    'writes a chunk in a transaction': (at) => runTransaction(at(`streams/${s}/forged`), () => ({ type: 'chunk', text: 'forged' })),
    'sets the limit of the meter': (at) => set(at(`meters/${s}/limit`), 1_000_000),
    'raises the limit of the meter': (at) => set(at(`meters/${s}/limit`), increment(1_000_000)),
    'forgets what was consumed': (at) => update(at(`meters/${s}`), { consumed: 0, checkpointed: 0 }),
    'reopens the meter of an ended session': (at) => set(at(`meters/${endedId}/open`), true),
    'takes the lease of the turn': (at) => set(at(`meters/${s}/turn`), { fence: 'forged', expiresAt: 1 }),
    'has the owner of a paused session there': (at) => remove(at(`meters/${s}/ownerAway`)),
    'removes the meter': (at) => remove(at(`meters/${s}`)),
    'makes a meter': (at) => set(at('meters/forged'), { open: true, generation: 1, limit: 1_000_000, consumed: 0, checkpointed: 0 }),
    'forgets what was consumed in a transaction': (at) => runTransaction(at(`meters/${s}/consumed`), () => 0),
    'removes the meter when it disconnects': (at) => onDisconnect(at(`meters/${s}`)).remove(),
    'forges the record of a request': (at) => set(at(`requests/${s}/forged`), { state: 'done', cost: 0 }),
    'has a request run again': (at) => remove(at(`requests/${s}/hello`)),
    'makes a request cost nothing': (at) => runTransaction(at(`requests/${s}/hello/cost`), () => 0),
    'becomes the owner in the frozen context': (at) => set(at(`contexts/${s}/ownerId`), stranger.uid),
    'replaces the frozen configuration': (at) => update(at(`contexts/${s}`), { config: '{}', settleEveryDOFs: 1e9 }),
    'removes the frozen context': (at) => remove(at(`contexts/${s}`)),
    'replaces the frozen configuration when it disconnects': (at) => onDisconnect(at('')).update({ [`contexts/${s}/config`]: '{}' }),
    'rewrites the summary of what was said': (at) => set(at(`summaries/${s}`), { text: 'forged' }),
    'forgets how often it has called': (at) => remove(at('rates')),
    'gives itself calls in a window of the rate limit': (at) => set(at('rates/0/forged'), 0),
    'uses up the calls of somebody else': (at) => set(at('rates/0/forged'), increment(1_000)),
  };
}

/** Writes of which a part would be allowed: an update happens as a whole or not at all. */
function mixedAttacks({ sessionId: s, endedId, owner: { uid }, clients: { member } }: Cast): Record<string, (at: Place, own: string) => Promise<unknown>> {
  const mine = (own: string) => ({ [`presence/${s}/${own}/mixed`]: here() });
  return {
    'comes and ends the session': (at, own) => update(at(''), { ...mine(own), [`live/${s}/status`]: 'ended' }),
    'comes and raises the limit': (at, own) => update(at(''), { ...mine(own), [`meters/${s}/limit`]: 1_000_000 }),
    'comes and writes into a stream': (at, own) => update(at(''), { ...mine(own), [`streams/${s}/forged`]: { type: 'done' } }),
    'comes and removes a request': (at, own) => update(at(''), { ...mine(own), [`requests/${s}/hello`]: null }),
    'comes and removes the context': (at, own) => update(at(''), { ...mine(own), [`contexts/${s}`]: null }),
    'comes and shows the owner as connected': (at, own) => update(at(''), { ...mine(own), [`live/${s}/online/${uid}`]: true }),
    'comes and forgets how often it has called': (at, own) => update(at(''), { ...mine(own), rates: null }),
    'comes as two members at once': (at) => update(at(`presence/${s}`), { [`${uid}/mixed`]: here(), [`${member.uid}/mixed`]: here() }),
    'comes with one good and one wrong connection': (at, own) => update(at(`presence/${s}/${own}`), { mixed: here(), wrong: { at: 1 } }),
    'comes to an open session and to one that has ended': (at, own) => update(at('presence'), { [`${s}/${own}/mixed`]: here(), [`${endedId}/${own}/mixed`]: here() }),
    'comes to an open session and to one that there is not': (at, own) => update(at('presence'), { [`${s}/${own}/mixed`]: here(), [`unknown/${own}/mixed`]: here() }),
  };
}

function presenceAttacks({ sessionId: s, owner }: Cast): Record<string, (at: Place, own: string) => Promise<unknown>> {
  const mine = (at: Place, own: string, key = 'new') => at(`presence/${s}/${own}/${key}`);
  return {
    'removes the presence of all sessions': (at) => remove(at('presence')),
    'removes the presence of all members': (at) => remove(at(`presence/${s}`)),
    'replaces its presence as a whole': (at, own) => set(at(`presence/${s}/${own}`), { forged: here() }),
    'removes its presence as a whole': (at, own) => remove(at(`presence/${s}/${own}`)),
    'comes by its own clock': (at, own) => set(mine(at, own), { at: Date.now() - 5_000 }),
    'stays for ever by coming in the future': (at, own) => set(mine(at, own), { at: Date.now() + 1e9 }),
    'comes at a moment that is text': (at, own) => set(mine(at, own), { at: 'now' }),
    'nests moments': (at, own) => set(mine(at, own), { at: { at: serverTimestamp() } }),
    'comes as a bare moment': (at, own) => set(mine(at, own), serverTimestamp()),
    'comes without a moment': (at, own) => set(mine(at, own), { device: 'phone' }),
    'stores a megabyte as its presence': (at, own) => set(mine(at, own), { ...here(), payload: 'x'.repeat(1_000_000) }),
    'stores a megabyte as a moment': (at, own) => set(mine(at, own), { at: 'x'.repeat(1_000_000) }),
    'adds a field to its connection': (at, own) => set(child(mine(at, own, 'laptop'), 'device'), 'phone'),
    'sets another moment later': (at, own) => set(child(mine(at, own, 'laptop'), 'at'), 1),
    'stores text as a priority': (at, own) => setWithPriority(mine(at, own), here(), 'x'.repeat(500)),
    'gives the moment a priority': (at, own) => setWithPriority(child(mine(at, own), 'at'), serverTimestamp(), 1),
    'gives the moment a priority within its connection': (at, own) => set(mine(at, own), { at: { '.value': serverTimestamp(), '.priority': 1 } }),
    'gives its connection a priority later': (at) => setPriority(mine(at, owner.uid, 'laptop'), 1),
    'ends the processes of readers by a name that SDKs call': (at, own) => set(mine(at, own, 'hasOwnProperty'), here()),
    'does so from below': (at, own) => set(child(mine(at, own, 'hasOwnProperty'), 'at'), serverTimestamp()),
    'names a connection with a space': (at, own) => set(mine(at, own, 'my laptop'), here()),
    'names a connection in another script': (at, own) => set(mine(at, own, 'портативный'), here()),
    'names a connection with 65 characters': (at, own) => set(mine(at, own, 'k'.repeat(65)), here()),
    'names a connection with 65 characters from below': (at, own) => set(child(mine(at, own, 'k'.repeat(65)), 'at'), serverTimestamp()),
    'names a connection with 600 characters': (at, own) => set(mine(at, own, 'k'.repeat(600)), here()),
    'comes in a transaction with a moment of its own': (at, own) => runTransaction(mine(at, own), () => ({ at: 1 })),
    'leaves something wrong behind when it disconnects': (at, own) => onDisconnect(mine(at, own, 'mixed')).set({ at: 1 }),
  };
}

function restAttacks({ sessionId: s, endedId }: Cast): Record<string, [method: string, path: string, body?: object]> {
  return {
    'replaces the live state over REST': ['PUT', `live/${s}`, { status: 'active' }],
    'pushes a chunk over REST': ['POST', `streams/${s}/forged`, { type: 'chunk', text: 'forged' }],
    'raises the limit over REST': ['PATCH', `meters/${s}`, { limit: 1_000_000 }],
    'removes the requests over REST': ['DELETE', `requests/${s}`],
    'reopens a meter over REST': ['PATCH', `meters/${endedId}`, { open: true }],
    'replaces the rules over REST': ['PUT', '.settings/rules', { rules: { '.read': true, '.write': true } }],
  };
}

/** What somebody might like to change past the functions, and the places that it would change. */
export function databaseAttacks(cast: Cast): { attacks: Attacks; targets: string[] } {
  const byPlace = { ...liveAttacks(cast), ...serverAttacks(cast), ...mixedAttacks(cast), ...presenceAttacks(cast) };
  const ofSdk = Object.entries(byPlace).map(([what, attack]): [string, Attempt] => [what, (client: Client) => attack((path) => placeIn(client.database, path), nameOf(client))]);
  const ofRest = Object.entries(restAttacks(cast)).map(([what, [method, path, body]]): [string, Attempt] => [what, async (client) => request(client, databaseAddress(`${path}.json`, await credential(client)), method, body)]);
  const roots = ['live', 'streams', 'meters', 'requests', 'contexts', 'summaries', 'presence', 'anything', 'rates'];
  const targets = roots.flatMap((root) => [cast.sessionId, cast.endedId, cast.deletedId, 'forged', 'unknown', '0'].map((key) => `${root}/${key}`));
  return { attacks: Object.fromEntries([...ofSdk, ...ofRest]), targets: [...targets, 'health', '.settings/rules'] };
}
