import { onValueCreated, onValueDeleted } from 'firebase-functions/database';
import { now } from '../runtime/system.ts';
import { runTrigger } from '../runtime/trigger.ts';
import { followPresence } from './store.ts';

/** Connections of members, in every database that holds live state. Not their heartbeats: those are updates, and cost no invocation. */
const connections = { ref: '/presence/{sessionId}/{uid}/{connection}', instance: '*', retry: true } as const;

/** Shows a member as online who has connected; the owner's return ends a pause. */
export const showConnected = onValueCreated(connections, ({ params: { sessionId, uid } }) => runTrigger('showConnected', { sessionId }, () => followPresence(sessionId, uid, now)));

/** Shows a member as offline whose last connection has gone; without its owner the session pauses after a while. */
export const showDisconnected = onValueDeleted(connections, ({ params: { sessionId, uid } }) => runTrigger('showDisconnected', { sessionId }, () => followPresence(sessionId, uid, now)));
