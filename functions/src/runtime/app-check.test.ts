import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { VerifyAppCheckTokenResponse } from 'firebase-admin/app-check';
import { admit } from './admission.ts';
import { requireApp } from './app-check.ts';
import { appCheck } from './firebase.ts';

const refused = { name: 'AppError', code: 'unauthenticated', details: { reason: 'app_check' } };

describe('a call from an app', () => {
  let asked: unknown[][];
  let verify: () => Promise<Partial<VerifyAppCheckTokenResponse>>;

  beforeEach(() => {
    asked = [];
    verify = () => Promise.resolve({ alreadyConsumed: false });
    process.env['APP_CHECK'] = 'enforce';
    mock.method(appCheck(), 'verifyToken', (...given: unknown[]) => {
      asked.push(given);
      return verify();
    });
  });
  afterEach(() => {
    mock.restoreAll();
    delete process.env['APP_CHECK'];
  });

  const fails = (code: string, message = ''): void => { verify = () => Promise.reject(Object.assign(new Error(message), { code })); };

  it('passes without a question while App Check is off', async () => {
    for (const value of ['', 'off']) {
      process.env['APP_CHECK'] = value;
      await requireApp({ token: undefined, verified: false }, true);
    }
    assert.deepEqual(asked, []);
  });

  it('needs a token that is valid', async () => {
    await requireApp({ token: 'good', verified: false }, false);
    assert.deepEqual(asked, [['good', { consume: false }]]);
    await assert.rejects(requireApp({ token: undefined, verified: false }, false), refused);
    for (const code of ['app-check/invalid-argument', 'app-check/app-check-token-expired']) {
      fails(code);
      await assert.rejects(requireApp({ token: 'bad', verified: false }, false), refused);
    }
  });

  it('is not verified twice, but its token is used up where it has to be', async () => {
    await requireApp({ token: 'good', verified: true }, false);
    assert.deepEqual(asked, []);
    await requireApp({ token: 'good', verified: true }, true);
    assert.deepEqual(asked, [['good', { consume: true }]]);
  });

  it('is refused with a token that was used up', async () => {
    verify = () => Promise.resolve({ alreadyConsumed: true });
    await assert.rejects(requireApp({ token: 'again', verified: true }, true), refused);
  });

  it('is not told that its token is wrong when nobody could tell', async () => {
    for (const [code, message] of [['app-check/invalid-argument', 'Error fetching Json Web Keys: down'], ['app-check/unknown-error', ''], ['app/network-error', '']] as const) {
      fails(code, message);
      await assert.rejects(requireApp({ token: 'good', verified: true }, true), { code: 'unavailable', details: { reason: 'not_ready' } });
    }
  });

  it('of somebody who has not signed in uses up no token', async () => {
    const visit = { request: { headers: { 'x-firebase-appcheck': 'good', 'x-forwarded-for': '192.0.2.77' } }, appVerified: false, once: true };
    await admit({ ...visit, uid: null });
    await admit({ ...visit, uid: 'ada' });
    assert.deepEqual(asked, [['good', { consume: false }], ['good', { consume: true }]]);
  });
});
