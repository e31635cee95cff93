import type { TokenParts } from './app-check-service.ts';
import { newKeys, signToken, startGoogleService, type GoogleService, type Keys } from './google-service.ts';

const project = process.env['GCLOUD_PROJECT'] ?? 'demo-jiga';

/** A stand-in for Firebase Auth: it signs ID tokens, has the key that they are verified with, and knows the accounts. */
export interface IdTokenService extends Omit<GoogleService, 'env'> {
  /** Environment in which instances verify tokens as they do deployed: undefined takes a variable away. */
  env: Record<string, string | undefined>;
  keys: Keys;
  /** An ID token of this account as Firebase Auth signs it, but for these parts. */
  token: (uid: string, parts?: TokenParts) => string;
  /** Disables an account; false: enables it again. */
  disable: (uid: string, disabled?: boolean) => void;
}

/** How long ago every account was signed out of everything, in seconds: tokens of a sign-in from before are revoked. */
export const revokedSeconds = 50;

/** Starts a service with a key of its own. Its instances are told of no emulator of Firebase Auth, which would have them accept what is not signed. */
export async function startIdTokenService(): Promise<IdTokenService> {
  const keys = newKeys();
  const disabled = new Set<unknown>();
  const service = await startGoogleService({
    '/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com': () => ({ test: keys.publicKey.export({ type: 'spki', format: 'pem' }) }),
    [`/v1/projects/${project}/accounts:lookup`]: ({ localId }) => {
      const [uid] = localId as string[];
      return { users: [{ localId: uid, disabled: disabled.has(uid), validSince: String(seconds() - revokedSeconds) }] };
    },
  });
  return {
    ...service,
    keys,
    env: { ...service.env, FIREBASE_AUTH_EMULATOR_HOST: undefined, FIREBASE_DEBUG_MODE: undefined, FIREBASE_DEBUG_FEATURES: undefined, FUNCTIONS_EMULATOR: undefined },
    token: (uid, { claims = {}, header = {}, key = keys.privateKey } = {}) => {
      const now = seconds();
      const payload = { iss: `https://securetoken.google.com/${project}`, aud: project, auth_time: now, user_id: uid, sub: uid, iat: now, exp: now + 3_600, firebase: { identities: {}, sign_in_provider: 'custom' }, ...claims };
      return signToken({ alg: 'RS256', kid: 'test', typ: 'JWT', ...header }, payload, key);
    },
    disable: (uid, off = true) => void (off ? disabled.add(uid) : disabled.delete(uid)),
  };
}

const seconds = (): number => Math.floor(Date.now() / 1_000);
