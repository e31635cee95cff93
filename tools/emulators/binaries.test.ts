import assert from 'node:assert/strict';
import { findBinaries, type BinarySearch } from './binaries.ts';

/** A machine without network, caches or the Google Cloud CLI, except for what a test adds. */
const bare: BinarySearch = {
  env: {},
  exists: () => false,
  reachable: () => Promise.resolve(false),
  cloudSdkRoot: () => undefined,
  placeholder: (name) => `/cache/${name}`,
};

describe('findBinaries', () => {
  it('takes the Google Cloud CLI and the embedded database where nothing else is there', async () => {
    const { sources, env } = await findBinaries(['firestore', 'database', 'pubsub'], { ...bare, cloudSdkRoot: () => '/sdk', exists: (file) => file.startsWith('/sdk/') });
    assert.deepEqual(sources, { firestore: 'cloud-sdk', database: 'embedded', pubsub: 'cloud-sdk' });
    assert.deepEqual(env, {
      FIRESTORE_EMULATOR_BINARY_PATH: '/cache/cloud-sdk-firestore.jar',
      JIGA_FIRESTORE_JAR: '/sdk/platform/cloud-firestore-emulator/cloud-firestore-emulator.jar',
      DATABASE_EMULATOR_BINARY_PATH: '/cache/embedded-database.jar',
      PUBSUB_EMULATOR_BINARY_PATH: '/cache/cloud-sdk-pubsub',
    });
  });

  it('prefers official downloads, past and possible', async () => {
    const search = { ...bare, exists: (file: string) => file.includes('cloud-firestore-emulator-v'), reachable: (url: string) => Promise.resolve(url.includes('database')) };
    const { sources, env } = await findBinaries(['firestore', 'database'], search);
    assert.deepEqual(sources, { firestore: 'cache', database: 'download' });
    assert.deepEqual(env, {});
  });

  it('leaves a program that the user named alone', async () => {
    const { sources } = await findBinaries(['pubsub'], { ...bare, env: { PUBSUB_EMULATOR_BINARY_PATH: '/mine' } });
    assert.deepEqual(sources, { pubsub: 'user' });
  });

  it('says in one line which package to install when there is none', async () => {
    await assert.rejects(findBinaries(['pubsub'], bare), (error: Error) => {
      assert.match(error.message, /google-cloud-cli-pubsub-emulator, or run: gcloud components install pubsub-emulator$/);
      return !error.message.includes('\n');
    });
  });
});
