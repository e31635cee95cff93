import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { idSchema } from '../../functions/src/runtime/schema.ts';
import { BrokenFile } from './broken.ts';
import { listFiles } from './files.ts';
import { hasWholeHistory, isHistoryPart, isOldLog, layOut, parseFolderName } from './layout.ts';
import { brokenReport, emptyReport, type SessionReport } from './report.ts';

/** A session to be read. */
export interface Unit {
  /** How the report names it: its folder, or its file where it has none of its own. */
  label: string;
  /** Folder below the root. */
  folder: string;
  legacyId: string;
  sessionId: string;
  /** What the name of its folder says that it is called. */
  name: string | null;
  /** Its conversation where that is all it has; null: everything in the folder is its. */
  only: string | null;
}

/** What lies at a root. */
export interface FoundUnits {
  units: Unit[];
  /** What is known to be no session that can be imported. */
  reports: SessionReport[];
  unrecognised: string[];
}

/** Folders at the root that the legacy system kept for other things than sessions. */
const otherFolders = new Set(['metadata', 'data', 'states', 'backups', 'pregenerated']);
const defaultFolder = /^default(?: - .*)?$/s;
const oldLogs = 'logs';

/**
 * Finds the sessions at a root, in the order of their names. Of several with one id the first is the one, as it was for the
 * system that wrote them. `known` are the files at the root that were read already.
 */
export async function findUnits(root: string, known: string[]): Promise<FoundUnits> {
  const found: FoundUnits = { units: [], reports: [], unrecognised: [] };
  const entries = (await readdir(root, { withFileTypes: true })).sort((one, other) => (one.name < other.name ? -1 : 1));
  for (const entry of entries) {
    const { name } = entry;
    if (entry.isSymbolicLink()) found.reports.push(brokenReport(name, null, '.', 'is a symbolic link'));
    else if (!entry.isDirectory() || name.startsWith('.') || otherFolders.has(name)) {
      if (!known.includes(name)) found.unrecognised.push(name);
    } else if (name === oldLogs || defaultFolder.test(name)) await findLoose(root, name, found);
    else found.units.push(unitOf(name));
  }
  return withoutDoubles(found);
}

function unitOf(folder: string): Unit {
  const { legacyId, name } = parseFolderName(folder);
  return { label: folder, folder, legacyId, sessionId: sessionIdOf(legacyId), name, only: null };
}

/** The id of a session here: the one it had, or one that follows from it where ids here are not like that. */
export function sessionIdOf(legacyId: string): string {
  return idSchema.safeParse(legacyId).success ? legacyId : `legacy-${hashOf(legacyId)}`;
}

/** Sessions that were saved without an id, or before each had a folder: the folder where it is one as a whole, otherwise one for every conversation in it. */
async function findLoose(root: string, folder: string, found: FoundUnits): Promise<void> {
  try {
    const files = await listFiles(join(root, folder));
    if (folder !== oldLogs && hasWholeHistory(files)) {
      found.units.push({ ...unitOf(folder), sessionId: looseId(folder) });
      return;
    }
    const loose = files.filter(folder === oldLogs ? isOldLog : isHistoryPart);
    found.units.push(...loose.map((only) => looseUnit(folder, only)));
    const rest = files.filter((file) => !loose.includes(file));
    if (rest.length > 0) found.reports.push(strays(folder, rest));
  } catch (error) {
    if (!(error instanceof BrokenFile)) throw error;
    found.reports.push(brokenReport(folder, null, error.file, error.reason));
  }
}

function looseUnit(folder: string, only: string): Unit {
  const label = `${folder}/${only}`;
  const unit = { label, folder, name: null, only };
  if (folder !== oldLogs) return { ...unit, legacyId: label, sessionId: looseId(label) };
  const legacyId = only.slice(only.lastIndexOf('/') + 1, -'.json'.length);
  return { ...unit, legacyId, sessionId: sessionIdOf(legacyId) };
}

/** Whether a session had no id of its own. */
export function isNameless({ folder }: Unit): boolean {
  return defaultFolder.test(folder);
}

/** The id of a session that had none: `default` is the name of many. */
export function looseId(label: string): string {
  return `default-${hashOf(label)}`;
}

function strays(folder: string, files: string[]): SessionReport {
  const reasons = new Map(layOut(files).skipped.map(({ file, reason }) => [file, reason]));
  const report = emptyReport(folder, null, 'skipped', 'these files belong to no session');
  return { ...report, files: { ...report.files, skipped: files.map((file) => ({ file, reason: reasons.get(file) ?? 'belongs to no session' })) } };
}

function withoutDoubles({ units, reports, unrecognised }: FoundUnits): FoundUnits {
  const firsts = new Map<string, Unit>();
  const doubles: SessionReport[] = [];
  for (const unit of units) {
    const first = firsts.get(unit.sessionId);
    if (first) doubles.push(emptyReport(unit.label, unit.sessionId, 'skipped', `has the same id as ${first.label}`));
    else firsts.set(unit.sessionId, unit);
  }
  return { units: [...firsts.values()], reports: [...reports, ...doubles], unrecognised };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 32);
}
