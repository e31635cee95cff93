import assert from 'node:assert/strict';
import { get, goOffline, onDisconnect, ref, serverTimestamp, set, increment } from 'firebase/database';
import { unsignedToken, until, useLab } from './lab.ts';

const OPEN = { '.read': true, '.write': true };

describe('onDisconnect', () => {
  const lab = useLab();
  beforeEach(() => lab.current.rules(OPEN));

  it('sets, updates and removes when the client says goodbye', async () => {
    const leaver = lab.current.client();
    const watcher = lab.current.client();
    await set(ref(leaver, 'here'), { temp: 1, count: 1 });
    await onDisconnect(ref(leaver, 'here/online')).set(false);
    await onDisconnect(ref(leaver, 'here')).update({ count: increment(1), 'seen/at': serverTimestamp() });
    await onDisconnect(ref(leaver, 'here/temp')).remove();
    assert.deepEqual((await get(ref(watcher, 'here'))).val(), { temp: 1, count: 1 });
    goOffline(leaver);
    const gone = await until(ref(watcher, 'here'), (snapshot) => !snapshot.child('temp').exists() && snapshot.child('seen').exists());
    assert.equal(gone.child('online').val(), false);
    assert.equal(gone.child('count').val(), 2);
    assert.ok(Math.abs(Number(gone.child('seen/at').val()) - Date.now()) < 5000);
  });

  it('happens when the socket is destroyed', async () => {
    const wire = await lab.current.wire();
    await wire.request('o', { p: '/status', d: 'lost' });
    wire.socket.terminate();
    await until(ref(lab.current.client(), 'status'), (snapshot) => snapshot.val() === 'lost');
  });

  it('can be cancelled, also from above', async () => {
    const wire = await lab.current.wire();
    await wire.request('o', { p: '/a/b', d: 1 });
    await wire.request('om', { p: '/a', d: { c: 1, 'd/e': 1 } });
    await wire.request('o', { p: '/z', d: 1 });
    await wire.request('oc', { p: '/a/d', d: null });
    await wire.request('oc', { p: '/a/b', d: null });
    wire.socket.terminate();
    await until(ref(lab.current.client(), 'z'), (snapshot) => snapshot.exists());
    assert.deepEqual((await lab.current.rest('/.json')).json, { a: { c: 1 }, z: 1 });
  });

  it('keeps the permissions of the one who asked for it', async () => {
    await lab.current.rules({ mine: { '.write': "auth.uid === 'ada'" }, shut: {} });
    const wire = await lab.current.wire();
    assert.equal((await wire.request('o', { p: '/mine', d: 1 })).s, 'permission_denied');
    await wire.request('auth', { cred: unsignedToken({ sub: 'ada' }) });
    assert.equal((await wire.request('o', { p: '/mine', d: 1 })).s, 'ok');
    assert.equal((await wire.request('om', { p: '/', d: { mine: 1, shut: 2 } })).s, 'permission_denied');
    await wire.request('unauth', {});
    const admin = lab.current.admin();
    const seen = new Promise<void>((resolve) => {
      admin.ref('mine').on('value', (snapshot) => { if (snapshot.val() === 1) resolve(); });
    });
    wire.socket.terminate();
    await seen;
  });
});
