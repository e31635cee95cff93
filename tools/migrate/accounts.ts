import type { KnownAccount } from '../../functions/src/imports/store-accounts.ts';
import { accountIdSchema } from '../../functions/src/runtime/schema.ts';
import type { Person } from './people.ts';

/** Where accounts are looked up. */
export interface Directory {
  byId: (uid: string) => Promise<KnownAccount | null>;
  byEmail: (email: string) => Promise<KnownAccount | null>;
}

/** Finds the account of somebody of the other system, or null. */
export type Accounts = (person: Person) => Promise<string | null>;

/**
 * Accounts by what `owners` says of an id or an e-mail address, then by the address, then by the id itself. An address
 * that nobody has verified does not count: whoever signs up with it would be given somebody else's sessions. What was
 * looked up once is remembered.
 */
export function findAccounts(owners: ReadonlyMap<string, string>, { byId, byEmail }: Directory): Accounts {
  const idOf = remembered(async (id) => (accountIdSchema.safeParse(id).success ? (await byId(id))?.uid ?? null : null));
  const emailOf = remembered(async (email) => {
    const account = await byEmail(email);
    return account?.emailVerified ? account.uid : null;
  });
  return async ({ id, email }) => {
    const chosen = (id === null ? undefined : owners.get(id)) ?? (email === null ? undefined : owners.get(email));
    // What the list says is meant, also when the account is gone.
    if (chosen !== undefined) return idOf(chosen);
    return (email === null ? null : await emailOf(email)) ?? (id === null ? null : await idOf(id));
  };
}

function remembered(ask: (key: string) => Promise<string | null>): (key: string) => Promise<string | null> {
  const answers = new Map<string, Promise<string | null>>();
  return (key) => {
    const known = answers.get(key) ?? ask(key);
    answers.set(key, known);
    return known;
  };
}
