import type { z } from 'zod';
import type { Media } from '../providers/types.ts';
import * as cursors from '../runtime/cursor.ts';
import { AppError } from '../runtime/errors.ts';
import { roleOf } from '../sessions/members.ts';
import type { SessionConfig, SessionDoc } from '../sessions/schema.ts';
import { extensions, type KeptMedia, type MediaDoc, type MediaType, type mediaView } from './schema.ts';

/** What a file of each type is, and how its name ends. */
const formats: Record<string, { type: MediaType; extension: (typeof extensions)[number] }> = {
  'image/jpeg': { type: 'images', extension: 'jpg' },
  'image/png': { type: 'images', extension: 'png' },
  'image/webp': { type: 'images', extension: 'webp' },
  'audio/mpeg': { type: 'audio', extension: 'mp3' },
  'audio/wav': { type: 'audio', extension: 'wav' },
};

/** What of the frame and the sound of a turn its product keeps. Sessions that are older than this setting keep nothing. */
export function worthKeeping({ keptMedia = [] }: Partial<Pick<SessionConfig, 'keptMedia'>>, media: (Media | null | undefined)[]): Media[] {
  return media.filter((each) => each !== null && each !== undefined).filter(({ mime }) => Object.hasOwn(formats, mime) && keptMedia.includes(formats[mime]!.type));
}

/** How a file of a turn is named; `mime` is one of those that are kept. */
export function nameOf(turnId: string, mime: string): KeptMedia {
  const { type, extension } = formats[mime]!;
  return { type, file: `${turnId}.${extension}` };
}

/** Where everything that is kept of a session is. */
export function folderOf(sessionId: string): string {
  return `sessions/${sessionId}`;
}

/** Where a kept file is. */
export function pathOf(sessionId: string, { type, file }: KeptMedia): string {
  return `${folderOf(sessionId)}/${type}/${file}`;
}

/** What is known of a file of a session that the user is a member of. @throws AppError `not-found`, in one way whether session, membership or file is missing. */
export function requireMedia(session: SessionDoc | undefined, media: MediaDoc | undefined, uid: string, type: MediaType): MediaDoc {
  if (session && roleOf(session, uid) !== null && media?.type === type) return media;
  throw new AppError('not-found', 'You have no session with such a file.', { reason: 'not_found' });
}

/** A kept file as members see it. */
export function toMediaView({ by, createdAt, ...media }: MediaDoc): z.input<typeof mediaView> {
  return { ...media, memberId: by, createdAt: createdAt.toDate().toISOString() };
}

/** An opaque cursor that continues after this file: how its name ends, and then when and of which turn it was kept. */
export function toCursor({ createdAt, file, turnId }: MediaDoc): string {
  return `${file.slice(turnId.length + 1)}.${cursors.toCursor({ order: createdAt.toMillis(), id: turnId })}`;
}

const cursorForm = new RegExp(`^(${extensions.join('|')})\\.(.*)$`, 's');

/** Reads a cursor. Errors as cursors.parseCursor. */
export function parseCursor(cursor: string): { createdAt: number; file: string } {
  const [, extension, position = ''] = cursorForm.exec(cursor) ?? [];
  const { order, id } = cursors.parseCursor(position);
  return { createdAt: order, file: `${id}.${extension}` };
}
