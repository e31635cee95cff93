import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ref, set, update } from 'firebase/database';
import { Lab } from './lab.ts';
import { startDatabaseEmulator } from './server.ts';

interface Delivery {
  url: string;
  contentType: string;
  event: {
    type: string; ref: string; instance: string; subject: string; authtype: string; authid?: string; specversion: string;
    data: { data: unknown; delta: unknown };
    context?: Record<string, unknown>;
  };
}

/** Stands in for the functions emulator. */
class FunctionsStub {
  readonly server: Server;
  readonly deliveries: Delivery[] = [];
  #announce: () => void = () => undefined;

  constructor() {
    this.server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => { body += chunk.toString('utf8'); });
      request.on('end', () => {
        const event = JSON.parse(body) as Delivery['event'];
        this.deliveries.push({ url: request.url ?? '', contentType: request.headers['content-type'] ?? '', event });
        response.end('{"status":"acknowledged"}');
        this.#announce();
      });
    });
  }

  /** Waits for that many events and takes them, in the order of their references. */
  async take(count: number): Promise<Delivery[]> {
    while (this.deliveries.length < count) await new Promise<void>((resolve) => { this.#announce = resolve; });
    return this.deliveries.splice(0).sort((a, b) => `${a.event.ref} ${a.event.type}`.localeCompare(`${b.event.ref} ${b.event.type}`));
  }
}

const V2 = 'google.firebase.database.ref.v1';

describe('triggers', () => {
  let lab: Lab;
  let functions: FunctionsStub;
  beforeEach(async () => {
    functions = new FunctionsStub();
    await new Promise<void>((resolve) => { functions.server.listen(0, '127.0.0.1', resolve); });
    const { port } = functions.server.address() as AddressInfo;
    lab = new Lab(await startDatabaseEmulator({ host: '127.0.0.1', port: 0, functions: { host: '127.0.0.1', port } }));
    await lab.rules({ '.read': true, '.write': true });
  });
  afterEach(async () => {
    await lab.close();
    functions.server.closeAllConnections();
    await new Promise<void>((resolve) => { functions.server.close(() => { resolve(); }); });
  });

  async function register(key: string, path: string, event: string, namespacePattern = '*'): Promise<void> {
    const name = `projects/p/locations/us-central1/triggers/${key}`;
    const body = JSON.stringify({ name, path, event, topic: `projects/p/topics/${key}`, namespacePattern });
    assert.equal((await lab.rest('/.settings/functionTriggers.json', { method: 'POST', body })).status, 200);
  }

  it('tell of creation, change and deletion', async () => {
    for (const kind of ['created', 'updated', 'deleted', 'written']) await register(`us-central1-${kind}-0`, '/runs/{run}/status', `${V2}.${kind}`);
    const db = lab.client('ada');
    await set(ref(db, 'runs/r1/status'), { step: 1, note: 'x' });
    const [created, written] = await functions.take(2);
    assert.equal(created?.url, '/functions/projects/p/triggers/us-central1-created-0');
    assert.match(created.contentType, /^application\/cloudevents\+json/);
    assert.equal(created.event.specversion, '1.0');
    assert.equal(created.event.ref, 'runs/r1/status');
    assert.equal(created.event.subject, 'refs/runs/r1/status');
    assert.equal(created.event.instance, 'demo');
    assert.deepEqual([created.event.authtype, created.event.authid], ['app_user', 'ada']);
    assert.deepEqual(created.event.data.data, null);
    assert.deepEqual(created.event.data.delta, { step: 1, note: 'x' });
    assert.equal(written?.event.type, `${V2}.written`);

    await update(ref(db), { 'runs/r1/status/step': 2, 'runs/r1/status/note': null, 'runs/r1/other': 1 });
    const [updated] = await functions.take(2);
    assert.equal(updated?.event.type, `${V2}.updated`);
    assert.deepEqual(updated.event.data.data, { step: 1, note: 'x' });
    assert.deepEqual(updated.event.data.delta, { step: 2, note: null });

    await lab.admin().ref('runs').remove();
    const [deleted] = await functions.take(2);
    assert.equal(deleted?.event.type, `${V2}.deleted`);
    assert.equal(deleted.event.authtype, 'admin');
    assert.deepEqual([deleted.event.data.data, deleted.event.data.delta], [{ step: 2 }, null]);
  });

  it('fire for every matching place of one write, and only where something changed', async () => {
    await register('each', 'runs/{run}/on', `${V2}.written`);
    await lab.rest('/runs.json', { method: 'PUT', body: '{"a":{"on":1},"b":{"on":1},"c":{"off":1}}' });
    assert.deepEqual((await functions.take(2)).map(({ event }) => event.ref), ['runs/a/on', 'runs/b/on']);
    await lab.rest('/runs.json', { method: 'PUT', body: '{"a":{"on":1},"b":{"on":2},"c":{"off":2}}' });
    await lab.rest('/runs/a/on.json', { method: 'PUT', body: '1' });
    await lab.rest('/runs/z/on.json', { method: 'PUT', body: '1' });
    assert.deepEqual((await functions.take(2)).map(({ event }) => event.ref), ['runs/b/on', 'runs/z/on']);
  });

  it('stay silent when asked to, and mind the database', async () => {
    await register('one', '/a/**', `${V2}.written`, 'demo');
    await register('two', '/a/{rest=**}', `${V2}.written`, 'other-*');
    await lab.rest('/a/b/c.json?disableTriggers=true', { method: 'PUT', body: '1' });
    await lab.rest('/a/b/c.json?ns=third', { method: 'PUT', body: '1' });
    await lab.rest('/a/b/c.json?ns=other-x', { method: 'PUT', body: '1' });
    await lab.rest('/a/b/c.json', { method: 'PUT', body: '2' });
    const taken = await functions.take(2);
    assert.deepEqual(taken.map(({ url, event }) => [url.split('/').at(-1), event.instance, event.ref]).sort(), [['one', 'demo', 'a/b/c'], ['two', 'other-x', 'a/b/c']]);
  });

  it('know the first generation too', async () => {
    const body = JSON.stringify({
      name: 'projects/p/locations/_/functions/old', path: '/x/{id}', event: 'providers/google.firebase.database/eventTypes/ref.write', topic: 't',
    });
    await lab.rest('/.settings/functionTriggers.json?ns=demo', { method: 'POST', body });
    await set(ref(lab.client('ada'), 'x/1'), 'new');
    const [{ event, contentType } = assert.fail()] = await functions.take(1);
    assert.equal(contentType, 'application/json');
    assert.deepEqual(event.data, { data: null, delta: 'new' });
    assert.equal(event.context?.['resource'], 'projects/_/instances/demo/refs/x/1');
    assert.deepEqual((event.context['auth'] as { variable: { uid: string } }).variable.uid, 'ada');
  });

  it('are replaced when they are registered again, and refused when they make no sense', async () => {
    await register('again', '/a', `${V2}.written`);
    await register('again', '/b', `${V2}.written`);
    await lab.rest('/.json', { method: 'PATCH', body: '{"a":1,"b":1}' });
    assert.deepEqual((await functions.take(1)).map(({ event }) => event.ref), ['b']);
    assert.equal((await lab.rest('/.settings/functionTriggers.json', { method: 'POST', body: '{"name":"x"}' })).status, 400);
  });
});
