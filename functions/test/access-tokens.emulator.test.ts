import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { inParallel } from '../../tools/parallel.ts';
import { operations } from '../src/operations.ts';
import { forms } from './access.ts';
import { call, errorOf, placeFor, restRequest, serveAll, tokenOf, ways, type Served, type Way } from './access-calls.ts';
import { setStage, storedOf, type Stage } from './access-stage.ts';
import { endInstances } from './deployed.ts';
import { newKeys, tokenPart } from './google-service.ts';
import { closeClients, read } from './harness.ts';
import { startIdTokenService, type IdTokenService } from './id-token-service.ts';
import { askRaw } from './raw-http.ts';

after(async () => {
  await endInstances();
  await closeClients();
});

type Headers = Record<string, string> | string[];
const json = { 'content-type': 'application/json' };

describe('who calls', () => {
  let tokens: IdTokenService;
  let served: Served;
  let stage: Stage;
  let good: string;

  before(async function () {
    this.timeout(120_000);
    tokens = await startIdTokenService();
    [served, stage] = await Promise.all([serveAll(tokens), setStage()]);
    good = tokens.token(stage.uids.owner);
  });
  after(() => tokens.close());

  /** Asks for getMe with just these headers; answers the status, and the reason of a refusal. */
  async function getMe(way: Way, headers: Headers, query = ''): Promise<[status: number, reason: string | undefined]> {
    const list = Array.isArray(headers) ? headers : Object.entries(headers).flat();
    const { status, body } = way === 'REST'
      ? await askRaw(served.REST.url, `/v1/me${query}`, list)
      : await askRaw(served.callable.url, `/getMe${query}`, [...Object.entries(json).flat(), ...list], { method: 'POST', body: '{"data":{}}' });
    return [status, status === 200 ? undefined : errorOf(body)?.details?.reason];
  }

  for (const way of ways) {
    describe(`by ${way}`, () => {
      it('is told by one bearer token in its header, however its scheme is written', async () => {
        for (const scheme of ['Bearer', 'bearer', 'BEARER']) assert.deepEqual(await getMe(way, { authorization: `${scheme} ${good}` }), [200, undefined], scheme);
        assert.deepEqual(await getMe(way, { AUTHORIZATION: `Bearer ${good}` }), [200, undefined]);
      });

      it('is not told by two headers, also when both say the same', async () => {
        for (const second of [good, tokens.token(stage.uids.other), '']) assert.deepEqual(await getMe(way, ['authorization', `Bearer ${good}`, 'Authorization', `Bearer ${second}`]), [400, 'bad_input']);
      });

      it('is not told by a header that holds anything else', async () => {
        const wrong = ['', 'Bearer', 'Bearer ', good, `Basic ${good}`, `Bearer ${good} x`, `Bearer ${good}, Bearer ${good}`, `Bearer "${good}"`, `Bearer  x`, `Bearer ${good}.`, `Bearer ${good.slice(0, -4)}`, 'Bearer owner', 'Bearer null'];
        for (const authorization of wrong) assert.deepEqual(await getMe(way, { authorization }), [401, 'signed_out'], authorization.replace(good, 'TOKEN'));
      });

      it('is not told by anything but that header', async () => {
        for (const query of ['access_token', 'auth', 'token', 'key', 'authorization']) assert.deepEqual(await getMe(way, {}, `?${query}=${good}`), [401, 'signed_out'], query);
        const auth = encodeURIComponent(JSON.stringify({ uid: stage.uids.owner, token: { uid: stage.uids.owner, admin: true } }));
        const others = { cookie: `__session=${good}`, 'x-callable-context-auth': auth, 'x-original-auth': `Bearer ${good}`, 'x-forwarded-authorization': `Bearer ${good}`, 'x-serverless-authorization': `Bearer ${good}`, 'proxy-authorization': `Bearer ${good}`, 'x-goog-authenticated-user-id': stage.uids.owner };
        for (const [name, value] of Object.entries(others)) assert.deepEqual(await getMe(way, { [name]: value }), [401, 'signed_out'], name);
      });

      it('is not told by a token that Firebase Auth has not made for this project', async () => {
        const other = newKeys();
        const now = Math.floor(Date.now() / 1_000);
        const of = (claims: Record<string, unknown>, header: Record<string, unknown> = {}): string => tokens.token(stage.uids.owner, { claims, header });
        const [head, payload] = [tokenPart({ alg: 'HS256', kid: 'test', typ: 'JWT' }), good.split('.')[1]!];
        const password = tokens.keys.publicKey.export({ type: 'spki', format: 'pem' });
        const wrong: Record<string, string> = {
          'another key': tokens.token(stage.uids.owner, { key: other.privateKey }),
          'a key that is not known': of({}, { kid: 'other' }),
          'no key named': of({}, { kid: undefined }),
          'a key of its own': tokens.token(stage.uids.owner, { key: other.privateKey, header: { jwk: other.publicKey.export({ format: 'jwk' }) } }),
          'the public key as a password': `${head}.${payload}.${createHmac('sha256', password).update(`${head}.${payload}`).digest('base64url')}`,
          'no signature, though it says so': `${good.split('.').slice(0, 2).join('.')}.`,
          'None': `${tokenPart({ alg: 'None', kid: 'test' })}.${payload}.`,
          'expired just now': of({ exp: now - 1 }),
          'another audience': of({ aud: 'other' }),
          'several audiences': of({ aud: ['other', 'another'] }),
          'another issuer': of({ iss: 'https://securetoken.google.com/other' }),
          'a session cookie': of({ iss: `https://session.firebase.google.com/${process.env['GCLOUD_PROJECT']}` }),
          'a custom token': of({ aud: 'https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit', iss: 'service@account', uid: stage.uids.owner }),
          'nobody': of({ sub: '' }),
          'no subject': of({ sub: undefined }),
          'a subject that is no text': of({ sub: 7 }),
          'a subject that is too long': of({ sub: 'x'.repeat(129) }),
          'an administrator by another key': tokens.token(stage.uids.admin, { key: other.privateKey, claims: { admin: true } }),
        };
        for (const [what, token] of Object.entries(wrong)) assert.deepEqual(await getMe(way, { authorization: `Bearer ${token}` }), [401, 'signed_out'], what);
      });

      it('is no administrator by a claim that is not exactly true', async () => {
        const { form } = forms.find(({ name }) => name === 'grantDofs')!;
        for (const claims of [{ admin: 'true' }, { admin: 1 }, { admin: [true] }, { Admin: true }, { firebase: { admin: true } }, { claims: { admin: true } }]) {
          const { error } = await call(served, way, 'grantDofs', form.input(placeFor(stage, 'own')), tokens.token(stage.uids.other, { claims }));
          assert.equal(error?.details?.reason, 'not_admin', JSON.stringify(claims));
        }
      });

      it('is an administrator only as long as the account is', async () => {
        const retired = `retired-${stage.uids.admin}`;
        const admin = tokens.token(retired, { claims: { admin: true } });
        assert.equal((await call(served, way, 'listMyAgents', {}, admin)).status, 200);
        tokens.disable(retired);
        assert.equal((await call(served, way, 'listMyAgents', {}, admin)).error?.details?.reason, 'signed_out');
        // A user of a disabled account is one until the token expires.
        assert.equal((await call(served, way, 'listMyAgents', {}, tokens.token(retired))).status, 200);
        tokens.disable(retired, false);
      });

      it('is no fault of the token while Firebase Auth cannot be asked', async () => {
        tokens.fail(true);
        try {
          const { form } = forms.find(({ name }) => name === 'grantDofs')!;
          const { status, error } = await call(served, way, 'grantDofs', form.input(placeFor(stage, 'own')), tokenOf(tokens, stage, 'admin'));
          assert.deepEqual([status, error?.details?.reason], [503, 'not_ready']);
          assert.deepEqual(await getMe(way, { authorization: `Bearer ${good}` }), [200, undefined]);
        } finally {
          tokens.fail(false);
        }
      });
    });
  }

  it('is no fault of the token while its keys cannot be had', async () => {
    tokens.fail(true);
    try {
      const fresh = await serveAll(tokens);
      const both = () => Promise.all(ways.map((way) => call(fresh, way, 'getMe', {}, good)));
      assert.deepEqual((await both()).map(({ status, error }) => [status, error?.details?.reason]), [[503, 'not_ready'], [503, 'not_ready']]);
      tokens.fail(false);
      assert.deepEqual((await both()).map(({ status }) => status), [200, 200]);
    } finally {
      tokens.fail(false);
    }
  });

  it('is counted with every guess, by the address', async () => {
    const limited = await serveAll(tokens, { RATE_LIMIT_PER_ADDRESS: '5', RATE_LIMIT_WINDOW_SECONDS: '3600' });
    for (const [index, way] of ways.entries()) {
      const address = `2001:db8:${stage.uids.owner.slice(-4)}:${index}::1`;
      const guess = async (): Promise<string | undefined> => {
        const path = way === 'REST' ? '/v1/me' : '/getMe';
        const { body } = await askRaw(limited[way].url, path, { ...json, authorization: 'Bearer guess', 'x-forwarded-for': address }, way === 'REST' ? {} : { method: 'POST', body: '{"data":{}}' });
        return errorOf(body)?.details?.reason;
      };
      const reasons: (string | undefined)[] = [];
      for (let time = 0; time < 8; time++) reasons.push(await guess());
      assert.deepEqual([reasons[0], reasons.at(-1)], ['signed_out', 'rate_limited'], `${way}: ${reasons.join(' ')}`);
    }
  });

  it('does nothing by a method that is not the one of the route', async () => {
    const stored = await storedOf(stage);
    const all = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'];
    let refused = 0;
    await inParallel(forms.flatMap(({ name, form }) => all.map((method) => ({ name, form, method }))), 8, async ({ name, form, method }) => {
      const headers = { ...json, authorization: `Bearer ${good}` };
      const input = form.input(placeFor(stage, 'own'));
      const { path } = restRequest(name, input);
      const pathOnly = path.split('?')[0]!;
      const taken = Object.values(operations).filter(({ route }) => new RegExp(`^/v1${route.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(pathOnly)).map(({ route }) => route.method.toUpperCase());
      if (!taken.includes(method)) {
        const answer = await askRaw(served.REST.url, path, headers, { method });
        const allowed = [...new Set(taken), ...(taken.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].toSorted();
        assert.deepEqual([answer.status, answer.headers.allow, errorOf(answer.body)?.details?.reason], [405, allowed.join(', '), 'bad_input'], `${method} ${path}`);
        refused += 1;
      }
      if (method === 'POST') return;
      const answer = await askRaw(served.callable.url, `/${name}`, headers, { method });
      assert.deepEqual([answer.status, answer.headers.allow, errorOf(answer.body)?.details?.reason], [405, 'POST, OPTIONS', 'bad_input'], `${method} ${name}`);
    });
    assert.ok(refused >= 5 * forms.length);
    assert.deepEqual(await storedOf(stage), stored);
    assert.ok(await read(`users/${stage.uids.owner}`));
  });

  it('gets no more by a header that names another method', async () => {
    const { sessionId } = stage.places.ended;
    const stored = await storedOf(stage);
    for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
      const { status } = await askRaw(served.REST.url, `/v1/sessions/${sessionId}`, { authorization: `Bearer ${good}`, [name]: 'DELETE' });
      assert.equal(status, 200, name);
    }
    assert.deepEqual(await storedOf(stage), stored);
  });
});
