// Entry of `npm test`, `npm start`, `npm run demo` and `npm run seed:export`. Works on a fresh clone:
// installs what is missing, then runs tools/commands/<command>.ts on the Node version of the deployed
// functions. Node's own modules and modest syntax only, so that an old Node gets a sentence, not a parse error.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installIfStale } from './install.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const command = process.argv[2] || '';
const args = process.argv.slice(3);
const entry = join(root, 'tools', 'commands', `${command}.ts`);
const nodeFolder = join(root, 'node_modules', 'node', 'bin');

function fail(message) {
  console.error(message);
  process.exit(1);
}

function runCommand() {
  const path = `${nodeFolder}${delimiter}${process.env.PATH || ''}`;
  const child = spawn(join(nodeFolder, 'node'), [entry].concat(args), {
    cwd: root,
    stdio: 'inherit',
    env: Object.assign({}, process.env, { PATH: path }),
  });
  // Ctrl-C reaches the whole process group, so the child may hear it twice; the commands stop once
  // however often they are asked. Forwarding serves those who signal this process alone.
  ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach((signal) => process.on(signal, () => child.kill(signal)));
  child.on('error', (error) => fail(`Cannot start Node from node_modules: ${error.message}. Delete node_modules and run the command again.`));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}

if (Number(process.versions.node.split('.')[0]) < 20) {
  fail(`JIGA needs Node 20 or newer, this is ${process.version}: install one from https://nodejs.org and run the command again.`);
}
if (!/^[a-z-]+$/.test(command) || !existsSync(entry)) {
  fail(`There is no command "${command}": npm run lists them.`);
}
const cache = join(root, '.cache');
const problem = installIfStale(root, { label: 'the tools', scripts: ['node'], required: [join('node_modules', 'node', 'bin', 'node')], cache })
  || installIfStale(join(root, 'functions'), { label: 'functions', scripts: [], required: [], cache });
if (problem) fail(problem);
runCommand();
