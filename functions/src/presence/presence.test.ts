import assert from 'node:assert/strict';
import { isOnline, onlineAmong, surplus, withOnline, type LivePresence } from './presence.ts';

const now = 1_000_000_000;
const at = (ago: number) => ({ at: now - ago });

describe('presence: who is online', () => {
  it('is who has a connection', () => {
    assert.deepEqual([null, {}, { c1: at(0) }, { c1: at(0), c2: at(10) }].map((connections) => isOnline(connections, now)), [false, false, true, true]);
  });

  it('is not who was silent for three minutes on all of them', () => {
    assert.deepEqual([179_999, 180_000, 999_999].map((ago) => isOnline({ c1: at(ago) }, now)), [true, false, false]);
    assert.equal(isOnline({ c1: at(999_999), c2: at(60_000), c3: at(180_000) }, now), true);
  });

  it('is also who has a clock ahead of ours', () => assert.equal(isOnline({ c1: at(-5_000) }, now), true));
});

describe('presence: too many connections', () => {
  it('are those beyond twenty that were silent the longest', () => {
    const connections = Object.fromEntries(Array.from({ length: 22 }, (_, index) => [`c${index}`, at(index * 1_000)]));
    assert.deepEqual(surplus(connections), ['c20', 'c21']);
    assert.deepEqual(surplus(Object.fromEntries(Object.entries(connections).reverse())), ['c20', 'c21']);
  });

  it('are none of twenty, nor of none', () => {
    assert.deepEqual(surplus(Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`c${index}`, at(index)]))), []);
    assert.deepEqual(surplus(null), []);
  });
});

describe('presence: what members are shown', () => {
  const live: LivePresence & { version: number } = { status: 'active', members: { u1: 'owner', u2: 'player' }, version: 3 };

  it('is who has come, beside who is there, and no more who has gone', () => {
    const one = withOnline(live, 'u1', true);
    const both = withOnline(one, 'u2', true);
    assert.deepEqual(both, { ...live, online: { u1: true, u2: true } });
    assert.deepEqual(withOnline(both, 'u1', false), { ...live, online: { u2: true } });
  });

  it('stays as it is when it says so already', () => {
    const shown = { ...live, online: { u1: true } } satisfies LivePresence;
    assert.equal(withOnline(shown, 'u1', true), shown);
    assert.equal(withOnline(shown, 'u2', false), shown);
  });

  it('is nobody who is no member, and nobody once the session has ended', () => {
    for (const uid of ['u3', 'constructor']) assert.equal(withOnline(live, uid, true), live);
    const ended: LivePresence = { ...live, status: 'ended', online: { u1: true } };
    assert.deepEqual(withOnline(ended, 'u1', true).online, {});
    assert.deepEqual(withOnline({ ...live, members: { u2: 'player' }, online: { u1: true } }, 'u1', true).online, {});
    assert.deepEqual(withOnline({ status: 'active' }, 'u1', true), { status: 'active' });
  });

  it('is of those who were online who is still a member', () => {
    assert.deepEqual(onlineAmong({ u1: true, u2: true }, { u2: 'player', u3: 'player' }), { u2: true });
    assert.deepEqual(onlineAmong(undefined, { u2: 'player' }), {});
  });
});
