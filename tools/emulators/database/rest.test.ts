import assert from 'node:assert/strict';
import { unsignedToken, useLab } from './lab.ts';

const DATA = { people: { ada: { age: 36 }, bob: { age: 20 } }, list: ['a', 'b'], n: 1 };

describe('REST', () => {
  const lab = useLab();
  const rest = (path: string, options?: RequestInit): ReturnType<typeof lab.current.rest> => lab.current.rest(path, options);
  const send = (method: string, path: string, json: unknown, headers: Record<string, string> = {}): ReturnType<typeof rest> =>
    rest(path, { method, body: JSON.stringify(json), headers });
  beforeEach(() => send('PUT', '/.json', DATA));

  it('reads, writes, adds, updates and deletes', async () => {
    assert.deepEqual((await send('PUT', '/a/b.json', { c: [1, 2], gone: null })).json, { c: [1, 2] });
    const { name } = (await send('POST', '/a/list.json', { x: 1 })).json as { name: string };
    assert.match(name, /^-[-\w]{19}$/);
    assert.deepEqual((await send('PATCH', '/a.json', { 'b/c': null, d: { '.sv': { increment: 4 } } })).json, { 'b/c': null, d: 4 });
    assert.deepEqual((await rest('/a.json')).json, { d: 4, list: { [name]: { x: 1 } } });
    assert.deepEqual(await rest('/a.json', { method: 'DELETE' }).then(({ status, json }) => [status, json]), [200, null]);
    assert.equal((await rest('/a.json')).json, null);
    assert.deepEqual((await send('PUT', '/a%20b/%C3%A5.json', 1)).json, 1);
    assert.deepEqual((await rest('/a%20b.json')).json, { å: 1 });
  });

  it('gives data in the form that is asked for', async () => {
    assert.deepEqual((await rest('/.json?shallow=true')).json, { people: true, list: true, n: true });
    assert.equal((await rest('/n.json?shallow=true')).json, 1);
    assert.equal((await rest('/missing.json?shallow=true&limitToFirst=1')).json, null);
    assert.equal((await send('PUT', '/n.json?print=silent', 2)).status, 204);
    const pretty = await fetch(`http://127.0.0.1:${lab.current.emulator.port}/list.json?ns=demo&print=pretty&access_token=owner`);
    assert.equal(await pretty.text(), '[\n  "a",\n  "b"\n]');
  });

  it('exports and imports everything, priorities included', async () => {
    const full = { a: { '.value': 1, '.priority': 2 }, b: { c: { d: true }, '.priority': 'p' }, list: ['x', 'y'] };
    await send('PUT', '/.json?disableTriggers=true&writeSizeLimit=unlimited', full);
    const { json } = await rest('/.json?format=export');
    await send('PUT', '/.json?ns=copy', json);
    assert.deepEqual((await rest('/.json?ns=copy&format=export')).json, json);
    assert.deepEqual(json, { ...full, list: { 0: 'x', 1: 'y' } });
    const names = (await rest('/.inspect/databases.json')).json as { name: string }[];
    assert.deepEqual(names.map(({ name }) => name).sort(), ['copy', 'demo']);
  });

  it('queries', async () => {
    await lab.current.rules({ '.read': 'auth != null', people: { '.indexOn': 'age' } });
    const as = { headers: { authorization: `Bearer ${unsignedToken({ sub: 'ada' })}` } };
    const ask = async (parameters: string): Promise<unknown> => (await rest(`/people.json?${parameters}`, as)).json;
    assert.deepEqual(await ask('orderBy="age"&startAt=30'), { ada: { age: 36 } });
    assert.deepEqual(await ask('orderBy="$key"&limitToFirst=1'), { ada: { age: 36 } });
    assert.deepEqual(await ask('orderBy="age"&equalTo=20'), { bob: { age: 20 } });
    assert.deepEqual(await ask('orderBy="age"&startAfter=20&limitToLast=5'), { ada: { age: 36 } });
    assert.deepEqual(await ask('orderBy="age"&endBefore=36'), { bob: { age: 20 } });
    assert.deepEqual(await ask('startAt=1'), { error: 'orderBy must be defined when other query parameters are defined' });
    const unindexed = await rest('/people.json?orderBy="name"', as);
    assert.equal(unindexed.status, 400);
    assert.match((unindexed.json as { error: string }).error, /^Index not defined, add ".indexOn": "name", for path "\/people"/);
    assert.equal((await rest('/people.json?orderBy="name"')).status, 200);
  });

  it('keeps to the rules', async () => {
    await lab.current.rules({ $uid: { '.read': 'auth.uid === $uid', '.write': 'auth.uid === $uid' } });
    const token = unsignedToken({ sub: 'ada' });
    const bare = (path: string, options: RequestInit = {}): Promise<Response> => fetch(`http://127.0.0.1:${lab.current.emulator.port}${path}`, options);
    assert.equal((await bare(`/ada.json?ns=demo&auth=${token}`, { method: 'PUT', body: '1' })).status, 200);
    assert.equal(await (await bare(`/ada.json?ns=demo&access_token=${token}`)).json(), 1);
    const denied = await bare('/ada.json?ns=demo');
    assert.equal(denied.status, 401);
    assert.deepEqual(await denied.json(), { error: 'Permission denied' });
    assert.equal((await bare(`/bob.json?ns=demo&auth=${token}`, { method: 'DELETE' })).status, 401);
    assert.equal((await bare('/ada.json?ns=demo&auth=garbage')).status, 401);
    assert.equal((await bare('/.inspect/databases.json')).status, 401);
    assert.equal((await rest('/bob.json?auth_variable_override={"uid":"ada"}')).status, 401);
  });

  it('writes on condition', async () => {
    const tagged = await rest('/n.json', { headers: { 'X-Firebase-ETag': 'true' } });
    const tag = tagged.headers.get('etag') ?? '';
    assert.equal((await send('PUT', '/n.json', 2, { 'if-match': tag })).status, 200);
    const refused = await send('PUT', '/n.json', 3, { 'if-match': tag });
    assert.equal(refused.status, 412);
    assert.equal(refused.json, 2);
    assert.equal((await rest('/n.json', { method: 'DELETE', headers: { 'if-match': refused.headers.get('etag') ?? '' } })).status, 200);
    const none = await rest('/n.json', { headers: { 'X-Firebase-ETag': 'true' } });
    assert.equal(none.headers.get('etag'), 'null_etag');
    assert.equal((await send('PUT', '/n.json', 4, { 'if-match': 'null_etag' })).status, 200);
  });

  it('refuses what the database cannot hold', async () => {
    const status = async (path: string, body: string, method = 'PUT'): Promise<number> => (await rest(path, { method, body })).status;
    assert.equal(await status('/a.json', '{broken'), 400);
    assert.equal(await status('/a.json', '{"b.c": 1}'), 400);
    assert.equal(await status('/a.json', '{"": 1}'), 400);
    assert.equal(await status('/a$b.json', '1'), 400);
    assert.equal(await status(`/${'a/'.repeat(33)}.json`, '1'), 400);
    assert.equal(await status('/a.json', '{"x":'.repeat(32) + '1' + '}'.repeat(32)), 400);
    assert.equal(await status('/.json', '{"x":'.repeat(32) + '1' + '}'.repeat(32)), 200);
    assert.equal(await status('/a.json', `{"${'k'.repeat(769)}": 1}`), 400);
    assert.equal(await status('/a.json', '{".value": 1, "b": 2}'), 400);
    assert.equal(await status('/a.json', '{".sv": "nonsense"}'), 400);
    assert.equal(await status('/a.json', '{"b": 1, "b/c": 2}', 'PATCH'), 400);
    assert.equal(await status('/a.json', '5', 'PATCH'), 400);
    assert.equal(await status('/a', '5'), 404);
    assert.equal(await status('/a.json', '{"__proto__": {"x": 1}}'), 200);
    assert.equal(JSON.stringify((await rest('/a.json')).json), '{"__proto__":{"x":1}}');
  });

  it('streams changes', async () => {
    const abort = new AbortController();
    const url = `http://127.0.0.1:${lab.current.emulator.port}/people.json?ns=demo`;
    await lab.current.rules({ people: { '.read': true } });
    const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: abort.signal });
    assert.ok(response.body);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const expect = async (wanted: string): Promise<void> => {
      while (!text.includes(wanted)) text += (await reader.read()).value ?? assert.fail(`stream ended before ${wanted}`);
    };
    await expect('event: put\ndata: {"path":"/","data":{"ada":{"age":36},"bob":{"age":20}}}\n\n');
    await send('PUT', '/people/ada/age.json', 37);
    await expect('event: put\ndata: {"path":"/ada/age","data":37}\n\n');
    await send('PATCH', '/people.json', { 'bob/age': 21, cyd: 1 });
    await expect('event: patch\ndata: {"path":"/","data":{"bob/age":21,"cyd":1}}\n\n');
    await lab.current.rules({});
    await expect('event: cancel\ndata: null\n\n');
    abort.abort();
  });
});
