import { join } from 'node:path';
import type { LegacyMetadata } from '../../functions/src/imports/legacy-schema.ts';
import type { ImportedMedia, ImportedSession } from '../../functions/src/imports/schema.ts';
import type { Accounts } from './accounts.ts';
import { BrokenFile } from './broken.ts';
import { listFiles } from './files.ts';
import { layOut, type Layout } from './layout.ts';
import { readMedia } from './media.ts';
import { findMembers } from './members.ts';
import { readMessages } from './messages.ts';
import { earliestOf, latestOf, unknownMoment } from './moments.ts';
import { membersOf, nameOf, ownerOf } from './people.ts';
import { readConversation, readMetadata } from './read-json.ts';
import { emptyReport, type SessionReport } from './report.ts';
import { pairTurns } from './turns.ts';
import { isNameless, type Unit } from './units.ts';

/** What is known beside the folder of a session. */
export interface Surroundings {
  root: string;
  /** Entries of the registry, by legacy id. */
  registry: ReadonlyMap<string, LegacyMetadata>;
  /** Files in the folder `metadata` at the root, where the legacy system kept copies. */
  copies: ReadonlySet<string>;
  accounts: Accounts;
  /** Account that owns the sessions of nobody; null: they are skipped. */
  fallbackOwner: string | null;
}

/** A session that was read: what is to be stored of it, or null where that is nothing. */
export interface ReadSession {
  /** Its outcome is `imported` unless the store says otherwise. */
  report: SessionReport;
  imported: ImportedSession | null;
  load: (media: ImportedMedia) => Promise<Uint8Array>;
}

/**
 * Reads a session and maps it. Writes nothing.
 * @throws BrokenFile when one of its files cannot be used.
 */
export async function readSession(unit: Unit, { root, registry, copies, accounts, fallbackOwner }: Surroundings): Promise<ReadSession> {
  const folder = join(root, unit.folder);
  const layout: Layout = unit.only === null ? layOut(await listFiles(folder)) : { metadata: null, history: [unit.only], media: [], skipped: [] };
  const sources = [registry.get(unit.legacyId) ?? null, await metadataOf(unit, root, layout, copies)].filter((source) => source !== null);
  const { said, dropped } = readMessages(await readConversation(folder, layout.history));
  const report = { ...emptyReport(unit.label, unit.sessionId, 'imported'), ...(unit.legacyId === unit.sessionId ? {} : { legacyId: unit.legacyId }) };
  const skip = (reason: string): ReadSession => ({ report: { ...report, outcome: 'skipped', reason, files: { ...report.files, skipped: layout.skipped } }, imported: null, load: noMedia });
  if (sources.length === 0 && layout.history.length === 0) return skip('has neither metadata nor a conversation, so it is no session');
  const owner = ownerOf(sources);
  const ownerId = owner ? await accounts(owner) : fallbackOwner;
  if (ownerId === null) return skip(owner ? `no account for owner ${nameOf(owner)}` : 'nobody owns it: --owner UID says who does');

  const members = await findMembers({ ownerId, owner, members: membersOf(sources), said }, accounts);
  const lasts = sources.flatMap(({ last_messaged_at, last_played, last_accessed, last_accessed_at, updated_at }) => [last_messaged_at, last_played, last_accessed, last_accessed_at, updated_at]);
  const startedAt = earliestOf(...sources.map(({ created_at }) => created_at), ...said.map(({ at }) => at)) ?? earliestOf(...lasts) ?? unknownMoment;
  const { turns, turnOf, dropped: cut } = pairTurns(said, { accountOf: members.accountOf, startedAt });
  const endedAt = Math.max(startedAt, turns.at(-1)?.at ?? latestOf(...lasts) ?? startedAt);
  const { media, mapped, skipped, load } = await readMedia(folder, layout.media, { ownerId, turns, turnOf, endedAt });
  const files = { mapped: [layout.metadata, ...layout.history, ...mapped].filter((file) => file !== null), skipped: [...layout.skipped, ...skipped], broken: [] };
  return {
    report: { ...report, turns: turns.length, media: media.length, dropped: [...members.dropped, ...dropped, ...cut], files },
    imported: { sessionId: unit.sessionId, ownerId, playerIds: members.playerIds, name: toName([...sources.flatMap(namesOf), unit.name]), startedAt, endedAt, turns, media },
    load,
  };
}

const noMedia = (): Promise<never> => Promise.reject(new Error('a session that is not imported has no media'));

/** The metadata in the session's folder, or the copy that the legacy system kept beside it. */
async function metadataOf(unit: Unit, root: string, { metadata }: Layout, copies: ReadonlySet<string>): Promise<LegacyMetadata | null> {
  const copy = `${unit.legacyId}.json`;
  if (metadata === null && !copies.has(copy)) return null;
  const file = metadata ?? `metadata/${copy}`;
  const read = await readMetadata(metadata === null ? root : join(root, unit.folder), file);
  const ids = [read.session_id, read.campaign_id].filter((id) => id);
  // Whose a session is must not come from the file of another one.
  if (!isNameless(unit) && ids.length > 0 && !ids.includes(unit.legacyId)) throw new BrokenFile(file, `is that of the session ${ids.join(' / ')}`);
  return read;
}

function namesOf({ name, title, display_name }: LegacyMetadata): (string | null | undefined)[] {
  return [name, title, display_name];
}

/** The first name that there is, as renameSession takes it: without control characters, at most 60 characters. */
export function toName(names: (string | null | undefined)[]): string | null {
  const cleaned = names.map((name) => (name ?? '').toWellFormed().replace(/\p{Cc}+/gu, ' ').trim()).find((name) => name !== '') ?? '';
  const cut = cleaned.slice(0, 60);
  return (cut.isWellFormed() ? cut : cut.slice(0, -1)).trim() || null;
}
