import { AppError } from './errors.ts';
import { appCheck } from './firebase.ts';
import { enforcesAppCheck } from './params.ts';

/** What is known of the app that a call comes from. */
export interface AppToken {
  /** The header `X-Firebase-AppCheck`. */
  token: string | undefined;
  /** Whether the platform has verified it already. */
  verified: boolean;
}

/**
 * Lets a call pass when App Check is off, or when it comes from an app that App Check knows. `once` also uses the token
 * up: whoever has seen it on its way cannot repeat the call with it. That asks the App Check service.
 * @throws AppError `unauthenticated` (app_check) without a valid token, or with one that was used up.
 * @throws AppError `unavailable` (not_ready) when tokens cannot be verified.
 */
export async function requireApp({ token, verified }: AppToken, once: boolean): Promise<void> {
  if (!enforcesAppCheck() || (verified && !once)) return;
  if (token === undefined) throw refusal('This call needs an App Check token.');
  const { alreadyConsumed } = await appCheck().verifyToken(token, { consume: once }).catch((error: unknown) => { throw toRefusal(error); });
  if (alreadyConsumed) throw refusal('This App Check token was used before: this call needs a limited-use token of its own.');
}

const refusal = (message: string): AppError => new AppError('unauthenticated', message, { reason: 'app_check' });

/** The SDK has a code for what is wrong with a token; for keys that it cannot fetch, only a message. */
function toRefusal(error: unknown): AppError {
  const { code, message = '' } = error as { code?: string; message?: string };
  const wrong = code === 'app-check/app-check-token-expired' || (code === 'app-check/invalid-argument' && !message.includes('Error fetching'));
  if (wrong) return refusal('The App Check token is not valid. Fetch a fresh one.');
  return new AppError('unavailable', 'App Check tokens cannot be verified right now. Try again in a moment.', { reason: 'not_ready' }, { cause: error });
}
