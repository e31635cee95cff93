/** The events that functions receive, in the form of either generation. */

import type { Path } from './path.ts';
import type { Identity } from './rules.ts';
import { setOwn, toJson, type DataNode, type Json } from './tree.ts';

/** A change at a location that some function watches. */
export interface Occurrence {
  id: string;
  type: string;
  region: string;
  database: string;
  path: Path;
  before: DataNode;
  after: DataNode;
  who: Identity;
  now: number;
}

/** The event as a CloudEvent; null when only priorities changed, of which functions hear nothing. */
export function modernEvent(occurrence: Occurrence): Record<string, unknown> | null {
  const delta = difference(occurrence.before, occurrence.after);
  if (delta === undefined) return null;
  const { database, region, who } = occurrence;
  const ref = occurrence.path.join('/');
  return {
    specversion: '1.0',
    id: occurrence.id,
    source: `//firebasedatabase.googleapis.com/projects/_/locations/${region}/instances/${database}`,
    type: occurrence.type,
    subject: `refs/${ref}`,
    time: new Date(occurrence.now).toISOString(),
    datacontenttype: 'application/json',
    instance: database,
    ref,
    location: region,
    firebasedatabasehost: 'firebaseio.com',
    authtype: who.admin ? 'admin' : who.auth === null ? 'unauthenticated' : 'app_user',
    ...(typeof who.auth?.['uid'] === 'string' ? { authid: who.auth['uid'] } : {}),
    data: {
      '@type': 'type.googleapis.com/google.events.firebase.database.v1.ReferenceEventData',
      data: toJson(occurrence.before),
      delta,
    },
  };
}

/** The event as functions of the first generation expect it. */
export function legacyEvent(occurrence: Occurrence): Record<string, unknown> | null {
  const delta = difference(occurrence.before, occurrence.after);
  if (delta === undefined) return null;
  const { who } = occurrence;
  return {
    context: {
      eventId: occurrence.id,
      timestamp: new Date(occurrence.now).toISOString(),
      eventType: occurrence.type,
      resource: `projects/_/instances/${occurrence.database}/refs/${occurrence.path.join('/')}`,
      // The library derives the kind of user from the members that are there.
      auth: { admin: who.admin, ...(who.auth === null ? {} : { variable: who.auth }) },
    },
    data: { data: toJson(occurrence.before), delta },
  };
}

/** What has to be laid over the old value to get the new one; undefined when they are the same. */
function difference(before: DataNode, after: DataNode): Json | undefined {
  if (before === after) return undefined;
  if (before.children.size === 0 || after.children.size === 0) {
    const same = before.children.size === after.children.size && before.value === after.value;
    return same ? undefined : toJson(after);
  }
  const result: Record<string, Json> = {};
  for (const key of before.children.keys()) {
    if (!after.children.has(key)) setOwn(result, key, null);
  }
  for (const [key, child] of after.children) {
    const old = before.children.get(key);
    const part = old === undefined ? toJson(child) : difference(old, child);
    if (part !== undefined) setOwn(result, key, part);
  }
  return Object.keys(result).length === 0 ? undefined : result;
}
