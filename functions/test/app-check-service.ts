import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const projectNumber = '123456789012';

/** What a test's token differs in from one that is valid. */
export interface TokenParts {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  /** Signs it; the service's own key unless given. */
  key?: KeyObject;
}

/** A stand-in for the App Check service: it has the keys of its tokens, and knows which were used up. */
export interface AppCheckService {
  /** Environment of an instance that asks this service instead of Google. */
  env: Record<string, string>;
  /** A token of an app of this project. */
  token: (parts?: TokenParts) => string;
  /** How many tokens were used up. */
  consumed: () => number;
  /** Makes it answer nothing but 503; false: it works again. */
  fail: (failing: boolean) => void;
  close: () => void;
}

const text = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Starts a service with a key of its own. */
export async function startAppCheckService(): Promise<AppCheckService> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const used = new Set<string>();
  let failing = false;
  let made = 0;
  const answers: Record<string, (body: Record<string, string>) => object> = {
    '/v1/jwks': () => ({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'test', alg: 'RS256', use: 'sig' }] }),
    '/token': () => ({ access_token: 'made-up', expires_in: 3_600, token_type: 'Bearer' }),
    [`/v1beta/projects/${process.env['GCLOUD_PROJECT']}:verifyAppCheckToken`]: ({ app_check_token: token = '' }) => {
      const alreadyConsumed = used.has(token);
      used.add(token);
      return { alreadyConsumed };
    },
  };
  const server = createServer((request, response) => void serve(request, response, failing ? undefined : answers[request.url ?? '']));
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  const folder = mkdtempSync(join(tmpdir(), 'app-check-'));
  const credentials = join(folder, 'credentials.json');
  writeFileSync(credentials, JSON.stringify({ type: 'authorized_user', client_id: 'id', client_secret: 'secret', refresh_token: 'token' }));
  return {
    env: {
      APP_CHECK: 'enforce',
      GOOGLE_APPLICATION_CREDENTIALS: credentials,
      JIGA_TEST_GOOGLE_PORT: String((server.address() as AddressInfo).port),
      NODE_OPTIONS: `--import ${new URL('preload-google.ts', import.meta.url).href}`,
    },
    token: ({ claims = {}, header = {}, key = privateKey } = {}) => {
      const now = Math.floor(Date.now() / 1_000);
      const payload = { sub: `1:${projectNumber}:web:1`, aud: [`projects/${projectNumber}`, `projects/${process.env['GCLOUD_PROJECT']}`], iss: `https://firebaseappcheck.googleapis.com/${projectNumber}`, iat: now, exp: now + 3_600, jti: String(++made), ...claims };
      const signed = `${text({ alg: 'RS256', typ: 'JWT', kid: 'test', ...header })}.${text(payload)}`;
      return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`;
    },
    consumed: () => used.size,
    fail: (now) => { failing = now; },
    close: () => {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, answer: ((body: Record<string, string>) => object) | undefined): Promise<void> {
  const body = (await request.toArray() as Buffer[]).join('');
  const json = request.headers['content-type']?.startsWith('application/json') === true && body !== '';
  response.writeHead(answer ? 200 : 503, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer?.(json ? JSON.parse(body) as Record<string, string> : {}) ?? { error: { status: 'UNAVAILABLE', message: 'down' } }));
}
