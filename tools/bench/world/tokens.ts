import { createSign, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What signs in the callers of a benchmark, as Firebase Auth does deployed. */
export interface Tokens {
  /** An ID token that is valid for an hour. */
  idToken: (uid: string, projectId: string) => string;
  /** Environment of an instance that is to accept these tokens. */
  env: Record<string, string>;
  close: () => void;
}

const keyId = 'bench';
const lifetimeSeconds = 3_600;

/** Makes a key, and serves what it is verified with. */
export async function createTokens(): Promise<Tokens> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const certificates = JSON.stringify({ [keyId]: publicKey.export({ type: 'spki', format: 'pem' }) });
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': `public, max-age=${lifetimeSeconds}` }).end(certificates);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return {
    idToken: (uid, projectId) => {
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: `https://securetoken.google.com/${projectId}`, aud: projectId, sub: uid, user_id: uid, auth_time: now, iat: now, exp: now + lifetimeSeconds,
        firebase: { identities: {}, sign_in_provider: 'custom' },
      };
      const body = [{ alg: 'RS256', kid: keyId, typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
      return `${body}.${createSign('RSA-SHA256').update(body).sign(privateKey, 'base64url')}`;
    },
    env: {
      NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'certificates.mjs')).href}`,
      JIGA_CERTIFICATES: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    },
    close: () => server.close(),
  };
}
