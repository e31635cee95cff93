import assert from 'node:assert/strict';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { AgentDoc } from '../src/agents/schema.ts';
import { prepareTurn } from '../src/live/prepare.ts';
import { processFrameChunk, processFrameOutput } from '../src/live/schema.ts';
import { httpStatusOf } from '../src/runtime/errors.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import { refusedWith, snapshotOf } from './evidence.ts';
import { frames } from './frames.ts';
import { admin, apiUrl, closeClients, eventually, givePlayer, read, type Player } from './harness.ts';

after(closeClients);

/** A REST answer with its JSON body. */
interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}
interface ErrorBody {
  error: { code: keyof typeof httpStatusOf; message: string; details?: { reason: string } & Record<string, unknown> };
}

/** Calls a path of the API as a player, or as nobody; text is sent as it is, everything else as JSON. */
async function rest<T = ErrorBody>(method: string, path: string, { as, authorization, body, headers }: { as?: Player; authorization?: string; body?: unknown; headers?: Record<string, string> } = {}): Promise<Answer<T>> {
  const token = as ? `Bearer ${await as.idToken()}` : authorization;
  const response = await fetch(`${apiUrl}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(token === undefined ? {} : { authorization: token }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/, `${method} ${path} answered ${response.status}: ${text.slice(0, 300)}`);
  return { status: response.status, headers: response.headers, body: JSON.parse(text) as T };
}

/** The shape that every error of the API has. */
function assertError({ status, body }: Answer<ErrorBody>, code: keyof typeof httpStatusOf, reason?: string): void {
  assert.deepEqual({ status, code: body.error.code, reason: body.error.details?.reason }, { status: httpStatusOf[code], code, reason }, body.error.message);
  assert.deepEqual(Object.keys(body), ['error']);
  assert.deepEqual(Object.keys(body.error), reason === undefined ? ['code', 'message'] : ['code', 'message', 'details']);
  assert.ok(body.error.message.length > 0);
  assert.doesNotMatch(JSON.stringify(body), /\bat .*\.[jt]s:\d+|node_modules/, 'no stack');
}

/** Calls a streaming route and reads its server-sent events. */
async function restStream(path: string, as: Player, body: unknown): Promise<{ event: string; data: unknown }[]> {
  const response = await fetch(`${apiUrl}${path}`, {
    method: 'POST', headers: { accept: 'text/event-stream', 'content-type': 'application/json', authorization: `Bearer ${await as.idToken()}` }, body: JSON.stringify(body),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  return text.split('\n\n').filter((event) => event !== '').map((event) => {
    const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
    assert.ok(name && data, `not an event: ${event}`);
    return { event: name, data: JSON.parse(data) as unknown };
  });
}

interface Session {
  sessionId: string;
  status: string;
  closeReason: string | null;
  consumedDOFs: number;
  settlement: string;
}

const start = async (player: Player, body: object = {}): Promise<string> => (await rest<Session>('POST', '/v1/sessions', { as: player, body: { agentInstanceId: player.agentInstanceId, ...body } })).body.sessionId;

/** The claims of a token changed, without a signature, as the Auth emulator's own tokens are. */
async function tokenWith(player: Player, claims: object): Promise<string> {
  const payload = JSON.parse(Buffer.from((await player.idToken()).split('.')[1]!, 'base64url').toString()) as object;
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', type: 'JWT' })}.${part({ ...payload, ...claims })}.`;
}

describe('the REST API', () => {
  let player: Player;
  before(async function () {
    this.timeout(120_000);
    player = await givePlayer({ dofs: 5_000, agents: 2 });
  });

  it('leads through the whole life of a session', async () => {
    const status = await rest<{ status: string; limits: { maxSessionsPerUser: number } }>('GET', '/v1/status');
    assert.deepEqual([status.status, status.body.status, status.body.limits.maxSessionsPerUser], [200, 'up', 1]);
    const me = await rest<{ userId: string; ownedAgents: unknown[] }>('GET', '/v1/me', { as: player });
    assert.deepEqual([me.status, me.body.userId, me.body.ownedAgents.length], [200, player.uid, 2]);
    const agents = await rest<{ agents: { agentInstanceId: string; availableDOFs: number }[] }>('GET', '/v1/agents', { as: player });
    assert.deepEqual(agents.body.agents.map(({ availableDOFs }) => availableDOFs), [5_000, 5_000]);
    const renamed = await rest<{ customName: string }>('PATCH', `/v1/agents/${player.agentInstanceId}`, { as: player, body: { customName: 'Buddy' } });
    assert.deepEqual([renamed.status, renamed.body.customName], [200, 'Buddy']);

    const started = await rest<Session & { resumed: boolean; remainingDOFs: number; config: object }>('POST', '/v1/sessions', { as: player, body: { agentInstanceId: player.agentInstanceId, gameContext: { platform: 'mobile' } } });
    assert.deepEqual([started.status, started.body.resumed, started.body.remainingDOFs], [200, false, 5_000]);
    const { sessionId } = started.body;

    const frame = await rest<unknown>('POST', `/v1/sessions/${sessionId}/frames`, { as: player, body: { requestId: 'one', frameData: frames[0] } });
    const first = processFrameOutput.parse(frame.body);
    assert.deepEqual([frame.status, first.outcome, first.consumedDOFs], [200, 'complete', first.costDOFs]);
    const replayed = await rest<unknown>('POST', `/v1/sessions/${sessionId}/frames`, { as: player, body: { requestId: 'one', frameData: frames[0] } });
    assert.deepEqual(replayed.body, { ...first, replayed: true });

    const events = await restStream(`/v1/sessions/${sessionId}/frames`, player, { requestId: 'two', frameData: frames[1], instruction: 'What do you see?' });
    assert.deepEqual([...new Set(events.map(({ event }) => event))], ['chunk', 'result'], 'chunks, then the result');
    const second = processFrameOutput.parse(events.at(-1)!.data);
    const chunks = events.slice(0, -1).map(({ data }) => processFrameChunk.parse(data));
    assert.ok(chunks.length > 1);
    assert.deepEqual([chunks.map(({ text }) => text).join(''), [...new Set(chunks.map(({ turnId }) => turnId))]], [second.reply, [second.turnId]]);
    assert.equal(second.consumedDOFs, first.costDOFs + second.costDOFs);

    const got = await rest<Session>('GET', `/v1/sessions/${sessionId}`, { as: player });
    assert.deepEqual([got.status, got.body.status, got.body.closeReason], [200, 'active', null]);
    const ended = await rest<Session>('POST', `/v1/sessions/${sessionId}/end`, { as: player });
    assert.deepEqual([ended.status, ended.body.status, ended.body.closeReason, ended.body.consumedDOFs], [200, 'ended', 'user', second.consumedDOFs]);
    await eventually(async () => (await rest<Session>('GET', `/v1/sessions/${sessionId}`, { as: player })).body.settlement === 'done', 'the settlement');
    assertError(await rest('POST', `/v1/sessions/${sessionId}/frames`, { as: player, body: { requestId: 'late', frameData: frames[0] } }), 'failed-precondition', 'session_closed');
    const after = await rest<{ ownedAgents: { currentDOFs: number; heldDOFs: number }[] }>('GET', '/v1/me', { as: player });
    assert.deepEqual(after.body.ownedAgents.map(({ currentDOFs, heldDOFs }) => [currentDOFs, heldDOFs]), [[5_000 - second.consumedDOFs, 0], [5_000, 0]]);
  });

  it('pages through sessions, newest first, each exactly once', async () => {
    const owner = await givePlayer();
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) {
      ids.unshift(await start(owner));
      await rest('POST', `/v1/sessions/${ids[0]}/end`, { as: owner });
      // The next session gets what this one gives back.
      await eventually(async () => (await read<SessionDoc>(`sessions/${ids[0]}`))?.settlement === 'done', 'the settlement');
    }
    const pages: string[][] = [];
    let cursor: string | null = null;
    do {
      const path: string = `/v1/sessions?limit=2${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
      const { body } = await rest<{ sessions: Session[]; nextCursor: string | null }>('GET', path, { as: owner });
      pages.push(body.sessions.map(({ sessionId }) => sessionId));
      cursor = body.nextCursor;
    } while (cursor !== null && pages.length < 9);
    assert.deepEqual(pages, [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
    const whole = await rest<{ sessions: Session[]; nextCursor: string | null }>('GET', '/v1/sessions?limit=5', { as: owner });
    assert.deepEqual([whole.body.sessions.map(({ sessionId }) => sessionId), whole.body.nextCursor], [ids, null]);
    const nobodys = await rest<{ sessions: Session[] }>('GET', '/v1/sessions', { as: await givePlayer() });
    assert.deepEqual(nobodys.body, { sessions: [], nextCursor: null });
  });

  it('answers as the callables do, results and errors alike', async () => {
    const owner = await givePlayer();
    const sessionId = await start(owner);
    const calls: ['getMe' | 'listMyAgents' | 'getSession' | 'listMySessions', object, string][] = [
      ['getMe', {}, '/v1/me'], ['listMyAgents', {}, '/v1/agents'], ['getSession', { sessionId }, `/v1/sessions/${sessionId}`], ['listMySessions', { limit: 3 }, '/v1/sessions?limit=3'],
    ];
    for (const [name, input, path] of calls) {
      const { status, body } = await rest<unknown>('GET', path, { as: owner });
      assert.equal(status, 200);
      assert.deepEqual(body, await owner.callRaw(name, input), name);
    }
    const refused: [string, object, string, string, unknown][] = [
      ['getSession', { sessionId: 'unknown' }, 'GET', '/v1/sessions/unknown', undefined],
      ['getSession', { sessionId: 'a.b' }, 'GET', '/v1/sessions/a.b', undefined],
      ['listMySessions', { limit: 101 }, 'GET', '/v1/sessions?limit=101', undefined],
      ['listMySessions', { cursor: '!!!' }, 'GET', '/v1/sessions?cursor=!!!', undefined],
      ['renameAgent', { agentInstanceId: 'unknown', customName: 'x' }, 'PATCH', '/v1/agents/unknown', { customName: 'x' }],
      ['startSession', {}, 'POST', '/v1/sessions', {}],
      ['startSession', { agentInstanceId: 'unknown' }, 'POST', '/v1/sessions', { agentInstanceId: 'unknown' }],
      ['processFrame', { sessionId, requestId: 'r' }, 'POST', `/v1/sessions/${sessionId}/frames`, { requestId: 'r' }],
      ['processFrame', { sessionId, requestId: 'r', frameData: 'AAAA' }, 'POST', `/v1/sessions/${sessionId}/frames`, { requestId: 'r', frameData: 'AAAA' }],
      ['endSession', { sessionId: 'unknown' }, 'POST', '/v1/sessions/unknown/end', {}],
    ];
    for (const [name, input, method, path, body] of refused) {
      const answer = await rest(method, path, { as: owner, body });
      const { code, message, details } = await refusedWith(owner.callRaw(name, input));
      assertError(answer, code as keyof typeof httpStatusOf, (details as { reason: string }).reason);
      // The client SDK puts the status behind the message.
      assert.deepEqual({ ...answer.body.error }, { code, message: message.replace(/ \[\d{3}\]$/, ''), details }, `${method} ${path}`);
    }
  });

  it('refuses an id in the body or the query that is not the one of the address, and acts on neither', async () => {
    const [owner, stranger] = await Promise.all([givePlayer({ agents: 2 }), givePlayer()]);
    const [sessionId, foreign] = [await start(owner), await start(stranger)];
    const second = owner.agentInstanceId.replace(/0$/, '1');
    const requests: [method: string, path: string, body?: object][] = [
      ['PATCH', `/v1/agents/${owner.agentInstanceId}`, { agentInstanceId: second, customName: 'Addressed' }],
      ['POST', `/v1/sessions/${sessionId}/frames`, { sessionId: foreign, requestId: 'mine', instruction: 'Hello' }],
      ['POST', `/v1/sessions/${foreign}/frames`, { sessionId, requestId: 'theirs', instruction: 'Hello' }],
      ['GET', `/v1/sessions/${sessionId}?sessionId=${foreign}`],
      ['POST', `/v1/sessions/${foreign}/end`, { sessionId }],
    ];
    for (const [method, path, body] of requests) assertError(await rest(method, path, { as: owner, body }), 'invalid-argument', 'bad_input');
    assert.deepEqual(await Promise.all([owner.agentInstanceId, second].map(async (id) => (await read<AgentDoc>(`users/${owner.uid}/agents/${id}`))?.customName)), [null, null]);
    for (const id of [sessionId, foreign]) {
      assert.equal((await read<SessionDoc>(`sessions/${id}`))?.status, 'active');
      assert.equal((await admin().database.ref(`meters/${id}/consumed`).get()).val(), 0);
    }
    assert.equal((await rest<Session>('GET', `/v1/sessions/${sessionId}?sessionId=${sessionId}`, { as: owner })).body.sessionId, sessionId);
  });

  describe('lets nobody in', () => {
    const now = Math.floor(Date.now() / 1000);
    const tokens: [string, () => Promise<string | undefined> | string | undefined][] = [
      ['without a token', () => undefined],
      ['with an empty header', () => ''],
      ['with garbage', () => 'Bearer garbage'],
      ['with three parts of garbage', () => 'Bearer a.b.c'],
      ['without "Bearer"', () => player.idToken()],
      ['with another scheme', async () => `Basic ${await player.idToken()}`],
      ['with two tokens', async () => `Bearer ${await player.idToken()} ${await player.idToken()}`],
      ['with an expired token', async () => `Bearer ${await tokenWith(player, { iat: now - 7_200, auth_time: now - 7_200, exp: now - 3_600 })}`],
      ['with a token for another project', async () => `Bearer ${await tokenWith(player, { aud: 'other-project', iss: 'https://securetoken.google.com/other-project' })}`],
      ['with a token of another issuer', async () => `Bearer ${await tokenWith(player, { iss: 'https://evil.example/demo-jiga' })}`],
      ['with a token without a subject', async () => `Bearer ${await tokenWith(player, { sub: '' })}`],
    ];
    for (const [what, authorization] of tokens) {
      it(what, async () => {
        const value = await authorization();
        for (const [method, path] of [['GET', '/v1/me'], ['POST', '/v1/sessions']] as const) {
          const answer = await rest(method, path, { ...(value === undefined ? {} : { authorization: value }), ...(method === 'POST' ? { body: { agentInstanceId: player.agentInstanceId } } : {}) });
          assertError(answer, 'unauthenticated', 'signed_out');
        }
      });
    }

    it('and the changed token is refused for its change only', async () => {
      assert.equal((await rest('GET', '/v1/me', { authorization: `Bearer ${await tokenWith(player, {})}` })).status, 200);
    });
  });

  describe('says what is wrong with a request', () => {
    const unknown: [string, string][] = [
      ['GET', '/'], ['GET', '/v1'], ['GET', '/v2/me'], ['GET', '/v1/nothing'], ['POST', '/v1/sessions/a/b/end'], ['GET', '/v1/me/../../admin'],
    ];
    for (const [method, path] of unknown) {
      it(`${method} ${path}: there is no such route`, async () => {
        const answer = await rest(method, path, { as: player });
        assertError(answer, 'not-found', 'not_found');
        assert.equal(answer.body.error.message, 'There is no such route. See /v1/openapi.json.');
      });
    }

    const bad: [string, string, string, unknown][] = [
      ['a list as body', 'POST', '/v1/sessions', []],
      ['an unknown key', 'POST', '/v1/sessions', { agentInstanceId: 'a', price: 0 }],
      ['the key __proto__', 'POST', '/v1/sessions', '{"agentInstanceId":"a","__proto__":{"takeOver":true}}'],
      ['no body', 'POST', '/v1/sessions', undefined],
      ['an unknown query parameter', 'GET', '/v1/me?admin=true', undefined],
      ['a limit of zero', 'GET', '/v1/sessions?limit=0', undefined],
      ['a negative limit', 'GET', '/v1/sessions?limit=-1', undefined],
      ['a fractional limit', 'GET', '/v1/sessions?limit=1.5', undefined],
      ['a limit that is not a number', 'GET', '/v1/sessions?limit=NaN', undefined],
      ['a huge limit', 'GET', '/v1/sessions?limit=99999999999999999999', undefined],
      ['two limits', 'GET', '/v1/sessions?limit=1&limit=2', undefined],
      ['an encoded slash in an id', 'GET', '/v1/sessions/a%2Fb', undefined],
      ['encoded dots as an id', 'GET', '/v1/sessions/%2e%2e%2fconfig', undefined],
      ['a reserved id', 'GET', '/v1/sessions/__id7__', undefined],
    ];
    for (const [what, method, path, body] of bad) {
      it(what, async () => {
        assertError(await rest(method, path, { as: player, body }), 'invalid-argument', 'bad_input');
      });
    }

    for (const [method, path, allow] of [['DELETE', '/v1/me', 'GET, HEAD, OPTIONS'], ['POST', '/v1/me', 'GET, HEAD, OPTIONS'], ['PUT', '/v1/sessions', 'GET, HEAD, OPTIONS, POST'], ['GET', '/v1/sessions/a/frames', 'OPTIONS, POST']] as const) {
      it(`${method} ${path}: the route takes other methods`, async () => {
        const { status, headers, body } = await rest(method, path, { as: player });
        assert.deepEqual([status, headers.get('allow'), body.error], [405, allow, { code: 'invalid-argument', message: `This route takes ${allow}.`, details: { reason: 'bad_input' } }]);
      });
    }

    it('a body that is no JSON', async () => {
      assertError(await rest('POST', '/v1/sessions', { as: player, body: '{"agentInstanceId":' }), 'invalid-argument', 'bad_input');
    });

    it('a broken percent code, which the emulator refuses in its own words', async () => {
      const response = await fetch(`${apiUrl}/v1/sessions/%E0%A4%A`, { headers: { authorization: `Bearer ${await player.idToken()}` } });
      assert.equal(response.status, 400, await response.text());
    });

    it('a frame that is none, also to a caller who asked for a stream', async () => {
      const owner = await givePlayer();
      const sessionId = await start(owner);
      const quiet = await snapshotOf(owner, sessionId);
      for (const headers of [{}, { accept: 'text/event-stream' }]) {
        const answer = await rest('POST', `/v1/sessions/${sessionId}/frames`, { as: owner, headers, body: { requestId: 'bad', frameData: Buffer.from('no picture').toString('base64') } });
        assertError(answer, 'invalid-argument', 'bad_media');
      }
      assert.deepEqual(await snapshotOf(owner, sessionId), quiet);
    });
  });

  it('says when to try again, in the header too', async () => {
    const owner = await givePlayer();
    const sessionId = await start(owner);
    const body = { requestId: 'waiting', instruction: 'Hello' };
    const path = `/v1/sessions/${sessionId}/frames`;
    const later = Date.now() + 60_000;
    const { database } = admin();

    await database.ref(`meters/${sessionId}/turn`).set({ requestId: 'other', fence: 'other', held: 1, inputPrice: 1, expiresAt: later });
    const busy = await rest('POST', path, { as: owner, body });
    assertError(busy, 'aborted', 'turn_in_progress');
    assert.deepEqual([busy.headers.get('retry-after'), busy.body.error.details?.['retryAfterMs']], ['1', 1_000]);
    await database.ref(`meters/${sessionId}/turn`).remove();

    const { config } = (await read<SessionDoc>(`sessions/${sessionId}`))!;
    await database.ref(`requests/${sessionId}/waiting`).set({ hash: prepareTurn({ sessionId, ...body }, config).hash, state: 'running', expiresAt: later });
    const running = await rest('POST', path, { as: owner, body });
    assertError(running, 'aborted', 'request_in_progress');
    assert.equal(running.headers.get('retry-after'), '1');
    await database.ref(`requests/${sessionId}/waiting`).remove();

    const done = await rest<{ consumedDOFs: number; costDOFs: number }>('POST', path, { as: owner, body });
    assert.deepEqual([done.status, done.headers.get('retry-after'), done.body.consumedDOFs], [200, null, done.body.costDOFs]);
  });

  it('tells whether it lives and whether its databases do', async () => {
    assert.deepEqual((await rest<unknown>('GET', '/health')).body, { status: 'ok' });
    const { status, body } = await rest<unknown>('GET', '/ready');
    assert.deepEqual([status, body], [200, { status: 'ready', checks: { firestore: true, configuration: true, realtimeDatabase: true } }]);
  });

  it('answers browsers of other origins', async () => {
    const preflight = await fetch(`${apiUrl}/v1/me`, { method: 'OPTIONS', headers: { origin: 'https://game.example', 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' } });
    assert.equal(preflight.status, 204);
    assert.ok(['*', 'https://game.example'].includes(preflight.headers.get('access-control-allow-origin') ?? ''));
    const { headers } = await rest('GET', '/v1/me', { headers: { origin: 'https://game.example' } });
    assert.ok(['*', 'https://game.example'].includes(headers.get('access-control-allow-origin') ?? ''), 'errors included');
  });

  it('describes itself in valid OpenAPI, and every route in there exists', async () => {
    const { status, body } = await rest<{ openapi: string; paths: Record<string, Record<string, { operationId: string; security: object[] }>> }>('GET', '/v1/openapi.json');
    assert.equal(status, 200);
    const { valid, errors } = await new Validator().validate(structuredClone(body));
    assert.ok(valid, JSON.stringify(errors));
    const routes = Object.entries(body.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, { operationId, security }]) => ({ path, method, operationId, open: security.length === 0 })));
    assert.ok(routes.length >= 9);
    assert.equal(new Set(routes.map(({ operationId }) => operationId)).size, routes.length);
    for (const { path, method, operationId, open } of routes) {
      const answer = await rest(method.toUpperCase(), path.replace(/\{\w+\}/g, 'some-id'), method === 'get' ? {} : { body: {} });
      if (open) assert.notEqual(answer.body.error?.message, 'There is no such route. See /v1/openapi.json.', operationId);
      else assertError(answer, 'unauthenticated', 'signed_out');
    }
  });
});
