import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { startAppCheckService, type AppCheckService } from './app-check-service.ts';
import { deploy, endInstances, type Instance } from './deployed.ts';
import { admin, clientOf, closeClients, givePlayer, readUser, type Player } from './harness.ts';

after(async () => {
  await endInstances();
  await closeClients();
});

/** What a call comes to: the reason of its refusal, or `ok`. */
type Call = (appToken: string | undefined, idToken: string, data?: object) => Promise<string>;

type Operation = 'getMe' | 'startSession' | 'grantDofs';
const routes: Record<Operation, [method: string, path: string]> = { getMe: ['GET', '/v1/me'], startSession: ['POST', '/v1/sessions'], grantDofs: ['POST', '/v1/grants'] };

interface Answer {
  error?: { details?: { reason: string } };
}

const reasonOf = async (response: Response): Promise<string> => ((await response.json() as Answer).error?.details?.reason) ?? (response.ok ? 'ok' : `${response.status}`);
const headers = (appToken: string | undefined, idToken: string): Record<string, string> => ({
  'content-type': 'application/json', ...(idToken === '' ? {} : { authorization: `Bearer ${idToken}` }), ...(appToken === undefined ? {} : { 'x-firebase-appcheck': appToken }),
});
const viaCallable = (instance: Instance): Call => async (appToken, idToken, data = {}) => reasonOf(await fetch(instance.url, { method: 'POST', headers: headers(appToken, idToken), body: JSON.stringify({ data }) }));
const viaRest = (api: Instance, operation: Operation): Call => async (appToken, idToken, data = {}) => {
  const [method, path] = routes[operation];
  return reasonOf(await fetch(`${api.url}${path}`, { method, headers: headers(appToken, idToken), ...(method === 'GET' ? {} : { body: JSON.stringify(data) }) }));
};

describe('App Check', () => {
  let service: AppCheckService;
  let instances: Record<'api' | Operation, Instance>;
  let player: Player;
  let idToken: string;
  let adminToken: string;

  before(async function () {
    this.timeout(120_000);
    service = await startAppCheckService();
    const [api, getMe, startSession, grantDofs] = await Promise.all((['api', 'getMe', 'startSession', 'grantDofs'] as const).map((name) => deploy(name, service.env))) as [Instance, Instance, Instance, Instance];
    instances = { api, getMe, startSession, grantDofs };
    player = await givePlayer();
    idToken = await player.idToken();
    adminToken = await (await clientOf('app-check-admin', { admin: true })).idToken();
  });
  after(() => service.close());

  const ways: [string, (operation: Operation) => Call][] = [['callables', (operation) => viaCallable(instances[operation])], ['REST', (operation) => viaRest(instances.api, operation)]];

  for (const [way, call] of ways) {
    describe(`over ${way}`, () => {
      it('lets calls of its apps pass, as often as they like', async () => {
        const token = service.token();
        for (let time = 0; time < 3; time++) assert.equal(await call('getMe')(token, idToken), 'ok');
      });

      it('refuses calls without a token, and with one that is not valid', async () => {
        const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
        const [head, payload] = service.token({ header: { alg: 'HS256' } }).split('.') as [string, string];
        const now = Math.floor(Date.now() / 1_000);
        const wrong: [string, string | undefined][] = [
          ['none', undefined], ['nothing in it', ''], ['garbage', 'garbage'], ['three parts of garbage', 'a.b.c'], ['another key', service.token({ key: privateKey })], ['another key with a name of its own', service.token({ key: privateKey, header: { kid: 'other' } })],
          ['an expired one', service.token({ claims: { exp: now - 10 } })], ['one of another project', service.token({ claims: { aud: ['projects/other'] } })], ['one of another issuer', service.token({ claims: { iss: 'https://evil.example/' } })],
          ['one of no app', service.token({ claims: { sub: '' } })], ['one without a signature', `${service.token({ header: { alg: 'none' } }).split('.').slice(0, 2).join('.')}.`],
          ['one signed with the public key as a password', `${head}.${payload}.${createHmac('sha256', publicKey.export({ type: 'spki', format: 'pem' })).update(`${head}.${payload}`).digest('base64url')}`],
          ['two', `${service.token()}, ${service.token()}`],
        ];
        for (const [what, token] of wrong) assert.equal(await call('getMe')(token, idToken), 'app_check', what);
      });

      it('uses a token up with a start: a call that was overheard starts nothing', async () => {
        const fresh = await givePlayer();
        const token = service.token();
        const start = (appToken: string): Promise<string> => fresh.idToken().then((id) => call('startSession')(appToken, id, { agentInstanceId: fresh.agentInstanceId }));
        assert.equal(await start(token), 'ok');
        const open = (await readUser(fresh.uid))?.activeSessions;
        assert.equal(await start(token), 'app_check');
        assert.deepEqual((await readUser(fresh.uid))?.activeSessions, open);
        assert.equal(await start(service.token()), 'ok');
      });

      it('uses a token up with a grant, which needs the claim as before', async () => {
        const grant = { userId: player.uid, agentInstanceId: player.agentInstanceId, amount: 1, source: 'trial', reason: 'test', idempotencyKey: `app-check-${way}` };
        assert.equal(await call('grantDofs')(service.token(), idToken, grant), 'not_admin');
        const token = service.token();
        assert.equal(await call('grantDofs')(token, adminToken, grant), 'ok');
        assert.equal(await call('grantDofs')(token, adminToken, grant), 'app_check');
      });

      it('uses up no token of somebody who has not signed in', async () => {
        const used = service.consumed();
        assert.equal(await call('startSession')(service.token(), ''), 'signed_out');
        assert.equal(service.consumed(), used);
      });

      it('refuses what needs a token of its own while the service is down, and nothing else', async () => {
        const open = (await readUser(player.uid))?.activeSessions;
        service.fail(true);
        try {
          assert.equal(await call('startSession')(service.token(), idToken, { agentInstanceId: player.agentInstanceId }), 'not_ready');
          assert.equal(await call('getMe')(service.token(), idToken), 'ok');
        } finally {
          service.fail(false);
        }
        assert.deepEqual((await readUser(player.uid))?.activeSessions, open);
      });
    });
  }

  it('is no fault of the token while its keys cannot be fetched', async () => {
    service.fail(true);
    try {
      const fresh = await Promise.all([deploy('api', service.env), deploy('getMe', service.env)]);
      assert.deepEqual([await viaRest(fresh[0], 'getMe')(service.token(), idToken), await viaCallable(fresh[1])(service.token(), idToken)], ['not_ready', 'not_ready']);
    } finally {
      service.fail(false);
    }
  });

  it('is enforced for any value but off', async () => {
    const [typing, off] = await Promise.all([deploy('getMe', { ...service.env, APP_CHECK: 'Enforce!' }), deploy('getMe', { ...service.env, APP_CHECK: 'off' })]);
    assert.equal(await viaCallable(typing)(undefined, idToken), 'app_check');
    assert.equal(await viaCallable(off)(undefined, idToken), 'ok');
    assert.equal(await viaCallable(off)('garbage', idToken), 'ok');
    assert.ok((await admin().firestore.doc(`users/${player.uid}`).get()).exists);
  });
});
