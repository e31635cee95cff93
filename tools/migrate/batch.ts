import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImportedMedia, ImportedSession, ImportOutcome, ImportVerdict } from '../../functions/src/imports/schema.ts';
import type { LegacyMetadata } from '../../functions/src/imports/legacy-schema.ts';
import { inParallel } from '../parallel.ts';
import type { Accounts } from './accounts.ts';
import { BrokenFile } from './broken.ts';
import { readRegistry } from './read-json.ts';
import { brokenReport, emptyReport, type Outcome, type SessionReport } from './report.ts';
import { readSession, type Surroundings } from './session.ts';
import { findUnits, type Unit } from './units.ts';

/** What a migration works with. */
export interface Batch {
  root: string;
  accounts: Accounts;
  fallbackOwner: string | null;
  /** Stores a session and says what became of it; for a dry run it only says what would. */
  store: (imported: ImportedSession, load: (media: ImportedMedia) => Promise<Uint8Array>) => Promise<ImportOutcome | ImportVerdict>;
  /** Called once with how many sessions there are, then whenever one more is done. */
  progress: (done: number, total: number) => void;
}

/** Sessions that are read and stored at a time: each is in memory as a whole. */
const atATime = 4;

/** Imports every session at a root. One that is broken does not keep the others from being imported. */
export async function migrate({ root, accounts, fallbackOwner, store, progress }: Batch): Promise<{ sessions: SessionReport[]; unrecognised: string[] }> {
  const names = await readdir(root);
  const registry = await registryAt(root, names);
  if ('outcome' in registry) return { sessions: [registry], unrecognised: [] };
  const copies = new Set(await readdir(join(root, 'metadata')).catch(() => []));
  const { units, reports, unrecognised } = await findUnits(root, registry.file === null ? [] : [registry.file]);
  const surroundings = { root, registry: registry.entries, copies, accounts, fallbackOwner };
  let done = 0;
  progress(done, units.length);
  const migrated: SessionReport[] = [];
  await inParallel([...units.entries()], atATime, async ([index, unit]) => {
    migrated[index] = await migrateOne(unit, surroundings, store);
    progress(++done, units.length);
  });
  return { sessions: [...reports, ...migrated, ...withoutFolder(registry.entries, units, reports)], unrecognised };
}

/** The registry, or the report of a broken one: without it nobody knows who owns what, so nothing is imported. */
async function registryAt(root: string, names: string[]): Promise<{ file: string | null; entries: ReadonlyMap<string, LegacyMetadata> } | SessionReport> {
  try {
    return await readRegistry(root, names) ?? { file: null, entries: new Map() };
  } catch (error) {
    if (error instanceof BrokenFile) return brokenReport(error.file, null, error.file, error.reason);
    throw error;
  }
}

async function migrateOne(unit: Unit, surroundings: Surroundings, store: Batch['store']): Promise<SessionReport> {
  try {
    const { report, imported, load } = await readSession(unit, surroundings);
    return imported ? { ...report, ...told[await store(imported, load)] } : report;
  } catch (error) {
    if (error instanceof BrokenFile) return brokenReport(unit.label, unit.sessionId, error.file, error.reason);
    return emptyReport(unit.label, unit.sessionId, 'broken', `could not be stored, try again: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What the report says of what became of a session, or would. */
const told: Record<ImportOutcome | ImportVerdict, { outcome: Outcome; reason?: string }> = {
  create: { outcome: 'imported' },
  replace: { outcome: 'imported' },
  imported: { outcome: 'imported' },
  unchanged: { outcome: 'unchanged' },
  differs: { outcome: 'differs', reason: 'has changed since it was imported; the session here is left as it is' },
  deleted: { outcome: 'skipped', reason: 'its owner has deleted it here' },
  taken: { outcome: 'skipped', reason: 'another session here has this id' },
};

/** Sessions that the registry knows and that are not here. */
function withoutFolder(registry: ReadonlyMap<string, LegacyMetadata>, units: Unit[], reports: SessionReport[]): SessionReport[] {
  const here = new Set([...units.map(({ legacyId }) => legacyId), ...reports.map(({ folder }) => folder)]);
  return [...registry.keys()].filter((legacyId) => !here.has(legacyId)).map((legacyId) => emptyReport(legacyId, null, 'skipped', 'is in the registry, but its folder is not here'));
}
