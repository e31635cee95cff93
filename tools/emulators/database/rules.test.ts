import assert from 'node:assert/strict';
import {
  equalTo, get, limitToFirst, limitToLast, onValue, orderByChild, query, ref, runTransaction, serverTimestamp, set, update, type Query,
} from 'firebase/database';
import { unsignedToken, until, useLab } from './lab.ts';

const DENIED = /permission.denied/i;

/** Waits until a listener is cancelled. */
function revoked(place: Query): { ready: Promise<void>; error: Promise<Error> } {
  let fail: (error: Error) => void;
  let start: () => void;
  const error = new Promise<Error>((resolve) => { fail = resolve; });
  const ready = new Promise<void>((resolve) => { start = resolve; });
  onValue(place, () => { start(); }, (cause) => { fail(cause); });
  return { ready, error };
}

describe('security rules', () => {
  const lab = useLab();

  it('close a database that has been given none, except to administrators', async () => {
    const db = lab.current.client('ada');
    await assert.rejects(get(ref(db, 'a')), DENIED);
    await assert.rejects(set(ref(db, 'a'), 1), DENIED);
    await lab.current.admin().ref('a').set(1);
    assert.equal((await lab.current.admin().ref('a').get()).val(), 1);
  });

  it('decide on reads, writes, updates and transactions by user', async () => {
    await lab.current.rules({ users: { $uid: { '.read': 'auth.uid === $uid', '.write': "auth.uid === $uid && auth.token.sub === $uid" } } });
    const db = lab.current.client('ada');
    await set(ref(db, 'users/ada'), { name: 'Ada' });
    assert.deepEqual((await get(ref(db, 'users/ada'))).val(), { name: 'Ada' });
    await assert.rejects(set(ref(db, 'users/bob'), 1), DENIED);
    await assert.rejects(get(ref(db, 'users/bob')), DENIED);
    await assert.rejects(get(ref(db, 'users')), DENIED);
    await assert.rejects(runTransaction(ref(db, 'users/bob'), () => 1), DENIED);
    await assert.rejects(get(ref(lab.current.client(), 'users/ada')), DENIED);
    assert.match((await revoked(ref(db, 'users/bob')).error).message, DENIED);
  });

  it('let an update happen as a whole or not at all', async () => {
    await lab.current.rules({ open: { '.read': true, '.write': true }, shut: { '.read': true } });
    const db = lab.current.client();
    await assert.rejects(update(ref(db), { 'open/a': 1, 'shut/b': 2 }), DENIED);
    assert.equal((await get(ref(db, 'open'))).exists(), false);
    await update(ref(db), { 'open/a': 1, 'open/b': 2 });
    assert.deepEqual((await get(ref(db, 'open'))).val(), { a: 1, b: 2 });
  });

  it('see the data before and after, the other data, and the time of the server', async () => {
    await lab.current.rules({
      live: { $run: {
        '.read': true,
        '.write': "root.child('owners').child($run).val() === auth.uid && newData.parent().parent().child('owners').hasChild($run)",
        at: { '.validate': 'newData.val() === now' },
        step: { '.validate': 'newData.isNumber() && (!data.exists() || newData.val() > data.val())' },
        $other: { '.validate': false },
      } },
    });
    await lab.current.admin().ref('owners/r1').set('ada');
    const db = lab.current.client('ada');
    await set(ref(db, 'live/r1'), { at: serverTimestamp(), step: 1 });
    await set(ref(db, 'live/r1/step'), 2);
    await assert.rejects(set(ref(db, 'live/r1/step'), 2), DENIED);
    await assert.rejects(set(ref(db, 'live/r1/at'), 5), DENIED);
    await assert.rejects(set(ref(db, 'live/r1/extra'), 5), DENIED);
    await assert.rejects(set(ref(db, 'live/r1/constructor'), 5), DENIED);
    await assert.rejects(set(ref(db, 'live/r1/toString'), 5), DENIED);
    await assert.rejects(set(ref(db, 'live/r2/step'), 1), DENIED);
    await assert.rejects(set(ref(lab.current.client('bob'), 'live/r1/step'), 9), DENIED);
    await set(ref(db, 'live/r1'), null);
  });

  it('decide on queries', async () => {
    await lab.current.rules({ tasks: {
      '.read': "(query.orderByChild === 'owner' && query.equalTo === auth.uid) || (query.orderByKey && query.limitToFirst <= 10)",
      '.indexOn': 'owner',
    } });
    await lab.current.admin().ref('tasks').set({ t1: { owner: 'ada' }, t2: { owner: 'bob' } });
    const tasks = ref(lab.current.client('ada'), 'tasks');
    assert.deepEqual((await get(query(tasks, orderByChild('owner'), equalTo('ada')))).val(), { t1: { owner: 'ada' } });
    assert.equal((await get(query(tasks, limitToFirst(10)))).size, 2);
    await assert.rejects(get(query(tasks, orderByChild('owner'), equalTo('bob'))), DENIED);
    await assert.rejects(get(query(tasks, limitToFirst(11))), DENIED);
    await assert.rejects(get(tasks), DENIED);
  });

  it('are enforced on listeners when new ones come into force', async () => {
    await lab.current.rules({ a: { '.read': true }, b: { '.read': true } });
    const db = lab.current.client();
    const lost = revoked(ref(db, 'a'));
    const lostQuery = revoked(query(ref(db, 'a'), limitToLast(1)));
    const kept = until(ref(db, 'b'), (snapshot) => snapshot.val() === 'after');
    await Promise.all([lost.ready, lostQuery.ready, until(ref(db, 'b'), () => true)]);
    await lab.current.rules({ b: { '.read': true } });
    assert.match((await lost.error).message, DENIED);
    assert.match((await lostQuery.error).message, DENIED);
    await lab.current.admin().ref('b').set('after');
    await kept;
  });

  it('are enforced on listeners when the user changes', async () => {
    await lab.current.rules({ mine: { '.read': "auth.uid === 'ada'" }, all: { '.read': true } });
    const { database, user } = lab.current.switchableClient();
    user.signIn('ada');
    const all = revoked(ref(database, 'all'));
    const signedOut = revoked(ref(database, 'mine'));
    await Promise.all([all.ready, signedOut.ready]);
    user.signOut();
    assert.match((await signedOut.error).message, DENIED);
    user.signIn('ada');
    const replaced = revoked(ref(database, 'mine'));
    await replaced.ready;
    user.signIn('bob');
    assert.match((await replaced.error).message, DENIED);
    const kept = until(ref(database, 'all'), (snapshot) => snapshot.val() === 1);
    await lab.current.admin().ref('all').set(1);
    await kept;
  });

  it('are enforced on listeners when there is news for them', async () => {
    await lab.current.rules({ live: { $id: { '.read': "data.child('members').hasChild(auth.uid)" } } });
    await lab.current.admin().ref('live/s1').set({ members: { ada: true, bob: true }, step: 1 });
    const lost = revoked(ref(lab.current.client('ada'), 'live/s1/step'));
    const kept = until(ref(lab.current.client('bob'), 'live/s1/step'), (snapshot) => snapshot.val() === 2);
    await lost.ready;
    await lab.current.admin().ref('live/s1').update({ 'members/ada': null, step: 2 });
    assert.match((await lost.error).message, DENIED);
    await kept;
  });

  it('may contain comments and line breaks', async () => {
    await lab.current.rules(`{
      // Everybody may read.
      "rules": {
        ".read": "true || /* not a comment */
                  auth != null",
        "a//b": { ".write": false } /* nobody */
      }
    }`.replace('"a//b"', '"ab"').replace(' /* not a comment */', ''));
    assert.equal((await get(ref(lab.current.client(), 'x'))).exists(), false);
    const { json } = await lab.current.rest('/.settings/rules.json?format=strict');
    assert.deepEqual(Object.keys((json as { rules: object }).rules), ['.read', 'ab']);
  });

  it('are refused with a reason when they are wrong, and the old ones stay', async () => {
    await lab.current.rules({ '.read': true });
    const put = (body: string): Promise<{ status: number; json: unknown }> => lab.current.rest('/.settings/rules.json', { method: 'PUT', body });
    const misspelt = await put('{"rules": {".read": true, "a": {"$b": {".write": "atuh != null"}}}}');
    assert.equal(misspelt.status, 400);
    assert.match((misspelt.json as { error: string }).error, /^\/a\/\$b\/\.write: .*atuh is undefined/);
    const broken = await put('{\n  "rules": {".read" true}\n}');
    assert.match((broken.json as { error: string }).error, /^2:2\d: /);
    assert.equal((await put('{"rules": {".raed": true}}')).status, 400);
    assert.equal((await get(ref(lab.current.client(), 'x'))).exists(), false);
    const asUser = await lab.current.rest('/.settings/rules.json', { method: 'PUT', body: '{"rules":{}}', headers: { authorization: `Bearer ${unsignedToken({ sub: 'ada' })}` } });
    assert.equal(asUser.status, 401);
  });

  it('bind an administrator who acts as somebody else', async () => {
    await lab.current.rules({ $uid: { '.write': 'auth.uid === $uid', '.read': 'auth === null' } });
    const asAda = lab.current.admin({ databaseAuthVariableOverride: { uid: 'ada' } });
    await asAda.ref('ada').set(1);
    await assert.rejects(asAda.ref('bob').set(1), DENIED);
    assert.equal((await lab.current.admin({ databaseAuthVariableOverride: null }).ref('ada').get()).val(), 1);
  });

  it('refuse tokens that are malformed or out of date', async () => {
    const wire = await lab.current.wire();
    assert.equal((await wire.request('auth', { cred: 'nonsense' })).s, 'invalid_token');
    const old = unsignedToken({ sub: 'ada', iat: 1_000_000, exp: 1_003_600 });
    assert.equal((await wire.request('auth', { cred: old })).s, 'expired_token');
  });

  it('notice when a token runs out', async () => {
    const wire = await lab.current.wire();
    await lab.current.rules({ '.read': 'auth != null' });
    const now = Date.now() / 1000;
    assert.equal((await wire.request('auth', { cred: unsignedToken({ sub: 'ada', iat: now, exp: now + 0.2 }) })).s, 'ok');
    assert.equal((await wire.request('q', { p: '/a', h: '' })).s, 'ok');
    assert.equal((await wire.next((message) => message.d.a === 'ac')).d.b?.s, 'expired_token');
    assert.equal((await wire.next((message) => message.d.a === 'c')).d.b?.p, 'a');
  }).retries(3);
});
