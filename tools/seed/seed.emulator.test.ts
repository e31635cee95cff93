import assert from 'node:assert/strict';
import { connectAdmin, type Admin } from '../admin.ts';
import { compareSeed } from './database.ts';
import { readSeed } from './seed.ts';

// Runs before every other emulator test: it describes the data as imported.
describe('emulator-data', () => {
  let admin: Admin;
  before(() => { admin = connectAdmin(process.env); });
  after(() => admin.close());

  it('holds the accounts and documents of the seed and nothing else (if not: npm run seed:export)', async () => {
    assert.deepEqual(await compareSeed(admin, readSeed()), []);
  });

  it('lets every account sign in with its password', async () => {
    for (const { uid, email, password } of readSeed().accounts) {
      const url = `http://${process.env['FIREBASE_AUTH_EMULATOR_HOST']}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=demo`;
      const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password, returnSecureToken: true }) });
      assert.equal(((await answer.json()) as { localId?: string }).localId, uid);
    }
  });
});
