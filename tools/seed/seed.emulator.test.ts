import assert from 'node:assert/strict';
import { auditPage } from '../../functions/src/audit/store.ts';
import { closeClients } from '../../functions/test/harness.ts';
import { connectAdmin, type Admin } from '../admin.ts';
import { compareSeed } from './database.ts';
import { readSeed } from './seed.ts';

after(closeClients);

// Runs before every other emulator test: it describes the data as imported.
describe('emulator-data', () => {
  let admin: Admin;
  before(() => { admin = connectAdmin(process.env); });
  after(() => admin.close());

  it('holds the accounts and documents of the seed and nothing else (if not: npm run seed:export)', async () => {
    assert.deepEqual(await compareSeed(admin, readSeed()), []);
  });

  it('leaves an audit of its balances nothing to find', async () => {
    const { audits, cursor } = await auditPage(null, 100);
    assert.equal(cursor, null);
    const agents = Object.values(readSeed().users).flatMap((user) => Object.keys(user.agents));
    assert.deepEqual(audits.map(({ ref }) => ref.id).sort(), agents.sort());
    assert.deepEqual(audits.flatMap(({ drifts, unsteady }) => [...drifts, ...(unsteady ? ['unsteady'] : [])]), []);
  });

  it('lets every account sign in with its password', async () => {
    for (const { uid, email, password } of readSeed().accounts) {
      const url = `http://${process.env['FIREBASE_AUTH_EMULATOR_HOST']}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=demo`;
      const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password, returnSecureToken: true }) });
      assert.equal(((await answer.json()) as { localId?: string }).localId, uid);
    }
  });
});
