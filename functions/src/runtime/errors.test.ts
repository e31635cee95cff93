import assert from 'node:assert/strict';
import { HttpsError } from 'firebase-functions/https';
import { AppError, httpStatusOf, toAppError, type ErrorCode } from './errors.ts';

describe('errors', () => {
  it('pass an AppError on as it is', () => {
    const error = new AppError('not-found', 'You own no agent with this id.', { reason: 'not_found' });
    assert.equal(toAppError(error), error);
    assert.deepEqual([error.name, error.code, error.message, error.details], ['AppError', 'not-found', 'You own no agent with this id.', { reason: 'not_found' }]);
    assert.ok(error instanceof Error);
  });

  it('show nothing of any other thrown value, and keep it as the cause', () => {
    for (const thrown of [new Error('key=abc'), new HttpsError('not-found', 'key=abc'), 'key=abc', { code: 'not-found', message: 'key=abc' }, null, undefined]) {
      const { code, message, details, cause } = toAppError(thrown);
      assert.deepEqual([code, details], ['internal', { reason: 'internal' }]);
      assert.doesNotMatch(message, /key/);
      assert.equal(cause, thrown);
    }
  });

  it('have the same HTTP status over REST as Firebase gives a callable', () => {
    for (const [code, status] of Object.entries(httpStatusOf)) assert.equal(new HttpsError(code as ErrorCode, '').httpErrorCode.status, status, code);
  });
});
