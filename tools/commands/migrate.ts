import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MediaStorage } from '../../functions/src/media/storage.ts';
import { runCommand, UserError } from '../errors.ts';
import { findAccounts } from '../migrate/accounts.ts';
import { migrate, type Batch } from '../migrate/batch.ts';
import { folderStorage } from '../migrate/folder-storage.ts';
import { HELP, readOptions, type Options } from '../migrate/options.ts';
import { toLines, toReport, type MigrationReport } from '../migrate/report.ts';
import { CACHE } from '../paths.ts';
import { credentialsProblem, pointAt } from '../target.ts';
import { createProgress, type Progress } from './progress.ts';

const COULD_NOT_RUN = 2;

/** Where the media go. */
function mediaStorage({ project }: Options): MediaStorage {
  if (project !== null) throw new UserError('Media cannot be stored in a real project yet.');
  return folderStorage(join(CACHE, 'media'));
}

async function run(options: Options): Promise<MigrationReport> {
  const startedAt = new Date().toISOString();
  // Rules and access to the databases are those of the functions.
  const { judgeStored, readImportedConfig } = await import('../../functions/src/imports/store.ts');
  const { importSession } = await import('../../functions/src/imports/lifecycle.ts');
  const { accountByEmail, accountById } = await import('../../functions/src/imports/store-accounts.ts');
  const { db } = await import('../../functions/src/runtime/firebase.ts');
  let progress: Progress | null = null;
  try {
    if (options.owner !== null && !await accountById(options.owner)) throw new UserError(`--owner: there is no account ${options.owner}.`);
    const config = await readImportedConfig();
    const storage = options.dryRun ? null : mediaStorage(options);
    const store: Batch['store'] = storage === null ? judgeStored : (imported, load) => importSession(imported, { config, storage, load });
    const { sessions, unrecognised } = await migrate({
      root: options.from, fallbackOwner: options.owner, store,
      accounts: findAccounts(options.owners, { byId: accountById, byEmail: accountByEmail }),
      progress: (done, total) => (progress ??= createProgress('sessions', total)).show(done),
    });
    return toReport({ startedAt, from: options.from, dryRun: options.dryRun, unrecognised }, sessions);
  } finally {
    (progress as Progress | null)?.end();
    await db().terminate();
  }
}

/** For the operator's eyes: it has e-mail addresses. */
async function write(file: string, report: MigrationReport): Promise<void> {
  await writeFile(`${file}.part`, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.part`, file);
}

await runCommand(async () => {
  try {
    const options = readOptions(process.argv.slice(2));
    if (!options) {
      console.log(HELP);
      return 0;
    }
    await pointAt(options, 'migrate to');
    const report = await run(options);
    if (options.output !== null) await write(options.output, report);
    for (const line of toLines(report, process.stdout.isTTY)) console.log(line);
    return report.totals.broken === 0 ? 0 : 1;
  } catch (error) {
    console.error(credentialsProblem(error) ?? (error instanceof UserError ? error.message : error));
    return COULD_NOT_RUN;
  }
});
