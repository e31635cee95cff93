import { z } from 'zod';
import { accountIdSchema } from '../runtime/schema.ts';

// What the files of seed 004 may say, as far as it matters here: unknown keys are passed over, a known one of another
// type makes the file unreadable. Nothing in a file is ever taken for the path of another one.

/** What a file is read with. */
export type LegacySchema<T> = z.ZodType<T>;

const text = z.string().max(2_000).nullish();
/** ISO 8601 with or without a zone, or seconds or ms since the epoch. */
const moment = z.union([z.string().max(100), z.number()]).nullish();
const person = z.union([z.string().max(2_000), z.object({ user_id: text, id: text, uid: text, sub: text, email: text })]);
const many = <T extends z.ZodType>(of: T) => z.array(of).max(1_000).nullish();

/** metadata.json of a session, and its entry in the registry: who owns it, who has joined, what it is called, when it was played. */
export const legacyMetadataSchema = z.object({
  session_id: text,
  campaign_id: text,
  name: text,
  title: text,
  display_name: text,
  created_at: moment,
  updated_at: moment,
  last_messaged_at: moment,
  last_played: moment,
  last_accessed: moment,
  last_accessed_at: moment,
  owner: person.nullish(),
  owner_user_id: text,
  owner_email: text,
  members: many(person),
  member_user_ids: many(z.string().max(2_000)),
  member_emails: many(z.string().max(2_000)),
});
export type LegacyMetadata = z.output<typeof legacyMetadataSchema>;

/** One message of a conversation. */
export const legacyMessageSchema = z.object({
  role: z.string().max(100),
  content: z.union([z.string(), z.array(z.unknown()), z.record(z.string(), z.unknown())]).nullish(),
  timestamp: moment,
  time: moment,
  created_at: moment,
  message_id: text,
  response_type: text,
  user_id: text,
  sender_user_id: text,
  user_email: text,
});
export type LegacyMessage = z.output<typeof legacyMessageSchema>;

/** A conversation: its messages, or an object around them. */
export const legacyHistorySchema = z.preprocess(
  (value) => (isRecord(value) && Object.hasOwn(value, 'messages') ? value['messages'] : value),
  z.array(legacyMessageSchema).max(100_000),
);

/** What stands beside a file of media. */
export const legacySidecarSchema = z.object({ timestamp: moment, created_at: moment, message_id: text });

/** The registry: an entry for each session, by its id or in a list, inside `sessions` or on its own. */
export const legacyRegistrySchema = z.preprocess(
  (value) => entriesOf(isRecord(value) && Object.hasOwn(value, 'sessions') ? value['sessions'] : value),
  z.array(z.tuple([z.string().min(1).max(2_000), legacyMetadataSchema])).max(1_000_000),
);

/** --owners: which account each legacy id or e-mail address belongs to. */
export const ownersSchema = z.record(z.string().min(1), accountIdSchema);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Pairs of id and entry; what is neither an object nor a list stays as it is, and is refused. */
function entriesOf(sessions: unknown): unknown {
  if (Array.isArray(sessions)) return sessions.map((entry: unknown) => (isRecord(entry) ? [entry['session_id'] ?? entry['campaign_id'], entry] : entry));
  return isRecord(sessions) ? Object.entries(sessions).filter(([key]) => key !== 'invite_tokens' && key !== 'invites') : sessions;
}
