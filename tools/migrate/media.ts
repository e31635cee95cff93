import { createHash } from 'node:crypto';
import type { TurnDoc } from '../../functions/src/history/schema.ts';
import { legacySidecarSchema } from '../../functions/src/imports/legacy-schema.ts';
import type { ImportedMedia } from '../../functions/src/imports/schema.ts';
import { sniffAudio, sniffImage } from '../../functions/src/providers/media/media.ts';
import { BrokenFile } from './broken.ts';
import { readBytes } from './files.ts';
import type { MediaFile, SkippedFile } from './layout.ts';
import { toMillis } from './moments.ts';
import { readJson } from './read-json.ts';

/** Most bytes of a picture or a sound. */
const maxMediaBytes = 20_000_000;
const maxSidecarBytes = 1_000_000;

const extensions: Record<string, string> = { 'image/jpeg': 'jpg', 'image/png': 'png', 'image/webp': 'webp', 'audio/mpeg': 'mp3', 'audio/wav': 'wav' };
const kinds = { images: 'no JPEG, PNG or WebP picture', audio: 'no MP3 or WAV sound' } as const;

/** A file of media by its content: equal ones are one. */
interface Kept {
  media: Pick<ImportedMedia, 'file' | 'mimeType' | 'bytes'>;
  messageId: string | null;
  at: number | null;
}

/** The media of a session, and where the bytes of each are. */
export interface ReadMedia {
  media: ImportedMedia[];
  mapped: string[];
  skipped: SkippedFile[];
  /** The bytes of one of them. @throws BrokenFile when they are not those that were read before. */
  load: (media: ImportedMedia) => Promise<Uint8Array>;
}

/** Turns to which media belong, and what stands in where it is not known. */
export interface MediaFacts {
  ownerId: string;
  turns: TurnDoc[];
  turnOf: ReadonlyMap<string, TurnDoc>;
  endedAt: number;
}

/**
 * Reads the media of a session, one file at a time. What they are is read from their bytes, never from their names; names
 * are made of their hashes.
 * @throws BrokenFile as readBytes and readJson do.
 */
export async function readMedia(folder: string, files: MediaFile[], facts: MediaFacts): Promise<ReadMedia> {
  const found = new Map<string, ImportedMedia>();
  const sources = new Map<string, string>();
  const [mapped, skipped]: [string[], SkippedFile[]] = [[], []];
  for (const each of files) {
    const kept = await readOne(folder, each);
    if (typeof kept === 'string') {
      skipped.push({ file: each.file, reason: kept }, ...(each.sidecar === null ? [] : [{ file: each.sidecar, reason: `describes ${each.file}` }]));
      continue;
    }
    mapped.push(each.file, ...(each.sidecar === null ? [] : [each.sidecar]));
    if (found.has(kept.media.file)) continue;
    found.set(kept.media.file, { ...kept.media, type: each.type, ...placeOf(kept, facts) });
    sources.set(kept.media.file, each.file);
  }
  const media = [...found.values()].sort((one, other) => (one.file < other.file ? -1 : 1));
  return { media, mapped, skipped, load: async ({ file }) => {
    const source = sources.get(file)!;
    const bytes = await readBytes(folder, source, maxMediaBytes);
    if (!bytes || !file.startsWith(hashOf(bytes))) throw new BrokenFile(source, 'has changed since it was read');
    return bytes;
  } };
}

async function readOne(folder: string, { file, type, sidecar }: MediaFile): Promise<Kept | string> {
  const bytes = await readBytes(folder, file, maxMediaBytes);
  if (!bytes) return `larger than ${maxMediaBytes} bytes`;
  const mimeType = type === 'images' ? sniffImage(bytes) : sniffAudio(bytes);
  const extension = mimeType === null ? undefined : extensions[mimeType];
  if (mimeType === null || extension === undefined) return kinds[type];
  return { media: { file: `${hashOf(bytes)}.${extension}`, mimeType, bytes: bytes.length }, ...await readSidecar(folder, sidecar) };
}

async function readSidecar(folder: string, file: string | null): Promise<Pick<Kept, 'messageId' | 'at'>> {
  if (file === null) return { messageId: null, at: null };
  const { message_id, timestamp, created_at } = await readJson(folder, file, legacySidecarSchema, maxSidecarBytes);
  return { messageId: message_id ?? null, at: toMillis(timestamp ?? created_at) };
}

/** The turn that a file belongs to: the one it names, else the last one before it, else the last one; and who took it. */
function placeOf({ messageId, at }: Kept, { ownerId, turns, turnOf, endedAt }: MediaFacts): Pick<ImportedMedia, 'turnId' | 'by' | 'createdAt'> {
  const named = messageId === null ? undefined : turnOf.get(messageId);
  const turn = named ?? (at === null ? turns.at(-1) : turns.findLast((each) => each.at <= at) ?? turns[0]);
  return { turnId: turn?.turnId ?? 'legacy', by: turn?.by ?? ownerId, createdAt: at ?? turn?.at ?? endedAt };
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}
