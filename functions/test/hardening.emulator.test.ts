import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { deploy, endInstances, type Instance } from './deployed.ts';
import { frames } from './frames.ts';
import { closeClients, givePlayer, read, type Player } from './harness.ts';
import { sendRaw as send, type Answer, type Sent } from './raw-http.ts';

after(async () => {
  await endInstances();
  await closeClients();
});

interface ErrorBody { error: { code?: string; status?: string; message: string; details?: { reason: string } } }
const json = ({ bytes }: Answer): unknown => JSON.parse(bytes.toString());
const reasonOf = (answer: Answer): string | undefined => (json(answer) as ErrorBody).error.details?.reason;
const game = 'https://game.example';

describe('built functions under the functions framework', () => {
  let api: Instance;
  let start: Instance;
  let player: Player;
  let authorization: string;
  let jsonHeaders: Record<string, string>;

  before(async function () {
    this.timeout(120_000);
    [api, start] = await Promise.all([deploy('api'), deploy('startSession')]);
    player = await givePlayer({ dofs: 5_000 });
    authorization = `Bearer ${await player.idToken()}`;
    jsonHeaders = { authorization, 'content-type': 'application/json' };
  });

  it('answer every error as their API does, never with a page or a stack', async () => {
    const wrong: [string, Sent, number][] = [
      ['no JSON', { headers: jsonHeaders, body: '{"planted":' }, 400],
      ['no UTF-8', { headers: jsonHeaders, body: Buffer.from([0x7b, 0xff, 0x7d]) }, 400],
      ['nested', { headers: jsonHeaders, body: `{"data":${'['.repeat(10_000)}${']'.repeat(10_000)}}` }, 400],
      ['an unknown type', { headers: jsonHeaders, body: '{"data":{"@type":"planted"}}' }, 400],
      ['text', { headers: { ...jsonHeaders, 'content-type': 'text/plain' }, body: 'planted' }, 415],
      ['a form', { headers: { ...jsonHeaders, 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=planted' }, 415],
      ['an unknown charset', { headers: { ...jsonHeaders, 'content-type': 'text/plain; charset=planted' }, body: 'x' }, 415],
      ['packed', { headers: { ...jsonHeaders, 'content-encoding': 'gzip' }, body: Buffer.from('H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==', 'base64') }, 415],
      ['an unknown packing', { headers: { ...jsonHeaders, 'content-encoding': 'planted' }, body: '{}' }, 415],
      ['a broken percent code', { path: '/v1/sessions/%E0%A4%A', headers: jsonHeaders, body: '{}' }, 400],
      ['15 MB and more', { headers: { ...jsonHeaders, 'content-length': '15000001' } }, 413],
    ];
    for (const [instance, path] of [[api, '/v1/sessions'], [start, '/']] as const) {
      for (const [what, sent, status] of wrong) {
        const answer = await send(instance, { method: 'POST', path, ...sent });
        assert.deepEqual([answer.status, answer.headers['content-type'], reasonOf(answer)], [status, 'application/json; charset=utf-8', 'bad_input'], `${path} ${what}: ${answer.bytes.toString()}`);
        assert.doesNotMatch(answer.bytes.toString(), /planted|node_modules|<html/i, what);
      }
    }
  });

  it('take bodies of the size that they need, and no larger ones', async () => {
    const padded = (bytes: number): Sent => ({ method: 'POST', headers: jsonHeaders, body: JSON.stringify({ data: { agentInstanceId: player.agentInstanceId, padding: 'x'.repeat(bytes) } }) });
    assert.equal((await send(start, padded(60_000))).status, 400, 'an unknown key');
    const large = await send(start, padded(66_000));
    assert.deepEqual([large.status, (json(large) as ErrorBody).error.status], [413, 'INVALID_ARGUMENT']);
    assert.equal((await send(api, { ...padded(66_000), path: '/v1/sessions' })).status, 413);
    const frame = await send(api, { method: 'POST', path: '/v1/sessions/none/frames', headers: jsonHeaders, body: JSON.stringify({ requestId: 'r', frameData: frames[0]!.padEnd(6_000_000, 'A'), audioData: 'A'.repeat(6_000_000) }) });
    assert.deepEqual([frame.status, reasonOf(frame)], [404, 'not_found']);
  });

  it('say what a browser may do with an answer, whatever it is', async () => {
    for (const answer of [await send(api, { path: '/health' }), await send(api, { path: '/none' }), await send(start, { method: 'POST', headers: jsonHeaders, body: '{"data":{}}' })]) {
      assert.deepEqual(
        ['cache-control', 'content-security-policy', 'referrer-policy', 'strict-transport-security', 'x-content-type-options', 'x-powered-by'].map((name) => answer.headers[name]),
        ['no-store', "default-src 'none'; frame-ancestors 'none'", 'no-referrer', 'max-age=31536000', 'nosniff', undefined],
      );
    }
  });

  describe('over REST', () => {
    it('say which methods an address takes', async () => {
      for (const [method, path, allow] of [['PUT', '/v1/sessions', 'GET, HEAD, OPTIONS, POST'], ['DELETE', '/v1/me', 'GET, HEAD, OPTIONS'], ['GET', '/v1/sessions/a/frames', 'OPTIONS, POST'], ['POST', '/ready', 'GET, HEAD, OPTIONS']] as const) {
        const answer = await send(api, { method, path, headers: { authorization } });
        assert.deepEqual([answer.status, answer.headers.allow, reasonOf(answer)], [405, allow, 'bad_input'], `${method} ${path}`);
      }
      const options = await send(api, { method: 'OPTIONS', path: '/v1/sessions' });
      assert.deepEqual([options.status, options.bytes.length], [204, 0]);
      const none = await send(api, { path: '/v1/none' });
      assert.deepEqual([none.status, reasonOf(none), none.headers.allow], [404, 'not_found', undefined]);
    });

    it('answer HEAD as GET, without a body', async () => {
      for (const path of ['/health', '/v1/status']) {
        const [head, get] = [await send(api, { method: 'HEAD', path }), await send(api, { path })];
        assert.deepEqual([head.status, head.headers['content-type'], head.headers['content-length'], head.bytes.length], [200, get.headers['content-type'], get.headers['content-length'], 0]);
      }
    });

    it('compress answers from 1 KB on, for clients that can take it', async () => {
      const packed = await send(api, { path: '/v1/openapi.json', headers: { 'accept-encoding': 'gzip' } });
      assert.equal(packed.headers['content-encoding'], 'gzip');
      assert.match(packed.headers.vary ?? '', /\bAccept-Encoding\b/);
      const whole = await send(api, { path: '/v1/openapi.json' });
      assert.equal(whole.headers['content-encoding'], undefined);
      assert.deepEqual(gunzipSync(packed.bytes), whole.bytes);
      assert.ok(packed.bytes.length < whole.bytes.length / 4);
      assert.equal((await send(api, { path: '/health', headers: { 'accept-encoding': 'gzip' } })).headers['content-encoding'], undefined);
    });

    it('compress downloads, and no stream of events', async () => {
      const { sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
      const events = await send(api, { method: 'POST', path: `/v1/sessions/${sessionId}/frames`, headers: { ...jsonHeaders, accept: 'text/event-stream', 'accept-encoding': 'gzip' }, body: '{"requestId":"one","instruction":"Hello"}' });
      assert.deepEqual([events.status, events.headers['content-type'], events.headers['content-encoding']], [200, 'text/event-stream', undefined]);
      assert.match(events.bytes.toString(), /event: result\n/);
      const file = await send(api, { path: '/v1/usage/export?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&format=csv', headers: { authorization, 'accept-encoding': 'gzip' } });
      assert.deepEqual([file.status, file.headers['content-encoding']], [200, 'gzip'], file.bytes.toString());
      assert.match(gunzipSync(file.bytes).toString(), /^[\w,]+\r\n$/);
    });

    it('refuse an id that differs from the one in the address, and act on neither', async () => {
      const path = `/v1/agents/${player.agentInstanceId}`;
      const rename = (agentInstanceId: unknown): Promise<Answer> => send(api, { method: 'PATCH', path, headers: jsonHeaders, body: JSON.stringify({ agentInstanceId, customName: 'Other' }) });
      for (const id of ['other', 1, [player.agentInstanceId], null]) assert.equal(reasonOf(await rename(id)), 'bad_input');
      assert.equal((await read(`users/${player.uid}/agents/${player.agentInstanceId}`))?.['customName'], null);
      assert.equal((await rename(player.agentInstanceId)).status, 200);
    });
  });

  describe('to browsers', () => {
    const cors = async (instance: Instance, path: string, origin: string): Promise<[preflight: string | undefined, answer: string | undefined, exposed: string | undefined]> => {
      const preflight = await send(instance, { method: 'OPTIONS', path, headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' } });
      const answer = await send(instance, { method: 'POST', path, headers: { origin, 'content-type': 'application/json' }, body: '{"data":{}}' });
      return [preflight.headers['access-control-allow-origin'], answer.headers['access-control-allow-origin'], answer.headers['access-control-expose-headers']];
    };
    const both = (env: Record<string, string | undefined>): Promise<Instance[]> => Promise.all([deploy('api', env), deploy('startSession', env)]);

    it('of every origin answer on the emulators', async () => {
      for (const [instance, path] of [[api, '/v1/sessions'], [start, '/']] as const) assert.deepEqual((await cors(instance, path, game)).slice(0, 2), [game, game]);
      assert.equal((await cors(api, '/v1/sessions', game))[2], 'content-disposition, retry-after');
    });

    it('of the origins that are named answer, and of no other', async () => {
      const [restInstance, callable] = await both({ CORS_ORIGINS: `${game}/ , https://second.example` });
      for (const [instance, path] of [[restInstance!, '/v1/sessions'], [callable!, '/']] as const) {
        assert.deepEqual((await cors(instance, path, game)).slice(0, 2), [game, game]);
        assert.deepEqual((await cors(instance, path, 'https://second.example')).slice(0, 2), ['https://second.example', 'https://second.example']);
        for (const origin of ['https://evil.example', 'http://game.example', 'https://game.example.evil.example', 'null']) assert.deepEqual((await cors(instance, path, origin)).slice(0, 2), [undefined, undefined], origin);
      }
    });

    it('of no origin answer where none is named', async () => {
      const instances = await both({ FIRESTORE_EMULATOR_HOST: undefined, FUNCTIONS_EMULATOR: undefined });
      for (const [index, path] of ['/v1/sessions', '/'].entries()) assert.deepEqual((await cors(instances[index]!, path, game)).slice(0, 2), [undefined, undefined]);
    });
  });
});
