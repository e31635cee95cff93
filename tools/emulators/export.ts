import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../errors.ts';
import type { Address } from './ports.ts';

/** Refuses folders whose content an export would delete without being able to write it back. */
export function requireExportFolder(folder: string): void {
  const foreign = existsSync(folder) && readdirSync(folder).some((name) => !/^(firebase-export-metadata\.json|\w+_export)$/.test(name));
  if (foreign) {
    throw new UserError(`An export would delete the other files in ${folder}: name a new folder, or one that holds nothing but an export.`);
  }
}

/**
 * Exports the data of a running suite; whatever is in the folder is replaced. Asks this suite's own hub:
 * `--export-on-exit` of firebase-tools looks the hub up by project id, and so finds any other suite of the machine.
 */
export async function exportData({ host, port }: Address, folder: string): Promise<void> {
  const path = resolve(folder);
  requireExportFolder(path);
  mkdirSync(path, { recursive: true });
  const answer = await fetch(`http://${host}:${port}/_admin/export`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ path, initiatedBy: 'jiga', targets: ['auth', 'firestore', 'database'] }),
  }).catch(() => undefined);
  if (!answer?.ok) throw new UserError(`The data could not be exported to ${path}: ${answer ? await answer.text() : 'the suite does not answer'}`);
}
