import { legacyHistorySchema, legacyMetadataSchema, legacyRegistrySchema, type LegacyMessage, type LegacyMetadata, type LegacySchema } from '../../functions/src/imports/legacy-schema.ts';
import { BrokenFile } from './broken.ts';
import { readBytes } from './files.ts';
import { parseJson } from './json.ts';

/** Most bytes of a JSON file, and of the parts of a conversation together. */
const maxJsonBytes = 20_000_000;

/** A JSON file of a folder. @throws BrokenFile as readBytes and parseJson do, and for one with more than `maxBytes`. */
export async function readJson<T>(folder: string, file: string, schema: LegacySchema<T>, maxBytes = maxJsonBytes): Promise<T> {
  const bytes = await readBytes(folder, file, maxBytes);
  if (!bytes) throw new BrokenFile(file, `is larger than ${maxBytes} bytes`);
  return parseJson(file, bytes, schema);
}

/** The metadata of a session. @throws BrokenFile as readJson does. */
export function readMetadata(folder: string, file: string): Promise<LegacyMetadata> {
  return readJson(folder, file, legacyMetadataSchema);
}

/** The messages of a conversation, from its parts in order. @throws BrokenFile as readJson does. */
export async function readConversation(folder: string, files: string[]): Promise<LegacyMessage[]> {
  const messages: LegacyMessage[] = [];
  let left = maxJsonBytes;
  for (const file of files) {
    const bytes = await readBytes(folder, file, left);
    if (!bytes) throw new BrokenFile(file, `makes the conversation larger than ${maxJsonBytes} bytes`);
    left -= bytes.length;
    for (const message of parseJson(file, bytes, legacyHistorySchema)) messages.push(message);
  }
  return messages;
}

/** Names under which the legacy system kept its registry at the root. */
const registryNames = ['session_registry.json', 'sessions_registry.json', 'campaign_registry.json', 'registry.json', 'sessions.json'];

/** The registry at a root: its entries by legacy id, and its file; null where there is none. @throws BrokenFile as readJson does. */
export async function readRegistry(root: string, names: string[]): Promise<{ file: string; entries: ReadonlyMap<string, LegacyMetadata> } | null> {
  const file = registryNames.find((name) => names.includes(name));
  return file === undefined ? null : { file, entries: new Map(await readJson(root, file, legacyRegistrySchema)) };
}
