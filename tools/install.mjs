// Installs the locked packages where they are missing or stale. Plain JavaScript on node's own
// modules, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages || {};
  } catch {
    return undefined;
  }
}

/**
 * Compares package-lock.json with the record npm keeps of what it installed, so that a plain
 * `npm install` by hand counts as up to date too.
 *
 * @param {string} folder a folder with a package-lock.json
 * @param {string[]} required files inside the folder that only a finished install leaves behind
 * @returns {boolean} whether the folder's node_modules differ from its lock file
 */
export function isStale(folder, required = []) {
  const locked = readPackages(join(folder, 'package-lock.json'));
  const installed = readPackages(join(folder, 'node_modules', '.package-lock.json'));
  if (!locked || !installed) return true;
  if (required.some((file) => !existsSync(join(folder, file)))) return true;
  return Object.keys(locked).some((path) => {
    const wanted = locked[path];
    // Optional packages are those of other platforms, an extraneous one belongs to nobody.
    if (path === '' || wanted.optional || wanted.devOptional || wanted.extraneous) return false;
    const found = installed[path];
    return !found || found.version !== wanted.version;
  });
}

/**
 * Runs npm quietly and keeps its output in a log file.
 *
 * @param {string} folder
 * @param {string[]} args
 * @param {string} logFile
 * @returns {boolean} whether npm succeeded
 */
function npm(folder, args, logFile) {
  const log = openSync(logFile, 'a');
  const result = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', log, log], shell: process.platform === 'win32' });
  closeSync(log);
  return result.status === 0;
}

/**
 * Installs a folder's locked packages. Install scripts stay off except for the packages named:
 * the others compile native code that nothing here uses, which takes minutes.
 *
 * @param {string} folder
 * @param {{ label: string, scripts: string[], required: string[], cache: string }} options
 * @returns {string | undefined} one line that says what went wrong
 */
export function installIfStale(folder, { label, scripts, required, cache }) {
  if (!isStale(folder, required)) return undefined;
  mkdirSync(cache, { recursive: true });
  const logFile = join(cache, 'npm-ci.log');
  const started = Date.now();
  // Standard output belongs to what the command prints.
  process.stderr.write(`Installing packages of ${label} ... `);
  const flags = ['--no-audit', '--no-fund', '--loglevel=notice'];
  const done = npm(folder, ['ci', '--ignore-scripts'].concat(flags), logFile)
    && (scripts.length === 0 || npm(folder, ['rebuild', '--loglevel=notice'].concat(scripts), logFile))
    && required.every((file) => existsSync(join(folder, file)));
  process.stderr.write(done ? `${Math.round((Date.now() - started) / 1000)} s\n` : 'failed\n');
  return done ? undefined : `npm ci failed in ${label}: read ${logFile}, check the network and run the command again.`;
}
