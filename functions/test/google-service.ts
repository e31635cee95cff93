import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a service answers, by the path of the request; it is given the body. */
export type Answers = Record<string, (body: Record<string, unknown>) => object>;

/** A pair of keys, of which the tests have both. */
export interface Keys {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

/** A stand-in for services of Google, which preload-google.ts leads an instance to. */
export interface GoogleService {
  /** Environment of an instance that asks this service instead of Google. */
  env: Record<string, string>;
  /** Makes it answer nothing but 503; false: it works again. */
  fail: (failing: boolean) => void;
  close: () => void;
}

/** A new pair of keys. */
export function newKeys(): Keys {
  return generateKeyPairSync('rsa', { modulusLength: 2_048 });
}

/** A part of a token. */
export const tokenPart = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token that is signed with RS256, whatever its header says. */
export function signToken(header: object, payload: object, key: KeyObject): string {
  const signed = `${tokenPart(header)}.${tokenPart(payload)}`;
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`;
}

/** Starts a service with these answers; it also hands out the access token that the SDKs want first. */
export async function startGoogleService(answers: Answers): Promise<GoogleService> {
  const all: Answers = { '/token': () => ({ access_token: 'made-up', expires_in: 3_600, token_type: 'Bearer' }), ...answers };
  let failing = false;
  const server = createServer((request, response) => void serve(request, response, failing ? undefined : all[request.url ?? '']));
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  const folder = mkdtempSync(join(tmpdir(), 'google-'));
  const credentials = join(folder, 'credentials.json');
  writeFileSync(credentials, JSON.stringify({ type: 'authorized_user', client_id: 'id', client_secret: 'secret', refresh_token: 'token' }));
  return {
    env: {
      GOOGLE_APPLICATION_CREDENTIALS: credentials,
      JIGA_TEST_GOOGLE_PORT: String((server.address() as AddressInfo).port),
      NODE_OPTIONS: `--import ${new URL('preload-google.ts', import.meta.url).href}`,
    },
    fail: (now) => { failing = now; },
    close: () => {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, answer: Answers[string] | undefined): Promise<void> {
  const body = (await request.toArray() as Buffer[]).join('');
  const json = request.headers['content-type']?.startsWith('application/json') === true && body !== '';
  // Keys may be kept for a while.
  response.writeHead(answer ? 200 : 503, { 'content-type': 'application/json', ...(answer ? { 'cache-control': 'public, max-age=3600' } : {}) });
  response.end(JSON.stringify(answer?.(json ? JSON.parse(body) as Record<string, unknown> : {}) ?? { error: { status: 'UNAVAILABLE', message: 'down' } }));
}
