import assert from 'node:assert/strict';
import { listMySessionsInput, renameSessionInput, serverConfigSchema, sessionIdInput, startSessionInput } from './schema.ts';

const badIds = ['', 'a/b', '..', '../users/u2', 'a.b', 'a b', 'a#b', 'x'.repeat(65), 7, null, ['a']];
const starts = (value: object): boolean => startSessionInput.safeParse({ agentInstanceId: 'a1', ...value }).success;

describe('startSession input', () => {
  it('needs only an agent, and takes nothing over unless asked', () => {
    assert.deepEqual(startSessionInput.parse({ agentInstanceId: 'a1' }), { agentInstanceId: 'a1', takeOver: false });
    assert.ok(!startSessionInput.safeParse({}).success);
  });

  it('takes the game context of the seed', () => {
    for (const platform of ['pc', 'console', 'mobile']) assert.ok(starts({ gameContext: { platform, gameId: 'g', streamUrl: 'https://stream.example/x' } }));
    for (const gameContext of [{}, { platform: 'fridge' }, { platform: 'pc', gameId: 'x'.repeat(101) }, { platform: 'pc', extra: 1 }]) assert.ok(!starts({ gameContext }));
  });

  it('takes only https addresses of a stream', () => {
    for (const streamUrl of ['http://stream.example', 'javascript:alert(1)', 'file:///etc/passwd', 'stream', `https://x.example/${'x'.repeat(500)}`]) assert.ok(!starts({ gameContext: { platform: 'pc', streamUrl } }));
  });

  it('refuses unknown keys', () => {
    for (const extra of [{ userId: 'u2' }, { heldDOFs: 1 }, { config: {} }, { takeover: true }]) assert.ok(!starts(extra));
  });

  it('refuses ids that could point elsewhere', () => {
    for (const agentInstanceId of badIds) assert.ok(!starts({ agentInstanceId }), String(agentInstanceId));
  });
});

describe('the other session inputs', () => {
  it('take one session id and nothing else', () => {
    assert.ok(sessionIdInput.safeParse({ sessionId: 's1' }).success);
    for (const sessionId of badIds) assert.ok(!sessionIdInput.safeParse({ sessionId }).success, String(sessionId));
    assert.ok(!sessionIdInput.safeParse({ sessionId: 's1', reason: 'admin' }).success);
  });

  it('take a name of 1 to 60 characters, none of them for control, or null', () => {
    const name = (value: unknown) => renameSessionInput.safeParse({ sessionId: 's1', name: value });
    assert.equal(name('  Friday night  ').data?.name, 'Friday night');
    for (const good of [null, 'x', 'n'.repeat(60), 'Überraschung 🎉']) assert.ok(name(good).success, String(good));
    for (const bad of ['', '   ', 'n'.repeat(61), 'a\nb', 'a\0b', 7, {}, undefined]) assert.ok(!name(bad).success, JSON.stringify(bad));
  });

  it('page by 20, and by 100 at most', () => {
    assert.deepEqual(listMySessionsInput.parse({}), { limit: 20 });
    for (const limit of [1, 100]) assert.ok(listMySessionsInput.safeParse({ limit }).success);
    for (const limit of [0, -1, 101, 1e9, 1.5, NaN, Infinity, '20', null]) assert.ok(!listMySessionsInput.safeParse({ limit }).success, String(limit));
  });

  it('refuse a cursor longer than any of ours, and unknown keys', () => {
    assert.ok(!listMySessionsInput.safeParse({ cursor: 'x'.repeat(201) }).success);
    assert.ok(!listMySessionsInput.safeParse({ ownerId: 'u2' }).success);
  });
});

describe('server configuration', () => {
  const model = { vision: 'm', chat: 'm' };
  const minimal = { endpoints: { apiBaseUrl: 'https://api.example', liveDatabaseUrl: 'https://live.example' }, modelRouting: { gemini: model, google: model, openai: model } };

  it('has the limits of the seed unless it says otherwise', () => {
    const { limits, settleEveryDOFs, maintenance } = serverConfigSchema.parse(minimal);
    assert.deepEqual([limits.maxSessionsPerUser, limits.sessionTimeoutMinutes, settleEveryDOFs, maintenance], [1, 240, 1_000, false]);
    assert.equal(serverConfigSchema.parse({ ...minimal, limits: { maxSessionsPerUser: 3 } }).limits.sessionTimeoutMinutes, 240);
  });

  it('refuses limits that would switch a check off', () => {
    const names = Object.keys(serverConfigSchema.parse(minimal).limits);
    for (const name of names) {
      for (const value of [NaN, -1, 0, Infinity, '5', null]) assert.ok(!serverConfigSchema.safeParse({ ...minimal, limits: { [name]: value } }).success, `${name}: ${value}`);
    }
    for (const settleEveryDOFs of [0, -1, NaN, 0.5]) assert.ok(!serverConfigSchema.safeParse({ ...minimal, settleEveryDOFs }).success);
    assert.ok(!serverConfigSchema.safeParse({ ...minimal, limits: { turnTimeoutSeconds: 301 } }).success);
  });

  it('refuses to route without a model for every provider', () => {
    assert.ok(!serverConfigSchema.safeParse({ ...minimal, modelRouting: { gemini: model, google: model } }).success);
    assert.ok(!serverConfigSchema.safeParse({ ...minimal, modelRouting: { ...minimal.modelRouting, offline: model } }).success);
  });
});
