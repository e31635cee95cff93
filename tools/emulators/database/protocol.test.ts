import assert from 'node:assert/strict';
import { once } from 'node:events';
import { runInNewContext } from 'node:vm';
import { WebSocket } from 'ws';
import { toFrames } from './frames.ts';
import { useLab } from './lab.ts';

const OPEN = { '.read': true, '.write': true };

describe('the wire protocol', () => {
  const lab = useLab();
  beforeEach(() => lab.current.rules(OPEN));

  it('greets with the time, the version, the host and a session', async () => {
    const { port } = lab.current.emulator;
    const socket = new WebSocket(`ws://127.0.0.1:${port}/.ws?v=5&ns=demo`);
    const [data] = await once(socket, 'message') as [Buffer];
    const { t, d } = JSON.parse(data.toString('utf8')) as { t: string; d: { t: string; d: { ts: number; v: string; h: string; s: string } } };
    assert.deepEqual([t, d.t, d.d.v, d.d.h], ['c', 'h', '5', `127.0.0.1:${port}`]);
    assert.ok(Math.abs(d.d.ts - Date.now()) < 1000);
    assert.match(d.d.s, /^\w+$/);
    socket.terminate();
  });

  it('takes signs of life, pings and messages in pieces', async () => {
    const wire = await lab.current.wire();
    wire.socket.send('0');
    wire.socket.send(JSON.stringify({ t: 'c', d: { t: 'p', d: {} } }));
    assert.deepEqual((await wire.next(() => true)), { t: 'c', d: { t: 'o', d: {} } });
    const message = JSON.stringify({ t: 'd', d: { r: 900, a: 'p', b: { p: '/x', d: 'y'.repeat(50_000) } } });
    const frames = toFrames(message);
    assert.equal(frames[0], '4');
    for (const frame of frames) wire.socket.send(frame);
    assert.equal((await wire.next(({ d }) => d.r === 900)).d.b?.s, 'ok');
  });

  it('tells a client of its own writes before it confirms them', async () => {
    const wire = await lab.current.wire();
    await wire.request('q', { p: '/a', h: '' });
    wire.socket.send(JSON.stringify({ t: 'd', d: { r: 900, a: 'm', b: { p: '/a', d: { b: 1, 'c/d': 2 } } } }));
    assert.deepEqual((await wire.next(() => true)).d, { a: 'm', b: { p: 'a', d: { b: 1, 'c/d': 2 } } });
    assert.deepEqual((await wire.next(() => true)).d, { r: 900, b: { s: 'ok', d: {} } });
  });

  it('sends nothing more after an unlisten', async () => {
    const wire = await lab.current.wire();
    const query = { p: '/a', q: { l: 2, vf: 'l' }, t: 7 };
    await wire.request('q', { ...query, h: '' });
    await wire.request('p', { p: '/a/b', d: 1 });
    await wire.request('n', query);
    wire.messages.length = 0;
    await wire.request('p', { p: '/a/b', d: 2 });
    await wire.request('s', { c: { 'sdk.js': 1 } });
    assert.deepEqual(wire.messages, []);
  });

  it('refuses what makes no sense and stays connected', async () => {
    const wire = await lab.current.wire();
    assert.equal((await wire.request('zz', {})).s, 'invalid_data');
    assert.equal((await wire.request('p', { p: '/a', d: { 'b.c': 1 } })).s, 'invalid_data');
    assert.equal((await wire.request('p', { p: '/a/#', d: 1 })).s, 'invalid_data');
    assert.equal((await wire.request('q', { p: '/a', q: { l: -1 }, t: 1, h: '' })).s, 'invalid_data');
    assert.equal((await wire.request('m', { p: '/', d: { a: 1, 'a/b': 2 } })).s, 'invalid_data');
    assert.deepEqual(await wire.request('g', { p: '/a' }), { s: 'ok', d: null });
  });

  it('sends a browser that falls back to long polling to a WebSocket again', async () => {
    const response = await fetch(`http://127.0.0.1:${lab.current.emulator.port}/.lp?start=t&ser=1&cb=7&v=5&ns=demo`);
    const script = await response.text();
    const calls: string[] = [];
    const parent = {
      localStorage: { removeItem: (key: string) => { calls.push(key); } },
      pLPCommand7: (command: string) => { calls.push(command); },
    };
    runInNewContext(script, { parent });
    assert.deepEqual(calls, ['firebase:previous_websocket_failure', 'close']);
    assert.equal((await fetch(`http://127.0.0.1:${lab.current.emulator.port}/.lp?start=t&cb=x();y`)).status, 404);
  });

  it('drops a client that does not speak it, and other addresses', async () => {
    const wire = await lab.current.wire();
    wire.socket.send('nonsense');
    await once(wire.socket, 'close');
    const lost = new WebSocket(`ws://127.0.0.1:${lab.current.emulator.port}/elsewhere`);
    const [error] = await once(lost, 'error') as [Error];
    assert.match(error.message, /404/);
  });
});
