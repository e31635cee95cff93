import type { MediaType } from '../../functions/src/media/schema.ts';

/** A file that is not imported, and why. */
export interface SkippedFile {
  file: string;
  reason: string;
}

/** A file of media, and what may stand beside it. */
export interface MediaFile {
  file: string;
  type: MediaType;
  sidecar: string | null;
}

/** What the files of a session are; each of them is in one place. */
export interface Layout {
  metadata: string | null;
  /** The conversation: one file, or its parts in order. */
  history: string[];
  media: MediaFile[];
  skipped: SkippedFile[];
}

/** The one file with the whole conversation; the first of these that there is, as in the system that wrote them. */
const wholeHistories = ['chat_history', 'conversation_history', 'campaign_history', 'history', 'messages'].flatMap((name) => [`logs/${name}.json`, `${name}.json`]);
/** Where there is none of those, the conversation is in parts. */
const historyPart = /^(?:logs\/)?(?:conversation[^/]*|chat_history\/[^/]+)\.json$/;
const backup = /\.(?:backup|bak|old)(?:\.json)?$|~$|^(?:logs\/)?backups?\//;
const scene = /^(?:data\/)?scenes?\//;
const mediaFolder = /^media\/(images|audio)\//;
const sidecar = /^(?:media\/(?:images|audio)|image_metadata)\/.+\.json$/;
const described = 'describes media that are not here';

/** Sorts the files of a session's folder; paths are relative to it. */
export function layOut(files: string[]): Layout {
  const all = new Set(files);
  const whole = wholeHistories.find((file) => all.has(file));
  const parts = files.filter(isHistoryPart).sort(byNumber);
  const history = whole === undefined ? parts : [whole];
  const media = files.flatMap((file): MediaFile[] => {
    const type = mediaFolder.exec(file)?.[1] as MediaType | undefined;
    return type === undefined || sidecar.test(file) ? [] : [{ file, type, sidecar: sidecarsOf(file, type).find((name) => all.has(name)) ?? null }];
  });
  const metadata = all.has('metadata.json') ? 'metadata.json' : null;
  const used = new Set([metadata, ...history, ...media.flatMap((each) => [each.file, each.sidecar])]);
  const skipped = files.filter((file) => !used.has(file)).map((file) => ({ file, reason: reasonFor(file, whole) }));
  return { metadata, history, media, skipped };
}

function reasonFor(file: string, whole: string | undefined): string {
  if (backup.test(file)) return 'a backup';
  if (whole !== undefined && (wholeHistories.includes(file) || historyPart.test(file))) return `the conversation is in ${whole}`;
  if (sidecar.test(file)) return described;
  if (scene.test(file)) return 'a scene: only what was said is imported';
  if (file.startsWith('data/')) return 'data of the game: only what was said is imported';
  return 'not recognised';
}

/** Whether a file is a part of a conversation, or the whole of one that was saved without a session. */
export function isHistoryPart(file: string): boolean {
  return historyPart.test(file) && !wholeHistories.includes(file) && !backup.test(file);
}

/** Whether a folder has a conversation of its own. */
export function hasWholeHistory(files: string[]): boolean {
  return files.some((file) => wholeHistories.includes(file));
}

/** Whether a file of the folder `logs` at the root is the conversation of a session: the oldest layout. */
export function isOldLog(file: string): boolean {
  return /^(?:chat_history\/)?[^/]+\.json$/.test(file) && !backup.test(file);
}

function sidecarsOf(file: string, type: MediaType): string[] {
  const stem = file.replace(/\.[^./]+$/, '');
  const name = stem.slice(stem.lastIndexOf('/') + 1);
  return [`${file}.json`, `${stem}.json`, `media/${type}/metadata/${name}.json`, ...(type === 'images' ? [`image_metadata/${name}.json`] : [])];
}

const byNumber = new Intl.Collator('en', { numeric: true }).compare;

/** What the name of a session's folder says: `campaign_2 - The Lost Mine` is the session `campaign_2` with that name. */
export function parseFolderName(folder: string): { legacyId: string; name: string | null } {
  const [, legacyId = folder, name = null] = /^(campaign_\d+|default)\s+-\s+(.+)$/s.exec(folder) ?? [];
  return { legacyId, name };
}
