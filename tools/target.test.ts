import assert from 'node:assert/strict';
import { targetEnvironment } from './target.ts';

describe('the target of a command', () => {
  it('points the SDKs at the emulators of firebase.json, or at those that the environment names', () => {
    const { FIRESTORE_EMULATOR_HOST, FIREBASE_DATABASE_EMULATOR_HOST, GCLOUD_PROJECT } = targetEnvironment({ project: null }, {}, 'audit');
    assert.deepEqual([FIRESTORE_EMULATOR_HOST, FIREBASE_DATABASE_EMULATOR_HOST, GCLOUD_PROJECT], ['127.0.0.1:8080', '127.0.0.1:9000', 'demo-jiga']);
    const other = targetEnvironment({ project: null }, { FIRESTORE_EMULATOR_HOST: 'host:1', GCLOUD_PROJECT: 'demo-other' }, 'audit');
    assert.deepEqual([other['FIRESTORE_EMULATOR_HOST'], other['GCLOUD_PROJECT'], other['GOOGLE_CLOUD_PROJECT']], ['host:1', 'demo-other', 'demo-other']);
  });

  it('points them at a real project only when that is meant', () => {
    assert.deepEqual(targetEnvironment({ project: 'real' }, {}, 'audit'), { GCLOUD_PROJECT: 'real', GOOGLE_CLOUD_PROJECT: 'real', FIREBASE_CONFIG: undefined });
    assert.throws(() => targetEnvironment({ project: 'real' }, { FIRESTORE_EMULATOR_HOST: 'host:1' }, 'audit'), /FIRESTORE_EMULATOR_HOST is set/);
    assert.throws(() => targetEnvironment({ project: 'real' }, { FIREBASE_DATABASE_EMULATOR_HOST: 'host:1' }, 'audit'), /FIREBASE_DATABASE_EMULATOR_HOST is set/);
    assert.throws(() => targetEnvironment({ project: 'real' }, { FIREBASE_AUTH_EMULATOR_HOST: 'host:1' }, 'migrate to'), /FIREBASE_AUTH_EMULATOR_HOST is set.*to migrate to the emulators/);
    assert.throws(() => targetEnvironment({ project: 'demo-x' }, {}, 'audit'), /emulators only/);
    assert.throws(() => targetEnvironment({ project: null }, { GCLOUD_PROJECT: 'real' }, 'audit'), /real project real/);
  });
});
