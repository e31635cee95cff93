import { user } from 'firebase-functions/v1/auth';
import { userTag } from '../runtime/log.ts';
import { runTrigger } from '../runtime/trigger.ts';
import { createUser } from './store.ts';

/**
 * Creates the user document of every new account, however it was made. The first-generation Auth trigger is used
 * because the blocking one needs an Identity Platform upgrade and turns a Firestore outage into failed sign-ups;
 * `getMe` makes up for a trigger that has not run yet.
 */
export const createUserDocument = user().onCreate(async ({ uid, email, displayName }) => {
  await runTrigger('createUserDocument', { user: userTag(uid) }, () => createUser(uid, { email: email ?? null, displayName: displayName ?? null }));
});
