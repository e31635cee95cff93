import assert from 'node:assert/strict';
import { callerOf, callerOfHeader, isOutage } from './caller.ts';

describe('the caller', () => {
  it('is who the token says', () => {
    assert.deepEqual(callerOf('u1', { email: 'ada@example.com' }), { uid: 'u1', email: 'ada@example.com', emailVerified: false, admin: false });
    assert.deepEqual(callerOf('u1', {}), { uid: 'u1', email: null, emailVerified: false, admin: false });
  });

  it('has a verified address only by a claim that is exactly true', () => {
    assert.equal(callerOf('u1', { email: 'ada@example.com', email_verified: true }).emailVerified, true);
    for (const verified of ['true', 1, {}, null, false]) assert.equal(callerOf('u1', { email: 'ada@example.com', email_verified: verified as boolean }).emailVerified, false);
  });

  it('is an administrator only by a claim that is exactly true', () => {
    assert.equal(callerOf('u1', { admin: true }).admin, true);
    for (const admin of ['true', 1, {}, null, false]) assert.equal(callerOf('u1', { admin }).admin, false);
  });

  it('is nobody without a header', async () => assert.equal(await callerOfHeader(undefined), null));

  it('is refused, not nobody, with a header that is no bearer token', async () => {
    for (const header of ['', 'Bearer', 'Bearer ', 'Basic dTpw', 'Bearer a b']) {
      await assert.rejects(callerOfHeader(header), { name: 'AppError', code: 'unauthenticated', details: { reason: 'signed_out' } }, header);
    }
  });

  it('is not to blame when Google does not answer, whatever the SDK makes of it', () => {
    const down = [
      { code: 'app/network-error', message: 'x' }, { code: 'app/network-timeout', message: 'x' }, { code: 'app/invalid-credential', message: 'x' }, { code: 'auth/internal-error', message: 'x' }, { code: 'auth/insufficient-permission', message: 'x' },
      { code: 'auth/argument-error', message: 'Error fetching public keys for Google certs: [object Object]' }, { code: 'auth/argument-error', message: 'Error while making request: read ECONNRESET. Error code: ECONNRESET' },
    ];
    const bad = ['argument-error', 'id-token-expired', 'id-token-revoked', 'user-disabled', 'user-not-found', 'invalid-id-token'].map((code) => ({ code: `auth/${code}`, message: 'Firebase ID token has invalid signature. Error fetching' }));
    assert.deepEqual([...down, ...bad, new Error('not a bearer token')].map(isOutage), [...down.map(() => true), ...bad.map(() => false), false]);
  });
});
