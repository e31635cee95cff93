import { rename, writeFile } from 'node:fs/promises';
import { runCommand, UserError } from '../errors.ts';
import { findAccounts } from '../migrate/accounts.ts';
import { migrate, type Batch } from '../migrate/batch.ts';
import { HELP, readOptions, type Options } from '../migrate/options.ts';
import { toLines, toReport, type MigrationReport } from '../migrate/report.ts';
import { MEDIA_FOLDER } from '../paths.ts';
import { credentialsProblem, pointAt } from '../target.ts';
import { createProgress, type Progress } from './progress.ts';

const COULD_NOT_RUN = 2;

/** @throws UserError when a real project is meant and nobody says where its functions keep media. */
function requireBucket({ project }: Options): void {
  if (project !== null && !process.env['MEDIA_BUCKET']) throw new UserError('Set MEDIA_BUCKET to the bucket that the functions of the project keep media in: the pictures and the sound of sessions go there.');
}

async function run(options: Options): Promise<MigrationReport> {
  const startedAt = new Date().toISOString();
  // Rules and access to the databases are those of the functions.
  const { judgeStored, readImportedConfig } = await import('../../functions/src/imports/store.ts');
  const { importSession } = await import('../../functions/src/imports/lifecycle.ts');
  const { accountByEmail, accountById } = await import('../../functions/src/imports/store-accounts.ts');
  const { loadStorage } = await import('../../functions/src/media/load-storage.ts');
  const { db } = await import('../../functions/src/runtime/firebase.ts');
  let progress: Progress | null = null;
  try {
    if (options.owner !== null && !await accountById(options.owner)) throw new UserError(`--owner: there is no account ${options.owner}.`);
    const config = await readImportedConfig();
    requireBucket(options);
    const storage = options.dryRun ? null : await loadStorage();
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
    // Where the functions of npm start keep theirs.
    if (options.project === null) process.env['MEDIA_FOLDER'] ??= MEDIA_FOLDER;
    const report = await run(options);
    if (options.output !== null) await write(options.output, report);
    for (const line of toLines(report, process.stdout.isTTY)) console.log(line);
    return report.totals.broken === 0 ? 0 : 1;
  } catch (error) {
    console.error(credentialsProblem(error) ?? (error instanceof UserError ? error.message : error));
    return COULD_NOT_RUN;
  }
});
