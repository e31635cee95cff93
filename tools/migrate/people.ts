import type { LegacyMessage, LegacyMetadata } from '../../functions/src/imports/legacy-schema.ts';

/** Somebody of the other system: an id of its identity provider, an e-mail address, or both. */
export interface Person {
  id: string | null;
  email: string | null;
}

/** Somebody by what is known; null when that is nothing. */
export function person(id: string | null | undefined, email: string | null | undefined): Person | null {
  const known = { id: id?.trim() || null, email: email?.trim().toLowerCase() || null };
  return known.id === null && known.email === null ? null : known;
}

/** How the report names somebody. */
export function nameOf({ id, email }: Person): string {
  return [email, id].filter((each) => each !== null).join(' / ');
}

/** Who owns a session: the first source that says so is believed, the registry before the session's own metadata. */
export function ownerOf(sources: LegacyMetadata[]): Person | null {
  return sources.map((source) => person(source.owner_user_id, source.owner_email) ?? personOf(source.owner)).find((owner) => owner !== null) ?? null;
}

/** Who has joined a session, its owner perhaps among them. */
export function membersOf(sources: LegacyMetadata[]): Person[] {
  return sources.flatMap(({ members, member_user_ids, member_emails }) => [
    ...(members ?? []).map(personOf),
    ...(member_user_ids ?? []).map((id) => person(id, null)),
    ...(member_emails ?? []).map((email) => person(null, email)),
  ]).filter((each) => each !== null);
}

/** Who sent a message; null where it does not say. */
export function senderOf({ sender_user_id, user_id, user_email }: LegacyMessage): Person | null {
  return person(sender_user_id ?? user_id, user_email);
}

function personOf(value: LegacyMetadata['owner']): Person | null {
  if (typeof value === 'string') return value.includes('@') ? person(null, value) : person(value, null);
  return value ? person(value.user_id ?? value.id ?? value.uid ?? value.sub, value.email) : null;
}
