import { operation } from '../runtime/operation.ts';
import { now } from '../runtime/system.ts';
import { requireMember } from '../sessions/members.ts';
import { getSessionOf } from '../sessions/store.ts';
import { loadStorage } from './load-storage.ts';
import { parseCursor, pathOf, requireMedia, toCursor, toMediaView } from './media.ts';
import { getMediaInput, getMediaOutput, listMediaInput, listMediaOutput } from './schema.ts';
import { listMedia as list, readMedia } from './store.ts';

/** How long an address of a file is valid. */
const addressMs = 10 * 60_000;

export const getMedia = operation({
  name: 'getMedia',
  summary: 'Where to read a file that was kept of a session that the signed-in user is a member of. The address is valid for ten minutes; the REST route leads there.',
  access: 'signed-in',
  route: { method: 'get', path: '/media/{sessionId}/{type}/{file}' },
  input: getMediaInput,
  output: getMediaOutput,
  redirect: ({ url }) => url,
  async handle({ sessionId, type, file }, { caller }) {
    const { session, media } = await readMedia(sessionId, file);
    const { mimeType, bytes } = requireMedia(session, media, caller.uid, type);
    const expiresAt = now() + addressMs;
    const url = await (await loadStorage()).signedUrl(pathOf(sessionId, { type, file }), expiresAt);
    return { url, mimeType, bytes, expiresAt: new Date(expiresAt).toISOString() };
  },
});

export const listMedia = operation({
  name: 'listMedia',
  summary: 'What was kept of a session that the signed-in user is a member of, newest first.',
  access: 'signed-in',
  route: { method: 'get', path: '/sessions/{sessionId}/media' },
  input: listMediaInput,
  output: listMediaOutput,
  async handle({ sessionId, limit, cursor }, { caller }) {
    const after = cursor === undefined ? null : parseCursor(cursor);
    requireMember(await getSessionOf(caller.uid, sessionId), caller.uid);
    const found = await list(sessionId, limit + 1, after);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return { media: page.map(toMediaView), nextCursor: found.length > limit && last ? toCursor(last) : null };
  },
});
