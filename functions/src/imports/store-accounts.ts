import { auth } from '../runtime/firebase.ts';

/** What is known of an account. */
export interface KnownAccount {
  uid: string;
  emailVerified: boolean;
}

/** The account with this uid; null when there is none. */
export async function accountById(uid: string): Promise<KnownAccount | null> {
  return unlessMissing(auth().getUser(uid));
}

/** The account with this e-mail address; null when there is none. */
export async function accountByEmail(email: string): Promise<KnownAccount | null> {
  return unlessMissing(auth().getUserByEmail(email));
}

/** What Auth says of accounts that do not exist, and of ids and addresses that none can have. */
const missing = new Set(['auth/user-not-found', 'auth/invalid-uid', 'auth/invalid-email']);

async function unlessMissing(found: Promise<KnownAccount>): Promise<KnownAccount | null> {
  try {
    const { uid, emailVerified } = await found;
    return { uid, emailVerified };
  } catch (error) {
    if (missing.has((error as { code?: string }).code ?? '')) return null;
    throw error;
  }
}
