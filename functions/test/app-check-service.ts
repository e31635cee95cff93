import type { KeyObject } from 'node:crypto';
import { newKeys, signToken, startGoogleService, type GoogleService } from './google-service.ts';

const projectNumber = '123456789012';

/** What a test's token differs in from one that is valid. */
export interface TokenParts {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  /** Signs it; the service's own key unless given. */
  key?: KeyObject;
}

/** A stand-in for the App Check service: it has the keys of its tokens, and knows which were used up. */
export interface AppCheckService extends GoogleService {
  /** A token of an app of this project. */
  token: (parts?: TokenParts) => string;
  /** How many tokens were used up. */
  consumed: () => number;
}

/** Starts a service with a key of its own. */
export async function startAppCheckService(): Promise<AppCheckService> {
  const { privateKey, publicKey } = newKeys();
  const used = new Set<unknown>();
  let made = 0;
  const service = await startGoogleService({
    '/v1/jwks': () => ({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'test', alg: 'RS256', use: 'sig' }] }),
    [`/v1beta/projects/${process.env['GCLOUD_PROJECT']}:verifyAppCheckToken`]: ({ app_check_token: token = '' }) => {
      const alreadyConsumed = used.has(token);
      used.add(token);
      return { alreadyConsumed };
    },
  });
  return {
    ...service,
    env: { APP_CHECK: 'enforce', ...service.env },
    token: ({ claims = {}, header = {}, key = privateKey } = {}) => {
      const now = Math.floor(Date.now() / 1_000);
      const payload = { sub: `1:${projectNumber}:web:1`, aud: [`projects/${projectNumber}`, `projects/${process.env['GCLOUD_PROJECT']}`], iss: `https://firebaseappcheck.googleapis.com/${projectNumber}`, iat: now, exp: now + 3_600, jti: String(++made), ...claims };
      return signToken({ alg: 'RS256', typ: 'JWT', kid: 'test', ...header }, payload, key);
    },
    consumed: () => used.size,
  };
}
