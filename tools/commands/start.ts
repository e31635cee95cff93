import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startSuite, type Suite } from '../emulators/suite.ts';
import { runCommand, UserError } from '../errors.ts';
import { CACHE, EMULATOR_DATA, PROJECT_ID, ROOT } from '../paths.ts';
import { readSeed } from '../seed/seed.ts';
import { buildFunctions, rebuildOnChange } from './build.ts';
import { aborted, abortOnSignal } from './interrupt.ts';

const USAGE = 'usage: npm start [-- --import DIR | --no-import] [--export DIR]';

/** Folders to begin with and to export to; folders count from where npm was called. */
function readArguments(args: string[]): { importFrom: string | undefined; exportTo: string | undefined } {
  const folder = (name: string) => resolve(process.env['INIT_CWD'] ?? ROOT, name);
  try {
    const { values } = parseArgs({
      args,
      options: { import: { type: 'string' }, export: { type: 'string' }, 'no-import': { type: 'boolean' } },
    });
    const importFrom = values.import === undefined ? EMULATOR_DATA : folder(values.import);
    return {
      importFrom: values['no-import'] ? undefined : importFrom,
      exportTo: values.export === undefined ? undefined : folder(values.export),
    };
  } catch (error) {
    throw new UserError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

/** The emulators never run a schedule by themselves, so this does; the answer ends it. A sweep that fails says so in the log. */
function sweepEveryMinute({ urls }: Suite): () => void {
  const address = `${urls.functions}/functions/projects/${PROJECT_ID}/triggers/us-central1-sweep-0`;
  const timer = setInterval(() => void fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }).catch(() => undefined), 60_000);
  return () => clearInterval(timer);
}

function printAddresses(suite: Suite): void {
  console.log(`\nJIGA on the Firebase emulators, ${suite.description}\n`);
  for (const [name, url] of Object.entries(suite.urls)) console.log(`  ${name.padEnd(10)} ${url}`);
  const base = `${suite.urls.functions}/${PROJECT_ID}/us-central1`;
  console.log(`  ${'callables'.padEnd(10)} ${base}/<name>`);
  console.log(`  ${'REST'.padEnd(10)} ${base}/api/v1 (description: ${base}/api/v1/openapi.json)`);
  console.log(`  ${'media'.padEnd(10)} ${suite.env['MEDIA_FOLDER']}`);
  console.log(`  ${'log'.padEnd(10)} ${suite.logFile}`);
}

function printAccounts(): void {
  const { accounts, users, products } = readSeed();
  console.log('\nAccounts');
  for (const { uid, email, password, claims } of accounts) {
    console.log(`  ${email.padEnd(20)} password ${password.padEnd(16)} uid ${uid.padEnd(12)} ${claims['admin'] ? 'admin' : 'player'}`);
    for (const agent of Object.values(users[uid]?.agents ?? {})) {
      const name = agent.customName ?? products[agent.agentProductId]?.name ?? '';
      console.log(`    ${agent.agentInstanceId.padEnd(22)} ${agent.agentProductId.padEnd(14)} ${name.padEnd(12)} ${agent.currentDOFs} DOFs`);
    }
  }
}

await runCommand(async () => {
  const { importFrom, exportTo } = readArguments(process.argv.slice(2));
  const signal = abortOnSignal();
  buildFunctions();
  console.log('Starting the emulators ...');
  const suite = await startSuite({ importFrom, exportTo, logFile: join(CACHE, 'start.log'), signal });
  const stopWatching = rebuildOnChange((line) => console.log(line));
  const stopSweeping = sweepEveryMinute(suite);
  printAddresses(suite);
  if (importFrom === EMULATOR_DATA) printAccounts();
  console.log('\nCtrl-C stops them.');
  await Promise.race([aborted(signal), suite.exited]);
  stopWatching();
  stopSweeping();
  if (signal.aborted) console.log(exportTo ? `\nStopping, and exporting to ${exportTo} ...` : '\nStopping ...');
  else console.error(`The emulators ended by themselves: read ${suite.logFile}.`);
  await suite.stop();
  return signal.aborted ? 0 : 1;
});
