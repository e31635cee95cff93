import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { KnownAccount } from '../../functions/src/imports/store-accounts.ts';
import type { Directory } from './accounts.ts';

/** What a file of a fixture has in it: bytes, a text, a link to somewhere, or a value as JSON. */
export type Content = Uint8Array | string | { link: string } | { json: unknown };

/** A folder with these files, by path, for one test; `remove` takes it away. */
export function makeFolder(files: Record<string, Content>): { root: string; remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), 'jiga-migrate-'));
  for (const [path, content] of Object.entries(files)) put(root, path, content);
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** Writes one more file. */
export function put(root: string, path: string, content: Content): void {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  if (typeof content === 'string' || content instanceof Uint8Array) writeFileSync(full, content);
  else if ('link' in content) symlinkSync(content.link, full);
  else writeFileSync(full, JSON.stringify(content.json));
}

/** The first bytes of each type, and something that makes files differ. */
export const png = (what = ''): Buffer => Buffer.from(`\x89PNG\r\n\x1a\n${what}`, 'latin1');
export const mp3 = (what = ''): Buffer => Buffer.from(`ID3\x04${what}`, 'latin1');

/** Two messages that make a turn. */
export const chat = [
  { role: 'user', content: 'I open the door.', timestamp: '2025-10-01T12:00:00.123456', message_id: 'm1' },
  { role: 'assistant', content: { narrative: 'It creaks.', answer: 'It creaks.', turn: '...' }, timestamp: '2025-10-01T12:00:05', message_id: 'm2' },
];

/** A good session folder, with whom it belongs to. */
export function goodFolder(folder: string, { owner = 'ann@jiga.example', metadata = {}, messages = chat }: { owner?: string | null; metadata?: object; messages?: unknown } = {}): Record<string, Content> {
  return {
    [`${folder}/metadata.json`]: { json: { name: 'The Lost Mine', created_at: '2025-10-01T11:00:00', ...(owner === null ? {} : { owner_email: owner }), ...metadata } },
    [`${folder}/logs/chat_history.json`]: { json: messages },
  };
}

/** Accounts for a test: those with an address have verified it. */
export function directory(accounts: Record<string, string | null>): Directory {
  const known = (uid: string | undefined): KnownAccount | null => (uid === undefined ? null : { uid, emailVerified: true });
  return {
    byId: (uid) => Promise.resolve(known(Object.hasOwn(accounts, uid) ? uid : undefined)),
    byEmail: (email) => Promise.resolve(known(Object.keys(accounts).find((uid) => accounts[uid] === email))),
  };
}
