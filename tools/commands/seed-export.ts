import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { connectAdmin, type Admin } from '../admin.ts';
import { exportData } from '../emulators/export.ts';
import { readAddresses } from '../emulators/ports.ts';
import { startSuite, type Suite } from '../emulators/suite.ts';
import { runCommand, UserError } from '../errors.ts';
import { CACHE, EMULATOR_DATA, PROJECT_ID } from '../paths.ts';
import { compareSeed, loadSeed } from '../seed/database.ts';
import { readSeed, type Seed } from '../seed/seed.ts';
import { validateSeed } from '../seed/validate.ts';
import { abortOnSignal } from './interrupt.ts';

const METADATA = 'firebase-export-metadata.json';

/** Empties both emulators, which hold the previous export. */
async function clear(suite: Suite): Promise<void> {
  const targets = [
    `${suite.urls.firestore}/emulator/v1/projects/${PROJECT_ID}/databases/(default)/documents`,
    `${suite.urls.auth}/emulator/v1/projects/${PROJECT_ID}/accounts`,
  ];
  for (const url of targets) {
    const answer = await fetch(url, { method: 'DELETE', headers: { authorization: 'Bearer owner' } });
    if (!answer.ok) throw new Error(`DELETE ${url} answered ${answer.status}`);
  }
}

/** Exports to a folder aside first: an export empties its folder, and emulator-data holds the seed too. */
async function replaceExport(): Promise<void> {
  const folder = join(CACHE, 'seed-export');
  await exportData(readAddresses().hub, folder);
  for (const name of ['auth_export', 'firestore_export', 'database_export', METADATA]) {
    rmSync(join(EMULATOR_DATA, name), { recursive: true, force: true });
    if (existsSync(join(folder, name))) cpSync(join(folder, name), join(EMULATOR_DATA, name), { recursive: true });
  }
}

async function update(suite: Suite, admin: Admin, seed: Seed): Promise<string> {
  // An export differs from the last one in its timestamps even when nothing changed: keep it if it still fits.
  if ((await compareSeed(admin, seed)).length === 0) return 'emulator-data holds the seed already.';
  await clear(suite);
  await loadSeed(admin, seed);
  const differences = await compareSeed(admin, seed);
  if (differences.length > 0) throw new Error(`The emulators hold something else than the seed:\n${differences.join('\n')}`);
  await replaceExport();
  return 'emulator-data holds the seed now.';
}

await runCommand(async () => {
  const seed = readSeed();
  const problems = validateSeed(seed);
  if (problems.length > 0) throw new UserError(`The seed contradicts itself; correct emulator-data/seed:\n${problems.join('\n')}`);
  // Without the functions: their triggers would answer the seed with documents of their own.
  const importFrom = existsSync(join(EMULATOR_DATA, METADATA)) ? EMULATOR_DATA : undefined;
  const suite = await startSuite({ only: ['auth', 'firestore'], importFrom, logFile: join(CACHE, 'seed-export.log'), signal: abortOnSignal() });
  try {
    const admin = connectAdmin(suite.env);
    console.log(await update(suite, admin, seed));
    await admin.close();
  } finally {
    await suite.stop();
  }
  return 0;
});
